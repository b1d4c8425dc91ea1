package responsehub_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// TestRunOpen: what nobody asked for is asked for once, by the person who pressed; all
// else stays as it is, and the answer says why.
func TestRunOpen(t *testing.T) {
	const lock, retract, persistence = responsehub.Lock, responsehub.Retract, responsehub.Persistence
	all := []responsehub.StepID{lock, retract, persistence}
	for _, c := range []struct {
		name  string
		inc   func() *responsehub.Incident
		two   bool
		holds []responsehub.Hold
		asked []responsehub.StepID
		left  map[responsehub.StepID]string // words of why
		state responsehub.IncidentState
	}{
		{name: "unpublished", inc: func() *responsehub.Incident { return opened(t, false) }, asked: all, state: responsehub.Active},
		{name: "published", inc: func() *responsehub.Incident { return published(t) }, asked: all, state: responsehub.Active},
		{name: "opened with Response on", inc: func() *responsehub.Incident { return opened(t, true) }, state: responsehub.Active,
			left: map[responsehub.StepID]string{lock: "asked for by Response (automatic) at 12:00:00", retract: "starting", persistence: "starting"}},
		{name: "one asked for before, one set aside", inc: func() *responsehub.Incident {
			inc := published(t)
			mustAsk(t, inc, lock, bob, responsehub.StepRequest{})
			mustAsk(t, inc, retract, bob, responsehub.StepRequest{Skip: true, Reason: "no mail"})
			return inc
		}, asked: []responsehub.StepID{persistence}, state: responsehub.Active, left: map[responsehub.StepID]string{lock: "asked for by Bob", retract: "set aside"}},
		{name: "a second person is needed", inc: func() *responsehub.Incident { return opened(t, false) }, two: true, state: responsehub.Active,
			asked: []responsehub.StepID{retract, persistence}, left: map[responsehub.StepID]string{lock: "needs two people"}},
		{name: "the second person", inc: func() *responsehub.Incident {
			inc := opened(t, false)
			inc.RunOpen(bob, true, noon)
			return inc
		}, two: true, asked: []responsehub.StepID{lock}, state: responsehub.Active, left: map[responsehub.StepID]string{retract: "asked for by Bob", persistence: "asked for by Bob"}},
		{name: "the first person again", inc: func() *responsehub.Incident {
			inc := opened(t, false)
			inc.RunOpen(ann, true, noon)
			return inc
		}, two: true, state: responsehub.Active, left: map[responsehub.StepID]string{lock: "You asked for this", retract: "Ann", persistence: "Ann"}},
		{name: "break-glass", inc: func() *responsehub.Incident { return opened(t, false) }, holds: []responsehub.Hold{responsehub.BreakGlassHold(responsehub.Account{DisplayName: "Pat"})},
			asked: []responsehub.StepID{retract, persistence}, state: responsehub.Active, left: map[responsehub.StepID]string{lock: "is a break-glass account. Press 1"}},
		{name: "held back at opening", state: responsehub.Active, inc: func() *responsehub.Incident {
			return responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", takeover(), contoso, true, responsehub.LimitHold("Contoso", 3))
		}, left: map[responsehub.StepID]string{lock: "which is its limit", retract: "starting", persistence: "starting"}},
		{name: "all automatic action stopped", inc: func() *responsehub.Incident { return opened(t, false) }, holds: stopped.Holds(), state: responsehub.Unpublished,
			left: map[responsehub.StepID]string{lock: "Ann stopped", retract: "Ann stopped", persistence: "Ann stopped"}},
		{name: "remediated", state: responsehub.Remediated, inc: func() *responsehub.Incident {
			inc := published(t)
			for _, id := range []responsehub.StepID{lock, retract, persistence, responsehub.Password, responsehub.Reenable} {
				mustAsk(t, inc, id, bob, responsehub.StepRequest{Skip: true, Reason: "r"})
			}
			mustAsk(t, inc, responsehub.Close, bob, responsehub.StepRequest{})
			return inc
		}, left: map[responsehub.StepID]string{lock: "is closed (remediated)", retract: "is closed", persistence: "is closed"}},
		{name: "a false alarm that waits for a person", state: responsehub.Active, inc: func() *responsehub.Incident {
			inc := published(t)
			inc.Withdrawal = &responsehub.Withdrawal{By: bob.By(), At: noon, EndedAt: noon, Left: []string{"x"}}
			return inc
		}, left: map[responsehub.StepID]string{lock: "Bob declared a false alarm", retract: "Bob", persistence: "Bob"}},
	} {
		inc := c.inc()
		inc.TakeEvents()
		offered := inc.Offers(ann, c.holds...)
		run := inc.RunOpen(ann, c.two, noon.Add(time.Minute), c.holds...)
		if diff := cmp.Diff(c.asked, run.Asked); diff != "" {
			t.Errorf("%s: asked (-want +got):\n%s", c.name, diff)
		}
		for _, id := range run.Asked {
			if s := inc.Step(id); s.State != responsehub.Queued || s.Round != 1 || s.RequestedBy.ID != ann.ID {
				t.Errorf("%s: %s is %s in round %d for %s", c.name, id, s.State, s.Round, s.RequestedBy.Name)
			}
		}
		if len(run.Left) != len(c.left) {
			t.Errorf("%s: left %+v", c.name, run.Left)
		}
		for _, l := range run.Left {
			if want := c.left[l.Step]; want == "" || !strings.Contains(l.Why, want) {
				t.Errorf("%s: %s was left because of %q, want %q", c.name, l.Step, l.Why, want)
			}
			if !c.two && slices.Contains(offered, l.Step) {
				t.Errorf("%s: %s was offered and not run", c.name, l.Step)
			}
		}
		if inc.State != c.state {
			t.Errorf("%s: the incident is %s", c.name, inc.State)
		}
		if len(offered) == 0 && len(inc.TakeEvents()) > 0 {
			t.Errorf("%s: nothing was offered, and something was done", c.name)
		}
		if again := inc.RunOpen(ann, c.two, noon.Add(time.Hour), c.holds...); len(again.Asked) > 0 || len(inc.Offers(ann, c.holds...)) > 0 {
			t.Errorf("%s: asked again for %v", c.name, again.Asked)
		}
	}
}

