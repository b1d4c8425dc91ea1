package steps

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

// locks returns a world with an account that was just locked, and its bench.
func locks(t *testing.T, synced bool) (*world, *remediationtest.Bench) {
	t.Helper()
	w := newWorld()
	w.account.Synced, w.account.SAM = synced, "pat"
	w.during = map[string]func(){}
	b := remediationtest.New(alert(), true)
	b.Run(t, &Lock{Directory: w}, 20)
	check(t, b.Incident, responsehub.Lock, responsehub.Done)
	w.calls, b.Saves = nil, 0
	return w, b
}

// reverses is what the next directory sync does to the account.
func (w *world) reverses() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.account.Enabled = true
}

func (w *world) count(call string) int {
	n := 0
	for _, c := range w.calls {
		if c == call {
			n++
		}
	}
	return n
}

func entries(b *remediationtest.Bench, kind responsehub.EventKind) int {
	n := 0
	for _, e := range b.Events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// Directory sync undoes the lock before any of the looks: each time it is locked again
// in the same turn, seconds after the look.
func TestWatchLocksAgain(t *testing.T) {
	for _, synced := range []bool{true, false} {
		for look, after := range []time.Duration{time.Minute, 5 * time.Minute, 35 * time.Minute, 65 * time.Minute, 95 * time.Minute} {
			t.Run(fmt.Sprintf("synced %t, look %d", synced, look+1), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, b := locks(t, synced)
					f := &Watch{Directory: w}
					since := b.Incident.Watch.Since
					b.Run(t, f, 1+look) // the looks before find it in place
					if n := w.count("enabled=false"); n != 0 {
						t.Fatalf("locked again %d times without a need", n)
					}
					w.reverses()
					b.Run(t, f, 1)
					if w.account.Enabled || w.revoked != 2 {
						t.Fatalf("enabled %t, revoked %d times", w.account.Enabled, w.revoked)
					}
					r := b.Incident.Watch.Reversals
					if len(r) != 1 || r[0].SeenAt.Sub(since) > after+5*time.Second || r[0].SeenAt.Sub(since) < after {
						t.Fatalf("reversals %+v, locked at %s", r, since)
					}
					if d := r[0].LockedAt.Sub(r[0].SeenAt); d > 10*time.Second {
						t.Errorf("locked again %s after it was seen", d)
					}
					said := strings.Join(b.Texts(), "\n")
					want := map[bool]string{true: "Directory sync re-enabled the account at ", false: "Somebody re-enabled the account at "}[synced]
					if !strings.Contains(said, want) || !strings.Contains(said, "; locked again at ") {
						t.Errorf("the record says:\n%s", said)
					}
					if n := entries(b, responsehub.EventWatchRelocked); n != 1 {
						t.Errorf("%d entries of the relock", n)
					}
					s := check(t, b.Incident, responsehub.Lock, responsehub.Done)
					if !s.Proof.At.After(s.VerifiedAt) {
						t.Error("the step's proof is not the newer one")
					}
				})
			})
		}
	}
}

// Sessions made valid again are an undone lock too.
func TestWatchSeesOldSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, false)
		w.account.SessionsValidFrom = w.account.SessionsValidFrom.Add(-time.Hour)
		b.Run(t, &Watch{Directory: w}, 2)
		if len(b.Incident.Watch.Reversals) != 1 || w.revoked != 2 {
			t.Errorf("watch %+v, revoked %d times", b.Incident.Watch, w.revoked)
		}
	})
}

// A reading from a replica that is behind is not taken for a reversal.
func TestWatchReadsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, true)
		w.stale = w.account
		w.stale.Enabled = true
		w.reads, w.lag = 0, 1
		b.Run(t, &Watch{Directory: w}, 2)
		if n := w.count("enabled=false"); n != 0 || b.Incident.Watch.Checks != 1 {
			t.Errorf("locked again %d times, %d looks", n, b.Incident.Watch.Checks)
		}
	})
}

