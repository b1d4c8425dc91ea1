package e2e

import (
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/api"
)

// TestFalseAlarm: Response has locked the account and done the rest; a technician sees
// that nothing was wrong and says so on the card. Mail and persistence are given back,
// then the account, and the incident is closed everywhere.
func TestFalseAlarm(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{movedBack: true})
	before := s.portrait(0)
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.persistenceSettled(in)

	s.sure("ann", in.Ref, "False alarm: take it all back and close", "Yes, a false alarm", map[string]string{"why": "Pat is on holiday in the Netherlands."})
	s.until("the incident is closed as a false alarm", func() bool { return s.incident(in.Incident).State == responsehub.FalseAlarm })
	inc := s.incident(in.Incident)
	retract, account := stepOf(inc, responsehub.Retract), stepOf(inc, responsehub.Lock)
	for _, st := range []api.Step{retract, stepOf(inc, responsehub.Persistence), account} {
		if st.State != responsehub.Undone || st.Proof == nil {
			t.Errorf("%s is %s: %s", st.ID, st.State, st.Reason)
		}
	}
	if account.RequestedAt.Before(retract.VerifiedAt) {
		t.Error("the account was opened before the mail was back")
	}
	if d := gocmp.Diff(before, s.portrait(0)); d != "" {
		t.Errorf("the tenant is not what it was (-before +after):\n%s", d)
	}
	m := s.card(in.Ref, "false alarm")
	if strings.Contains(string(m.Card), "Action.Execute") {
		t.Error("the card of a closed incident has buttons")
	}
	if r := s.falseAlarm(in, "again"); r.status != http.StatusAccepted || !strings.Contains(string(r.body), "declared by Ann Berg") {
		t.Errorf("declared again: %s", r)
	}
}

// TestFalseAlarmAfterAPasswordReset: a password cannot be brought back. The incident
// stays open and says so until a person confirms.
func TestFalseAlarmAfterAPasswordReset(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{movedBack: true})
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.persistenceSettled(in)
	if r := s.ask(in.Incident, responsehub.Password, api.StepBody{}); r.status != http.StatusAccepted {
		t.Fatalf("password: %s", r)
	}
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	if r := s.falseAlarm(in, ""); r.status != http.StatusBadRequest {
		t.Errorf("without a reason: %s", r)
	}
	if r := s.falseAlarm(in, "a drill"); r.status != http.StatusAccepted || !strings.Contains(string(r.body), "password was reset") {
		t.Fatalf("declared: %s", r)
	}
	s.is(in.Incident, responsehub.Lock, responsehub.Undone)
	last := s.is(in.Incident, responsehub.Close, responsehub.NeedsHuman)
	if !strings.Contains(last.Reason, "password was reset") || s.incident(in.Incident).State != responsehub.Active {
		t.Errorf("the incident is %s: %s", s.incident(in.Incident).State, last.Reason)
	}
	s.card(in.Ref, "It waits for a person")
	if r := s.falseAlarm(in, "Pat has the new password"); r.status != http.StatusAccepted {
		t.Errorf("confirmed: %s", r)
	}
	if inc := s.incident(in.Incident); inc.State != responsehub.FalseAlarm {
		t.Errorf("the incident is %s", inc.State)
	}
}

func (s *stage) falseAlarm(in opened, reason string) reply {
	s.Helper()
	return s.api(http.MethodPost, "/v1/incidents/"+in.Incident+"/false-alarm", api.FalseAlarmBody{Reason: reason})
}
