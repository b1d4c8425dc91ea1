package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/teams"
)

// TestTakeoverCloud: Response is on. Steps 1 to 3 run by themselves; the technician
// resets the password, re-enables the account and closes the incident with the card's
// buttons. The card shows one check mark for each verified step.
func TestTakeoverCloud(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	scene := s.scene(0)
	before := scene.Victim.Password()
	in := s.takeover()
	if in.State != "active" {
		t.Errorf("the incident is %s at the start", in.State)
	}

	lock := s.is(in.Incident, responsehub.Lock, responsehub.Done)
	if d := lock.VerifiedAt.Sub(s.incident(in.Incident).Times.Received); d > 5*time.Second {
		t.Errorf("the lock was verified %s after the alert came in", d)
	} else {
		t.Logf("locked and read back %s after the alert came in", d.Round(time.Millisecond))
	}
	if lock.RequestedBy.Name != responsehub.Policy.Name {
		t.Errorf("the lock was asked for by %q", lock.RequestedBy.Name)
	}
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.persistenceSettled(in)
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "2 Retract phishing emails — ✓", "3 Disable persistence", "after the alert came in")
	s.timesInOrder(in)

	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.onlyAnnSeesThePassword(in, before)

	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.click("bob", in.Ref, "6 Mark as remediated", nil)
	s.closed(in)

	inc := s.incident(in.Incident)
	if inc.Acknowledged == nil || inc.Acknowledged.By != "Ann Berg" && inc.Acknowledged.By != "Bob Carr" {
		t.Errorf("acknowledged: %+v", inc.Acknowledged)
	}
	if n := s.count("password", scene.Victim.ID); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}

// timesInOrder checks the stages of the time to lock.
func (s *stage) timesInOrder(in opened) {
	s.Helper()
	t := s.incident(in.Incident).Times
	stages := []time.Time{t.Detected, t.Received, t.Requested, t.Sent, t.Verified}
	for i, at := range stages {
		if at.IsZero() || i > 0 && at.Before(stages[i-1]) {
			s.Errorf("the stages of the lock are out of order: %+v", t)
			return
		}
	}
}

// persistenceSettled waits for step 3 and does what it leaves to people, as a
// technician does: look at it, then set it aside with a reason on the card.
func (s *stage) persistenceSettled(in opened) {
	s.Helper()
	st := s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.NeedsHuman)
	if st.State == responsehub.Done {
		return
	}
	var open []string
	for _, it := range st.Items {
		if !it.State.Settled() {
			open = append(open, it.ID)
			if it.Kind.Blocks() {
				s.Errorf("%s %q is %s: %s", it.Kind, it.Name, it.State, it.Why)
			}
		}
	}
	s.click("ann", in.Ref, "Set chosen aside", map[string]string{"items": strings.Join(open, ","), "reason": "Looked at with the customer; removed by hand."})
	s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.Skipped)
}

// onlyAnnSeesThePassword opens the dialog: not for Bob, once for Ann, then never again.
func (s *stage) onlyAnnSeesThePassword(in opened, before string) {
	s.Helper()
	now := s.scene(0).Victim.Password()
	if now == before {
		s.Error("the password is the old one")
	}
	bob := s.click("bob", in.Ref, "Show password", nil)
	if bob.Dialog || !strings.Contains(bob.Message, "Ann Berg") {
		s.Errorf("Bob got %+v", bob)
	}
	ann := s.click("ann", in.Ref, "Show password", nil)
	if !ann.Dialog || !strings.Contains(string(unescaped(ann.Card)), now) {
		s.Errorf("Ann got %q, want a dialog with the new password", ann.Message)
	}
	cards := s.cards(in.Ref)
	again, err := s.press("ann", cards[len(cards)-1].ID, "Show password", nil)
	if err == nil && (again.Dialog || strings.Contains(string(again.Card), now)) {
		s.Error("the password was shown twice")
	}
	if r := s.api(http.MethodPost, "/v1/incidents/"+in.Incident+"/steps/password/reveal", nil); r.status != http.StatusForbidden && r.status != http.StatusGone {
		s.Errorf("the API answered a reveal of Ann's password with %d", r.status)
	}
}

// unescaped undoes JSON's escapes, so that a text can be looked for.
func unescaped(raw []byte) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return raw
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return []byte(b.String())
}

// closed waits until the incident is remediated on every surface.
func (s *stage) closed(in opened) {
	s.Helper()
	s.is(in.Incident, responsehub.Close, responsehub.Done)
	inc := s.incident(in.Incident)
	if inc.State != responsehub.Remediated || inc.ClosedAt.IsZero() {
		s.Errorf("the incident is %s, closed at %s", inc.State, inc.ClosedAt)
	}
	m := s.card(in.Ref, "remediated", "6 Mark as remediated — ✓")
	s.checkMarks(inc, m)
	if strings.Contains(string(m.Card), "Action.Execute") {
		s.Error("the card of a closed incident has buttons")
	}
	var list api.List[api.Incident]
	s.api(http.MethodGet, "/v1/incidents?status=remediated", nil).decode(s, &list)
	for _, other := range list.Items {
		if other.ID == in.Incident {
			return
		}
	}
	s.Error("the list of remediated incidents lacks it")
}

// checkMarks compares the card's check marks with the steps that were verified.
func (s *stage) checkMarks(inc api.Incident, m teams.MessageState) {
	s.Helper()
	want := 0
	for _, st := range inc.Steps {
		if st.ID.Number() > 0 && st.State == responsehub.Done {
			want++
		}
	}
	if got := strings.Count(cardText(m.Card), "✓"); got != want {
		s.Errorf("the card has %d check marks for %d verified steps:\n%s", got, want, cardText(m.Card))
	}
}
