package store_test

import (
	"testing"
	"testing/synctest"
	"time"

	"responsehub/store"
	"responsehub/store/storetest"
)

// TestAllowMany: tokens are taken together or not at all, and a bucket whose rate
// changes stays as full as it was.
func TestAllowMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		l := store.NewLimits(rdb)
		take := func(tokens, n int) time.Duration {
			t.Helper()
			wait, err := l.AllowMany(t.Context(), "at", tokens, store.Rate{N: n, Per: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			return wait.Round(time.Second)
		}
		for range 6 {
			if wait := take(8, 60); wait != 0 {
				t.Fatalf("wait %s in a full bucket", wait)
			}
		}
		for i, c := range []struct {
			tokens, n int
			wait      time.Duration
		}{
			{16, 60, 4 * time.Minute}, // 12 are left
			{8, 60, 0},
			{8, 60, 4 * time.Minute}, // 4 are left: four minutes, or a fifteenth of the bucket
			{8, 600, 0},              // of which this takes 8 of 40
			{33, 600, 6 * time.Second},
			{32, 600, 0},
		} {
			if wait := take(c.tokens, c.n); wait != c.wait {
				t.Errorf("%d: %d of %d: wait %s, want %s", i, c.tokens, c.n, wait, c.wait)
			}
		}
	})
}
