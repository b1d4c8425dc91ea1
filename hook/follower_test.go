package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

const (
	good  = "https://good.example/hook"
	bad   = "https://bad.example/hook"
	slack = "https://hooks.slack.example/services/T/B/x"
)

// sink is a Sender that keeps what it is given, or refuses.
type sink struct {
	mu     sync.Mutex
	ids    map[string][]string // by address
	bodies map[string][]string
	err    map[string]error
	tries  map[string]int
	slow   map[string]time.Duration
}

func (s *sink) take(address, id string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[address]++
	if err := s.err[address]; err != nil {
		return err
	}
	s.ids[address], s.bodies[address] = append(s.ids[address], id), append(s.bodies[address], string(body))
	return nil
}

func (s *sink) Webhook(_ context.Context, address, id string, _ time.Time, body []byte) error {
	<-time.After(s.slow[address])
	return s.take(address, id, body)
}

func (s *sink) Chat(_ context.Context, address string, body []byte) error {
	return s.take(address, "", body)
}

// desk is one incident with all its webhook lanes.
type desk struct {
	t       *testing.T
	all     []responsehub.Follower
	sink    *sink
	inc     *responsehub.Incident
	record  []responsehub.Event
	next    []time.Time // when each lane is visited again
	dies    bool        // the process dies before a turn's outcome is written
	dead    map[int]string
	longest time.Duration // visit
}

func open(t *testing.T, notify responsehub.Notify) *desk {
	d := &desk{t: t, sink: &sink{ids: map[string][]string{}, bodies: map[string][]string{}, err: map[string]error{}, tries: map[string]int{}, slow: map[string]time.Duration{}}, dead: map[int]string{}}
	tenant := responsehub.Tenant{ID: "t1", Name: "Contoso", Notify: notify}
	d.all = Followers(Config{
		Tenant: func(id string) (responsehub.Tenant, bool) { return tenant, id == tenant.ID },
		Record: func(context.Context, string) ([]responsehub.Event, error) { return slices.Clone(d.record), nil },
		Link:   func(inc *responsehub.Incident) string { return "https://hub.example/incidents/" + inc.ID },
	}, d.sink, slog.New(slog.DiscardHandler))
	d.inc = responsehub.NewIncident("01TEST", "RH-7K2M", time.Now(), "petra", &responsehub.Alert{
		Severity: responsehub.Critical, Title: "Takeover <!channel> & <https://evil.example|click>", Account: responsehub.Account{UserPrincipalName: "pat_doe@contoso.example"},
	}, tenant.Ref(), false)
	return d
}

// say records an event.
func (d *desk) say(kind responsehub.EventKind, step responsehub.StepID, text string) {
	d.inc.Record(responsehub.Event{At: time.Now(), Kind: kind, Step: step, By: responsehub.Hub.By(), Text: text})
}

// work visits the lanes as the engine does, until nothing is due within most.
func (d *desk) work(most time.Duration) {
	d.t.Helper()
	if d.next == nil {
		d.next = make([]time.Time, len(d.all))
	}
	next, own := d.next, -1
	for start := time.Now(); ; {
		if events := d.inc.TakeEvents(); len(events) > 0 {
			for _, e := range events {
				e.Seq = int64(len(d.record) + 1)
				d.record = append(d.record, e)
			}
			for i, f := range d.all {
				if i != own && f.Wake(d.inc, events) { // a turn is not woken by what it records itself
					next[i] = time.Now()
				}
			}
			own = -1
			continue
		}
		first := -1
		for i, at := range next {
			if !at.IsZero() && (first < 0 || at.Before(next[first])) {
				first = i
			}
		}
		if first < 0 || next[first].Sub(start) > most {
			return
		}
		<-time.After(time.Until(next[first]))
		next[first] = time.Time{}
		delete(d.dead, first)
		begun := time.Now()
		out := d.all[first].Follow(d.t.Context(), responsehub.NewTurn(d.inc, 0, nil))
		d.longest = max(d.longest, time.Since(begun))
		if d.dies {
			d.dies, next[first] = false, time.Now() // the lane starts elsewhere
			continue
		}
		if out.Err != nil && (!out.Dead || !out.Quiet) {
			d.t.Fatal(out.Err)
		}
		if out.Dead {
			d.dead[first] = responsehub.Sentence(out.Err)
		}
		if out.Edit != nil {
			if err := out.Edit(d.inc); err != nil {
				d.t.Fatal(err)
			}
		}
		own = first
		if out.After > 0 {
			next[first] = time.Now().Add(out.After)
		}
	}
}

