package store

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"responsehub/remediation"
)

// Store keeps incidents, their events and their lanes in Redis. It holds no state of
// its own; any number of processes may use the same Redis.
type Store struct {
	rdb     redis.UniversalClient
	cluster bool // keys of several slots cannot meet in one script
}

var (
	_ remediation.Store   = (*Store)(nil)
	_ remediation.Archive = (*Store)(nil)
)

// New returns a store on a client, which the caller closes. Besides the commands under
// way it needs a connection for each partition that is awaited; Open makes room for them.
func New(rdb redis.UniversalClient) *Store {
	_, cluster := rdb.(*redis.ClusterClient)
	return &Store{rdb: rdb, cluster: cluster}
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
