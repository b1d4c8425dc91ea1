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

// sync runs one cycle of directory synchronisation at the first customer: Active
// Directory, where the account is still open, wins over the cloud.
func (s *stage) sync() {
	s.Helper()
	if _, err := s.world.Play(s.Context(), sim.Act{Do: "sync_directory"}); err != nil {
		s.Fatal(err)
	}
}

// TestHybridLockSurvivesSync: the account comes from Active Directory. Twice directory
// sync undoes the lock, twice the hub does it again and says so everywhere; Ann does the
// on-premises part and ticks it; after step 5 the hub leaves the account alone.
func TestHybridLockSurvivesSync(t *testing.T) {
	t.Parallel()
	look := 1500 * time.Millisecond
	s := raise(t, scenery{watch: responsehub.WatchSchedule{Looks: []time.Duration{look, 2 * look}, Every: look}})
	hal := s.scene(0).Hybrid
	in := s.alert(s.world.Alert("hybrid"))
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "Exchange, Teams, SharePoint are cut off within 15 min, other apps within 60",
		"Watched until step 5: the account comes from on-premises AD", "In on-premises AD: Disable-ADAccount hal — to do by hand", "reset the AD password of hal twice — to do by hand")

	for n := 1; n <= 2; n++ {
		s.sync()
		undone := time.Now()
		s.until("the account is locked again", func() bool {
			inc, ok := s.kept(in.Incident)
			return ok && inc.Watch != nil && inc.Watch.Reversed == n && !hal.Enabled()
		})
		t.Logf("locked again %s after sync %d had undone it", time.Since(undone).Round(time.Millisecond), n)
	}
	s.recorded(in.Incident, responsehub.EventWatchRelocked, "Directory sync re-enabled the account at ", "; locked again at ")
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "Directory sync re-enabled the account at ", "(2 times so far)")
	if n := s.count("revoke", hal.ID); n < 3 {
		t.Errorf("the sessions were revoked %d times, want once with each lock", n)
	}

	s.click("ann", in.Ref, "Done: Disable-ADAccount hal", nil)
	s.card(in.Ref, "Disable-ADAccount hal — done ", "says Ann Berg")
	if r := s.api(http.MethodPost, "/v1/incidents/"+in.Ref+"/todos/ad-disable", nil); !strings.Contains(string(r.body), "Ann Berg said at") {
		t.Errorf("the second tick was answered with %s", r)
	}
	var a api.Answer
	s.api(http.MethodPost, "/v1/incidents/"+in.Ref+"/todos/ad-reset", nil).decode(t, &a)
	if len(a.Todos) != 2 || !a.Todos[0].Done || !a.Todos[1].Done || a.Watch == nil || a.Watch.Reversed != 2 {
		t.Errorf("todos %+v, watch %+v", a.Todos, a.Watch)
	}
	hal.DisableOnPrem(true)
	s.sync()
	if hal.Enabled() {
		t.Error("the account was disabled on both sides and is open")
	}

	s.ask(in.Incident, responsehub.Persistence, api.StepBody{Skip: true, Reason: "nothing there"})
	s.ask(in.Incident, responsehub.Password, api.StepBody{Skip: true, Reason: "reset in AD"})
	hal.DisableOnPrem(false)
	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.card(in.Ref, "In on-premises AD: Enable-ADAccount hal, if it is disabled there — to do by hand")
	locks := s.count("disable", hal.ID)
	time.Sleep(2*look + time.Second) // two looks that must not come
	if n := s.count("disable", hal.ID); n != locks || !hal.Enabled() {
		t.Errorf("after step 5 the account was locked %d times", n-locks)
	}
	if inc, _ := s.kept(in.Incident); inc.Watch.Active() {
		t.Errorf("the watch goes on after step 5: %+v", inc.Watch)
	}
}

// TestPersonUndoesTheLock: a cloud account that an administrator of the customer opens
// by hand is locked again too, by a hub that was started anew meanwhile.
func TestPersonUndoesTheLock(t *testing.T) {
	t.Parallel()
	look := 1500 * time.Millisecond
	s := raise(t, scenery{watch: responsehub.WatchSchedule{Looks: []time.Duration{look}, Every: look}})
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.hub.stop(t)
	if _, err := s.world.Play(s.Context(), sim.Act{Do: "microsoft", Action: "user.enable", User: s.scene(0).Victim.ID}); err != nil {
		t.Fatal(err)
	}
	s.startHub()
	s.recorded(in.Incident, responsehub.EventWatchRelocked, "Somebody re-enabled the account at ", "; locked again at ")
	s.card(in.Ref, "Somebody re-enabled the account at ")
	if s.scene(0).Victim.Enabled() {
		t.Error("the account is open")
	}
}
