package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Take counts a name among the n that a list may hold within any period, by the clock of
// Redis. A name that is counted already is taken again at no cost. fresh says that this
// call counted it, so that [Limits.Drop] may take it back.
func (l *Limits) Take(ctx context.Context, list, name string, n int, period time.Duration) (ok, fresh bool, err error) {
	got, err := takePlace.Run(ctx, l.rdb, []string{placesKey(list)}, n, milliseconds(period), hashed(name)).Int()
	if err != nil {
		return false, false, fmt.Errorf("limits: place in %s: %w", list, err)
	}
	return got > 0, got == 1, nil
}

// Drop takes a name off a list, as if it had not been counted.
func (l *Limits) Drop(ctx context.Context, list, name string) error {
	if err := l.rdb.ZRem(ctx, placesKey(list), hashed(name)).Err(); err != nil {
		return fmt.Errorf("limits: give back a place in %s: %w", list, err)
	}
	return nil
}

// hashed hides what is counted: it may be a person's address.
func hashed(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}
