package store_test

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/store"
	"responsehub/store/storetest"
)

// TestPlaces: a list takes n names within any period, each once, whoever asks at the
// same time.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		l := store.NewLimits(rdb)
		take := func(name string) (bool, bool) {
			ok, fresh, err := l.Take(t.Context(), "locks:t}1", name, 3, time.Hour)
			if err != nil {
				t.Error(err)
			}
			return ok, fresh
		}
		var wg sync.WaitGroup
		var taken atomic.Int32
		for i := range 10 {
			wg.Go(func() {
				if ok, fresh := take(string(rune('a' + i))); ok && fresh {
					taken.Add(1)
				}
			})
		}
		wg.Wait()
		if taken.Load() != 3 {
			t.Fatalf("%d of 10 were taken", taken.Load())
		}
		time.Sleep(61 * time.Minute)
		for i, c := range []struct {
			name      string
			ok, fresh bool
		}{{"a", true, true}, {"a", true, false}, {"b", true, true}, {"c", true, true}, {"d", false, false}, {"c", true, false}} {
			if ok, fresh := take(c.name); ok != c.ok || fresh != c.fresh {
				t.Errorf("%d: %s is taken %t, fresh %t", i, c.name, ok, fresh)
			}
		}
		if err := l.Drop(t.Context(), "locks:t}1", "b"); err != nil {
			t.Fatal(err)
		}
		if ok, _ := take("d"); !ok {
			t.Error("a place that was given back is not there")
		}
	})
}

// TestSettings: what one process stores the other reads.
func TestSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		mine, theirs := store.NewDirectory(rdb, slog.New(slog.DiscardHandler)), store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
		if diff := cmp.Diff(responsehub.Settings{}, mine.Settings()); diff != "" {
			t.Errorf("a new hub's settings:\n%s", diff)
		}
		want := responsehub.Settings{V: 1, Stopped: &responsehub.Stop{By: responsehub.By{ID: "person:ann", Name: "Ann"}, At: time.Now().UTC()}}
		if err := mine.PutSettings(t.Context(), responsehub.Hub.By(), want); err != nil {
			t.Fatal(err)
		}
		if err := theirs.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*store.Directory{mine, theirs} {
			if diff := cmp.Diff(want, d.Settings()); diff != "" {
				t.Error(diff)
			}
		}
	})
}
