package e2e

import (
	"slices"
	"strings"
	"testing"

	"responsehub"
	"responsehub/api"
	"responsehub/sim"
	"responsehub/sim/tenant"
)

// member reports whether the account is in the first customer's lock group.
func (s *stage) member(u *tenant.User) (in bool) {
	t := s.scene(0).Tenant
	s.frozen(func() { in = slices.Contains(t.Groups[0].Members, u.ID) })
	return in
}

// TestLockGroup: the tenant has a group whose members Conditional Access shuts out. The
// account of an attack is put into it with the lock and leaves it with step 5.
func TestLockGroup(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{lockGroup: true})
	pat := s.scene(0).Victim
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	if !s.member(pat) {
		t.Fatal("the account is not in the lock group")
	}
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓", "; in the lock group")
	s.persistenceSettled(in)
	s.ask(in.Incident, responsehub.Password, api.StepBody{})
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.ask(in.Incident, responsehub.Reenable, api.StepBody{})
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	if s.member(pat) {
		t.Error("the account is still in the lock group after step 5")
	}
}

// TestAdministratorIsShutOut: Microsoft refuses to lock an administrator. The step says
// which role is missing; the sessions are revoked and the lock group shuts the account
// out all the same.
func TestAdministratorIsShutOut(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{lockGroup: true, noHub: true})
	root := s.scene(0).Admin
	s.scene(0).Tenant.RemoveRole(sim.HubClientID, tenant.PrivilegedAuthAdmin)
	s.startHub()
	s.install()
	body := strings.NewReplacer(s.scene(0).Victim.ID, root.ID, s.scene(0).Victim.UPN, root.UPN).Replace(string(s.world.Alert("takeover")))
	in := s.alert([]byte(body))
	lock := s.is(in.Incident, responsehub.Lock, responsehub.Partial)
	for _, want := range []string{"sessions were revoked, but sign-in could not be blocked", "protected by its own role (Global Administrator)", "Give the hub's app the role Privileged Authentication Administrator", "is in the lock group"} {
		if !strings.Contains(lock.Reason, want) {
			t.Errorf("the lock says %q, want %q in it", lock.Reason, want)
		}
	}
	if !s.member(root) || s.count("revoke", root.ID) == 0 {
		t.Errorf("in the lock group %t, revoked %d times", s.member(root), s.count("revoke", root.ID))
	}
}
