package e2e

import (
	"net/http"
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/wire"
)

// TestResetRefusedWhileARuleIsLeft: Microsoft does not let the hub disable the
// attacker's rule. The password is not reset while it works, and the refusal names it;
// a person who sets it aside with a reason opens the gate.
func TestResetRefusedWhileARuleIsLeft(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	for _, method := range []string{http.MethodPatch, http.MethodDelete} {
		s.world.Wire.AddFault(wire.Fault{Vendor: "graph", Method: method, Match: "/messageRules/", Status: http.StatusForbidden,
			Answer: `{"error":{"code":"ErrorAccessDenied","message":"Access is denied. Check credentials and try again."}}`})
	}
	in := s.takeover()
	st := s.is(in.Incident, responsehub.Persistence, responsehub.Partial, responsehub.Failed)
	rule := responsehub.Item{}
	for _, it := range st.Items {
		if it.Kind == responsehub.InboxRule && it.Name == "." {
			rule = it
		}
	}
	if rule.State != responsehub.Failed || rule.Why == "" {
		t.Fatalf("the rule is %+v", rule)
	}

	r := s.ask(in.Incident, responsehub.Password, api.StepBody{})
	var p api.Problem
	r.decode(t, &p)
	if r.status != http.StatusConflict || !strings.Contains(p.Detail, `inbox rule "."`) {
		t.Errorf("the reset was answered with %s", r)
	}
	m := s.card(in.Ref, `inbox rule "."`, "The password is not reset while the attacker can come back")
	if _, err := s.press("ann", m.ID, "4 Reset password", nil); err == nil {
		t.Error("the card offers a reset that is refused")
	}
	if s.count("password", "") != 0 {
		t.Error("the password was set behind the shut gate")
	}

	// Without a reason nothing is set aside.
	if r := s.ask(in.Incident, responsehub.Persistence, api.StepBody{Skip: true, Items: []string{rule.ID}}); r.status != http.StatusBadRequest {
		t.Errorf("set aside without a reason: %s", r)
	}
	s.click("ann", in.Ref, "Set chosen aside", map[string]string{"items": rule.ID, "reason": "Removed by hand with the customer's Exchange admin."})
	s.recorded(in.Incident, responsehub.EventItemSkipped, "Ann Berg", "Removed by hand")
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	if n := s.count("password", s.scene(0).Victim.ID); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}
