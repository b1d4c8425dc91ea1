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

// often has the hub look each second whether something came back.
func often() (looks []time.Duration) {
	for n := range 60 {
		looks = append(looks, time.Duration(n+1)*time.Second)
	}
	return looks
}

// play lets somebody act at a customer.
func (s *stage) play(a sim.Act) {
	s.Helper()
	if _, err := s.world.Play(s.Context(), a); err != nil {
		s.Fatal(err)
	}
}

// item waits for an item of step 3 with the name, in one of the states.
func (s *stage) item(id string, kind responsehub.ItemKind, name string, states ...responsehub.StepState) (found responsehub.Item) {
	s.Helper()
	s.until(string(kind)+" "+name+" in one of the states", func() bool {
		inc, ok := s.kept(id)
		if !ok {
			return false
		}
		for _, it := range inc.Step(responsehub.Persistence).Items {
			for _, st := range states {
				if it.Kind == kind && strings.Contains(it.Name, name) && it.State == st {
					found = it
					return true
				}
			}
		}
		return false
	})
	return found
}

// TestPersistenceComesBack: Response is on. With a token that is still alive the attacker
// makes the rule again, and the owner switches the app on again: the hub sees both and
// disables them at once.
func TestPersistenceComesBack(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{looks: often()})
	scene := s.scene(0)
	in := s.takeover()
	s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.NeedsHuman)

	s.play(sim.Act{Do: "recreate_rule"})
	s.recorded(in.Incident, responsehub.EventItemReturned, `inbox rule "."`, "came back", "Made again after the hub had disabled the one before")
	s.until("the rule that was made again is disabled", func() bool {
		for _, r := range scene.Victim.Rules() {
			if r.Name == "." && r.Enabled {
				return false
			}
		}
		return true
	})
	s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.NeedsHuman)

	s.play(sim.Act{Do: "switch_app_on"})
	s.recorded(in.Incident, responsehub.EventItemReturned, `app registration "Sync Helper"`, "works again")
	app := s.item(in.Incident, responsehub.AppRegistration, "Sync Helper", responsehub.Done)
	if app.Returned != 1 || app.Proof == nil {
		t.Errorf("the app is %+v", app)
	}

	s.play(sim.Act{Do: "add_forwarding"})
	s.recorded(in.Incident, responsehub.EventItemFound, `mailbox forwarding "drop@evil.example"`)
	s.card(in.Ref, `mailbox forwarding "drop@evil.example" — needs a person`)
	s.persistenceSettled(in)
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.click("bob", in.Ref, "6 Mark as remediated", nil)
	s.closed(in)

	// The hub looks no more: a new rule of a closed incident stays the customer's business.
	looked := s.asked("messageRules")
	time.Sleep(2500 * time.Millisecond)
	if again := s.asked("messageRules"); again > looked+1 {
		t.Errorf("the hub looked %d times more after the close", again-looked)
	}
}

func (s *stage) asked(path string) (n int) {
	for _, r := range s.world.Wire.Requests() {
		if strings.Contains(r.Path, path) {
			n++
		}
	}
	return n
}

// TestPersistenceComesBackByHand: Response is off. What came back shuts the gate of the
// password again, with its name, until a person asks for step 3 again.
func TestPersistenceComesBackByHand(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{looks: often()})
	in := s.alert(s.world.Alert("manual"))
	s.ask(in.Incident, responsehub.Publish, api.StepBody{})
	s.ask(in.Incident, responsehub.Persistence, api.StepBody{})
	s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.NeedsHuman)
	if why := s.blocked(in.Incident); why != "" {
		t.Fatalf("the reset is refused: %s", why)
	}

	s.play(sim.Act{Do: "recreate_rule", Tenant: s.scene(1).Tenant.ID})
	s.until("the gate is shut again", func() bool { return strings.Contains(s.blocked(in.Incident), `inbox rule "."`) })
	r := s.ask(in.Incident, responsehub.Password, api.StepBody{})
	if r.status != http.StatusConflict || !strings.Contains(string(r.body), `inbox rule`) {
		t.Errorf("the reset was answered with %s", r)
	}
	s.card(in.Ref, `inbox rule "." — not started`, "Came back")

	s.ask(in.Incident, responsehub.Persistence, api.StepBody{})
	s.until("the gate is open again", func() bool { return s.blocked(in.Incident) == "" })
}

func (s *stage) blocked(id string) string {
	s.Helper()
	return stepOf(s.incident(id), responsehub.Password).Blocked
}

// TestConsentWithdrawnInTheMiddle: what the hub cannot read any more is not clean.
func TestConsentWithdrawnInTheMiddle(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{looks: []time.Duration{2 * time.Second}})
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.NeedsHuman)
	s.play(sim.Act{Do: "withdraw_consent"})
	s.is(in.Incident, responsehub.Persistence, responsehub.Partial)
	if why := s.blocked(in.Incident); !strings.Contains(why, "did not end clean") || !strings.Contains(why, "onsent") {
		t.Errorf("the gate says %q", why)
	}
}
