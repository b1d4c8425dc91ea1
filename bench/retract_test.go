package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain is a town or a hub when a test started this program once more.
func TestMain(m *testing.M) {
	if kind, ok := os.LookupEnv(childEnv); ok {
		if err := child(kind); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	m.Run()
}

func TestIdeal(t *testing.T) {
	for _, c := range []struct {
		mailboxes, hits int
		ideal, single   time.Duration
	}{
		{1, 1, 450 * time.Millisecond, 450 * time.Millisecond},
		{1_000, 10, 2517 * time.Millisecond, 151650 * time.Millisecond},
		{10_000, 100, 23822 * time.Millisecond, 1515150 * time.Millisecond},
		{100_000, 1_000, 236869 * time.Millisecond, 15150150 * time.Millisecond},
	} {
		if got := ideal(c.mailboxes, c.hits).Round(time.Millisecond); got != c.ideal {
			t.Errorf("%d/%d: the ideal is %s, want %s", c.mailboxes, c.hits, got, c.ideal)
		}
		if got := oneByOne(c.mailboxes, c.hits); got != c.single {
			t.Errorf("%d/%d: one by one takes %s, want %s", c.mailboxes, c.hits, got, c.single)
		}
	}
}

// TestRetractMeasured measures a small town, so that the large ones can be: whatever was
// measured, nothing is missed, moved twice or moved without need.
func TestRetractMeasured(t *testing.T) {
	var got table
	err := retractFrom(t.Context(), 300, 30, &got, []campaign{
		{name: "by trace"}, {name: "everywhere", everywhere: true, locks: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"copies missed, of 60", "copies moved twice", "innocent messages moved", "at once at one mailbox", "at once at all mailboxes"} {
		found := false
		for _, r := range got.rows {
			if strings.Contains(r.what, must) {
				found = true
				if r.verdict != "ok" {
					t.Errorf("%s: %s, bound %s", r.what, r.value, r.bound)
				}
			}
		}
		if !found {
			t.Errorf("nothing is said on %s", must)
		}
	}
	for _, r := range got.rows {
		if strings.Contains(r.what, "would not know") {
			t.Errorf("Microsoft would not know %s", r.value)
		}
	}
}
