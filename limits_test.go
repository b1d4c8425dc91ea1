package responsehub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

func TestWhoIsGuarded(t *testing.T) {
	pat := responsehub.Account{ObjectID: "0a8e0c8e-1111-4111-8111-111111111111", UserPrincipalName: "Pat@Contoso.com"}
	for _, c := range []struct {
		name   string
		list   []string
		admin  bool
		glass  bool
		second bool
	}{
		{name: "nobody"},
		{name: "by principal name, whatever the case", list: []string{"pat@contoso.COM"}, glass: true, second: true},
		{name: "by object id", list: []string{"0A8E0C8E-1111-4111-8111-111111111111"}, glass: true, second: true},
		{name: "another account", list: []string{"ann@contoso.com", ""}},
		{name: "admins, and it is none", list: []string{"admins"}},
		{name: "admins, and it is one", list: []string{"admins"}, admin: true, second: true},
		{name: "an administrator where nobody asks", list: []string{"ann@contoso.com"}, admin: true},
	} {
		tenant := responsehub.Tenant{BreakGlass: c.list, SecondPersonFor: c.list}
		if got := tenant.IsBreakGlass(pat); got != c.glass {
			t.Errorf("%s: break-glass is %t", c.name, got)
		}
		if got := tenant.NeedsSecondPerson(pat, c.admin); got != c.second {
			t.Errorf("%s: a second person is needed: %t", c.name, got)
		}
	}
	if (&responsehub.Tenant{BreakGlass: []string{""}}).IsBreakGlass(responsehub.Account{}) {
		t.Error("an account without a name is break-glass")
	}
}

func TestLocksPerHour(t *testing.T) {
	for want, limits := range map[int]responsehub.Limits{20: {}, 0: {AutomaticLocksPerHour: new(0)}, 3: {AutomaticLocksPerHour: new(3)}} {
		if got := (&responsehub.Tenant{Limits: limits}).LocksPerHour(); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}

var stopped = responsehub.Settings{Stopped: &responsehub.Stop{By: responsehub.By{ID: "person:ann", Name: "Ann"}, At: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)}}

// TestHeldBackAtOpening: the incident opens active, what is held back waits with its
// reason, and the rest runs.
func TestHeldBackAtOpening(t *testing.T) {
	pat := responsehub.Account{UserPrincipalName: "pat@contoso.com"}
	for _, c := range []struct {
		name  string
		holds []responsehub.Hold
		held  map[responsehub.StepID]string
	}{
		{name: "nothing"},
		{name: "break-glass", holds: []responsehub.Hold{responsehub.BreakGlassHold(pat)}, held: map[responsehub.StepID]string{
			responsehub.Lock: "Not locked by itself: pat@contoso.com is a break-glass account. Press 1 to lock it."}},
		{name: "limit", holds: []responsehub.Hold{responsehub.LimitHold("Contoso", 20)}, held: map[responsehub.StepID]string{
			responsehub.Lock: "Not locked by itself: 20 accounts of Contoso were locked by themselves within the hour, which is its limit. Press 1 to lock it."}},
		{name: "limit of none", holds: []responsehub.Hold{responsehub.LimitHold("Contoso", 0)}, held: map[responsehub.StepID]string{
			responsehub.Lock: "Not locked by itself: Contoso wants no account locked by itself. Press 1 to lock it."}},
		{name: "switch", holds: stopped.Holds(), held: map[responsehub.StepID]string{
			responsehub.Lock:        "Not locked by itself: Ann stopped all automatic action on 2026-11-23 at 09:30:00 UTC. Press 1 to lock it.",
			responsehub.Retract:     "Not run by itself: Ann stopped all automatic action on 2026-11-23 at 09:30:00 UTC. Press 2 to run it.",
			responsehub.Persistence: "Not run by itself: Ann stopped all automatic action on 2026-11-23 at 09:30:00 UTC. Press 3 to run it."}},
	} {
		inc := responsehub.NewIncident("i", "RH-1", noon, "petra", takeover(), contoso, true, c.holds...)
		if inc.State != responsehub.Active {
			t.Errorf("%s: the incident is %s", c.name, inc.State)
		}
		told := map[responsehub.StepID]bool{}
		for _, e := range inc.TakeEvents() {
			if e.Kind == responsehub.EventHeldBack {
				told[e.Step] = true
			}
		}
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
			s, want := inc.Step(id), responsehub.Queued
			if c.held[id] != "" {
				want = responsehub.Waiting
			}
			if s.State != want || s.Reason != c.held[id] || told[id] != (c.held[id] != "") {
				t.Errorf("%s: %s is %s %q, told %t", c.name, id, s.State, s.Reason, told[id])
			}
		}
		if _, err := inc.Ask(responsehub.Lock, ann, responsehub.StepRequest{}, noon); err != nil {
			t.Errorf("%s: a person cannot lock: %v", c.name, err)
		}
		if s := inc.Step(responsehub.Lock); s.State != responsehub.Queued || s.Reason != "" || s.Held {
			t.Errorf("%s: after a press the lock is %s %q", c.name, s.State, s.Reason)
		}
	}
}

