package store_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/oncall"
	"responsehub/store"
	"responsehub/store/storetest"
)

const annPhone = "+15005550101"

func TestCodesOfAPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		p := store.NewPhones(rdb)
		open := func(phone, incident string) string {
			code, err := p.Open(t.Context(), phone, oncall.Entry{Incident: incident, Person: "ann"})
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
		codes := map[string]bool{}
		for i := range 500 {
			c := open(annPhone, fmt.Sprint("i", i))
			if len(c) != 4 || strings.Trim(c, "0123456789") != "" || codes[c] {
				t.Fatalf("code %q, given before: %t", c, codes[c])
			}
			codes[c] = true
		}
		first := open(annPhone, "i0")
		if !codes[first] {
			t.Error("the same incident got another code")
		}
		if err := p.Close(t.Context(), annPhone, "i0"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(oncall.Quarantine - time.Minute)
		for i := range 500 {
			if c := open(annPhone, fmt.Sprint("later", i)); codes[c] {
				t.Fatalf("code %s in quarantine was given away", c)
			}
		}
		entries, err := p.Entries(t.Context(), annPhone)
		closed := 0
		for _, e := range entries {
			if !e.Closed.IsZero() {
				closed++
				if e.Incident != "i0" || e.Code != first {
					t.Errorf("%+v is closed", e)
				}
			}
		}
		if err != nil || len(entries) != 1000 || closed != 1 {
			t.Fatalf("%d entries, %d closed, %v", len(entries), closed, err)
		}
		if again := open(annPhone, "i0"); again != first {
			t.Errorf("opened again with %s, it had %s", again, first)
		}
		if err := p.Close(t.Context(), annPhone, "i0"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(oncall.Quarantine + time.Minute)
		open(annPhone, "last")
		if entries, _ = p.Entries(t.Context(), annPhone); len(entries) != 1000 {
			t.Errorf("%d entries: the closed one should be gone and a new one there", len(entries))
		}
	})
}

func TestOneLiveCallPerPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, _ := storetest.Mini(t)
		p := store.NewPhones(rdb)
		ring := func(attempt, want string) {
			t.Helper()
			if got, err := p.Ring(t.Context(), annPhone, attempt, 10*time.Minute); err != nil || got != want {
				t.Errorf("%s: %s has the phone (%v), want %s", attempt, got, err, want)
			}
		}
		ring("a", "a")
		ring("b", "a")
		ring("a", "a")
		if err := p.Rung(t.Context(), annPhone, "b"); err != nil {
			t.Fatal(err)
		}
		ring("b", "a")
		if err := p.Rung(t.Context(), annPhone, "a"); err != nil {
			t.Fatal(err)
		}
		ring("b", "b")
		time.Sleep(11 * time.Minute)
		ring("c", "c") // b was lost with its process
	})
}

func TestWhatIsRememberedOfAPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, m := storetest.Mini(t)
		p := store.NewPhones(rdb)
		ctx := t.Context()
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		check(p.Bind(ctx, "A1", oncall.Binding{Incident: "i", Person: "ann", Way: responsehub.ByCall}))
		if b, ok, err := p.Binding(ctx, "A1"); err != nil || !ok || b.Incident != "i" || b.Way != responsehub.ByCall {
			t.Errorf("%+v %t %v", b, ok, err)
		}
		if _, ok, err := p.Binding(ctx, "A2"); ok || err != nil {
			t.Errorf("an unknown attempt: %t %v", ok, err)
		}
		check(p.Tell(ctx, "A1", []string{"i2", "i1"}))
		check(p.Tell(ctx, "A1", []string{"i2"}))
		if told, err := p.Told(ctx, "A1"); err != nil || strings.Join(told, " ") != "i1 i2" {
			t.Errorf("told %q %v", told, err)
		}
		check(p.Mute(ctx, annPhone, oncall.MuteTexts))
		if mute, err := p.Muted(ctx, annPhone); err != nil || mute != oncall.MuteTexts {
			t.Errorf("muted %q %v", mute, err)
		}
		check(p.Mute(ctx, annPhone, oncall.MuteNothing))
		if mute, err := p.Muted(ctx, annPhone); err != nil || mute != oncall.MuteNothing {
			t.Errorf("muted %q %v", mute, err)
		}
		check(p.Keep(ctx, "SM1", "first"))
		check(p.Keep(ctx, "SM1", "second"))
		if reply, known, err := p.Answer(ctx, "SM1"); err != nil || !known || reply != "first" {
			t.Errorf("%q %t %v", reply, known, err)
		}
		check(p.Remember(ctx, "r", "", time.Hour))
		if answer, found, err := p.Recall(ctx, "r"); err != nil || !found || answer != "" {
			t.Errorf("%q %t %v", answer, found, err)
		}
		for i := range 3 {
			full, err := p.Count(ctx, "x|"+annPhone, fmt.Sprint(i), 2, time.Hour)
			if err != nil || full != (i == 2) {
				t.Errorf("%d: full %t %v", i, full, err)
			}
		}
		check(p.Bar(ctx, "x|"+annPhone, time.Hour))
		if left, err := p.Barred(ctx, "x|"+annPhone); err != nil || left != time.Hour {
			t.Errorf("barred for %s %v", left, err)
		}
		if dump := m.Dump(); strings.Contains(dump, annPhone) || strings.Contains(dump, "5550101") {
			t.Errorf("a number is in Redis:\n%s", dump)
		}
	})
}
