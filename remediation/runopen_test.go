package remediation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"responsehub"
	"responsehub/remediation"
)

// turned is an engine whose only tenant has n incidents from before its Response was on.
func turned(t *testing.T, n int, tenant responsehub.Tenant, roles remediation.Roles) (e *remediation.Engine, ids []string) {
	rdb := bubbleRedis(t)
	before := newEngine(t, rdb)
	for i := range n {
		a := alert(fmt.Sprint("a", i), off, fmt.Sprintf("u%d@contoso.example", i))
		a.Severity = responsehub.Severities[min(i, 1)] // the first is the most severe
		inc, _ := open(t, before, a, fmt.Sprint("m", i))
		ids = append(ids, inc.ID)
	}
	tenant.V, tenant.ID, tenant.Name, tenant.MicrosoftTenantID = 1, "fabrikam", "Fabrikam", off
	return serving(t, rdb, tenant, &responsehub.Settings{}, roles), ids
}

var automatic = []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence}

func asks(t *testing.T, e *remediation.Engine, id string) map[responsehub.StepID]int {
	t.Helper()
	raw, err := e.Events(t.Context(), ann, id)
	if err != nil {
		t.Fatal(err)
	}
	n := map[responsehub.StepID]int{}
	for _, b := range raw {
		for _, step := range append([]responsehub.StepID{responsehub.Publish}, automatic...) {
			if s := string(b); strings.Contains(s, `"step":"`+string(step)+`"`) && (strings.Contains(s, `"kind":"step.requested"`) || strings.Contains(s, `"kind":"incident.published"`)) {
				n[step]++
			}
		}
	}
	return n
}

// TestTwoPeopleRunOpenAtOnce: each step of each incident is asked for exactly once, and a
// remediated incident stays as it is.
func TestTwoPeopleRunOpenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, ids := turned(t, 6, responsehub.Tenant{Response: true}, nil)
		closed := ids[5]
		for _, step := range []responsehub.StepID{responsehub.Publish, responsehub.Lock, responsehub.Retract, responsehub.Persistence, responsehub.Password, responsehub.Reenable, responsehub.Close} {
			r := responsehub.StepRequest{Skip: step.Skippable(), Reason: "by hand"}
			if _, err := e.Request(t.Context(), ann, closed, step, r); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
		}
		was, _ := e.Incident(t.Context(), ann, closed)
		var wg sync.WaitGroup
		var mu sync.Mutex
		asked := map[string]int{}
		for _, who := range []responsehub.Actor{ann, bob, ann, bob} {
			wg.Go(func() {
				runs, err := e.RunOpen(context.Background(), who, "fabrikam")
				if err != nil {
					t.Errorf("%s: %v", who.Name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, r := range runs.Incidents {
					for _, step := range r.Asked {
						asked[r.Incident.ID+string(step)]++
						if by := r.Incident.Step(step).RequestedBy; by.ID != who.ID {
							t.Errorf("%s asked for %s, which was asked for by %s", who.Name, step, by.Name)
						}
					}
				}
			})
		}
		wg.Wait()
		for _, id := range ids[:5] {
			inc, err := e.Incident(t.Context(), ann, id)
			if err != nil || inc.State != responsehub.Active || inc.Response {
				t.Fatalf("%s: %+v, %v", id, inc.State, err)
			}
			for _, step := range automatic {
				if asked[id+string(step)] != 1 || inc.Step(step).Round != 1 {
					t.Errorf("%s: %s was asked for %d times, in %d rounds", inc.Ref, step, asked[id+string(step)], inc.Step(step).Round)
				}
			}
			for _, step := range append([]responsehub.StepID{responsehub.Publish}, automatic...) {
				if n := asks(t, e, id)[step]; n != 1 {
					t.Errorf("%s: %d records of %s", inc.Ref, n, step)
				}
			}
		}
		if now, _ := e.Incident(t.Context(), ann, closed); now.Revision != was.Revision {
			t.Errorf("the remediated incident was written: revision %d, was %d", now.Revision, was.Revision)
		}
		again, err := e.RunOpen(t.Context(), bob, off)
		if err != nil || len(again.Incidents) != 5 || !strings.HasPrefix(again.Sentence, "Nothing was started at Fabrikam") {
			t.Errorf("%+v, %v", again.Sentence, err)
		}
	})
}

