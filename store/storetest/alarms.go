package storetest

import (
	"testing"
	"time"

	"responsehub"
	"responsehub/operators"
	"responsehub/store"
)

// alarms is what the book of alarms promises.
var alarms = []behaviour{
	{"an alarm is told by one, and again only when its lease is over", func(t *testing.T, b *bench) {
		mine, theirs := store.NewAlarms(b.rdb), store.NewAlarms(b.rdb)
		must(t, mine.Raise(b.ctx, responsehub.Alarm{Subject: "petra", Words: "Petra cannot be asked."}))
		w := claimed(t, b, mine)
		if w == nil || w.Words != "Petra cannot be asked." || w.Count != 1 || w.Told || w.ID == "" || w.First.IsZero() {
			t.Fatalf("claimed %+v", w)
		}
		if other := claimed(t, b, theirs); other != nil {
			t.Fatalf("two have the alarm: %+v", other)
		}
		time.Sleep(lease + 50*time.Millisecond) // killed
		again := claimed(t, b, theirs)
		if again == nil || again.ID != w.ID || again.Claim <= w.Claim {
			t.Fatalf("after the lease %+v, before %+v", again, w)
		}
		same(t, responsehub.KindOf(mine.Hold(b.ctx, w, 0)), responsehub.Conflict)
		same(t, responsehub.KindOf(mine.Settle(b.ctx, w)), responsehub.Conflict)
		must(t, theirs.Settle(b.ctx, again))
		quiet(t, b, mine)
	}},
	{"who was reached and how often it was tried outlives whoever told it", func(t *testing.T, b *bench) {
		book := store.NewAlarms(b.rdb)
		must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "w"}))
		w := claimed(t, b, book)
		w.Reached, w.Tries = []string{"mail|a", "teams|b"}, 2
		must(t, book.Hold(b.ctx, w, lease))
		quiet(t, b, book)
		time.Sleep(lease + 50*time.Millisecond)
		got := claimed(t, b, book)
		same(t, got.Reached, w.Reached)
		same(t, []any{got.Tries, got.ID}, []any{2, w.ID})
	}},
	{"what repeats is one alarm with a count, told again after its time", func(t *testing.T, b *bench) {
		book := store.NewAlarms(b.rdb)
		raise := func(words string) {
			must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: words, Again: lease}))
		}
		raise("one")
		raise("two")
		first := claimed(t, b, book)
		same(t, []any{first.Words, first.Count}, []any{"two", 2})
		raise("three") // while it is told
		must(t, book.Settle(b.ctx, first))
		raise("four")
		quiet(t, b, book)
		time.Sleep(lease + 50*time.Millisecond)
		second := claimed(t, b, book)
		same(t, []any{second.Words, second.Count, second.Told, second.ID != first.ID}, []any{"four", 2, true, true})
		must(t, book.Settle(b.ctx, second))
		quiet(t, b, book)
		time.Sleep(lease + 50*time.Millisecond)
		raise("five")
		third := claimed(t, b, book)
		same(t, []any{third.Words, third.Count}, []any{"five", 1})
	}},
	{"what comes up while it is told is told later", func(t *testing.T, b *bench) {
		book := store.NewAlarms(b.rdb)
		must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "one", Again: lease}))
		w := claimed(t, b, book)
		must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "two", Again: lease}))
		must(t, book.Settle(b.ctx, w))
		quiet(t, b, book)
		time.Sleep(lease + 50*time.Millisecond)
		if w = claimed(t, b, book); w == nil || w.Words != "two" || w.Count != 1 {
			t.Fatalf("later %+v", w)
		}
	}},
	{"an end is told once, at once, and only of what was told", func(t *testing.T, b *bench) {
		book := store.NewAlarms(b.rdb)
		end := func() { must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "back", Over: true})) }
		raise := func() { must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "down", Again: time.Hour})) }
		end()
		quiet(t, b, book)
		raise()
		must(t, book.Settle(b.ctx, claimed(t, b, book)))
		end()
		w := claimed(t, b, book)
		same(t, []any{w.Over, w.Told, w.Count}, []any{"back", true, 0})
		must(t, book.Settle(b.ctx, w))
		quiet(t, b, book)
		raise()
		must(t, book.Settle(b.ctx, claimed(t, b, book)))
		raise() // counted, due in an hour
		end()
		end()
		w = claimed(t, b, book)
		same(t, []any{w.Over, w.Told}, []any{"back", true})
		must(t, book.Settle(b.ctx, w))
		end()
		quiet(t, b, book)
		keys, err := b.rdb.Keys(b.ctx, "*").Result()
		must(t, err)
		same(t, len(keys), 0)
	}},
	{"an alarm that ends or comes back while it is told loses neither", func(t *testing.T, b *bench) {
		book := store.NewAlarms(b.rdb)
		end := func() { must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "back", Over: true})) }
		raise := func() { must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "down", Again: time.Hour})) }
		raise()
		w := claimed(t, b, book)
		end()
		quiet(t, b, book)
		must(t, book.Settle(b.ctx, w))
		w = claimed(t, b, book) // the end
		same(t, []any{w.Over, w.Told}, []any{"back", true})
		raise()
		must(t, book.Settle(b.ctx, w))
		w = claimed(t, b, book) // it began anew: no hour is waited
		same(t, []any{w.Words, w.Over, w.Count}, []any{"down", "", 1})
	}},
	{"an end that comes when some were reached goes to all", func(t *testing.T, b *bench) {
		book := store.NewAlarms(b.rdb)
		must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "down"}))
		w := claimed(t, b, book)
		w.Reached = []string{"mail"}
		must(t, book.Hold(b.ctx, w, time.Hour))
		must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "s", Words: "back", Over: true}))
		same(t, responsehub.KindOf(book.Settle(b.ctx, w)), responsehub.Conflict)
		got := claimed(t, b, book)
		same(t, []any{got.Over, got.Told, len(got.Reached), got.ID != w.ID}, []any{"back", true, 0, true})
	}},
	{"a subject stands in no key", func(t *testing.T, b *bench) {
		book := store.NewAlarms(b.rdb)
		must(t, book.Raise(b.ctx, responsehub.Alarm{Subject: "phone|+12065550101", Words: "w"}))
		keys, err := b.rdb.Keys(b.ctx, "*2065550101*").Result()
		must(t, err)
		same(t, len(keys), 0)
		w := claimed(t, b, book)
		fields, err := b.rdb.HGetAll(b.ctx, "{alarms}:alarm:"+w.Name).Result()
		must(t, err)
		for name, value := range fields {
			if value == "phone|+12065550101" {
				t.Errorf("%s holds the number", name)
			}
		}
	}},
}

func claimed(t *testing.T, b *bench, book *store.Alarms) *operators.Waiting {
	t.Helper()
	w, err := book.Claim(b.ctx, lease)
	must(t, err)
	return w
}

func quiet(t *testing.T, b *bench, book *store.Alarms) {
	t.Helper()
	if w := claimed(t, b, book); w != nil {
		t.Fatalf("an alarm is told that should not be now: %+v", w)
	}
}