// TestHeldBackWhereRun: people read on the incident why its lock did not run with the rest.
func TestHeldBackWhereRun(t *testing.T) {
	inc := opened(t, false)
	inc.RunOpen(ann, false, noon, responsehub.LimitHold("Contoso", 3))
	inc.RunOpen(bob, false, noon, responsehub.LimitHold("Contoso", 3))
	held := 0
	for _, e := range inc.TakeEvents() {
		if e.Kind == responsehub.EventHeldBack {
			held++
		}
	}
	if s := inc.Step(responsehub.Lock); held != 1 || !s.Held || s.State != responsehub.Waiting || !strings.Contains(s.Reason, "limit. Press 1 to lock it.") {
		t.Errorf("%d events, lock %+v", held, s)
	}
}

func TestWhoIsOffered(t *testing.T) {
	tenant := responsehub.Tenant{ID: contoso.ID, Name: contoso.Name, MicrosoftTenantID: contoso.MicrosoftTenantID, Response: true}
	as := func(role responsehub.Role, tenants ...string) responsehub.Actor {
		return responsehub.Actor{ID: "person:x", Name: "X", Role: role, Via: responsehub.ViaConsole, Tenants: tenants}
	}
	for _, c := range []struct {
		name string
		who  responsehub.Actor
		edit func(*responsehub.Tenant)
		s    responsehub.Settings
		want int
	}{
		{name: "a responder", who: as(responsehub.Responder, "*"), want: 1},
		{name: "a reader", who: as(responsehub.Reader, "*")},
		{name: "a guest", who: as(responsehub.Guest, "Contoso")},
		{name: "of another tenant", who: as(responsehub.Responder, "Fabrikam")},
		{name: "Response off", who: ann, edit: func(t *responsehub.Tenant) { t.Response = false }},
		{name: "only told", who: ann, edit: func(t *responsehub.Tenant) { t.Product = responsehub.ProductNotify }},
		{name: "paused", who: ann, edit: func(t *responsehub.Tenant) { t.Pause(true, bob.By(), noon) }},
		{name: "all stopped", who: ann, s: stopped},
		{name: "break-glass: the rest may run", who: ann, edit: func(t *responsehub.Tenant) { t.BreakGlass = []string{"pat@contoso.example"} }, want: 1},
	} {
		now := tenant
		if c.edit != nil {
			c.edit(&now)
		}
		if got := now.Offers(c.s, c.who, []*responsehub.Incident{opened(t, false), opened(t, true)}); len(got) != c.want {
			t.Errorf("%s: %d offered", c.name, len(got))
		}
	}
	if s := responsehub.OfferSentence("Fabrikam", 2); s != "Response is on for Fabrikam. 2 incidents are open in which not all of steps 1 to 3 were asked for." {
		t.Error(s)
	}
}
