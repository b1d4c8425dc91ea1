package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"responsehub"
)

// whole plays an incident from the alert to its end and returns how many points there
// were at which the process could have been killed.
func whole(b *bench) {
	b.open(true)
	b.run(3 * time.Second)
	b.done(responsehub.Lock, responsehub.Retract)
	b.run(2 * time.Second)
	b.done(responsehub.Persistence)
	b.run(2 * time.Minute)
	b.ask(responsehub.Password)
	b.run(time.Minute)
	b.done(responsehub.Password)
	b.run(time.Second)
	b.ask(responsehub.Reenable)
	b.done(responsehub.Reenable)
	b.run(time.Second)
	b.ask(responsehub.Close)
	b.run(2 * time.Hour)
}

// killable makes every write and every call a point, before and after its effect.
func killable(b *bench, kill func(point int) bool) *int {
	n := new(int)
	b.crash = func(string) bool { *n++; return kill(*n) }
	b.desk.fault = nil
	b.desk.around = b.point
	return n
}

func holds(t fatal, b *bench, what string) {
	t.Helper()
	h := b.desk.one(t)
	all := h.draft.Description + h.texts()
	for _, key := range []string{"lock.1.done", "retract.1.done", "persistence.1.done", "password.1.done", "reenable.1.done", "resolution"} {
		if n := strings.Count(h.texts(), "[RH-7K2M "+key+"]"); n > 1 || n == 0 && !strings.Contains(all, title(key)) {
			t.Fatalf("%s: %s is told %d times\n%s", what, key, n, all)
		}
	}
	if !h.Closed || b.ref().Failure != "" || !b.due.IsZero() {
		t.Fatalf("%s: ticket closed %t, ref %+v, due %s", what, h.Closed, b.ref(), b.due)
	}
}

// title is how the description tells of a step that ended before the ticket was made.
func title(key string) string {
	name, _, _ := strings.Cut(key, ".")
	return responsehub.StepID(name).Title() + ": done"
}

func TestKilledAtEveryPoint(t *testing.T) {
	points := 0
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		n := killable(b, func(int) bool { return false })
		whole(b)
		holds(t, b, "never killed")
		points = *n
	})
	if points < 40 {
		t.Fatalf("there are only %d points", points)
	}
	for at := 1; at <= points; at++ {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			killable(b, func(n int) bool { return n == at })
			whole(b)
			holds(t, b, fmt.Sprintf("killed at point %d of %d", at, points))
		})
	}
}

// failing ends a case by a panic, which leaves the bubble before the case fails.
type failing struct{}

type failure string

func (failing) Helper()                           {}
func (failing) Fatal(args ...any)                 { panic(failure(fmt.Sprint(args...))) }
func (failing) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// TestKilledAndCutOffAtRandom has a bubble for each case: rapid counts simulated time.
func TestKilledAndCutOffAtRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kills := rapid.SliceOfNDistinct(rapid.IntRange(1, 80), 0, 5, rapid.ID[int]).Draw(rt, "killed at")
		lost := rapid.SliceOfNDistinct(rapid.IntRange(1, 40), 0, 5, rapid.ID[int]).Draw(rt, "answers lost")
		effect := rapid.SliceOfN(rapid.Bool(), 40, 40).Draw(rt, "with effect")
		var failed failure
		synctest.Test(t, func(*testing.T) {
			defer func() {
				if p := recover(); p != nil {
					failed = p.(failure)
				}
			}()
			b := newBench(failing{})
			killable(b, func(n int) bool { return contained(kills, n) })
			calls := 0
			b.desk.fault = func(string) (error, bool) {
				if calls++; contained(lost, calls) {
					return errLost, effect[calls-1]
				}
				return nil, false
			}
			whole(b)
			holds(failing{}, b, "random")
		})
		if failed != "" {
			rt.Fatal(failed)
		}
	})
}

func contained(ns []int, n int) bool {
	for _, m := range ns {
		if m == n {
			return true
		}
	}
	return false
}
