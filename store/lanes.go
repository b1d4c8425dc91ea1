package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/remediation"
)

// Claim takes up to n due lanes of a partition for one lease each, with their subjects.
// It first asks which lanes are due, because a script has to declare every key it
// touches (https://redis.io/commands/eval); when none is due that is all. Two processes
// that see the same lane do not both get it: the claim itself looks again.
func (s *Store) Claim(ctx context.Context, partition, n int, urgentOnly bool, lease time.Duration) ([]remediation.Claim, time.Duration, error) {
	suffix := ""
	if urgentOnly {
		suffix = "|" + string(responsehub.LaneLock)
	}
	reply, err := peekDue.Run(ctx, s.rdb, []string{dueKey(partition)}, n, suffix).Slice()
	if err != nil {
		return nil, 0, fmt.Errorf("store: look for due lanes of partition %d: %w", partition, err)
	}
	wait, rest, err := waited(reply)
	if err != nil || len(rest) == 0 {
		return nil, wait, err
	}
	keys := []string{dueKey(partition), fenceKey(partition), deadKey(partition)}
	args := []any{milliseconds(lease), suffix}
	for _, v := range rest {
		m, err := text(v)
		if err != nil {
			return nil, 0, fmt.Errorf("store: due lanes of partition %d: %w", partition, err)
		}
		id, lane, ok := splitMember(m)
		if !ok || remediation.Partition(id) != partition {
			// Nobody could ever claim it, and its keys are in no slot of this script.
			if err := s.rdb.ZRem(ctx, dueKey(partition), m).Err(); err != nil {
				return nil, 0, fmt.Errorf("store: remove what is no lane from partition %d: %w", partition, err)
			}
			continue
		}
		keys = append(keys, laneKey(id, lane), subjectKey(id))
		args = append(args, m)
	}
	if reply, err = claimLanes.Run(ctx, s.rdb, keys, args...).Slice(); err != nil {
		return nil, 0, fmt.Errorf("store: claim in partition %d: %w", partition, err)
	}
	if wait, rest, err = waited(reply); err != nil {
		return nil, 0, err
	}
	claims := make([]remediation.Claim, 0, len(rest))
	var faults []error
	for _, v := range rest {
		c, err := claim(v)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		claims = append(claims, c)
	}
	if len(claims) == 0 && len(faults) > 0 {
		return nil, 0, fmt.Errorf("store: claim in partition %d: %w", partition, errors.Join(faults...))
	}
	return claims, wait, nil
}

// waited reads the pause at the head of the answers of peek and claim.
func waited(reply []any) (time.Duration, []any, error) {
	if len(reply) == 0 {
		return 0, nil, errors.New("store: claim: Redis returned nothing")
	}
	ms, err := whole(reply[0])
	if err != nil {
		return 0, nil, fmt.Errorf("store: claim: pause: %w", err)
	}
	return time.Duration(ms) * time.Millisecond, reply[1:], nil
}

// Extend lengthens a lease from now on; ErrStale when it is not the claim's any more.
func (s *Store) Extend(ctx context.Context, c remediation.Claim, lease time.Duration) error {
	id := c.State.ID
	keys := []string{laneKey(id, c.Lane), dueKey(remediation.Partition(id))}
	ok, err := extendLease.Run(ctx, s.rdb, keys, c.Token, milliseconds(lease), member(id, c.Lane)).Int64()
	switch {
	case err != nil:
		return fmt.Errorf("store: extend %s: %w", member(id, c.Lane), err)
	case ok == 0:
		return remediation.ErrStale
	}
	return nil
}

var outcomes = map[remediation.Then]string{
	remediation.ThenKeep: "keep", remediation.ThenDone: "done", remediation.ThenAfter: "after",
	remediation.ThenRetry: "retry", remediation.ThenPause: "pause", remediation.ThenDead: "dead",
}

// Settle writes a change under a lease and gives the lane back, or keeps it, in one
// script. A write that wakes the very lane whose turn it is counts for nothing: the
// turn knows what it wrote.
func (s *Store) Settle(ctx context.Context, t remediation.Settlement) error {
	id, lane := t.Claim.State.ID, member(t.Claim.State.ID, t.Claim.Lane)
	then, ok := outcomes[t.Then]
	if !ok {
		return fmt.Errorf("store: settle %s: %d is no outcome", lane, t.Then)
	}
	c := remediation.Commit{ID: id}
	if t.Write != nil {
		c = *t.Write
		c.Wake = without(c.Wake, t.Claim.Lane)
		if c.ID != id || c.Opening != nil {
			return fmt.Errorf("store: settle %s: the write is of another subject or an opening", lane)
		}
	}
	if err := valid(&c); err != nil {
		return err
	}
	args := []any{t.Claim.Token, t.Claim.Dirty, then, milliseconds(t.After), t.Error, lane, flag(t.Write != nil)}
	if t.Write != nil {
		args = append(args, writeArgs(&c)...)
	}
	reply, err := settleLane.Run(ctx, s.rdb, writeKeys(&c, laneKey(id, t.Claim.Lane)), args...).Result()
	if err != nil {
		return fmt.Errorf("store: settle %s: %w", lane, err)
	}
	word, rest, err := status(reply)
	switch {
	case err != nil:
		return fmt.Errorf("store: settle %s: %w", lane, err)
	case word == "SETTLED":
		return nil
	case word == "STALE":
		return remediation.ErrStale
	case word == "CONFLICT":
		return remediation.ErrConflict
	case word == "GAP" && len(rest) == 1:
		return fmt.Errorf("store: settle %s: %w", lane, gap(rest[0]))
	}
	return fmt.Errorf("store: settle %s: Redis answered %.40q", lane, word)
}

// awaitSlice is how long one blocking pop lasts. A pop cannot be broken off, so this is
// also how late the end of the context may be noticed.
const awaitSlice = 250 * time.Millisecond

// Await returns when the partition's bell rang, or after max, or when ctx ended.
func (s *Store) Await(ctx context.Context, partition int, max time.Duration) error {
	for end := time.Now().Add(max); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := min(time.Until(end), awaitSlice)
		if left <= 0 {
			return nil
		}
		// Raw, because the typed BLPop takes whole seconds only. Zero would block for ever.
		seconds := strconv.FormatFloat(float64(milliseconds(left))/1000, 'f', 3, 64)
		err := s.rdb.Do(ctx, "BLPOP", bellKey(partition), seconds).Err()
		if err == nil {
			return nil
		}
		if !errors.Is(err, redis.Nil) {
			return fmt.Errorf("store: await partition %d: %w", partition, err)
		}
	}
}

// Sweep makes every lane due that has something to do and is neither due nor dead.
func (s *Store) Sweep(ctx context.Context, partition int) (int, error) {
	keys := []string{lanesKey(partition), dueKey(partition), deadKey(partition), bellKey(partition)}
	n, err := sweepPartition.Run(ctx, s.rdb, keys).Int()
	if err != nil {
		return 0, fmt.Errorf("store: sweep partition %d: %w", partition, err)
	}
	return n, nil
}
