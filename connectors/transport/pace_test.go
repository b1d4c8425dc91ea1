package transport

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// crowd keeps so many workers at a gate, each with one request after the other of 150 ms,
// until the bubble's test ends it. complains says which request, counted from one, is
// complained about, and whether about everything.
func crowd(t *testing.T, l *Limiter, workers int, complains func(n, busy int) (bad, all bool), gates ...Gate) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	n, busy := 0, 0
	for range workers {
		wg.Go(func() {
			for {
				p, err := l.Enter(ctx, gates...)
				if err != nil {
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				n, busy = n+1, busy+1
				bad, all := complains(n, busy)
				mu.Unlock()
				time.Sleep(150 * time.Millisecond)
				switch {
				case all:
					p.ThrottledAll(time.Second, "mail")
				case bad:
					p.Throttled(time.Second, "mail")
				}
				mu.Lock()
				busy--
				mu.Unlock()
				p.Leave()
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// What becomes of the gate of a tenant's mail, which begins with 16, when Microsoft
// complains in one way or another for half a minute.
func TestGateUnderComplaints(t *testing.T) {
	patient := mail
	patient.Patience, patient.Tolerance = time.Hour, 0.1
	for _, c := range []struct {
		name      string
		gate      Gate
		complains func(n, busy int) (bad, all bool)
		soon      int // let through at once after half a second, at least
		least     int // and in the end
		most      int
	}{
		{"never", patient, func(int, int) (bool, bool) { return false, false }, 64, 64, 64},
		{"one mailbox in fifty", patient, func(n, _ int) (bool, bool) { return n%50 == 0, false }, 64, 64, 64},
		{"one in fifty, of a gate that tolerates nothing", mail, func(n, _ int) (bool, bool) { return n%50 == 0, false }, 4, 4, 16},
		{"one in fifty, about the whole app", patient, func(n, _ int) (bool, bool) { return n%50 == 0, n%50 == 0 }, 4, 4, 16},
		{"every fifth mailbox", patient, func(n, _ int) (bool, bool) { return n%5 == 0, false }, 4, 4, 6},
		{"above 40 at once", patient, func(_, busy int) (bool, bool) { return busy > 40, false }, 20, 20, 48},
		{"above 4 at once, as the strict reading has it", patient, func(_, busy int) (bool, bool) { return busy > 4, false }, 4, 4, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l Limiter
				gate := c.gate
				gate.Patience = time.Hour
				limit := func() int {
					l.mu.Lock()
					defer l.mu.Unlock()
					return l.gates["mail"].limit
				}
				stop := crowd(t, &l, 80, c.complains, gate)
				defer stop()
				time.Sleep(500 * time.Millisecond)
				if got := limit(); got < c.soon {
					t.Errorf("after half a second %d at once, want %d", got, c.soon)
				}
				time.Sleep(30 * time.Second)
				if got := limit(); got < c.least || got > c.most {
					t.Errorf("after half a minute %d at once, want %d to %d", got, c.least, c.most)
				}
			})
		})
	}
}

// A gate doubles with each round until the first complaint, gains one a second after it,
// and nothing while it is not used.
func TestGateGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		limit := func() int { return l.gates["mail"].limit }
		keep := enter(t, &l, mail)
		for range 100 {
			enter(t, &l, mail).Leave()
		}
		if limit() != 16 {
			t.Errorf("one request after the other made it %d, want 16", limit())
		}
		round := func() {
			var all []*Pass
			for range limit() - 1 {
				all = append(all, enter(t, &l, mail))
			}
			time.Sleep(150 * time.Millisecond)
			for _, p := range all[:len(all)/2+1] { // as long as it is half full
				p.Leave()
			}
			for _, p := range all[len(all)/2+1:] {
				p.Leave()
			}
		}
		for limit() < 64 {
			before := limit()
			if round(); limit() < min(64, before+before/4) {
				t.Fatalf("a round of %d answers made it %d", before, limit())
			}
		}
		for _, want := range []int{32, 16, 8, 4, 4} {
			burst := []*Pass{enter(t, &l, mail), enter(t, &l, mail), enter(t, &l, mail)}
			time.Sleep(150 * time.Millisecond)
			for _, p := range burst { // one burst is one complaint, however long it lasts
				p.Throttled(0)
				p.Leave()
				time.Sleep(2 * time.Second)
			}
			if limit() != want {
				t.Errorf("limit %d, want %d", limit(), want)
			}
		}
		begin := time.Now()
		for limit() < 8 {
			round()
		}
		if d := time.Since(begin); d < 3*time.Second || d > 6*time.Second {
			t.Errorf("after complaints four more came in %s, want one a second", d)
		}
		keep.Leave()
		time.Sleep(forgetAfter)
		enter(t, &l, mail).Leave()
		if g := l.gates["mail"]; g != nil && (g.limit != 16 || g.careful) {
			t.Errorf("after a minute alone it still remembers %d", g.limit)
		}
	})
}

// A mailbox's complaint parks this mailbox for the time it asks for; the others go on.
func TestGateOfOneMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		box := func(name string) Gate { return Gate{Name: name, Start: 4, Patience: time.Second} }
		tenant := mail
		tenant.Tolerance, tenant.Patience = 0.1, time.Minute
		p := enter(t, &l, box("a"), tenant)
		p.Throttled(30*time.Second, "a", "mail")
		p.Leave()
		if _, err := l.Enter(t.Context(), box("a"), tenant); err == nil {
			t.Error("the mailbox that asked to wait is asked again at once")
		}
		begin := time.Now()
		enter(t, &l, box("b"), tenant).Leave()
		if d := time.Since(begin); d != 0 {
			t.Errorf("another mailbox waited for %s", d)
		}
		// The whole tenant asks to wait.
		p = enter(t, &l, box("b"), tenant)
		p.ThrottledAll(20*time.Second, "b", "mail")
		p.Leave()
		enter(t, &l, box("c"), tenant).Leave()
		if d := time.Since(begin); d != 20*time.Second {
			t.Errorf("the tenant asked for 20s and got %s", d)
		}
	})
}