func ids(from, to int) []string {
	var all []string
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprintf("evt_01TEST_%d", n))
	}
	return all
}

func (d *desk) ref(host string) responsehub.HookRef {
	for _, ref := range d.inc.Hooks {
		if ref.Host == host {
			return ref
		}
	}
	d.t.Fatalf("nothing is kept of %s: %+v", host, d.inc.Hooks)
	return responsehub.HookRef{}
}

func TestEveryEventGoesOutInOrderAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, responsehub.Notify{Webhooks: []string{good}})
		for n := range 3 * perTurn {
			d.say(responsehub.EventProgress, responsehub.Retract, fmt.Sprint("mailbox ", n))
		}
		d.work(time.Minute)
		d.say(responsehub.EventClosed, "", "closed")
		d.work(time.Minute)
		if diff := cmp.Diff(ids(1, 3*perTurn+2), d.sink.ids[good]); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
		var got body
		if err := json.Unmarshal([]byte(d.sink.bodies[good][0]), &got); err != nil {
			t.Fatal(err)
		}
		if got.Type != responsehub.EventOpened || got.Data.Incident.Ref != "RH-7K2M" || got.Data.Event.Seq != 1 || got.Data.Incident.Link == "" || got.Timestamp.IsZero() {
			t.Errorf("the first body is %+v", got)
		}
	})
}

func TestAProcessThatDiesSendsTheSameIDAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, responsehub.Notify{Webhooks: []string{good}})
		d.dies = true
		d.work(time.Minute)
		if diff := cmp.Diff(slices.Concat(ids(1, 1), ids(1, 1)), d.sink.ids[good]); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
	})
}

func TestADeadDestinationDelaysNobodyAndIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, responsehub.Notify{Webhooks: []string{bad, good}})
		d.sink.err[bad] = &responsehub.Error{Kind: responsehub.Unavailable, Message: "It did not answer."}
		d.work(10 * time.Minute)
		if n := len(d.sink.ids[good]); n < 2 {
			t.Errorf("the other one got %d events: the opening and the failure are two", n)
		}
		if ref := d.ref("bad.example"); ref.Failure != "It did not answer." || ref.Dead || ref.Tries > 6 {
			t.Errorf("after ten minutes: %+v", ref)
		}
		failures := func() int {
			n := 0
			for _, e := range d.record {
				if e.Kind == responsehub.EventNoticeFailed {
					n++
				}
			}
			return n
		}
		if failures() != 1 {
			t.Errorf("the record says %d times that it failed", failures())
		}
		d.sink.err[bad] = nil
		d.work(24 * time.Hour)
		if diff := cmp.Diff(ids(1, len(d.record)), d.sink.ids[bad]); diff != "" {
			t.Errorf("after it came back (-want +got):\n%s", diff)
		}
		if ref := d.ref("bad.example"); ref.Failure != "" {
			t.Errorf("it answers and is shown as failed: %+v", ref)
		}
	})
}

func TestItIsGivenUpAfterThreeDaysOrWhenGone(t *testing.T) {
	for name, test := range map[string]struct {
		kind responsehub.Kind
		took func(tries int) bool
	}{
		"away": {responsehub.Unavailable, func(tries int) bool { return tries > 20 && tries < 80 }},
		"gone": {responsehub.Gone, func(tries int) bool { return tries == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := open(t, responsehub.Notify{Webhooks: []string{bad}})
				d.sink.err[bad] = &responsehub.Error{Kind: test.kind, Message: "No."}
				d.work(96 * time.Hour)
				d.say(responsehub.EventClosed, "", "closed")
				d.work(96 * time.Hour)
				if ref := d.ref("bad.example"); !ref.Dead || !strings.Contains(ref.Failure, "given up") || !test.took(d.sink.tries[bad]) {
					t.Errorf("%d tries, %+v", d.sink.tries[bad], ref)
				}
			})
		})
	}
}

