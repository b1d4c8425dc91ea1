package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
)

// TestTakeoverPublishedByHand: Response is off. People are told, and nothing at all
// runs until somebody publishes; then nothing runs but what is clicked.
func TestTakeoverPublishedByHand(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	scene := s.scene(1)
	in := s.alert(s.world.Alert("manual"))
	if in.State != "unpublished" {
		t.Errorf("the incident is %s at the start", in.State)
	}
	s.card(in.Ref, "Act now", "Publish")
	for _, step := range responsehub.StepIDs[1:] {
		r := s.ask(in.Incident, step, api.StepBody{})
		if r.status != http.StatusConflict || !strings.Contains(string(r.body), "Publish") {
			t.Errorf("%s before Publish: %s", step, r)
		}
	}
	time.Sleep(time.Second) // anything that ran by itself would have begun
	s.untouched(scene.Tenant.ID)

	s.click("ann", in.Ref, "Publish Incident", nil)
	s.card(in.Ref, "active")
	time.Sleep(time.Second)
	s.untouched(scene.Tenant.ID)

	s.click("ann", in.Ref, "1 Revoke sessions and lock account", nil)
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.click("ann", in.Ref, "2 Retract phishing emails", nil)
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.click("bob", in.Ref, "3 Disable persistence", nil)
	s.persistenceSettled(in)
	s.click("bob", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.click("bob", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.click("ann", in.Ref, "6 Mark as remediated", nil)
	s.closed(in)

	inc := s.incident(in.Incident)
	for step, who := range map[responsehub.StepID]string{
		responsehub.Publish: "Ann Berg", responsehub.Lock: "Ann Berg", responsehub.Retract: "Ann Berg",
		responsehub.Password: "Bob Carr", responsehub.Close: "Ann Berg",
	} {
		if by := stepOf(inc, step).RequestedBy; by != who {
			t.Errorf("%s was asked for by %q, want %q", step, by, who)
		}
	}
	if n := s.count("disable", s.scene(0).Victim.ID); n != 0 {
		t.Error("another customer's account was touched")
	}
}

// untouched checks that nothing was asked of a tenant's directory and mail at all: not
// a single write, and no read either before somebody decided.
func (s *stage) untouched(tenant string) {
	s.Helper()
	for _, q := range s.world.Wire.Requests() {
		if q.Vendor == "graph" || q.Vendor == "exchange" {
			s.Errorf("before anybody decided: %s %s %s", q.Vendor, q.Method, q.Path)
		}
	}
	for _, e := range s.world.Wire.Effects() {
		if e.Vendor == "graph" || e.Vendor == "exchange" {
			s.Errorf("before anybody decided in %s: %+v", tenant, e)
		}
	}
}
