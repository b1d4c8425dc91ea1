package store_test

import (
	"log/slog"
	"testing"

	"responsehub"
	"responsehub/store"
	"responsehub/store/storetest"
)

// TestStoppingEverythingForgetsNoSecret: one replica rotates, another, which has not seen
// it yet, stops all automatic action.
func TestStoppingEverythingForgetsNoSecret(t *testing.T) {
	rdb, _ := storetest.Mini(t)
	one, other := store.NewDirectory(rdb, slog.New(slog.DiscardHandler)), store.NewDirectory(rdb, slog.New(slog.DiscardHandler))
	by := responsehub.By{Name: "Ann"}
	for want := 1; want <= 2; want++ {
		made, err := one.Sign(t.Context(), by, "rotated", "k", responsehub.Signing.Fresh)
		if err != nil || made.Generation != want {
			t.Fatalf("made %+v (%v), want generation %d", made, err, want)
		}
	}
	if err := other.PutSettings(t.Context(), by, responsehub.Settings{Stopped: &responsehub.Stop{By: by}}); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*store.Directory{one, other} {
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := d.Settings(); s.Stopped == nil || s.Signing["k"].Generation != 2 {
			t.Errorf("the settings are %+v", s)
		}
	}
}
