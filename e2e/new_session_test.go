package e2e

import (
	"testing"
	"time"

	"responsehub"
	"responsehub/sim"
)

// TestNewSessionAfterTheLock: the account stays locked, and with a token that lives on
// somebody signs in all the same. The hub sees it in the log of sign-ins, ends the session
// and says so; who is turned away is no session.
func TestNewSessionAfterTheLock(t *testing.T) {
	t.Parallel()
	look := 1500 * time.Millisecond
	s := raise(t, scenery{watch: responsehub.WatchSchedule{Looks: []time.Duration{look}, Every: look}})
	victim := s.scene(0).Victim
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.play(sim.Act{Do: "microsoft", Action: "session.refused", User: victim.ID, Value: "Teams"})
	s.until("the hub has looked after it", func() bool { inc, _ := s.kept(in.Incident); return inc.Watch != nil && inc.Watch.Checks > 0 })
	if n := s.count("revoke", victim.ID); n != 1 {
		t.Fatalf("the sessions were revoked %d times before anybody got in", n)
	}
	time.Sleep(time.Second) // Microsoft's times are whole seconds
	s.play(sim.Act{Do: "sign_in"})
	began := time.Now()
	s.recorded(in.Incident, responsehub.EventWatchRelocked, "A new session of ", " (Outlook, 198.51.100.77) was seen at ", "; locked again at ")
	t.Logf("ended %s after it began", time.Since(began).Round(time.Millisecond))
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "A new session of ", "(Outlook, 198.51.100.77) was seen at ")
	if n := s.count("revoke", victim.ID); n != 2 || victim.Enabled() {
		t.Errorf("revoked %d times, open %t", n, victim.Enabled())
	}
	time.Sleep(2 * look)
	if inc, _ := s.kept(in.Incident); inc.Watch.Reversed != 1 {
		t.Errorf("the same session was ended %d times", inc.Watch.Reversed)
	}
}

// TestNewSessionsCannotBeSeen: the tenant has no licence for the log. The card says once
// that new sessions are not seen, and the lock is looked after all the same.
func TestNewSessionsCannotBeSeen(t *testing.T) {
	t.Parallel()
	look := 1500 * time.Millisecond
	s := raise(t, scenery{watch: responsehub.WatchSchedule{Looks: []time.Duration{look}, Every: look}})
	s.frozen(func() { s.scene(0).Tenant.NoP1 = true })
	in := s.takeover()
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "New sessions cannot be seen: The hub could not read the account's sign-ins: the tenant has no licence for it (Entra ID P1)")
	s.play(sim.Act{Do: "microsoft", Action: "user.enable", User: s.scene(0).Victim.ID})
	s.recorded(in.Incident, responsehub.EventWatchRelocked, "Somebody re-enabled the account at ", "; locked again at ")
	said := 0
	for _, e := range s.events(in.Incident) {
		if e.Kind == responsehub.EventWatchChecked {
			said++
		}
	}
	if said != 1 {
		t.Errorf("said %d times that sign-ins cannot be read", said)
	}
}
