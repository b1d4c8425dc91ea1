package store_test

import (
	"context"
	"testing"
	"time"

	"responsehub/store"
	"responsehub/store/storetest"
)

// TestWindow: no stretch of a window ever holds more calls than it may, whoever asks, and
// a bar holds for all.
func TestWindow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := store.NewLimits(storetest.Redis(t).Client())
	windows := []store.Rate{{N: 3, Per: 200 * time.Millisecond}, {N: 5, Per: 600 * time.Millisecond}}
	type call struct{ before, after time.Time } // Redis counted it somewhere between
	var went []call
	for start := time.Now(); len(went) < 12; {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("only %d calls went in %s", len(went), time.Since(start))
		}
		before := time.Now()
		wait, err := l.Admit(ctx, "teams:a", windows...)
		if err != nil {
			t.Fatal(err)
		}
		if wait == 0 {
			went = append(went, call{before, time.Now()})
			continue
		}
		if wait > 600*time.Millisecond {
			t.Fatalf("asked to wait %s for a window of 600 ms", wait)
		}
		time.Sleep(wait)
	}
	for _, w := range windows {
		for i := w.N; i < len(went); i++ {
			// The window is kept in whole milliseconds of a clock that may be set right meanwhile.
			if d := went[i].after.Sub(went[i-w.N].before); d < w.Per-2*time.Millisecond {
				t.Errorf("%d calls within %s at most, allowed are %d in %s", w.N+1, d, w.N, w.Per)
			}
		}
	}
	if wait, err := l.Admit(ctx, "teams:b", windows...); wait != 0 || err != nil {
		t.Errorf("another destination waits %s, %v", wait, err)
	}
	if err := l.Block(ctx, "teams:b", time.Minute); err != nil {
		t.Fatal(err)
	}
	if wait, err := l.Admit(ctx, "teams:b", windows...); wait < 50*time.Second || err != nil {
		t.Errorf("a barred destination waits %s, %v", wait, err)
	}
	// Whoever asks without windows waits for the bar only, and it can be lifted early.
	if wait, err := l.Admit(ctx, "teams:b"); wait < 50*time.Second || err != nil {
		t.Errorf("without windows a barred destination waits %s, %v", wait, err)
	}
	if err := l.Free(ctx, "teams:b"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if wait, err := l.Admit(ctx, "teams:b"); wait != 0 || err != nil {
			t.Errorf("a freed destination waits %s, %v", wait, err)
		}
	}
}
