package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"responsehub/remediation"
)

// Store keeps incidents, their events and their lanes in Redis. It holds no state of
// its own; any number of processes may use the same Redis.
type Store struct{ rdb redis.UniversalClient }

var (
	_ remediation.Store   = (*Store)(nil)
	_ remediation.Archive = (*Store)(nil)
)

// New returns a store on a client, which the caller closes. Besides the commands under
// way it needs a connection for each partition that is awaited; Open makes room for them.
func New(rdb redis.UniversalClient) *Store { return &Store{rdb: rdb} }

// Arrival reads what is known about a delivery, and the version of the directory, in
// one round trip.
//
// A known delivery id says that the message arrived, not that it was dealt with: with
// the same body the caller goes on and the opening says what is there already.
func (s *Store) Arrival(ctx context.Context, source, delivery string) (remediation.Arrival, error) {
	pipe := s.rdb.Pipeline()
	var marker *redis.StringCmd
	if delivery != "" {
		marker = pipe.Get(ctx, deliveryKey(source+"|"+delivery))
	}
	version := pipe.Get(ctx, directoryVersionKey)
	_, _ = pipe.Exec(ctx) // each command's own error is looked at below
	var a remediation.Arrival
	var err error
	if marker != nil {
		if a.BodyHash, err = marker.Result(); err != nil && !errors.Is(err, redis.Nil) {
			return remediation.Arrival{}, fmt.Errorf("store: read delivery: %w", err)
		}
	}
	if a.Directory, err = version.Int64(); err != nil && !errors.Is(err, redis.Nil) {
		return remediation.Arrival{}, fmt.Errorf("store: read version of the directory: %w", err)
	}
	return a, nil
}

// Load reads a subject, and the answer given to a command where one is named.
func (s *Store) Load(ctx context.Context, id, command string) (remediation.State, error) {
	fields := []string{"ver", "doc", "seq", "head"}
	if command != "" {
		fields = append(fields, "cmd:"+command)
	}
	f, err := s.rdb.HMGet(ctx, subjectKey(id), fields...).Result()
	if err != nil {
		return remediation.State{}, fmt.Errorf("store: load %s: %w", id, err)
	}
	st, err := subject(id, f)
	if err != nil {
		return remediation.State{}, fmt.Errorf("store: load %s: %w", id, err)
	}
	if command != "" && f[4] != nil {
		answer, err := text(f[4])
		if err != nil {
			return remediation.State{}, fmt.Errorf("store: load %s: answer to %s: %w", id, command, err)
		}
		st.Answer = []byte(answer) // not nil, even when the answer was empty
	}
	return st, nil
}
