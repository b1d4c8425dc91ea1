package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"responsehub/store"
	"responsehub/store/storetest"
)

// TestNext: whoever asks, in whatever process, one call goes in each period, the lowest
// rank first; one that died holds the others up for a moment only.
func TestNext(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	redis := storetest.Redis(t)
	one, two := store.NewLimits(redis.Client()), store.NewLimits(redis.Client())
	rate := store.Rate{N: 1, Per: 100 * time.Millisecond}
	ask := func(l *store.Limits, name string, rank float64) {
		for {
			wait, err := l.Next(ctx, "twilio:call", rate, name, rank)
			if err != nil {
				t.Error(err)
			}
			if wait == 0 || err != nil {
				return
			}
			time.Sleep(wait)
		}
	}
	ask(one, "first", 9)
	if wait, err := two.Next(ctx, "twilio:call", rate, "died", 0); err != nil || wait == 0 {
		t.Fatalf("a second call within the period: wait %s, %v", wait, err)
	}
	if wait, err := one.Next(ctx, "twilio:call", rate, "left", -1); err != nil || wait == 0 {
		t.Fatalf("a third call within the period: wait %s, %v", wait, err)
	}
	if err := one.Leave(ctx, "twilio:call", "left"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var order []int
	var went []time.Time
	begin := time.Now()
	for i := range 12 {
		wg.Go(func() {
			ask([]*store.Limits{one, two}[i%2], fmt.Sprint("call", i), float64(12-i))
			mu.Lock()
			defer mu.Unlock()
			order, went = append(order, 12-i), append(went, time.Now())
		})
	}
	wg.Wait()
	if !slices.IsSorted(order) {
		t.Errorf("they went in the order %v", order)
	}
	if d := went[0].Sub(begin); d > 5*time.Second {
		t.Errorf("one that died held the line for %s", d)
	}
	const late = 60 * time.Millisecond // between Redis's clock and our note
	if d := went[11].Sub(went[0]); d < 11*rate.Per-late {
		t.Errorf("12 calls went within %s", d)
	}
}