// TestHeldBackWhenMoreComesIn: new evidence does not start what is held back, nor what
// was held back before; it shows as open.
func TestHeldBackWhenMoreComesIn(t *testing.T) {
	more := takeover()
	more.ID = "second"
	more.Persistence = append(more.Persistence, responsehub.AlertFoothold{Kind: responsehub.InboxRule, ID: "new", Name: "new"})
	for _, c := range []struct {
		name   string
		before []responsehub.Hold
		now    []responsehub.Hold
		want   responsehub.StepState
	}{
		{name: "nothing held", want: responsehub.Queued},
		{name: "stopped meanwhile", now: stopped.Holds(), want: responsehub.Partial},
		{name: "stopped before, running again", before: stopped.Holds(), want: responsehub.Waiting},
	} {
		inc := responsehub.NewIncident("i", "RH-1", noon, "petra", takeover(), contoso, true, c.before...)
		s := inc.Step(responsehub.Persistence)
		if c.before == nil {
			s.State = responsehub.Done
		}
		inc.Join(noon, "petra", more, c.now...)
		if s.State != c.want {
			t.Errorf("%s: step 3 is %s, want %s (%s)", c.name, s.State, c.want, s.Reason)
		}
	}
	inc := responsehub.NewIncident("i", "RH-1", noon, "petra", takeover(), contoso, true)
	s := inc.Step(responsehub.Persistence)
	s.State = responsehub.Done
	inc.Reopen("It came back.", noon, stopped.Holds()...)
	if s.State != responsehub.NeedsHuman || s.Reason != "It came back." {
		t.Errorf("what came back while stopped: %s %q", s.State, s.Reason)
	}
}

func TestSecondPerson(t *testing.T) {
	two := responsehub.StepRequest{TwoPeople: true}
	inc := responsehub.NewIncident("i", "RH-1", noon, "petra", takeover(), contoso, false)
	inc.State = responsehub.Active
	s := inc.Step(responsehub.Lock)
	for i, c := range []struct {
		who    responsehub.Actor
		state  responsehub.StepState
		joined bool
		says   string
	}{
		{ann, responsehub.NeedsHuman, false, "this account needs two people"},
		{ann, responsehub.NeedsHuman, true, "You asked for this at"},
		{bob, responsehub.Queued, false, "started"},
		{bob, responsehub.Queued, true, "was started by Bob"},
	} {
		a, err := inc.Ask(responsehub.Lock, c.who, two, noon)
		if err != nil || a.Joined != c.joined || !strings.Contains(a.Sentence, c.says) || s.State != c.state {
			t.Fatalf("%d: %+v, %v, the step is %s", i, a, err, s.State)
		}
		if want := "Ann asked; a second person has to confirm by pressing again."; s.State == responsehub.NeedsHuman && s.Reason != want {
			t.Errorf("%d: the step says %q", i, s.Reason)
		}
	}
	if s.Confirm != nil {
		t.Error("the confirmation is still open")
	}
	es := inc.TakeEvents()
	if text := es[len(es)-1].Text; text != "Revoke sessions and lock account asked for by Bob, confirming Ann" {
		t.Errorf("the record says %q", text)
	}
	// Steps that neither shut nor open the account need nobody else.
	if _, err := inc.Ask(responsehub.Retract, ann, two, noon); err != nil || inc.Step(responsehub.Retract).State != responsehub.Queued {
		t.Errorf("retract: %v, %s", err, inc.Step(responsehub.Retract).State)
	}
	// A step that is done stays done while it waits for the second person.
	s.State = responsehub.Done
	if _, err := inc.Ask(responsehub.Lock, ann, responsehub.StepRequest{TwoPeople: true, Reason: "again"}, noon); err != nil || s.State != responsehub.Done || s.Confirm == nil {
		t.Errorf("asked again: %v, %s, %v", err, s.State, s.Confirm)
	}
}

func TestPasswordDoneByHand(t *testing.T) {
	for _, c := range []struct {
		name string
		step responsehub.StepID
		in   responsehub.StepRequest
		want string // pointer of the refusal
	}{
		{"with a reason", responsehub.Password, responsehub.StepRequest{Done: true, Reason: "in AD, twice"}, ""},
		{"without", responsehub.Password, responsehub.StepRequest{Done: true}, "/reason"},
		{"another step", responsehub.Lock, responsehub.StepRequest{Done: true, Reason: "r"}, "/done"},
		{"set aside too", responsehub.Password, responsehub.StepRequest{Done: true, Skip: true, Reason: "r"}, "/skip"},
	} {
		inc := responsehub.NewIncident("i", "RH-1", noon, "petra", takeover(), contoso, false)
		inc.State = responsehub.Active
		if _, err := inc.Ask(responsehub.Password, ann, responsehub.StepRequest{Done: true, Reason: "r"}, noon); responsehub.KindOf(err) != responsehub.Refused {
			t.Errorf("%s: past the gate of step 4: %v", c.name, err)
		}
		for i := range inc.Step(responsehub.Persistence).Items {
			inc.Step(responsehub.Persistence).Items[i].State = responsehub.Done
		}
		inc.Step(responsehub.Persistence).State = responsehub.Done
		_, err := inc.Ask(c.step, ann, c.in, noon)
		got := ""
		if e, ok := errors.AsType[*responsehub.Error](err); ok {
			got = e.Pointer
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
		if s := inc.Step(responsehub.Password); c.want == "" && (!s.ByHand || s.State != responsehub.Queued) {
			t.Errorf("%s: by hand %t, %s", c.name, s.ByHand, s.State)
		}
	}
}
