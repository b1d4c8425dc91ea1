package store_test

import (
	"testing"
	"testing/synctest"
	"time"

	"responsehub/store"
	"responsehub/store/storetest"
)

func TestPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		one, other := store.NewPolls(rdb), store.NewPolls(rdb)
		turns := func(p *store.Polls, source string, want bool) {
			t.Helper()
			if got, err := p.Turn(t.Context(), source, time.Minute); err != nil || got != want {
				t.Errorf("turn %t, %v; want %t", got, err, want)
			}
		}
		turns(one, "petra", true)
		turns(other, "petra", false)
		turns(other, "other", true)
		time.Sleep(time.Minute)
		turns(other, "petra", true)
		turns(one, "petra", false)

		if mark, err := one.LoadMark(t.Context(), "petra"); mark != nil || err != nil {
			t.Errorf("at first %q, %v", mark, err)
		}
		if err := one.SaveMark(t.Context(), "petra", []byte("here")); err != nil {
			t.Error(err)
		}
		if mark, err := other.LoadMark(t.Context(), "petra"); string(mark) != "here" || err != nil {
			t.Errorf("kept %q, %v", mark, err)
		}
		if mark, err := other.LoadMark(t.Context(), "other"); mark != nil || err != nil {
			t.Errorf("of another source %q, %v", mark, err)
		}
	})
}
