package e2e

import (
	"net/http"
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
)

// TestGuest: the account is a guest. It is said before and after the lock that it shuts out
// of this tenant only, and that sessions and password are the home tenant's.
func TestGuest(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	guest := s.scene(0).Guest
	var plan responsehub.Plan
	s.api(http.MethodPost, "/v1/tenants/"+s.scene(0).Tenant.ID+"/rehearse", api.RehearseBody{User: guest.ID}).decode(t, &plan)
	before := strings.Join(append(plan.Found, plan.Steps[responsehub.Lock.Number()-1].Would...), "\n")
	for _, want := range []string{"It is a guest: sign-in, sessions and password belong to the home tenant.", "has no effect on a guest's", "Tell the guest's company."} {
		if !strings.Contains(before, want) {
			t.Errorf("beforehand nobody says %q:\n%s", want, before)
		}
	}

	in := s.alert(s.about("det-guest", guest))
	lock := s.is(in.Incident, responsehub.Lock, responsehub.Done)
	if lock.Proof == nil || !strings.Contains(lock.Proof.Value, "guest: sessions end in the home tenant") || guest.Enabled() {
		t.Errorf("open %t, the proof is %+v", guest.Enabled(), lock.Proof)
	}
	s.recorded(in.Incident, responsehub.EventDone, "The guest is locked out of this tenant", "Tell the guest's company")
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "guest: sessions end in the home tenant")

	s.ask(in.Incident, responsehub.Persistence, api.StepBody{Skip: true, Reason: "nothing there"})
	s.ask(in.Incident, responsehub.Password, api.StepBody{})
	if st := s.is(in.Incident, responsehub.Password, responsehub.NeedsHuman); !strings.Contains(st.Reason, "the password belongs to the home tenant") {
		t.Errorf("the reset says %q", st.Reason)
	}
	s.ask(in.Incident, responsehub.Password, api.StepBody{Skip: true, Reason: "done at home"})
	s.ask(in.Incident, responsehub.Reenable, api.StepBody{})
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	if !guest.Enabled() {
		t.Error("the guest is still locked out after step 5")
	}
}
