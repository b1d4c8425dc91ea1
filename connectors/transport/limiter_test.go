package transport

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

var mail = Gate{Name: "mail", Who: "Exchange Online", Start: 16, Floor: 4, Cap: 64}

func enter(t *testing.T, l *Limiter, gates ...Gate) *Pass {
	t.Helper()
	p, err := l.Enter(t.Context(), gates...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLimiterAdapts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		limit := func() int { return l.gates["mail"].limit }
		keep := enter(t, &l, mail)
		defer keep.Leave()
		for range 100 { // a minute of clean seconds, and more
			enter(t, &l, mail).Leave()
			time.Sleep(time.Second)
		}
		if limit() != 64 {
			t.Errorf("after a long clean time %d, want 64", limit())
		}
		for _, want := range []int{32, 16, 8, 4, 4} {
			burst := []*Pass{enter(t, &l, mail), enter(t, &l, mail), enter(t, &l, mail)}
			for _, p := range burst { // one burst is one complaint
				p.Throttled(0)
				p.Leave()
			}
			if limit() != want {
				t.Errorf("limit %d, want %d", limit(), want)
			}
			time.Sleep(700 * time.Millisecond)
		}
	})
}

func TestLimiterHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		var wg sync.WaitGroup
		now, most := 0, 0
		var mu sync.Mutex
		gate := Gate{Name: "g", Start: 4}
		for range 40 {
			wg.Go(func() {
				p, err := l.Enter(t.Context(), gate)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(100 * time.Millisecond)
				mu.Lock()
				now--
				mu.Unlock()
				p.Leave()
			})
		}
		wg.Wait()
		if most != 4 {
			t.Errorf("%d at once, want 4", most)
		}
		if len(l.gates) != 0 {
			t.Errorf("%d gates are kept though nobody uses them", len(l.gates))
		}
	})
}

func TestLimiterPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		pause := func(d time.Duration) {
			p := enter(t, &l, mail)
			p.Throttled(d, mail.Name)
			p.Leave()
		}
		pause(30 * time.Second)
		begin := time.Now()
		_, err := l.Enter(t.Context(), mail)
		e, ok := errors.AsType[*responsehub.Error](err)
		if !ok || e.Kind != responsehub.Throttled || e.RetryAfter != 30*time.Second || time.Since(begin) != 0 {
			t.Fatalf("a long pause must be told at once: %v after %s", err, time.Since(begin))
		}
		if _, err := l.Enter(t.Context(), Gate{Name: "other", Start: 1}); err != nil {
			t.Errorf("another destination waits too: %v", err)
		}
		time.Sleep(30 * time.Second)
		pause(time.Second)
		begin = time.Now()
		enter(t, &l, mail).Leave()
		if time.Since(begin) != time.Second {
			t.Errorf("a short pause was waited for %s, want 1s", time.Since(begin))
		}
	})
}

func TestLimiterPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		one := Gate{Name: "one", Who: "Exchange Online", Start: 1}
		held := enter(t, &l, one)
		begin := time.Now()
		_, err := l.Enter(t.Context(), one)
		if responsehub.KindOf(err) != responsehub.Throttled || time.Since(begin) != Patience {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Enter(ctx, one); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		held.Leave()
		enter(t, &l, one).Leave() // those who gave up left no hole in the queue
	})
}

func TestLimiterNarrowFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		narrow := Gate{Name: "mailbox", Start: 1}
		wide := Gate{Name: "tenant", Start: 2}
		held := enter(t, &l, narrow, wide)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := l.Enter(t.Context(), narrow, wide); err == nil {
				t.Error("two in the narrow gate")
			}
		})
		synctest.Wait()
		// The one waiting at the narrow gate holds no place at the wide one.
		enter(t, &l, wide).Leave()
		wg.Wait()
		held.Leave()
	})
}

// A gate that tolerates a few complaints goes on as before them; many shut it.
func TestLimiterTolerance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		box := Gate{Name: "mailbox", Start: 4, Patience: time.Second}
		wide := Gate{Name: "tenant", Start: 16, Floor: 4, Cap: 64, Patience: time.Minute, Tolerance: 0.1}
		limit := func() int { return l.gates["tenant"].limit }
		keep := enter(t, &l, wide)
		defer keep.Leave()
		for n := range 1000 { // ten seconds, two complaints in each
			p := enter(t, &l, box, wide)
			time.Sleep(10 * time.Millisecond)
			if n%50 == 0 {
				p.Throttled(500*time.Millisecond, "mailbox", "tenant")
			}
			p.Leave()
			if n%50 == 0 {
				time.Sleep(500 * time.Millisecond) // the mailbox asked for it
			}
		}
		if got := limit(); got < 16 {
			t.Errorf("a few complaints of mailboxes left the tenant %d, want it growing from 16", got)
		}
		before := limit()
		for range 6 {
			p := enter(t, &l, wide)
			p.Throttled(30*time.Second, "tenant")
			p.Leave()
			if limit() < before {
				break
			}
		}
		if limit() != max(4, before/2) {
			t.Errorf("many complaints left the tenant %d, want %d", limit(), before/2)
		}
		begin := time.Now()
		enter(t, &l, wide).Leave() // patient enough to wait for it
		if d := time.Since(begin); d != 30*time.Second {
			t.Errorf("the tenant was waited for %s, want 30s", d)
		}
	})
}
