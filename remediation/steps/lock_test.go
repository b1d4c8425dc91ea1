package steps

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

func TestLock(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*world)
		want    responsehub.StepState
		reason  string // part of it
		enabled bool   // the account's real state at the end
	}{
		{name: "blocks, revokes, reads back", want: responsehub.Done},
		{name: "the directory lags", arrange: func(w *world) { w.lag = 4 }, want: responsehub.Done},
		{name: "throttled with seconds", arrange: func(w *world) { w.fail["enabled=false"] = []error{throttled(7 * time.Second)} }, want: responsehub.Done},
		{name: "the answer is lost after the effect", arrange: func(w *world) {
			w.fail["enabled=false"], w.after["enabled=false"] = []error{lost()}, true
		}, want: responsehub.Done},
		{name: "no right to disable: the sessions are revoked all the same", arrange: func(w *world) { w.fail["enabled=false"] = []error{forbidden()} },
			want: responsehub.Partial, reason: "sessions were revoked, but sign-in could not be blocked: The hub's app lacks", enabled: true},
		{name: "no right to revoke: sign-in is blocked all the same", arrange: func(w *world) { w.fail["revoke"] = []error{forbidden()} },
			want: responsehub.Partial, reason: "Sign-in is blocked"},
		{name: "no right to read: locked blind, told so", arrange: func(w *world) { w.fail["account"] = []error{forbidden(), forbidden()} },
			want: responsehub.NeedsHuman, reason: "cannot be read back"},
		{name: "no such account", arrange: func(w *world) {
			w.fail["account"] = []error{&responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such account."}}
		}, want: responsehub.Failed, reason: "no such account", enabled: true},
		{name: "a guest's sessions live elsewhere", arrange: func(w *world) { w.account.Guest = true }, want: responsehub.Done},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				if c.arrange != nil {
					c.arrange(w)
				}
				b := remediationtest.New(alert(), true)
				b.Run(t, &Lock{Directory: w}, 20)
				s := check(t, b.Incident, responsehub.Lock, c.want)
				if !strings.Contains(s.Reason, c.reason) {
					t.Errorf("reason is %q, want %q in it", s.Reason, c.reason)
				}
				if w.account.Enabled != c.enabled {
					t.Errorf("the account's sign-in is %t at the end", w.account.Enabled)
				}
				if c.want == responsehub.Done && w.revoked == 0 {
					t.Error("sessions were not revoked")
				}
				// A client whose session is revoked first gets another one in between.
				if d, r := slices.Index(w.calls, "enabled=false"), slices.Index(w.calls, "revoke"); r >= 0 && d > r || r >= 0 && d < 0 {
					t.Errorf("revoked before sign-in was blocked: %q", w.calls)
				}
			})
		})
	}
}

// A directory that forgets the block is told again: done means read back.
func TestLockSentAgainWhenForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.lag = 1000
		b := remediationtest.New(alert(), true)
		b.Run(t, &Lock{Directory: w}, 2)
		check(t, b.Incident, responsehub.Lock, responsehub.Sent)
		w.lag = 0
		b.Run(t, &Lock{Directory: w}, 50)
		check(t, b.Incident, responsehub.Lock, responsehub.Done)
	})
}

// Killed at any write and started again, the lock ends verified, and what the account
// was before is not mistaken for the hub's own block.
func TestLockKilledAnywhere(t *testing.T) {
	for kill := 1; kill <= 4; kill++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			b := remediationtest.New(alert(), true)
			b.KillAt = kill
			b.Run(t, &Lock{Directory: w}, 20)
			b.Run(t, &Lock{Directory: w}, 20)
			check(t, b.Incident, responsehub.Lock, responsehub.Done)
			if was, err := wasEnabled(b.Incident); err != nil || !was {
				t.Errorf("killed at write %d: the account counts as disabled before the incident (%v)", kill, err)
			}
		})
	}
}
