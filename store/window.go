package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"
)

// Admit counts a call in the destination's sliding windows, each of N calls in any stretch
// of Per, exactly and for all processes together. It returns 0 when the call may go, else
// how long to wait before asking again; a bar of [Limits.Block] is waited for too.
func (l *Limits) Admit(ctx context.Context, dest string, windows ...Rate) (time.Duration, error) {
	args := []any{rand.Text()}
	for _, w := range windows {
		args = append(args, w.N, milliseconds(w.Per))
	}
	ms, err := takeWindow.Run(ctx, l.rdb, []string{windowKey(dest), blockKey(dest)}, args...).Int64()
	if err != nil {
		return 0, fmt.Errorf("limits: window of %s: %w", dest, err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}
