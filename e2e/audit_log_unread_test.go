package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim"
)

// TestAuditLogUnread: the right to the audit log is missing. Preflight names it; step 3
// does what it can and names it too, and the gate of the password stays shut, since an
// owner who was added cannot be ruled out. Once it is granted, the step ends clean.
func TestAuditLogUnread(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{noHub: true})
	tn := s.scene(0).Tenant
	tn.RemoveRole(sim.HubClientID, "AuditLog.Read.All")
	s.up()
	for _, c := range s.lookedAt(tn).Checks {
		if strings.Contains(c.Sentence, "AuditLog.Read.All") && c.Grade == responsehub.CheckOK {
			t.Errorf("preflight finds the right in place: %+v", c)
		}
	}
	in := s.takeover()
	st := s.is(in.Incident, responsehub.Persistence, responsehub.Partial)
	if !strings.Contains(strings.Join(st.Unread, "\n"), "lacks the application permission AuditLog.Read.All") {
		t.Errorf("the step does not name the right: %q", st.Unread)
	}
	if why := s.blocked(in.Incident); !strings.Contains(why, "AuditLog.Read.All") {
		t.Errorf("the gate says %q", why)
	}
	if r := s.ask(in.Incident, responsehub.Password, api.StepBody{}); r.status != http.StatusConflict {
		t.Errorf("the reset was answered with %s", r)
	}
	s.card(in.Ref, "AuditLog.Read.All")

	tn.ConsentAll(sim.HubClientID)
	s.within(60*time.Second, "the step sees the right that was granted", func() bool {
		s.ask(in.Incident, responsehub.Persistence, api.StepBody{})
		st := s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.NeedsHuman, responsehub.Partial)
		return len(st.Unread) == 0
	})
	s.persistenceSettled(in)
	s.ask(in.Incident, responsehub.Password, api.StepBody{})
	s.is(in.Incident, responsehub.Password, responsehub.Done)
}
