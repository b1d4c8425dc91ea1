package oncall_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/oncall"
)

// network is a telephone network in the process: phones that do what the test says.
type network struct {
	t     *testing.T
	mu    sync.Mutex
	board oncall.Switchboard
	does  map[string][]string // by number: what happens to its calls, one after the other; the last one stays
	calls []*line
	texts []oncall.Text
	sent  []time.Time
	fault func(way responsehub.Way, to string) error // of a request, before it is carried out
	lost  func(way responsehub.Way, to string) error // of an answer, after it was carried out
	deaf  int                                        // so many times a call cannot be ended
	mute  bool                                       // no reports
	wg    sync.WaitGroup
	ctx   context.Context
	said  map[string][]string // by number
	tells []string            // what the operators were told
}

// line is one call.
type line struct {
	oncall.Call
	sid   string
	at    time.Time
	state responsehub.AttemptState
	over  chan struct{}
	ended bool
	end   time.Time
}

func (n *network) Call(_ context.Context, c oncall.Call) (oncall.Placed, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fault != nil {
		if err := n.fault(responsehub.ByCall, c.To); err != nil {
			return oncall.Placed{}, err
		}
	}
	for _, l := range n.calls {
		if l.To == c.To && !l.ended {
			n.t.Errorf("a second live call to %s", c.To)
		}
	}
	l := &line{Call: c, sid: fmt.Sprintf("CA%d", len(n.calls)+1), at: time.Now(), state: responsehub.AttemptRinging, over: make(chan struct{})}
	n.calls = append(n.calls, l)
	does := "silent"
	if d := n.does[c.To]; len(d) > 0 {
		if does = d[0]; len(d) > 1 {
			n.does[c.To] = d[1:]
		}
	}
	n.wg.Go(func() { n.ring(l, does) })
	if n.lost != nil {
		if err := n.lost(responsehub.ByCall, c.To); err != nil {
			return oncall.Placed{}, err
		}
	}
	return oncall.Placed{SID: l.sid, To: c.To, At: l.at, Progress: oncall.Progress{State: responsehub.AttemptRequested}}, nil
}

// ring plays a call: "silent", "busy", "voicemail", "nothing" (picks up, presses no
// key), or keys with "," for those pressed one after the other.
func (n *network) ring(l *line, does string) {
	report := func(s responsehub.AttemptState, machine bool, reason string) {
		n.mu.Lock()
		quiet := n.mute
		l.state = s
		n.mu.Unlock()
		if !quiet {
			if err := n.board.Reported(n.ctx, l.Attempt, oncall.Progress{SID: l.sid, State: s, Machine: machine, Reason: reason}); err != nil && n.ctx.Err() == nil {
				n.t.Errorf("report: %v", err)
			}
		}
	}
	finish := func(s responsehub.AttemptState, machine bool, reason string) {
		n.mu.Lock()
		if l.ended {
			n.mu.Unlock()
			return
		}
		l.ended, l.end = true, time.Now()
		n.mu.Unlock()
		report(s, machine, reason)
	}
	wait := func(d time.Duration) bool {
		select {
		case <-l.over:
			report(responsehub.AttemptCancelled, false, "")
			return false
		case <-n.ctx.Done():
			return false
		case <-time.After(d):
			return true
		}
	}
	if !wait(time.Second) {
		return
	}
	if does == "busy" {
		finish(responsehub.AttemptBusy, false, "busy")
		return
	}
	report(responsehub.AttemptRinging, false, "")
	if does == "silent" {
		if wait(l.Ring - time.Second) {
			finish(responsehub.AttemptNoAnswer, false, "nobody picked up")
		}
		return
	}
	if !wait(4 * time.Second) {
		return
	}
	report(responsehub.AttemptInProgress, false, "")
	speech, err := n.board.Answered(n.ctx, l.Attempt)
	n.hear(l.To, speech, err)
	if does == "voicemail" {
		finish(responsehub.AttemptVoicemail, true, "a machine answered")
		return
	}
	for _, key := range strings.Split(does, ",") {
		if !wait(3 * time.Second) {
			return
		}
		if key == "nothing" {
			key = ""
		}
		speech, err = n.board.Pressed(n.ctx, l.Attempt, l.sid, key, 0)
		n.hear(l.To, speech, err)
	}
	if wait(2 * time.Second) {
		finish(responsehub.AttemptHeard, false, "no key")
	}
}

