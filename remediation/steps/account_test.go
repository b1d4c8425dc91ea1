package steps

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/remediation/remediationtest"
)

func lane(t *testing.T, w *world) *AccountLane {
	t.Helper()
	vault, err := remediation.NewVault(bytes.Repeat([]byte{7}, remediation.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return &AccountLane{Directory: w, Vault: vault}
}

// ready returns a bench on which steps 1 to 3 are done.
func ready(t *testing.T, w *world) *remediationtest.Bench {
	t.Helper()
	b := remediationtest.New(alert(), true)
	b.Run(t, &Lock{Directory: w}, 20)
	for _, id := range []responsehub.StepID{responsehub.Retract, responsehub.Persistence} {
		b.Incident.Step(id).State = responsehub.Done
	}
	b.Incident.Step(responsehub.Persistence).Items[0].State = responsehub.Done
	return b
}

func TestPasswordIsSealedBeforeItIsSet(t *testing.T) {
	for kill := 0; kill <= 4; kill++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			b, l := ready(t, w), lane(t, w)
			b.Ask(t, responsehub.Password, responsehub.StepRequest{})
			b.KillAt = b.Saves + kill
			b.Run(t, l, 1)
			b.KillAt = 0
			for b.Incident.Step(responsehub.Password).State.Busy() {
				b.Run(t, l, 1)
			}
			check(t, b.Incident, responsehub.Password, responsehub.Done)
			for _, p := range w.passwords {
				if p != w.passwords[0] {
					t.Fatalf("killed at write %d: another password was set the second time", kill)
				}
			}
			sealed := b.Incident.Sealed[remediation.SealedPassword]
			got, err := l.Vault.Open(sealed.Box, remediation.BoundTo(b.Incident.ID, remediation.SealedPassword))
			if err != nil || got != w.passwords[0] {
				t.Fatalf("the sealed password is not the one that was set (%v)", err)
			}
			if sealed.For != remediationtest.Ann.ID {
				t.Errorf("sealed for %q", sealed.For)
			}
			stored, _ := json.Marshal(b.Incident)
			events, _ := json.Marshal(b.Events)
			if bytes.Contains(stored, []byte(got)) || bytes.Contains(events, []byte(got)) {
				t.Error("the password stands in the record in the clear")
			}
		})
	}
}

func TestPasswordIsErasedAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b, l := ready(t, w), lane(t, w)
		b.Ask(t, responsehub.Password, responsehub.StepRequest{})
		start := time.Now()
		b.Run(t, l, 10)
		if _, ok := b.Incident.Sealed[remediation.SealedPassword]; ok {
			t.Error("the password is still there")
		}
		if d := time.Since(start); d < remediation.PasswordLife || d > remediation.PasswordLife+time.Minute {
			t.Errorf("erased after %s", d)
		}
	})
}

func TestPasswordPolicyAndWhoCannotBeReset(t *testing.T) {
	policy := &responsehub.Error{Kind: responsehub.Invalid, Message: "The tenant's policy refused the password."}
	for _, c := range []struct {
		name    string
		arrange func(*world)
		want    responsehub.StepState
		reason  string
	}{
		{"refused once", func(w *world) { w.fail["password"] = []error{policy} }, responsehub.Done, ""},
		{"refused always", func(w *world) { w.fail["password"] = []error{policy, policy, policy} }, responsehub.Failed, "tried 3 passwords"},
		{"synced", func(w *world) { w.account.Synced = true }, responsehub.NeedsHuman, "on-premises AD"},
		{"guest", func(w *world) { w.account.Guest = true }, responsehub.NeedsHuman, "home tenant"},
		{"no right", func(w *world) { w.fail["password"] = []error{forbidden()} }, responsehub.Failed, "lacks"},
		{"answer lost", func(w *world) { w.fail["password"], w.after["password"] = []error{lost()}, true }, responsehub.Done, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				b, l := ready(t, w), lane(t, w)
				c.arrange(w)
				b.Ask(t, responsehub.Password, responsehub.StepRequest{})
				b.Run(t, l, 6)
				if s := check(t, b.Incident, responsehub.Password, c.want); !strings.Contains(s.Reason, c.reason) {
					t.Errorf("reason is %q", s.Reason)
				}
			})
		})
	}
}

func TestReenable(t *testing.T) {
	for _, c := range []struct {
		name   string
		before bool
	}{{"was open before", true}, {"was disabled before the incident", false}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.account.Enabled = c.before
				b, l := ready(t, w), lane(t, w)
				locked := w.revoked
				b.Ask(t, responsehub.Password, responsehub.StepRequest{})
				b.Run(t, l, 2)
				reset := w.revoked
				if reset != locked+1 {
					t.Errorf("sessions were revoked %d times with the new password, want once", reset-locked)
				}
				b.Ask(t, responsehub.Reenable, responsehub.StepRequest{})
				b.Run(t, l, 3)
				check(t, b.Incident, responsehub.Reenable, responsehub.Done)
				if c.before && w.revoked != reset+1 {
					t.Errorf("sessions were revoked %d times before the account was opened, want once", w.revoked-reset)
				}
				if w.account.Enabled != c.before {
					t.Errorf("sign-in is %t, was %t before the incident", w.account.Enabled, c.before)
				}
			})
		})
	}
}

func TestNewPassword(t *testing.T) {
	seen := map[responsehub.Secret]bool{}
	for range 500 {
		p, err := NewPassword("pat@contoso.example", "Pat")
		if err != nil {
			t.Fatal(err)
		}
		s := string(p)
		for _, class := range []string{upper, lower, digits, symbols} {
			if n := strings.Count(strings.Map(func(r rune) rune {
				if strings.ContainsRune(class, r) {
					return 'x'
				}
				return '.'
			}, s), "x"); n < 2 {
				t.Fatalf("a password has %d characters of %q", n, class)
			}
		}
		if len(s) < 16 || strings.Contains(strings.ToLower(s), "pat") || seen[p] {
			t.Fatal("a password is short, has the name in it, or came twice")
		}
		seen[p] = true
	}
}
