package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"responsehub/sim/wire"
)

// Post is one event on its way to the hub.
type Post struct {
	Queue  string // posts of one queue go out in order
	URL    string
	Header http.Header
	Body   []byte
}

// Delivery is a Post that was tried, with its last answer.
type Delivery struct {
	At       time.Time `json:"at"`
	URL      string    `json:"url"`
	Body     string    `json:"body,omitempty"`
	Attempts int       `json:"attempts"`
	Status   int       `json:"status"` // 0: no answer
	Error    string    `json:"error,omitempty"`
	Done     bool      `json:"done"` // the vendor tries no more

	header http.Header
}

// maxDeliveries is how many deliveries a Sender remembers.
const maxDeliveries = 500

// Sender posts events by a vendor's rules. Scripted faults with Vendor strike what it posts: drop
// loses a post, delay_ms makes it late, after sends it twice, status loses the hub's answer.
type Sender struct {
	Vendor  string // for example "connectwise.callback"
	Log     *wire.Log
	Client  *http.Client
	Timeout time.Duration
	// Retry says how long to wait before the next attempt; status is 0 when there was no answer.
	Retry func(attempt, status int) (wait time.Duration, again bool)
	// Settled is told the outcome of a post, without any lock held.
	Settled func(p Post, ok bool)
	Speed   float64 // waits are divided by it; 0 = 1

	mu      sync.Mutex
	tails   map[string]chan struct{}
	sent    []*Delivery
	stopped bool
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Start must be called before Send.
func (s *Sender) Start() { s.ctx, s.cancel = context.WithCancel(context.Background()) }

// Stop gives up what is under way and waits for it.
func (s *Sender) Stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
}

// Send posts p after the posts of its queue before it.
func (s *Sender) Send(p Post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	if s.tails == nil {
		s.tails = map[string]chan struct{}{}
	}
	before, done := s.tails[p.Queue], make(chan struct{})
	s.tails[p.Queue] = done
	s.running.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		s.carry(p)
	})
}

// carry tries until the vendor's rule ends it.
func (s *Sender) carry(p Post) {
	d := s.note(p)
	for attempt := 1; s.ctx.Err() == nil; attempt++ {
		status, err := s.attempt(p)
		wait, again := s.Retry(attempt, status)
		ok := status/100 == 2
		s.mu.Lock()
		d.Attempts, d.Status, d.Done = attempt, status, ok || !again
		if d.Error = ""; err != nil {
			d.Error = err.Error()
		}
		s.mu.Unlock()
		if ok || !again {
			if s.Settled != nil && s.ctx.Err() == nil {
				s.Settled(p, ok)
			}
			return
		}
		s.pause(wait)
	}
}

func (s *Sender) note(p Post) *Delivery {
	d := &Delivery{At: time.Now().UTC(), URL: p.URL, Body: string(p.Body), header: p.Header}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent = append(s.sent, d); len(s.sent) > maxDeliveries {
		s.sent = slices.Delete(s.sent, 0, 1)
	}
	return d
}

// attempt is one request with its fault.
func (s *Sender) attempt(p Post) (int, error) {
	where := p.URL
	if u, err := url.Parse(p.URL); err == nil {
		where = u.Path + "?" + u.RawQuery
	}
	f, hit := s.Log.Pick(s.Vendor, http.MethodPost, where, string(p.Body))
	if hit {
		s.pause(time.Duration(f.DelayMS) * time.Millisecond)
		if f.Drop {
			return 0, errors.New("lost on its way")
		}
	}
	status, err := s.Once(s.ctx, p)
	if hit && f.After {
		status, err = s.Once(s.ctx, p)
	}
	if hit && f.Status != 0 {
		return f.Status, err
	}
	return status, err
}

// Once posts without queue, retry or fault and returns the answer's status.
func (s *Sender) Once(ctx context.Context, p Post) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, errors.New("no answer in time"))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return 0, fmt.Errorf("post an event: %w", err)
	}
	for k, v := range p.Header {
		req.Header[k] = v
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("post an event: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // the status is all that counts
	return resp.StatusCode, nil
}

// Last is the newest post that was tried, for a replay.
func (s *Sender) Last() (Post, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sent) == 0 {
		return Post{}, false
	}
	d := s.sent[len(s.sent)-1]
	return Post{URL: d.URL, Header: d.header.Clone(), Body: []byte(d.Body)}, true
}

// Deliveries returns what was posted, oldest first.
func (s *Sender) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Delivery, len(s.sent))
	for i, d := range s.sent {
		out[i] = *d
	}
	return out
}

func (s *Sender) pause(d time.Duration) {
	if s.Speed > 0 {
		d = time.Duration(float64(d) / s.Speed)
	}
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}
