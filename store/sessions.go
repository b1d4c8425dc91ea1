package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Sessions keeps the console's sessions. A key's name is a hash of the token: who reads
// Redis, or its slow log, must not be able to go on with somebody's session.
type Sessions struct{ rdb redis.UniversalClient }

// NewSessions returns the sessions on a client, which the caller closes.
func NewSessions(rdb redis.UniversalClient) *Sessions { return &Sessions{rdb: rdb} }

func sessionKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "{session}:" + hex.EncodeToString(sum[:])
}

// sessionWithin bounds the calls that come without a context.
const sessionWithin = 5 * time.Second

// FindCtx returns a session's data, and whether there is one.
func (s *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	b, err := s.rdb.Get(ctx, sessionKey(token)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("store: read session: %w", err)
	}
	return b, true, nil
}

// CommitCtx keeps a session's data until it expires. Losing one early means signing in
// again, so an expiry by Redis is enough.
func (s *Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	if err := s.rdb.Set(ctx, sessionKey(token), b, max(time.Until(expiry), time.Millisecond)).Err(); err != nil {
		return fmt.Errorf("store: keep session: %w", err)
	}
	return nil
}

// DeleteCtx ends a session.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	if err := s.rdb.Del(ctx, sessionKey(token)).Err(); err != nil {
		return fmt.Errorf("store: end session: %w", err)
	}
	return nil
}

// Find is FindCtx for callers without a context.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), sessionWithin)
	defer cancel()
	return s.FindCtx(ctx, token)
}

// Commit is CommitCtx for callers without a context.
func (s *Sessions) Commit(token string, b []byte, expiry time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), sessionWithin)
	defer cancel()
	return s.CommitCtx(ctx, token, b, expiry)
}

// Delete is DeleteCtx for callers without a context.
func (s *Sessions) Delete(token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), sessionWithin)
	defer cancel()
	return s.DeleteCtx(ctx, token)
}