// Killed at any write and started again, the account ends locked, revoked once more, and
// the record has one entry.
func TestWatchKilledAnywhere(t *testing.T) {
	for kill := 1; kill <= 3; kill++ {
		synctest.Test(t, func(t *testing.T) {
			w, b := locks(t, true)
			f := &Watch{Directory: w}
			b.Run(t, f, 1)
			w.reverses()
			b.KillAt = b.Saves + kill
			b.Run(t, f, 1)
			b.KillAt = 0
			b.Run(t, f, 2)
			if w.account.Enabled || w.revoked < 2 || len(b.Incident.Watch.Reversals) != 1 || b.Incident.Watch.Relock != nil {
				t.Errorf("killed at write %d: enabled %t, revoked %d times, %+v", kill, w.account.Enabled, w.revoked, b.Incident.Watch)
			}
			if n := entries(b, responsehub.EventWatchRelocked); n != 1 {
				t.Errorf("killed at write %d: %d entries", kill, n)
			}
		})
	}
}

// A worker that died between disabling and revoking has not revoked: the next one does.
func TestWatchDiedBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, true)
		f := &Watch{Directory: w}
		b.Run(t, f, 1)
		w.reverses()
		w.fail["revoke"] = []error{lost()}
		b.Run(t, f, 1)
		if w.account.Enabled || w.revoked != 1 {
			t.Fatalf("enabled %t, revoked %d times", w.account.Enabled, w.revoked)
		}
		b.Run(t, f, 1)
		if w.revoked != 2 || len(b.Incident.Watch.Reversals) != 1 {
			t.Errorf("revoked %d times, %+v", w.revoked, b.Incident.Watch)
		}
	})
}

// A directory that forgets the block is told again, at first every few seconds and then
// every minute.
func TestWatchIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, true)
		f := &Watch{Directory: w}
		b.Run(t, f, 1)
		w.reverses()
		w.fail["enabled=false"] = make([]error, 40) // accepted, without an effect
		start := time.Now()
		b.Run(t, f, 40)
		if n, d := w.count("enabled=false"), time.Since(start); n != 40 || d < 15*time.Minute || d > 40*time.Minute {
			t.Errorf("told %d times in %s", n, d)
		}
		b.Run(t, f, 1)
		if w.account.Enabled || len(b.Incident.Watch.Reversals) != 1 {
			t.Errorf("enabled %t, watch %+v", w.account.Enabled, b.Incident.Watch)
		}
	})
}

// Somebody asks for step 5 while a look or a relock is under way. At the end the account
// is open and stays so, wherever the request came between.
func TestReenableWinsOverTheWatch(t *testing.T) {
	for _, c := range []struct {
		call  string // of the watch, during which step 5 is asked for
		locks bool   // a lock that was decided before is let end
	}{{"account", false}, {"enabled=false", true}, {"revoke", true}} {
		t.Run(c.call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := locks(t, true)
				b.Incident.Step(responsehub.Password).State = responsehub.Done
				f, l := &Watch{Directory: w}, lane(t, w)
				b.Run(t, f, 1)
				w.reverses()
				w.during[c.call] = func() { b.Ask(t, responsehub.Reenable, responsehub.StepRequest{}) }
				b.Run(t, f, 1)
				if n := w.count("enabled=false"); (n > 0) != c.locks {
					t.Fatalf("locked again %d times", n)
				}
				b.Run(t, f, 3) // ends
				before := w.count("enabled=false")
				b.Run(t, l, 5)
				check(t, b.Incident, responsehub.Reenable, responsehub.Done)
				time.Sleep(3 * time.Hour)
				b.Run(t, f, 5)
				if !w.account.Enabled || w.count("enabled=false") != before || b.Incident.Watch.Active() {
					t.Errorf("enabled %t, watch %+v", w.account.Enabled, b.Incident.Watch)
				}
			})
		})
	}
}

