package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/tenant"
)

// about is the takeover's alert with another account in it.
func (s *stage) about(id string, u *tenant.User) []byte {
	alert := s.scene(0).Alert("takeover")
	alert["id"], alert["account"] = id, map[string]any{"object_id": u.ID, "user_principal_name": u.UPN}
	delete(alert, "persistence")
	delete(alert, "phish")
	return encoded(s, alert)
}

// TestBlastRadius: the tenant lets one account an hour be locked by itself, never the
// administrator's. What is held back waits on the card with its reason, and a person may
// press.
func TestBlastRadius(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{guards: func(sc *tenant.Scene) string {
		return fmt.Sprintf("    limits: {automatic_locks_per_hour: 1}\n    break_glass: [%q]\n", sc.Admin.ID)
	}})
	first := s.takeover()
	s.is(first.Incident, responsehub.Lock, responsehub.Done)

	glass := s.alert(s.about("glass", s.scene(0).Admin))
	lock := s.is(glass.Incident, responsehub.Lock, responsehub.Waiting)
	if !strings.Contains(lock.Reason, "is a break-glass account. Press 1 to lock it.") {
		t.Errorf("the break-glass account's lock says %q", lock.Reason)
	}
	s.recorded(glass.Incident, responsehub.EventHeldBack, "break-glass")
	s.card(glass.Ref, "Not locked by itself", "is a break-glass account. Press 1 to lock it.")
	if n := s.count("disable", s.scene(0).Admin.ID); n != 0 {
		t.Errorf("the break-glass account was disabled %d times", n)
	}

	colleague := s.scene(0).Tenant.AddUser(tenant.Person{UPN: "kim@" + s.scene(0).Tenant.Domains[0].Name, Name: "Kim"})
	over := s.alert(s.about("over", colleague))
	if lock := s.is(over.Incident, responsehub.Lock, responsehub.Waiting); !strings.Contains(lock.Reason, "which is its limit") {
		t.Errorf("the lock past the limit says %q", lock.Reason)
	}
	if got := s.incident(over.Incident).State; got != responsehub.Active {
		t.Errorf("the incident past the limit is %s", got)
	}
	s.ask(over.Incident, responsehub.Lock, api.StepBody{})
	s.is(over.Incident, responsehub.Lock, responsehub.Done)
}

// TestSwitchStopsAllAutomaticAction: an administrator turns the switch; the next alert
// opens an incident in which nothing runs until somebody presses.
func TestSwitchStopsAllAutomaticAction(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{response: true})
	if r := s.api("PATCH", "/v1/settings", api.SettingsChange{}); r.status != 200 {
		t.Fatal(r)
	}
	in := s.takeover()
	for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
		if st := s.is(in.Incident, id, responsehub.Waiting); !strings.Contains(st.Reason, "stopped all automatic action") {
			t.Errorf("%s says %q", id, st.Reason)
		}
	}
	s.card(in.Ref, "Not locked by itself", "Press 1 to lock it.")
	if n := s.count("disable", ""); n != 0 {
		t.Errorf("%d accounts were disabled", n)
	}
	s.ask(in.Incident, responsehub.Lock, api.StepBody{})
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	if r := s.api("PATCH", "/v1/settings", api.SettingsChange{Automatic: true}); r.status != 200 {
		t.Fatal(r)
	}
}

// TestSecondPersonAndByHand: the account needs two people and the tenant's passwords are
// reset by hand. Ann's press waits on the card, her second one does nothing, the key's
// starts the step; then a person's word settles step 4.
func TestSecondPersonAndByHand(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{guards: func(sc *tenant.Scene) string {
		return fmt.Sprintf("    password_mode: manual\n    second_person_for: [%q]\n", sc.Victim.UPN)
	}})
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done) // the policy waits for nobody
	s.persistenceSettled(in)
	for range 2 {
		s.click("ann", in.Ref, "4 Reset password", nil)
		s.is(in.Incident, responsehub.Password, responsehub.NeedsHuman)
	}
	s.card(in.Ref, "asked; a second person has to confirm by pressing again.")
	s.ask(in.Incident, responsehub.Password, api.StepBody{})
	s.until("the step waits for a person's hands", func() bool {
		return strings.Contains(s.step(in.Incident, responsehub.Password).Reason, "reset by hand")
	})
	s.card(in.Ref, "reset it in the Microsoft admin center")
	s.ask(in.Incident, responsehub.Password, api.StepBody{Done: true, Reason: "in the admin center"})
	if st := s.is(in.Incident, responsehub.Password, responsehub.Done); !strings.Contains(st.Proof.Value, "reset by hand, said by ") {
		t.Errorf("the proof is %q", st.Proof.Value)
	}
	if n := s.count("password", s.scene(0).Victim.ID); n != 0 {
		t.Errorf("the hub set %d passwords", n)
	}
	// To open it by undo or as a false alarm takes two people too.
	for range 2 {
		if r := s.falseAlarm(in, "on holiday"); r.status != http.StatusAccepted || !strings.Contains(string(r.body), "declaring the false alarm again") {
			t.Errorf("a false alarm by one: %s", r)
		}
		s.card(in.Ref, "declared a false alarm, which opens the account; a second person has to confirm")
	}
	if r := s.undo(in, responsehub.Lock, "on holiday"); r.status != http.StatusAccepted || !strings.Contains(string(r.body), "Step 1 is not taken back yet: this account needs two people.") {
		t.Errorf("an undo by one: %s", r)
	}
	s.card(in.Ref, "asked to take it back; a second person has to confirm by asking again.")
	if st := s.is(in.Incident, responsehub.Lock, responsehub.Done); st.Undo || s.scene(0).Victim.Enabled() {
		t.Error("one person opened the account")
	}
}
