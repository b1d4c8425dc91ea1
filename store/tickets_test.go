package store_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"responsehub/store"
	"responsehub/store/storetest"
)

// TestTurnsAtAPSA: 200 incidents for four places go by severity, and each gets its turn.
func TestTurnsAtAPSA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		x := store.NewTickets(rdb)
		const n, all = 4, 200
		type one struct {
			name string
			rank float64
			at   time.Time
		}
		var waiting []one
		for i := range all {
			waiting = append(waiting, one{fmt.Sprintf("inc%d", i), float64(i%4)*1e13 + float64(i), time.Now()})
		}
		var order []float64
		held := map[string]func(){}
		ends := map[string]time.Time{}
		for deadline := time.Now().Add(5 * time.Minute); len(waiting) > 0; {
			if time.Now().After(deadline) {
				t.Fatalf("%d never got a turn", len(waiting))
			}
			time.Sleep(20 * time.Millisecond)
			for name, end := range ends {
				if !time.Now().Before(end) {
					held[name]()
					delete(ends, name)
				}
			}
			var rest []one
			for _, w := range waiting {
				if time.Now().Before(w.at) {
					rest = append(rest, w)
					continue
				}
				leave, wait, err := x.Enter(t.Context(), "cw", n, w.name, w.rank)
				if err != nil {
					t.Fatal(err)
				}
				if leave == nil {
					w.at = time.Now().Add(wait)
					rest = append(rest, w)
					continue
				}
				order = append(order, w.rank)
				held[w.name], ends[w.name] = leave, time.Now().Add(300*time.Millisecond)
				if len(ends) > n {
					t.Fatalf("%d at once", len(ends))
				}
			}
			waiting = rest
		}
		// The first comers take the places; from then on the severe go first.
		early := 0
		for _, rank := range order[:all/4+2*n] {
			if rank < 1e13 {
				early++
			}
		}
		if early < all/4-n {
			t.Errorf("only %d of the %d most severe were among the first", early, all/4)
		}
	})
}

// TestTheTurnOfAKilledProcess: whoever goes on with an incident has its place at once,
// although the process that took it never gave it back, and frees it for others.
func TestTheTurnOfAKilledProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		x := store.NewTickets(rdb)
		enter := func(incident string, rank float64) func() {
			leave, _, err := x.Enter(t.Context(), "at", 2, incident, rank)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		for _, killed := range []string{"inc1", "inc2"} {
			if enter(killed, 1) == nil {
				t.Fatalf("%s has no place", killed)
			}
		}
		if enter("inc3", 0) != nil {
			t.Error("a third goes although there are two places")
		}
		again := enter("inc1", 1)
		if again == nil {
			t.Fatal("inc1 waits for the place that it has")
		}
		again()
		if enter("inc3", 0) == nil {
			t.Error("the place of inc1 was not given back")
		}
	})
}

func TestTicketsAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		x := store.NewTickets(rdb)
		if err := x.PutTicket(t.Context(), "cw", "4711", "inc1"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ connection, id, want string }{{"cw", "4711", "inc1"}, {"cw", "4712", ""}, {"at", "4711", ""}} {
			if got, err := x.TicketOf(t.Context(), c.connection, c.id); err != nil || got != c.want {
				t.Errorf("%s %s: %q, %v", c.connection, c.id, got, err)
			}
		}
		if at, err := x.Heard(t.Context(), "cw"); err != nil || !at.IsZero() {
			t.Errorf("before any event: %s, %v", at, err)
		}
		if err := x.Hear(t.Context(), "cw"); err != nil {
			t.Fatal(err)
		}
		if at, err := x.Heard(t.Context(), "cw"); err != nil || !at.Equal(time.Now()) {
			t.Errorf("after an event: %s, %v", at, err)
		}
		first := func() bool {
			ok, err := x.Once(t.Context(), "events:cw", "m1", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if !first() || first() {
			t.Error("an event counts once")
		}
		if err := x.Again(t.Context(), "events:cw", "m1"); err != nil || !first() {
			t.Error("taken off the list it counts again")
		}
	})
}
