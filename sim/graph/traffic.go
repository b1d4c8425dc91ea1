package graph

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// What one app may ask of one mailbox. Other mailboxes do not suffer when it asks for more.
// https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
const (
	perMailbox = 4 // at once
	perPeriod  = 10_000
	period     = 10 * time.Minute
)

// traffic enforces the limits of mailboxes and remembers how close the clients came to them. The zero
// value is ready for use.
type traffic struct {
	mu    sync.Mutex
	boxes map[string]*box
	all   int
	peak  Peak
}

// box is one app's traffic at one mailbox.
type box struct {
	now   int
	count int // since begin
	begin time.Time
}

// Peak is the most that clients ever had in flight at the mail service, what was refused for it included.
type Peak struct {
	Mailbox int `json:"mailbox"` // of one app at one mailbox
	All     int `json:"all"`
	Refused int `json:"refused"` // requests above a limit of a mailbox
}

// Peak returns it. Requests that a scripted fault answered are not in it.
func (s *Server) Peak() Peak {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return s.traffic.peak
}

// enter takes a request to a mailbox in, or refuses it. A refused one counts against the ten minutes too.
func (t *traffic) enter(key string, now time.Time) (release func(), refused *reply) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.boxes == nil {
		t.boxes = map[string]*box{}
	}
	b := t.boxes[key]
	if b == nil {
		b = &box{begin: now}
		t.boxes[key] = b
	}
	if now.Sub(b.begin) >= period {
		b.begin, b.count = now, 0
	}
	b.count++
	t.peak.Mailbox, t.peak.All = max(t.peak.Mailbox, b.now+1), max(t.peak.All, t.all+1)
	switch {
	case b.now >= perMailbox:
		t.peak.Refused++
		return nil, throttled("MailboxConcurrency", time.Second)
	case b.count > perPeriod:
		t.peak.Refused++
		return nil, throttled("MailboxRequests", period-now.Sub(b.begin))
	}
	b.now++
	t.all++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		b.now--
		t.all--
	}, nil
}

// throttled is the mail service's refusal. The name of the second limit is ours.
func throttled(limit string, wait time.Duration) *reply {
	out := fail(http.StatusTooManyRequests, "ApplicationThrottled", "Application is over its %s limit.", limit)
	out.header = map[string]string{"Retry-After": strconv.Itoa(int(math.Ceil(wait.Seconds())))}
	return &out
}
