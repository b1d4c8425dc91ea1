package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/remediation"
)

// entry is an incident's place in a list: newest first, then by id.
type entry struct {
	opened int64 // ms
	id     string
}

func (a entry) compare(b entry) int {
	return cmp.Or(cmp.Compare(b.opened, a.opened), cmp.Compare(b.id, a.id))
}

// source is one stored list that is being read from the top.
type source struct {
	partition int
	key       string
	read      int64 // how many were read so far
	last      entry // the last of them
	next      []entry
	end       bool
}

const (
	listDefault = 50
	listMost    = 200
)

// List returns incidents, newest first. It merges the lists of all partitions, a page
// of each at a time.
func (s *Store) List(ctx context.Context, f remediation.Filter) (remediation.Page, error) {
	limit := min(cmp.Or(max(f.Limit, 0), listDefault), listMost)
	after, err := parseCursor(f.Cursor)
	if err != nil {
		return remediation.Page{}, err
	}
	sources := listSources(f)
	var page []entry
	for len(page) <= limit {
		if err := s.refill(ctx, sources, f, after, int64(limit)+1); err != nil {
			return remediation.Page{}, fmt.Errorf("store: list incidents: %w", err)
		}
		first := newest(sources)
		if first == nil {
			break
		}
		// Tenants are disjoint and so are states, but a filter may name a tenant twice.
		if e := first.next[0]; len(page) == 0 || page[len(page)-1] != e {
			page = append(page, e)
		}
		first.next = first.next[1:]
	}
	var out remediation.Page
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		out.Next = strconv.FormatInt(last.opened, 10) + "-" + last.id
	}
	out.States, err = s.loadAll(ctx, page)
	return out, err
}

// listSources picks the shortest lists that contain all that is asked for.
func listSources(f remediation.Filter) []*source {
	var all []*source
	for p := range remediation.Partitions {
		switch {
		case f.Tenants != nil:
			for _, t := range f.Tenants {
				all = append(all, &source{partition: p, key: tenantListKey(p, t)})
			}
		case f.State != "":
			all = append(all, &source{partition: p, key: stateListKey(p, f.State)})
		default:
			all = append(all, &source{partition: p, key: listKey(p)})
		}
	}
	return all
}

// refill reads on in every list that has run dry, in one round trip (two, where both
// tenant and state narrow the list).
func (s *Store) refill(ctx context.Context, sources []*source, f remediation.Filter, after entry, n int64) error {
	for {
		var dry []*source
		var reads []*redis.ZSliceCmd
		pipe := s.rdb.Pipeline()
		least := "-inf"
		if !f.Since.IsZero() {
			least = strconv.FormatInt(f.Since.UnixMilli(), 10)
		}
		most := "+inf"
		if after.id != "" {
			most = strconv.FormatInt(after.opened, 10)
		}
		for _, src := range sources {
			if len(src.next) == 0 && !src.end {
				dry = append(dry, src)
				reads = append(reads, pipe.ZRevRangeByScoreWithScores(ctx, src.key, &redis.ZRangeBy{Min: least, Max: most, Offset: src.read, Count: n}))
			}
		}
		if len(dry) == 0 {
			return nil
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		for i, src := range dry {
			got := reads[i].Val()
			src.read += int64(len(got))
			src.end = int64(len(got)) < n
			for _, z := range got {
				e := entry{opened: int64(z.Score), id: fmt.Sprint(z.Member)}
				// What is written meanwhile shifts the rest down: do not show it again.
				if (after.id == "" || e.compare(after) > 0) && (src.last.id == "" || e.compare(src.last) > 0) {
					src.next = append(src.next, e)
					src.last = e
				}
			}
		}
		if f.Tenants != nil && f.State != "" {
			if err := s.keepState(ctx, dry, f.State); err != nil {
				return err
			}
		}
	}
}

// keepState drops the entries that are not in the state.
func (s *Store) keepState(ctx context.Context, sources []*source, state responsehub.IncidentState) error {
	pipe := s.rdb.Pipeline()
	in := map[*source]*redis.SliceCmd{}
	for _, src := range sources {
		if len(src.next) == 0 {
			continue
		}
		args := []any{"ZMSCORE", stateListKey(src.partition, state)}
		for _, e := range src.next {
			args = append(args, e.id)
		}
		cmd := redis.NewSliceCmd(ctx, args...)
		_ = pipe.Process(ctx, cmd)
		in[src] = cmd
	}
	if len(in) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for src, cmd := range in {
		scores := cmd.Val()
		kept := src.next[:0]
		for i, e := range src.next {
			if i < len(scores) && scores[i] != nil {
				kept = append(kept, e)
			}
		}
		src.next = kept
	}
	return nil
}

func newest(sources []*source) *source {
	var first *source
	for _, src := range sources {
		if len(src.next) > 0 && (first == nil || src.next[0].compare(first.next[0]) < 0) {
			first = src
		}
	}
	return first
}

// loadAll reads the subjects in one round trip, in the order given.
func (s *Store) loadAll(ctx context.Context, page []entry) ([]remediation.State, error) {
	if len(page) == 0 {
		return nil, nil
	}
	pipe := s.rdb.Pipeline()
	reads := make([]*redis.SliceCmd, len(page))
	for i, e := range page {
		reads[i] = pipe.HMGet(ctx, subjectKey(e.id), "ver", "doc", "seq", "head")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("store: load list: %w", err)
	}
	states := make([]remediation.State, 0, len(page))
	for i, e := range page {
		st, err := subject(e.id, reads[i].Val())
		if err != nil {
			return nil, fmt.Errorf("store: load %s: %w", e.id, err)
		}
		states = append(states, st)
	}
	return slices.Clip(states), nil
}

// parseCursor reads what Page.Next said. It comes back from outside.
func parseCursor(s string) (entry, error) {
	if s == "" {
		return entry{}, nil
	}
	ms, id, ok := strings.Cut(s, "-")
	opened, err := strconv.ParseInt(ms, 10, 64)
	if !ok || err != nil || id == "" || opened < 0 || opened > math.MaxInt64/2 {
		return entry{}, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "/cursor", Message: "The cursor is not one that a list returned. Start again without it."}
	}
	return entry{opened: opened, id: id}, nil
}
