package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// PutVisitor keeps what the sign-in provider said of somebody who is not on the list of
// people, in place of what it said before, until the time is over.
func (s *Sessions) PutVisitor(ctx context.Context, subject string, value []byte, life time.Duration) error {
	if err := s.rdb.Set(ctx, visitorKey(subject), value, life).Err(); err != nil {
		return fmt.Errorf("store: keep a visitor: %w", err)
	}
	return nil
}

// Visitor returns what is kept of somebody; ok is false when nothing is.
func (s *Sessions) Visitor(ctx context.Context, subject string) (value []byte, ok bool, err error) {
	value, err = s.rdb.Get(ctx, visitorKey(subject)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("store: read a visitor: %w", err)
	}
	return value, true, nil
}

// DropVisitor forgets somebody: all sessions that rest on it are over.
func (s *Sessions) DropVisitor(ctx context.Context, subject string) error {
	if err := s.rdb.Del(ctx, visitorKey(subject)).Err(); err != nil {
		return fmt.Errorf("store: forget a visitor: %w", err)
	}
	return nil
}
