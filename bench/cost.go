package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"responsehub"
)

const (
	mostBytes = 16 << 10 // of Redis's memory for a closed incident
	closed    = 12       // incidents that are worked through
)

// cost works through whole takeovers, one after the other, and counts what they leave
// in Redis.
func cost(ctx context.Context, _ options, t *table) error {
	s, err := raise(ctx, closed, false)
	defer s.stop()
	if err != nil {
		return err
	}
	rdb, err := s.redis.client()
	if err != nil {
		return err
	}
	defer rdb.Close()
	before, err := memory(ctx, rdb)
	if err != nil {
		return err
	}
	events := map[string]int{}
	for n := range closed {
		if err := s.takeover(ctx, n, events); err != nil {
			return fmt.Errorf("takeover %d: %w", n, err)
		}
	}
	if err := s.idle(ctx); err != nil {
		return err
	}
	after, err := memory(ctx, rdb)
	if err != nil {
		return err
	}
	each := func(kind string) float64 { return (after[kind] - before[kind]) / closed / 1024 }
	t.most("cost", "Redis memory of a closed incident", each(all), mostBytes/1024, "KB")
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(after)) {
		if k != all {
			parts = append(parts, fmt.Sprintf("%s %.1f KB", k, each(k)))
		}
	}
	t.note("cost", "  of it", "%s", strings.Join(parts, ", "))
	names := slices.Sorted(maps.Keys(events))
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %.1f", name, float64(events[name])/closed)
	}
	t.note("cost", "events of an incident by step", "%s", strings.Join(names, ", "))
	return nil
}

// all is the kind that every key is of.
const all = "all"

// kind is the part of a key's name that says what it holds.
func kind(key string) string {
	_, name, _ := strings.Cut(key, "}:")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// takeover works one customer's takeover through until it is closed.
func (s *stage) takeover(ctx context.Context, n int, events map[string]int) error {
	id, _, err := s.post(ctx, s.world.Scenes[n].Alert(fmt.Sprint("cost-", n)))
	if err != nil {
		return err
	}
	for _, step := range responsehub.StepIDs[1:] {
		r := responsehub.StepRequest{}
		if !step.Automatic() {
			if _, err := s.hub.Engine().Request(ctx, technician, id, step, r); err != nil {
				return fmt.Errorf("%s: %w", step, err)
			}
		}
		left := false
		err := s.until(ctx, id, func(inc *responsehub.Incident) bool {
			st := inc.Step(step).State
			left = !st.Settled()
			return !st.Busy() && st != responsehub.Waiting
		})
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		if left { // what only a person can judge
			r.Skip, r.Reason = true, "Looked at with the customer."
			if _, err := s.hub.Engine().Request(ctx, technician, id, step, r); err != nil {
				return fmt.Errorf("%s: %w", step, err)
			}
		}
	}
	stored, err := s.hub.Engine().Events(ctx, technician, id)
	if err != nil {
		return err
	}
	for _, b := range stored {
		var e responsehub.Event
		if err := json.Unmarshal(b, &e); err != nil {
			return err
		}
		events[cmp.Or(string(e.Step), "itself")]++
	}
	return nil
}

// memory is the bytes of all keys that grow with incidents, by their kind.
func memory(ctx context.Context, rdb redis.UniversalClient) (sum map[string]float64, err error) {
	sum = map[string]float64{}
	keys := rdb.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		if strings.HasPrefix(keys.Val(), "{dir}") || strings.HasPrefix(keys.Val(), "{lim:") {
			continue
		}
		n, err := rdb.MemoryUsage(ctx, keys.Val(), 0).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		sum[kind(keys.Val())] += float64(n)
		sum[all] += float64(n)
	}
	return sum, keys.Err()
}
