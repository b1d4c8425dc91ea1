package card

import (
	"strings"
	"testing"
	"time"

	"responsehub"
)

// TestHeldBack: what did not run by itself says why, has its button, and the new card's
// notification says that somebody has to act.
func TestHeldBack(t *testing.T) {
	a := alert()
	inc := responsehub.NewIncident("i", "RH-7K2M", t0, "petra", a, contoso(), true, responsehub.BreakGlassHold(a.Account))
	got := string(Card(inc, View{}))
	for _, want := range []string{"is a break-glass account. Press 1 to lock it.", `"title":"1 Revoke sessions and lock account"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the card lacks %q", want)
		}
	}
	if s := Summary(inc); !strings.HasSuffix(s, "act now, not locked by itself") {
		t.Errorf("the notification is %q", s)
	}
}

// TestByHand: a password that waits for a person has the button that says it is done;
// a word is no proof, so the step carries no check mark.
func TestByHand(t *testing.T) {
	inc := open(true, alert())
	verified(inc, responsehub.Lock, responsehub.Policy, time.Second)
	verified(inc, responsehub.Retract, responsehub.Policy, time.Second)
	verified(inc, responsehub.Persistence, responsehub.Policy, time.Second)
	s := inc.Step(responsehub.Password)
	button := `"title":"4 Password reset by hand: done"`
	if strings.Contains(string(Card(inc, View{})), button) {
		t.Error("there is the button before anybody asked for the reset")
	}
	s.State, s.Reason = responsehub.NeedsHuman, "Reset it in AD."
	if got := string(Card(inc, View{})); !strings.Contains(got, button) || !strings.Contains(got, `"done":"true"`) {
		t.Error("there is no button")
	}
	before := strings.Count(string(Card(inc, View{})), checkMark)
	verified(inc, responsehub.Password, responsehub.Actor{ID: "person:ann", Name: "Ann"}, time.Minute)
	s.ByHand, s.Proof.Value = true, "reset by hand, said by Ann"
	got := string(Card(inc, View{}))
	if n := strings.Count(got, checkMark); n != before || !strings.Contains(got, "By hand: reset by hand, said by Ann") {
		t.Errorf("%d check marks, %d before", n, before)
	}
}

// TestSecondPerson: a step that is done and asked for again shows who waits for another.
func TestSecondPerson(t *testing.T) {
	inc := open(true, alert())
	verified(inc, responsehub.Lock, responsehub.Policy, time.Second)
	inc.Step(responsehub.Lock).Confirm = &responsehub.Confirmation{By: responsehub.By{ID: "person:ann", Name: "Ann"}, At: t0}
	if got := string(Card(inc, View{})); !strings.Contains(got, "Ann asked; a second person has to confirm by pressing again.") {
		t.Error("the card does not say who asked")
	}
}
