package store

import (
	"context"
	"encoding/json"
	"fmt"

	"responsehub"
)

// KeepReadiness keeps what a preflight found of a tenant, in place of what was found
// before. Two looks at the same time leave either one.
func (s *Store) KeepReadiness(ctx context.Context, r responsehub.Readiness) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("store: readiness of %s: %w", r.Tenant.ID, err)
	}
	if err := s.rdb.HSet(ctx, readinessKey, r.Tenant.ID, b).Err(); err != nil {
		return fmt.Errorf("store: keep readiness of %s: %w", r.Tenant.ID, err)
	}
	return nil
}

// Readiness returns what was found last of each tenant, by the hub's id of it. An entry
// of another version, or one that cannot be read, counts as none: the next look
// replaces it.
func (s *Store) Readiness(ctx context.Context) (map[string]responsehub.Readiness, error) {
	stored, err := s.rdb.HGetAll(ctx, readinessKey).Result()
	if err != nil {
		return nil, fmt.Errorf("store: read readiness: %w", err)
	}
	all := make(map[string]responsehub.Readiness, len(stored))
	for id, text := range stored {
		var r responsehub.Readiness
		if json.Unmarshal([]byte(text), &r) == nil && r.V == 1 {
			all[id] = r
		}
	}
	return all, nil
}
