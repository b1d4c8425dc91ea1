package steps

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/remediation/remediationtest"
)

// TestPasswordByHand: what the hub does not reset waits with instructions, and a
// person's word settles it, with what Microsoft shows of it.
func TestPasswordByHand(t *testing.T) {
	for _, c := range []struct {
		name     string
		mode     responsehub.PasswordMode
		arrange  func(*world)
		changed  bool // it was changed after the step was asked for
		says     string
		want     responsehub.StepState
		in, lack string
	}{
		{"synced", "", func(w *world) { w.account.Synced = true }, true, "on-premises AD", responsehub.Done, "said by Ann; password last changed 20", ""},
		{"synced, cloud", responsehub.PasswordCloud, func(w *world) { w.account.Synced = true }, false, "on-premises AD", responsehub.Done, "said by Ann; Microsoft does not show a change yet", "last changed"},
		{"manual", responsehub.PasswordManual, func(*world) {}, true, "reset by hand", responsehub.Done, "password last changed 20", ""},
		{"guest", responsehub.PasswordManual, func(w *world) { w.account.Guest = true }, true, "home tenant", responsehub.NeedsHuman, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				b, l := ready(t, w), lane(t, w)
				l.Mode = func(string) responsehub.PasswordMode { return c.mode }
				c.arrange(w)
				b.Ask(t, responsehub.Password, responsehub.StepRequest{})
				b.Run(t, l, 6)
				if s := check(t, b.Incident, responsehub.Password, responsehub.NeedsHuman); !strings.Contains(s.Reason, c.says) || len(w.passwords) > 0 {
					t.Errorf("%q, %d passwords were set", s.Reason, len(w.passwords))
				}
				time.Sleep(time.Minute)
				if c.changed {
					w.account.PasswordChangedAt = time.Now()
				}
				b.Incident.AddTodo(TodoReset, "twice")
				b.Ask(t, responsehub.Password, responsehub.StepRequest{Done: true, Reason: "in AD"})
				b.Run(t, l, 6)
				s := check(t, b.Incident, responsehub.Password, c.want)
				if c.want != responsehub.Done {
					return
				}
				if !strings.Contains(s.Proof.Value, c.in) || c.lack != "" && strings.Contains(s.Proof.Value, c.lack) {
					t.Errorf("the proof is %q", s.Proof.Value)
				}
				if !b.Incident.Todo(TodoReset).Done() {
					t.Error("the to-do about the password is still open")
				}
			})
		})
	}
}

// TestAskedAgainIsAnotherPassword: with a reason the reset is done again; the password of
// before is gone and only who asked last may read the new one.
func TestAskedAgainIsAnotherPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b, l := ready(t, w), lane(t, w)
		run := func() {
			for b.Incident.Step(responsehub.Password).State.Busy() {
				b.Run(t, l, 1) // no further: the password would be erased in time
			}
		}
		b.Ask(t, responsehub.Password, responsehub.StepRequest{})
		run()
		before := b.Incident.Sealed[remediation.SealedPassword]
		bob := responsehub.Actor{ID: "person:bob", Name: "Bob", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}
		if a, err := b.Incident.Ask(responsehub.Password, bob, responsehub.StepRequest{}, time.Now()); err != nil || !a.Joined {
			t.Fatalf("without a reason: %+v, %v", a, err)
		}
		time.Sleep(time.Second)
		if a, err := b.Incident.Ask(responsehub.Password, bob, responsehub.StepRequest{Reason: "it was overheard"}, time.Now()); err != nil || a.Joined {
			t.Fatalf("with a reason: %+v, %v", a, err)
		}
		run()
		check(t, b.Incident, responsehub.Password, responsehub.Done)
		sealed := b.Incident.Sealed[remediation.SealedPassword]
		if len(b.Incident.Sealed) != 1 || string(sealed.Box) == string(before.Box) || sealed.For != bob.ID || before.For != remediationtest.Ann.ID {
			t.Errorf("sealed for %q, before for %q", sealed.For, before.For)
		}
		got, err := l.Vault.Open(sealed.Box, remediation.BoundTo(b.Incident.ID, remediation.SealedPassword))
		if n := len(w.passwords); err != nil || n != 2 || got != w.passwords[1] || w.passwords[0] == w.passwords[1] {
			t.Errorf("%v, %d passwords were set", err, n)
		}
	})
}

// TestBreakGlassUnderAnotherName: the alert names the account otherwise than the tenant's
// list. The policy stops where the directory tells who it is; a person does not.
func TestBreakGlassUnderAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := remediationtest.New(alert(), true)
		l := &Lock{Directory: w, BreakGlass: func(_ string, a responsehub.Account) bool {
			return (&responsehub.Tenant{BreakGlass: []string{w.account.UPN}}).IsBreakGlass(a)
		}}
		b.Run(t, l, 20)
		s := check(t, b.Incident, responsehub.Lock, responsehub.NeedsHuman)
		if !w.account.Enabled || !strings.Contains(s.Reason, "is a break-glass account. Press 1 to lock it.") || !s.Held {
			t.Errorf("enabled %t, %q", w.account.Enabled, s.Reason)
		}
		b.Ask(t, responsehub.Lock, responsehub.StepRequest{})
		b.Run(t, l, 20)
		check(t, b.Incident, responsehub.Lock, responsehub.Done)
	})
}
