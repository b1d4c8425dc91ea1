package twilio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Call is one call as the network knows it.
type Call struct {
	SID        string    `json:"sid"`
	To         string    `json:"to"`
	From       string    `json:"from"`
	Direction  string    `json:"direction"` // outbound-api, inbound
	Status     string    `json:"status"`    // Twilio's words
	Created    time.Time `json:"created"`
	Ringing    time.Time `json:"ringing,omitzero"`
	Answered   time.Time `json:"answered,omitzero"`
	Ended      time.Time `json:"ended,omitzero"`
	Updated    time.Time `json:"updated"`
	QueueMS    int64     `json:"queue_ms"`
	AnsweredBy string    `json:"answered_by,omitempty"`
	SIP        int       `json:"sip,omitempty"` // SipResponseCode
	Said       []Line    `json:"said,omitempty"`
	Pressed    string    `json:"pressed,omitempty"` // all keys
	Asking     bool      `json:"asking,omitempty"`  // a key is awaited now
	Sequence   int       `json:"sequence"`          // of the next progress report
}

// Line is something said on a call.
type Line struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// asked is what the creation wanted.
type asked struct {
	URL            string   `json:"url,omitempty"`
	Method         string   `json:"method,omitempty"`
	Twiml          string   `json:"twiml,omitempty"`
	FallbackURL    string   `json:"fallback_url,omitempty"`
	FallbackMethod string   `json:"fallback_method,omitempty"`
	Callback       string   `json:"callback,omitempty"`
	CallbackMethod string   `json:"callback_method,omitempty"`
	Events         []string `json:"events,omitempty"`
	Ring           int      `json:"ring,omitempty"`       // seconds
	TimeLimit      int      `json:"time_limit,omitempty"` // seconds
	Machine        string   `json:"machine,omitempty"`    // Enable, DetectMessageEnd
	Async          bool     `json:"async,omitempty"`
	AMDCallback    string   `json:"amd_callback,omitempty"`
	AMDMethod      string   `json:"amd_method,omitempty"`
}

// call is a call with what drives it.
type call struct {
	Call
	asked asked
	start time.Time // its turn in the queue
	ctx   context.Context
	end   context.CancelCauseFunc // with an *ending
	acts  chan act
	gone  chan struct{}   // closed when it is over
	tail  <-chan struct{} // closed when the last report is out
}

// act is what somebody does to a call.
type act struct {
	kind string // answer, decline, keys, redirect
	keys string
	to   asked // of redirect
}

// ending is why a call is over.
type ending struct {
	status string
	sip    int
}

func (e *ending) Error() string { return "the call is " + e.status }

// over says that nothing more happens to a call of this status.
func over(status string) bool {
	return slices.Contains([]string{"completed", "busy", "failed", "no-answer", "canceled"}, status)
}

func (s *Service) newCall(c Call, a asked) *call {
	out := &call{Call: c, asked: a, acts: make(chan act, 32), gone: make(chan struct{})}
	out.ctx, out.end = context.WithCancelCause(s.ctx)
	out.Updated = c.Created
	return out
}

// place lets the call run.
func (s *Service) place(c *call) {
	s.spawn(func() {
		defer close(c.gone)
		e := s.live(c)
		var early *ending
		if errors.As(context.Cause(c.ctx), &early) {
			e = early
		} else if s.ctx.Err() != nil {
			return // stopped: Start goes on with it
		}
		c.end(e)
		s.hangUp(c, e)
	})
}

// live takes a call from the queue to its end.
func (s *Service) live(c *call) *ending {
	switch {
	case c.Direction == "inbound":
		return s.talk(c, script{})
	case c.Status == "in-progress": // the world was down: the line is dead
		return &ending{status: "completed", sip: 200}
	}
	var p *phone
	if c.Status == "queued" {
		if !s.queue(c) {
			return &ending{status: "canceled", sip: 487}
		}
		s.report(c, "initiated", "initiated")
		if !s.pause(c.ctx, 300*time.Millisecond) {
			return &ending{status: "canceled", sip: 487}
		}
	}
	s.mu.Lock()
	p = s.phoneOf(c.To)
	s.mu.Unlock()
	if p == nil { // a number that nobody has
		return &ending{status: "failed", sip: 404}
	}
	does := s.fate(p, "CALL", "")
	s.mu.Lock()
	if c.Status != "ringing" { // it rang before the world was down
		p.rang++
	}
	asleep := does.sleeps < 0 || p.rang <= does.sleeps
	taken := p.live != nil && p.live != c
	if !asleep && does.pickup == "dead" {
		s.mu.Unlock()
		return &ending{status: "failed", sip: 404}
	}
	if taken || (!asleep && does.pickup == "busy") {
		s.mu.Unlock()
		return &ending{status: "busy", sip: 486}
	}
	p.live, c.Status, c.Ringing, c.Updated = c, "ringing", time.Now().UTC(), time.Now().UTC()
	s.mu.Unlock()
	s.effect("call", c.To, c.SID)
	s.report(c, "ringing", "ringing")
	if e := s.ring(c, does, asleep); e != nil {
		return e
	}
	s.mu.Lock()
	c.Status, c.Answered, c.Updated = "in-progress", time.Now().UTC(), time.Now().UTC()
	s.mu.Unlock()
	s.effect("call.answer", c.To, c.SID)
	s.report(c, "answered", "in-progress")
	if does.pickup == "hangs up" {
		return &ending{status: "completed", sip: 200}
	}
	return s.talk(c, does)
}

