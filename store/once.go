package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// KeepOnce keeps a value under a token that nobody can guess, until it is taken or the
// time is over. Losing it early means asking again, so an expiry by Redis is enough.
func (s *Store) KeepOnce(ctx context.Context, token string, value []byte, life time.Duration) error {
	if err := s.rdb.Set(ctx, onceKey(token), value, life).Err(); err != nil {
		return fmt.Errorf("store: keep what is used once: %w", err)
	}
	return nil
}

// TakeOnce returns the value of a token and forgets it in the same moment: of two callers
// one gets it. ok is false when it was taken before, is over or never was.
func (s *Store) TakeOnce(ctx context.Context, token string) (value []byte, ok bool, err error) {
	value, err = s.rdb.GetDel(ctx, onceKey(token)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("store: take what is used once: %w", err)
	}
	return value, true, nil
}