// Step 5 waits for a relock that was decided before it was asked for, and not for ever
// for one whose worker was killed.
func TestReenableWaitsForARelock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, true)
		b.Incident.Step(responsehub.Password).State = responsehub.Done
		b.Incident.Undid(time.Now(), time.Now(), true, time.Now())
		b.Ask(t, responsehub.Reenable, responsehub.StepRequest{})
		start, l := time.Now(), lane(t, w)
		b.Run(t, l, 10)
		if w.count("enabled=true") != 0 {
			t.Fatal("the account was opened while it was being locked")
		}
		b.Run(t, l, 1000)
		check(t, b.Incident, responsehub.Reenable, responsehub.Done)
		if d := time.Since(start); d > 3*time.Minute {
			t.Errorf("it waited %s for a dead worker", d)
		}
	})
}

func TestWatchCannot(t *testing.T) {
	again := func(err error, n int) (errs []error) {
		for range n {
			errs = append(errs, err)
		}
		return errs
	}
	for _, c := range []struct {
		name    string
		arrange func(*world)
		turns   int
		want    responsehub.StepState
		said    string // once in the record
		locked  bool
	}{
		{"throttled", func(w *world) { w.reverses(); w.fail["enabled=false"] = again(throttled(7*time.Second), 3) }, 6, responsehub.Done, "locked again at", true},
		{"throttled while it reads", func(w *world) { w.reverses(); w.fail["account"] = again(throttled(7*time.Second), 3) }, 6, responsehub.Done, "locked again at", true},
		{"Graph is down for an hour", func(w *world) {
			w.reverses()
			w.fail["account"] = again(&responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft Graph has a fault."}, 40)
		}, 60, responsehub.Done, "locked again at", true},
		{"the answer is lost after the effect", func(w *world) {
			w.reverses()
			w.fail["enabled=false"], w.after["enabled=false"] = []error{lost()}, true
		}, 4, responsehub.Done, "locked again at", true},
		{"no right to disable any more", func(w *world) { w.reverses(); w.fail["enabled=false"] = again(forbidden(), 10) }, 5, responsehub.NeedsHuman, "cannot lock it again: The hub's app lacks", false},
		{"no right to disable, granted later", func(w *world) { w.reverses(); w.fail["enabled=false"] = again(forbidden(), 2) }, 6, responsehub.Done, "locked again at", true},
		{"no right to read any more", func(w *world) { w.fail["account"] = again(forbidden(), 4) }, 5, responsehub.Done, "cannot see whether the account is still locked", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := locks(t, true)
				f := &Watch{Directory: w}
				b.Run(t, f, 1)
				c.arrange(w)
				b.Run(t, f, c.turns)
				check(t, b.Incident, responsehub.Lock, c.want)
				if w.account.Enabled == c.locked {
					t.Errorf("the account's sign-in is %t", w.account.Enabled)
				}
				if n := strings.Count(strings.Join(b.Texts(), "\n"), c.said); n != 1 {
					t.Errorf("%q stands %d times in the record:\n%s", c.said, n, strings.Join(b.Texts(), "\n"))
				}
			})
		})
	}
}

// What the hub could not lock again a person locks by hand: the step is settled at the
// next look.
func TestWatchSeesAHandAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := locks(t, true)
		f := &Watch{Directory: w}
		b.Run(t, f, 1)
		w.reverses()
		w.fail["enabled=false"] = []error{forbidden()}
		b.Run(t, f, 1)
		check(t, b.Incident, responsehub.Lock, responsehub.NeedsHuman)
		w.account.Enabled = false
		b.Run(t, f, 2)
		check(t, b.Incident, responsehub.Lock, responsehub.Done)
	})
}

func TestWatchEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*responsehub.Incident)
	}{
		{"closed", func(inc *responsehub.Incident) { inc.State = responsehub.Remediated }},
		{"false alarm", func(inc *responsehub.Incident) { inc.State = responsehub.FalseAlarm }},
		{"the lock runs anew", func(inc *responsehub.Incident) { inc.Step(responsehub.Lock).State = responsehub.Queued }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := locks(t, true)
				f := &Watch{Directory: w}
				b.Run(t, f, 1)
				c.end(b.Incident)
				if !f.Wake(b.Incident, nil) {
					t.Fatal("the end does not wake the watch")
				}
				w.reverses()
				b.Run(t, f, 5)
				if w.count("enabled=false") != 0 || b.Incident.Watch.Active() || f.Wake(b.Incident, nil) {
					t.Errorf("watch %+v", b.Incident.Watch)
				}
			})
		})
	}
}