// TestRunOpenKeepsTheLimit: the severe are locked first, and no more within the hour than
// the tenant allows; the rest of the steps runs.
func TestRunOpenKeepsTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, ids := turned(t, 4, responsehub.Tenant{Response: true, Limits: responsehub.Limits{AutomaticLocksPerHour: new(2)}}, nil)
		runs, err := e.RunOpen(t.Context(), ann, "fabrikam")
		if err != nil || len(runs.Incidents) != 4 || runs.Incidents[0].Incident.ID != ids[0] {
			t.Fatalf("%+v, %v", runs, err)
		}
		for i, r := range runs.Incidents {
			if got := slices.Contains(r.Asked, responsehub.Lock); got != (i < 2) || !slices.Contains(r.Asked, responsehub.Persistence) {
				t.Errorf("incident %d: asked %v, left %v", i, r.Asked, r.Left)
			}
		}
		if l := runs.Incidents[3].Left; len(l) != 1 || !strings.Contains(l[0].Why, "2 accounts of Fabrikam were locked by themselves within the hour") {
			t.Errorf("left %v", l)
		}
		if _, err := e.Request(t.Context(), bob, ids[3], responsehub.Lock, responsehub.StepRequest{}); err != nil {
			t.Errorf("a person cannot lock what is held back: %v", err)
		}
	})
}

// TestRunOpenAsksForTheSecondPerson: an administrator's lock waits for somebody else, and
// does not count against the limit until then.
func TestRunOpenAsksForTheSecondPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roles := func(context.Context, string, string) ([]string, error) { return []string{"Global Administrator"}, nil }
		tenant := responsehub.Tenant{Response: true, SecondPersonFor: []string{responsehub.Admins}, Limits: responsehub.Limits{AutomaticLocksPerHour: new(1)}}
		e, ids := turned(t, 1, tenant, roles)
		for i, c := range []struct {
			who   responsehub.Actor
			asked []responsehub.StepID
		}{{ann, automatic[1:]}, {ann, nil}, {bob, automatic[:1]}} {
			runs, err := e.RunOpen(t.Context(), c.who, "fabrikam")
			if err != nil || !slices.Equal(runs.Incidents[0].Asked, c.asked) {
				t.Errorf("call %d: %+v, %v", i, runs.Incidents, err)
			}
		}
		if inc, _ := e.Incident(t.Context(), ann, ids[0]); inc.Step(responsehub.Lock).State != responsehub.Queued {
			t.Errorf("lock %s", inc.Step(responsehub.Lock).State)
		}
	})
}

func TestWhoMayRunOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := func(role responsehub.Role, tenants ...string) responsehub.Actor {
			return responsehub.Actor{ID: "person:x", Name: "X", Role: role, Via: responsehub.ViaConsole, Tenants: tenants}
		}
		for _, c := range []struct {
			name   string
			who    responsehub.Actor
			tenant responsehub.Tenant
			want   responsehub.Kind
		}{
			{name: "a reader", who: as(responsehub.Reader, "*"), tenant: responsehub.Tenant{Response: true}, want: responsehub.Forbidden},
			{name: "a guest", who: as(responsehub.Guest, "Fabrikam"), tenant: responsehub.Tenant{Response: true}, want: responsehub.Forbidden},
			{name: "of another tenant", who: as(responsehub.Admin, "Contoso"), tenant: responsehub.Tenant{Response: true}, want: responsehub.NotFound},
			{name: "nobody", who: responsehub.Actor{}, tenant: responsehub.Tenant{Response: true}, want: responsehub.Forbidden},
			{name: "Response off", who: ann, want: responsehub.Refused},
			{name: "only told", who: ann, tenant: responsehub.Tenant{Response: true, Product: responsehub.ProductNotify}, want: responsehub.Refused},
			{name: "paused", who: ann, tenant: responsehub.Tenant{Response: true, Paused: &responsehub.Stop{By: bob.By()}}, want: responsehub.Refused},
		} {
			e, ids := turned(t, 1, c.tenant, nil)
			if _, err := e.RunOpen(t.Context(), c.who, "fabrikam"); responsehub.KindOf(err) != c.want {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			if inc, _ := e.Incident(t.Context(), ann, ids[0]); inc.State != responsehub.Unpublished {
				t.Errorf("%s: the incident is %s", c.name, inc.State)
			}
		}
	})
}
