package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/remediation"
)

// ByRef returns the id of the incident with the ref, in whatever case it is written. It
// asks all partitions at once, so that it does not depend on how refs are made.
func (s *Store) ByRef(ctx context.Context, ref string) (string, error) {
	pipe := s.rdb.Pipeline()
	found := make([]*redis.StringCmd, remediation.Partitions)
	for p := range found {
		found[p] = pipe.HGet(ctx, refsKey(p), strings.ToUpper(ref))
	}
	_, _ = pipe.Exec(ctx) // each command's own error is looked at below
	var faults []error
	for _, f := range found {
		id, err := f.Result()
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, redis.Nil) {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return "", fmt.Errorf("store: look up ref: %w", faults[0])
	}
	return "", remediation.ErrNotFound
}

// Events returns an incident's events in order and the hash of the last, read at one
// moment.
func (s *Store) Events(ctx context.Context, id string) ([][]byte, string, error) {
	var head *redis.SliceCmd
	var list *redis.StringSliceCmd
	_, err := s.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		head = pipe.HMGet(ctx, subjectKey(id), "ver", "head")
		list = pipe.LRange(ctx, eventsKey(id), 0, -1)
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("store: events of %s: %w", id, err)
	}
	h := head.Val()
	if len(h) != 2 || h[0] == nil {
		return nil, "", remediation.ErrNotFound
	}
	last, err := text(h[1])
	if err != nil {
		return nil, "", fmt.Errorf("store: events of %s: hash of the last: %w", id, err)
	}
	events := make([][]byte, 0, len(list.Val()))
	for _, e := range list.Val() {
		plain, err := remediation.Unpack([]byte(e))
		if err != nil {
			return nil, "", fmt.Errorf("store: events of %s: %w", id, err)
		}
		events = append(events, plain)
	}
	return events, last, nil
}

// DeadLanes lists the lanes that were given up, oldest first.
func (s *Store) DeadLanes(ctx context.Context) ([]remediation.DeadLane, error) {
	pipe := s.rdb.Pipeline()
	sets := make([]*redis.ZSliceCmd, remediation.Partitions)
	for p := range sets {
		sets[p] = pipe.ZRangeWithScores(ctx, deadKey(p), 0, -1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("store: list dead lanes: %w", err)
	}
	var lanes []remediation.DeadLane
	var details []*redis.SliceCmd
	pipe = s.rdb.Pipeline()
	for _, set := range sets {
		for _, z := range set.Val() {
			id, lane, ok := splitMember(fmt.Sprint(z.Member))
			if !ok {
				continue
			}
			lanes = append(lanes, remediation.DeadLane{ID: id, Lane: lane, DiedAt: time.UnixMilli(int64(z.Score)).UTC()})
			details = append(details, pipe.HMGet(ctx, laneKey(id, lane), "error", "attempt"))
		}
	}
	if len(lanes) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, fmt.Errorf("store: read dead lanes: %w", err)
	}
	for i, d := range details {
		f := d.Val()
		if len(f) != 2 {
			lanes[i].Error = "the stored lane cannot be read"
			continue
		}
		lanes[i].Error, _ = f[0].(string)
		attempts, _ := whole(f[1]) // none counted: 0
		lanes[i].Attempts = int(attempts)
	}
	slices.SortStableFunc(lanes, func(a, b remediation.DeadLane) int {
		return cmp.Or(a.DiedAt.Compare(b.DiedAt), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Lane, b.Lane))
	})
	return lanes, nil
}

// Revive makes a dead lane due again, as if it had never failed.
func (s *Store) Revive(ctx context.Context, id string, lane responsehub.Lane) error {
	p := remediation.Partition(id)
	keys := []string{laneKey(id, lane), dueKey(p), deadKey(p), lanesKey(p), bellKey(p)}
	ok, err := reviveLane.Run(ctx, s.rdb, keys, member(id, lane)).Int64()
	switch {
	case err != nil:
		return fmt.Errorf("store: revive %s: %w", member(id, lane), err)
	case ok == 0:
		return remediation.ErrNotFound
	}
	return nil
}