// TestADeadDestinationStandsAmongTheDeadLanesUntilAPersonRetries: events for the others of
// its lane bring the lane back and it dies again without a word; what was missed arrives in
// order once a person starts it again.
func TestADeadDestinationStandsAmongTheDeadLanesUntilAPersonRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := []string{bad}
		for n := range 20 { // some share the lane of bad
			many = append(many, good+fmt.Sprint(n))
		}
		d := open(t, responsehub.Notify{Webhooks: many})
		d.sink.err[bad] = &responsehub.Error{Kind: responsehub.Gone, Message: "It answered 410."}
		others := func(when string) {
			for a := range d.sink.ids {
				if diff := cmp.Diff(ids(1, len(d.record)), d.sink.ids[a]); diff != "" && a != bad {
					t.Errorf("%s: %s (-want +got):\n%s", when, a, diff)
				}
			}
		}
		d.work(time.Minute)
		others("what was recorded of the giving up")
		d.say(responsehub.EventClosed, "", "closed")
		d.work(time.Minute)
		for lane := range d.dead {
			if n := len(d.all[lane].(*Follower).destinations(d.inc)); n < 2 {
				t.Fatalf("%d destinations share the lane: the test shows nothing", n)
			}
		}
		if len(d.dead) != 1 || !strings.Contains(fmt.Sprint(d.dead), "bad.example could not be delivered: given up for this incident. It answered 410.") {
			t.Fatalf("dead lanes: %v", d.dead)
		}
		others("at the end")
		if n := d.sink.tries[bad]; n != 1 {
			t.Errorf("a destination that is gone was tried %d times", n)
		}
		d.sink.err[bad] = nil
		for lane := range d.dead {
			d.all[lane].(*Follower).Revive(d.inc)
		}
		d.say(responsehub.EventLaneRetried, "", "started again")
		d.work(time.Minute)
		if diff := cmp.Diff(ids(1, len(d.record)), d.sink.ids[bad]); diff != "" || len(d.dead) > 0 {
			t.Errorf("dead %v, missed events (-want +got):\n%s", d.dead, diff)
		}
	})
}

// TestAVisitBeginsNothingAfterTenSeconds: a destination that takes three seconds for each
// of its events gives its lane back in between, and gets all of them in order.
func TestAVisitBeginsNothingAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, responsehub.Notify{Webhooks: []string{bad}})
		d.sink.slow[bad] = 3 * time.Second
		for n := range perTurn - 5 {
			d.say(responsehub.EventProgress, responsehub.Retract, fmt.Sprint("mailbox ", n))
		}
		d.work(time.Hour)
		if d.longest < turnMost || d.longest > turnMost+3*time.Second {
			t.Errorf("the longest visit took %s", d.longest)
		}
		if diff := cmp.Diff(ids(1, perTurn-4), d.sink.ids[bad]); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
	})
}

func TestADestinationThatAsksForPatienceGetsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, responsehub.Notify{Webhooks: []string{bad}})
		d.sink.err[bad] = &responsehub.Error{Kind: responsehub.Unavailable, Message: "It answered 429.", RetryAfter: 5 * time.Minute}
		d.work(4 * time.Minute)
		if d.sink.tries[bad] != 1 {
			t.Errorf("%d tries within four of five minutes", d.sink.tries[bad])
		}
	})
}

func TestSlackHearsWhatPeopleShouldNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, responsehub.Notify{Slack: []string{slack}})
		d.work(time.Minute)
		for range 5 {
			d.say(responsehub.EventProgress, responsehub.Retract, "nobody needs to read this")
		}
		d.work(time.Minute)
		d.say(responsehub.EventDone, responsehub.Lock, "Locked")
		d.say(responsehub.EventNeedsHuman, responsehub.Retract, "Somebody has to look")
		d.work(time.Minute)
		var said []string
		for _, b := range d.sink.bodies[slack] {
			var m struct{ Text string }
			if err := json.Unmarshal([]byte(b), &m); err != nil {
				t.Fatal(err)
			}
			said = append(said, m.Text)
		}
		if len(said) != 2 {
			t.Fatalf("%d messages: %q", len(said), said)
		}
		for _, want := range []string{"RH-7K2M", "Severity critical", "Act now", "<https://hub.example/incidents/01TEST|Open the incident>", "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"} {
			if !strings.Contains(said[0], want) {
				t.Errorf("the first message does not say %q: %s", want, said[0])
			}
		}
		if strings.Contains(said[1], "Act now") || strings.Contains(said[1], "nobody needs") || !strings.Contains(said[1], "Locked") || !strings.Contains(said[1], "Somebody has to look") {
			t.Errorf("the second message: %s", said[1])
		}
	})
}

func TestNothingIsWokenForNobody(t *testing.T) {
	d := open(t, responsehub.Notify{})
	for _, f := range d.all {
		if f.Wake(d.inc, []responsehub.Event{{Kind: responsehub.EventOpened}}) {
			t.Errorf("%s is woken", f.Lane())
		}
	}
}

// FuzzPlain looks for a stranger's text that mentions or links.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"<!channel>", "<@U1>", "a\nb", "*b*", "<https://x|y>", "&lt;", strings.Repeat("<", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := plain(s, lineMost); strings.ContainsAny(got, "<>\n\r") {
			t.Errorf("%q became %q", s, got)
		}
	})
}
