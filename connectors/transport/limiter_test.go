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
