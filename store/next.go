package store

import (
	"context"
	"fmt"
	"time"
)

// nextSign is how long one who asked keeps a place in the line without asking again:
// longer than any pause that is answered, and short for those behind one that died.
const nextSign = 1500 * time.Millisecond

// Next lets the calls to a destination go at a rate, for all processes together: of those
// who ask, the one with the lowest rank first. It returns 0 when the call of that name may
// go, else how long to wait before asking again; who stops asking leaves the line.
func (l *Limits) Next(ctx context.Context, dest string, r Rate, name string, rank float64) (time.Duration, error) {
	gap := r.Per / time.Duration(max(r.N, 1))
	sign := max(nextSign, 2*gap)
	keys := []string{nextKey(dest, "line"), nextKey(dest, "seen"), nextKey(dest, "due")}
	ms, err := takeNext.Run(ctx, l.rdb, keys, milliseconds(gap), max(r.N, 1), hashed(name), fmt.Sprintf("%.0f", rank), milliseconds(sign)).Int64()
	if err != nil {
		return 0, fmt.Errorf("limits: next of %s: %w", dest, err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// Leave takes a name out of the line of a destination.
func (l *Limits) Leave(ctx context.Context, dest, name string) error {
	pipe := l.rdb.Pipeline()
	pipe.ZRem(ctx, nextKey(dest, "line"), hashed(name))
	pipe.ZRem(ctx, nextKey(dest, "seen"), hashed(name))
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("limits: leave the line of %s: %w", dest, err)
	}
	return nil
}