func (n *network) hear(to string, s oncall.Speech, err error) {
	if err != nil && n.ctx.Err() == nil {
		n.t.Errorf("speech: %v", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said[to] = append(n.said[to], strings.Join(s.Lines, " "))
}

func (n *network) Text(_ context.Context, t oncall.Text) (oncall.Placed, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fault != nil {
		if err := n.fault(responsehub.ByText, t.To); err != nil {
			return oncall.Placed{}, err
		}
	}
	n.texts, n.sent = append(n.texts, t), append(n.sent, time.Now())
	sid := fmt.Sprintf("SM%d", len(n.texts))
	if n.lost != nil {
		if err := n.lost(responsehub.ByText, t.To); err != nil {
			return oncall.Placed{}, err
		}
	}
	return oncall.Placed{SID: sid, To: t.To, Body: t.Body, At: time.Now(), Progress: oncall.Progress{State: responsehub.AttemptSent}}, nil
}

func (n *network) HangUp(_ context.Context, sid string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.deaf--; n.deaf >= 0 {
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "Twilio does not answer."}
	}
	for _, l := range n.calls {
		if l.sid == sid && !l.ended {
			l.ended, l.end = true, time.Now()
			close(l.over)
		}
	}
	return nil
}

func (n *network) Find(_ context.Context, way responsehub.Way, to string, since time.Time) ([]oncall.Placed, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fault != nil {
		if err := n.fault("find", to); err != nil {
			return nil, err
		}
	}
	var out []oncall.Placed
	if way == responsehub.ByCall {
		for _, l := range slices.Backward(n.calls) {
			if l.To == to && !l.at.Before(since.Add(-time.Second)) {
				out = append(out, oncall.Placed{SID: l.sid, To: to, At: l.at, Progress: oncall.Progress{SID: l.sid, State: l.state}})
			}
		}
		return out, nil
	}
	for i, t := range slices.Backward(n.texts) {
		if t.To == to && !n.sent[i].Before(since.Add(-time.Second)) {
			sid := fmt.Sprintf("SM%d", i+1)
			out = append(out, oncall.Placed{SID: sid, To: to, Body: t.Body, At: n.sent[i], Progress: oncall.Progress{SID: sid, State: responsehub.AttemptSent}})
		}
	}
	return out, nil
}

// timeline is everything that went out, with the time since the start.
func (n *network) timeline(from time.Time) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	type entry struct {
		at time.Time
		s  string
	}
	var all []entry
	for _, l := range n.calls {
		all = append(all, entry{l.at, "call " + nameOf(l.To)})
	}
	for i, t := range n.texts {
		kind := "text "
		if !strings.Contains(t.Body, " code ") {
			kind = "tell "
		}
		all = append(all, entry{n.sent[i], kind + nameOf(t.To)})
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		if c := a.at.Compare(b.at); c != 0 && a.at.Sub(b.at).Abs() > 500*time.Millisecond {
			return c
		}
		return strings.Compare(a.s, b.s)
	})
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = fmt.Sprintf("%s %s", e.at.Sub(from).Round(time.Second), e.s)
	}
	return out
}

var numbers = map[string]string{"ann": "+15005550101", "bob": "+15005550102", "cat": "+15005550103", "boss": "+15005550199"}

func nameOf(phone string) string {
	for name, number := range numbers {
		if number == phone {
			return name
		}
	}
	return phone
}

// directory is the people and tenants of the tests.
type directory struct{ tenants []responsehub.Tenant }

func (d directory) Tenant(id string) (responsehub.Tenant, bool) {
	for _, t := range d.tenants {
		if t.Known(id) {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}

func (d directory) Version() int64 { return 0 }

func (d directory) TenantOf(_ context.Context, _ int64, _ string, a responsehub.AlertTenant) (responsehub.Tenant, bool, error) {
	t, ok := d.Tenant(a.MicrosoftTenantID)
	return t, ok, nil
}

func (d directory) People() []responsehub.Person {
	var out []responsehub.Person
	for _, id := range []string{"ann", "bob", "cat", "boss"} {
		out = append(out, responsehub.Person{ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Phone: numbers[id], Role: responsehub.Responder, Tenants: []string{"*"}})
	}
	return out
}
