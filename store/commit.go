package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/remediation"
)

// deliveryKept is how long a delivery's marker is kept: longer than senders go on
// retrying (the example schedule of https://www.standardwebhooks.com ends after three
// days). Only the refusal of another body with the same id depends on it.
const deliveryKept = 8 * 24 * time.Hour

// Commit writes one change: state, events, indexes and the wake-up of lanes, in one
// script. An opening has a script of its own, which also keeps the delivery's marker.
func (s *Store) Commit(ctx context.Context, c remediation.Commit) (remediation.Committed, error) {
	if err := valid(&c); err != nil {
		return remediation.Committed{}, err
	}
	if c.Opening != nil {
		return s.open(ctx, &c)
	}
	args := append([]any{"0", "", ""}, writeArgs(&c)...)
	reply, err := commitChange.Run(ctx, s.rdb, writeKeys(&c, subjectKey(c.ID)), args...).Result()
	if err != nil {
		return remediation.Committed{}, fmt.Errorf("store: commit %s: %w", c.ID, err)
	}
	done, err := committed(reply)
	if err != nil {
		return remediation.Committed{}, fmt.Errorf("store: commit %s: %w", c.ID, err)
	}
	return done, nil
}

// commitDelivered sends the commit and the marker of its delivery in one pipeline.
func (s *Store) commitDelivered(ctx context.Context, keys []string, args []any, o *remediation.Opening) (reply any, other string, err error) {
	pipe := s.rdb.Pipeline()
	// GET together with NX returns what was there before; https://redis.io/commands/set (7.0).
	marker := pipe.SetArgs(ctx, deliveryKey(o.Delivery), o.BodyHash, redis.SetArgs{Mode: "NX", Get: true, TTL: deliveryKept})
	run := pipe.EvalSha(ctx, commitChange.Hash(), keys, args...)
	_, _ = pipe.Exec(ctx) // each command's own error is looked at below
	reply, err = run.Result()
	if redis.HasErrorPrefix(err, "NOSCRIPT") || errors.Is(err, redis.ErrNoScript) {
		reply, err = commitChange.Run(ctx, s.rdb, keys, args...).Result()
	}
	if err != nil {
		return nil, "", err
	}
	was, err := marker.Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, "", fmt.Errorf("mark delivery: %w", err)
	}
	if was != "" && was != o.BodyHash {
		other = was
	}
	return reply, other, nil
}

// committed reads the answer of commit_change.
func committed(reply any) (remediation.Committed, error) {
	word, rest, err := status(reply)
	if err != nil {
		return remediation.Committed{}, err
	}
	switch {
	case word == "CONFLICT":
		return remediation.Committed{}, remediation.ErrConflict
	case word == "REF":
		return remediation.Committed{}, remediation.ErrRefTaken
	case word == "WRITTEN" && len(rest) == 1:
		v, err := whole(rest[0])
		return remediation.Committed{Version: v}, err
	case word == "DELIVERY" && len(rest) == 1:
		hash, err := text(rest[0])
		return remediation.Committed{BodyHash: hash}, err
	case word == "DIRECTORY" && len(rest) == 1:
		v, err := whole(rest[0])
		return remediation.Committed{Directory: v, OtherDirectory: true}, err
	case word == "REPEATED" && len(rest) == 2:
		v, err := whole(rest[0])
		if err != nil {
			return remediation.Committed{}, err
		}
		answer, err := text(rest[1])
		return remediation.Committed{Version: v, Repeated: true, Answer: []byte(answer)}, err
	case word == "EXISTING" && len(rest) == 2:
		id, err := text(rest[0])
		if err != nil {
			return remediation.Committed{}, err
		}
		known, err := text(rest[1])
		return remediation.Committed{Existing: id, Known: known == "1"}, err
	case word == "GAP" && len(rest) == 1:
		return remediation.Committed{}, gap(rest[0])
	}
	return remediation.Committed{}, fmt.Errorf("redis answered %.40q, which is no answer to a commit", word)
}

// gap is the error for a write whose events do not follow the stored ones.
func gap(stored any) error {
	return fmt.Errorf("the events would leave a gap after number %v; nothing was written", stored)
}

// valid refuses what the scripts cannot store as one.
func valid(c *remediation.Commit) error {
	switch {
	case c.ID == "" || strings.Contains(c.ID, "|"):
		return fmt.Errorf("store: %.60q cannot be a subject's id", c.ID)
	case c.Opening != nil && c.Version != 0:
		return fmt.Errorf("store: commit %s: an opening must be the first write", c.ID)
	case c.Index.Account != "" && remediation.Partition(c.Index.Account) != remediation.Partition(c.ID):
		return fmt.Errorf("store: commit %s: the id lies in another partition than its account", c.ID)
	}
	return nil
}

// writeKeys lists the keys of write_subject; lane is the key of the lane that settles.
func writeKeys(c *remediation.Commit, lane string) []string {
	p, none := remediation.Partition(c.ID), subjectKey(c.ID)
	account, tenant, state, was := none, none, none, none
	if c.Index.Account != "" {
		account = accountKey(c.Index.Account)
	}
	if c.Index.Tenant != "" {
		tenant = tenantListKey(p, c.Index.Tenant)
	}
	if c.Index.State != "" {
		state = stateListKey(p, c.Index.State)
	}
	if c.Index.Was != "" {
		was = stateListKey(p, c.Index.Was)
	}
	keys := []string{
		none, eventsKey(c.ID), dueKey(p), deadKey(p), lanesKey(p), bellKey(p),
		account, refsKey(p), listKey(p), tenant, state, was, lane,
	}
	for _, w := range c.Wake {
		keys = append(keys, laneKey(c.ID, w.Lane))
	}
	return keys
}

// writeArgs lists the arguments of write_subject.
func writeArgs(c *remediation.Commit) []any {
	ix := &c.Index
	listed := ix.State != "" && !ix.OpenedAt.IsZero()
	args := []any{
		c.ID, c.Version, c.Doc, c.Seq, c.Head, c.Command, c.Answer, flag(listed), flag(ix.Tenant != ""),
		string(ix.State), string(ix.Was), ix.OpenedAt.UnixMilli(), flag(ix.Account != ""), flag(ix.Closed),
		len(c.Events), len(c.Wake), len(ix.Alerts),
	}
	for _, e := range c.Events {
		args = append(args, short(e))
	}
	for _, w := range c.Wake {
		args = append(args, string(w.Lane), milliseconds(w.After))
	}
	for _, a := range ix.Alerts {
		args = append(args, a)
	}
	return args
}

// short packs an entry of the record: it is kept for years. What the chain is made of are
// the plain bytes. Entries of an opening stay plain, because alerts come in storms.
func short(e []byte) []byte {
	p, err := remediation.Pack(e)
	if err != nil || len(p) >= len(e) {
		return e
	}
	return p
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// milliseconds rounds up, so that a short pause is not none, and never goes back in time.
func milliseconds(d time.Duration) int64 {
	return int64((max(d, 0) + time.Millisecond - 1) / time.Millisecond)
}

// without returns the wakes but those of one lane.
func without(wakes []remediation.Wake, lane responsehub.Lane) []remediation.Wake {
	var rest []remediation.Wake
	for _, w := range wakes {
		if w.Lane != lane {
			rest = append(rest, w)
		}
	}
	return rest
}
