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

func TestLockGroup(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*world)
		want    responsehub.StepState
		proof   string
		todo    bool
		member  bool
		reason  string
	}{
		{"put in and read back", func(*world) {}, responsehub.Done, "; in the lock group", false, true, ""},
		{"throttled at first", func(w *world) { w.fail["group+"] = []error{throttled(time.Second)} }, responsehub.Done, "; in the lock group", false, true, ""},
		{"the answer is lost", func(w *world) {
			w.fail["group+"], w.after["group+"] = []error{lost()}, true
		}, responsehub.Done, "; in the lock group", false, true, ""},
		{"no right: the lock holds all the same", func(w *world) { w.fail["group+"] = []error{forbidden(), forbidden()} }, responsehub.Done, "", true, false, ""},
		{"an administrator: shut out by the group", func(w *world) { w.fail["enabled=false"] = []error{forbidden()} }, responsehub.Partial, "", false, true, "is in the lock group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				c.arrange(w)
				b := remediationtest.New(alert(), true)
				b.Run(t, &Lock{Directory: w, Groups: w, LockGroup: func(string) string { return "g1" }}, 20)
				s := check(t, b.Incident, responsehub.Lock, c.want)
				if c.want == responsehub.Done && strings.HasSuffix(s.Proof.Value, "lock group") != (c.proof != "") || !strings.Contains(s.Reason, c.reason) {
					t.Errorf("proof %+v, reason %q", s.Proof, s.Reason)
				}
				if (b.Incident.Todo(todoGroupIn) != nil) != c.todo || w.members["g1"] != c.member {
					t.Errorf("todos %+v, member %t", b.Incident.Todos, w.members["g1"])
				}
				if i, j := slices.Index(w.calls, "group+"), slices.Index(w.calls, "revoke"); i < j {
					t.Errorf("the group came before the lock: %q", w.calls)
				}
			})
		})
	}
}

// Step 5 and undo take the account out of the group, whatever the configuration says by
// then.
func TestLockGroupIsLeft(t *testing.T) {
	grouped := func(t *testing.T) (*world, *remediationtest.Bench, *Lock) {
		w := newWorld()
		b := remediationtest.New(alert(), true)
		l := &Lock{Directory: w, Groups: w, LockGroup: func(string) string { return "g1" }}
		b.Run(t, l, 20)
		if !w.members["g1"] {
			t.Fatal("not in the group")
		}
		l.LockGroup = nil
		return w, b, l
	}
	for _, c := range []struct {
		name string
		fail []error
		todo bool
	}{{"left", nil, false}, {"throttled", []error{throttled(time.Second)}, false}, {"no right", []error{forbidden()}, true}} {
		t.Run("step 5, "+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b, _ := grouped(t)
				w.fail["group-"] = c.fail
				b.Incident.Step(responsehub.Password).State = responsehub.Done
				b.Ask(t, responsehub.Reenable, responsehub.StepRequest{})
				l := lane(t, w)
				l.Groups = w
				b.Run(t, l, 10)
				check(t, b.Incident, responsehub.Reenable, responsehub.Done)
				if w.members["g1"] != c.todo || (b.Incident.Todo(todoGroupOut) != nil) != c.todo || !w.account.Enabled {
					t.Errorf("member %t, todos %+v, enabled %t", w.members["g1"], b.Incident.Todos, w.account.Enabled)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w, b, l := grouped(t)
		if _, err := b.Incident.AskUndo(responsehub.Lock, remediationtest.Ann, responsehub.UndoRequest{Reason: "a mistake"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		b.Run(t, l, 10)
		check(t, b.Incident, responsehub.Lock, responsehub.Undone)
		if w.members["g1"] || !w.account.Enabled {
			t.Errorf("after undo: member %t, enabled %t", w.members["g1"], w.account.Enabled)
		}
	})
}