// reserve gives a call its turn in the queue: one starts each second. s.mu must be held.
func (s *Service) reserve(c *call) {
	now := time.Now()
	c.start = now
	if !s.cfg.NoLimits {
		if s.nextCall.After(now) {
			c.start = s.nextCall
		}
		s.nextCall = c.start.Add(s.scaled(time.Second))
	}
	c.QueueMS = c.start.Sub(now).Milliseconds()
}

// queue waits for the call's turn.
func (s *Service) queue(c *call) bool {
	t := time.NewTimer(time.Until(c.start))
	defer t.Stop()
	select {
	case <-t.C:
		return c.ctx.Err() == nil
	case <-c.ctx.Done():
		return false
	}
}

// ring waits until somebody picks up: nil. Otherwise how the call ended.
func (s *Service) ring(c *call, does script, asleep bool) *ending {
	unanswered := time.NewTimer(s.scaled(time.Duration(c.asked.Ring) * time.Second))
	defer unanswered.Stop()
	var byItself <-chan time.Time
	if !asleep && does.pickup != "" {
		t := time.NewTimer(s.scaled(does.wait))
		defer t.Stop()
		byItself = t.C
	}
	for {
		select {
		case <-c.ctx.Done():
			return &ending{status: "canceled", sip: 487}
		case <-unanswered.C:
			return &ending{status: "no-answer", sip: 487}
		case <-byItself:
			if does.pickup == "declines" {
				return &ending{status: "busy", sip: 603}
			}
			return nil
		case a := <-c.acts:
			switch a.kind {
			case "answer":
				return nil
			case "decline":
				return &ending{status: "busy", sip: 603}
			}
		}
	}
}

// hangUp ends a call and tells of it.
func (s *Service) hangUp(c *call, e *ending) {
	now := time.Now().UTC()
	s.mu.Lock()
	c.Status, c.Ended, c.Updated, c.SIP, c.Asking = e.status, now, now, e.sip, false
	if c.SIP == 0 {
		c.SIP = 200
	}
	for _, p := range s.phones {
		if p.live == c {
			p.live = nil
		}
	}
	s.mu.Unlock()
	s.report(c, "completed", e.status)
}

// seconds is how long a call lasted, as Twilio counts: whole seconds, begun ones included.
func (c *call) seconds() int {
	if c.Answered.IsZero() || c.Ended.IsZero() {
		return 0
	}
	return int(math.Ceil(c.Ended.Sub(c.Answered).Seconds()))
}

// about is the part of a form that every request about a call has.
func (s *Service) about(c *call) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return url.Values{
		"CallSid": {c.SID}, "AccountSid": {s.cfg.AccountSID}, "ApiVersion": {"2010-04-01"}, "Direction": {c.Direction},
		"To": {c.To}, "Called": {c.To}, "From": {c.From}, "Caller": {c.From}, "CallStatus": {c.Status},
		"ToCountry": {"US"}, "FromCountry": {"US"}, "CalledCountry": {"US"}, "CallerCountry": {"US"}, "ToCity": {""}, "FromCity": {""},
	}
}

// report posts a progress event, when it was asked for.
// https://www.twilio.com/docs/voice/api/call-resource#statuscallback
func (s *Service) report(c *call, event, status string) {
	if c.asked.Callback == "" || !slices.Contains(c.asked.Events, event) {
		return
	}
	form := s.about(c)
	s.mu.Lock()
	form.Set("CallStatus", status)
	form.Set("CallbackSource", "call-progress-events")
	form.Set("SequenceNumber", strconv.Itoa(c.Sequence))
	form.Set("Timestamp", time.Now().UTC().Format(time.RFC1123Z))
	c.Sequence++
	if event == "completed" {
		form.Set("CallDuration", strconv.Itoa(c.seconds()))
		form.Set("Duration", strconv.Itoa((c.seconds()+59)/60))
		form.Set("SipResponseCode", strconv.Itoa(c.SIP))
		if c.AnsweredBy != "" {
			form.Set("AnsweredBy", c.AnsweredBy)
		}
	}
	s.mu.Unlock()
	s.notify(&c.tail, hook{kind: "callback", method: c.asked.CallbackMethod, address: c.asked.Callback, about: c.SID, state: status, form: form})
}

// endBy ends a call from outside, as an update of Status does, and waits until it is over.
func (s *Service) endBy(c *call, e *ending) error {
	c.end(e)
	select {
	case <-c.gone:
		return nil
	case <-s.ctx.Done():
		return fmt.Errorf("sim/twilio: %w", context.Cause(s.ctx))
	}
}