// What is opened in the cloud has to be opened in AD as well, or directory sync blocks it
// again. Nobody is told any more to disable it there, unless it is locked anew.
func TestOpenedInADToo(t *testing.T) {
	for _, c := range []struct {
		name   string
		synced bool
		ticked bool // that it was disabled in AD
		open   func(*testing.T, *world, *remediationtest.Bench)
	}{
		{"step 5", true, true, reopens}, {"step 5, nobody said it was disabled", true, false, reopens}, {"step 5 of a cloud account", false, false, reopens},
		{"undo", true, true, takesBack}, {"undo, nobody said it was disabled", true, false, takesBack}, {"undo of a cloud account", false, false, takesBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := locks(t, c.synced)
				if c.ticked {
					if _, err := b.Incident.Tick(remediationtest.Ann, TodoDisable, time.Now()); err != nil {
						t.Fatal(err)
					}
				}
				c.open(t, w, b)
				todo, said := b.Incident.Todo(TodoEnable), strings.Contains(strings.Join(b.Texts(), "\n"), "the next directory sync blocks sign-in again")
				switch {
				case !c.synced && (len(b.Incident.Todos) > 0 || said):
					t.Errorf("a cloud account: %+v", b.Incident.Todos)
				case !c.synced:
					return
				case todo == nil || todo.Text != "In on-premises AD: Enable-ADAccount pat, if it is disabled there" || !said:
					t.Fatalf("%+v, said %t", b.Incident.Todos, said)
				}
				if disable := b.Incident.Todo(TodoDisable); (disable != nil) != c.ticked {
					t.Errorf("to disable it in AD: %+v", disable)
				}
				if _, err := b.Incident.Tick(remediationtest.Ann, TodoEnable, time.Now()); err != nil {
					t.Fatal(err)
				}
				onPremises(b.Incident, w.account)
				if disable := b.Incident.Todo(TodoDisable); disable == nil || disable.Done() || b.Incident.Todo(TodoEnable) != nil {
					t.Errorf("locked anew: %+v", b.Incident.Todos)
				}
			})
		})
	}
}

func reopens(t *testing.T, w *world, b *remediationtest.Bench) {
	t.Helper()
	b.Incident.Step(responsehub.Password).State = responsehub.Done
	b.Ask(t, responsehub.Reenable, responsehub.StepRequest{})
	b.Run(t, lane(t, w), 10)
	check(t, b.Incident, responsehub.Reenable, responsehub.Done)
}

func takesBack(t *testing.T, w *world, b *remediationtest.Bench) {
	t.Helper()
	undo(t, b, responsehub.Lock)
	b.Run(t, &Lock{Directory: w}, 20)
	check(t, b.Incident, responsehub.Lock, responsehub.Undone)
}

func TestOnPremisesTodos(t *testing.T) {
	for sam, want := range map[string]string{
		"pat":            "In on-premises AD: Disable-ADAccount pat",
		"pat; Remove-Ad": "In on-premises AD: disable the account pat@contoso.example",
		"":               "In on-premises AD: disable the account pat@contoso.example",
	} {
		inc := remediationtest.New(alert(), true).Incident
		onPremises(inc, Account{SAM: sam, UPN: "pat@contoso.example"})
		onPremises(inc, Account{SAM: sam, UPN: "pat@contoso.example"})
		if len(inc.Todos) != 2 || inc.Todos[0].Text != want {
			t.Errorf("%q: %+v", sam, inc.Todos)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		if _, b := locks(t, true); b.Incident.Todo(TodoDisable) == nil || b.Incident.Todo(TodoReset) == nil {
			t.Error("the lock of a synced account names nothing to do in AD")
		}
		if _, b := locks(t, false); len(b.Incident.Todos) != 0 {
			t.Error("the lock of a cloud account names something to do in AD")
		}
	})
}
