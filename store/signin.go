package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"responsehub"
)

// SignIn returns the sign-in that is kept for a Microsoft tenant, in lower case; ok is
// false when there is none, or one of another version.
func (s *Store) SignIn(ctx context.Context, tenant string) (in responsehub.SignIn, ok bool, err error) {
	text, err := s.rdb.HGet(ctx, signInsKey, tenant).Bytes()
	if errors.Is(err, redis.Nil) {
		return in, false, nil
	}
	if err != nil {
		return in, false, fmt.Errorf("store: read the sign-in of %s: %w", tenant, err)
	}
	if json.Unmarshal(text, &in) != nil || in.V != 1 || in.Tenant != tenant {
		return responsehub.SignIn{}, false, nil
	}
	return in, true, nil
}

// PutSignIn keeps a sign-in in place of any before.
func (s *Store) PutSignIn(ctx context.Context, in responsehub.SignIn) error {
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("store: sign-in of %s: %w", in.Tenant, err)
	}
	if err := s.rdb.HSet(ctx, signInsKey, in.Tenant, b).Err(); err != nil {
		return fmt.Errorf("store: keep the sign-in of %s: %w", in.Tenant, err)
	}
	return nil
}

// RenewSignIn puts now in place of was in one script; where somebody signed in anew since
// was was read, theirs stays, and that is no error.
func (s *Store) RenewSignIn(ctx context.Context, was, now responsehub.SignIn) error {
	before, err := json.Marshal(was)
	if err != nil {
		return fmt.Errorf("store: sign-in of %s: %w", was.Tenant, err)
	}
	after, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("store: sign-in of %s: %w", now.Tenant, err)
	}
	if err := renewSignIn.Run(ctx, s.rdb, []string{signInsKey}, was.Tenant, before, after).Err(); err != nil {
		return fmt.Errorf("store: renew the sign-in of %s: %w", was.Tenant, err)
	}
	return nil
}

// DropSignIn forgets the sign-in of a Microsoft tenant, in lower case.
func (s *Store) DropSignIn(ctx context.Context, tenant string) error {
	if err := s.rdb.HDel(ctx, signInsKey, tenant).Err(); err != nil {
		return fmt.Errorf("store: drop the sign-in of %s: %w", tenant, err)
	}
	return nil
}
