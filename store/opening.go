package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"responsehub/remediation"
)

// open writes an opening: on one Redis by one script, on a Cluster by a look at the
// delivery and the directory, then the commit with the marker in one pipeline.
func (s *Store) open(ctx context.Context, c *remediation.Commit) (remediation.Committed, error) {
	if s.cluster {
		return s.openOnCluster(ctx, c)
	}
	reply, err := openIncident.Run(ctx, s.rdb, openKeys(c), openArgs(c)...).Result()
	if err != nil {
		return remediation.Committed{}, fmt.Errorf("store: open %s: %w", c.ID, err)
	}
	done, err := committed(reply)
	if err != nil {
		return remediation.Committed{}, fmt.Errorf("store: open %s: %w", c.ID, err)
	}
	return done, nil
}

func (s *Store) openOnCluster(ctx context.Context, c *remediation.Commit) (remediation.Committed, error) {
	o := c.Opening
	seen, directory, err := s.arrival(ctx, o.Delivery)
	switch {
	case err != nil:
		return remediation.Committed{}, err
	case directory != o.Directory:
		return remediation.Committed{Directory: directory, OtherDirectory: true}, nil
	case seen != "" && seen != o.BodyHash:
		return remediation.Committed{BodyHash: seen}, nil
	}
	args := append([]any{"1", strings.ToUpper(o.Ref), o.Alert}, writeArgs(c)...)
	keys := writeKeys(c, subjectKey(c.ID))
	var reply any
	other := ""
	if o.Delivery == "" {
		reply, err = commitChange.Run(ctx, s.rdb, keys, args...).Result()
	} else {
		reply, other, err = s.commitDelivered(ctx, keys, args, o)
	}
	if err != nil {
		return remediation.Committed{}, fmt.Errorf("store: open %s: %w", c.ID, err)
	}
	done, err := committed(reply)
	if err != nil {
		return remediation.Committed{}, fmt.Errorf("store: open %s: %w", c.ID, err)
	}
	done.BodyHash = other
	return done, nil
}

// arrival reads the marker of a delivery and the version of the directory, in one round
// trip.
func (s *Store) arrival(ctx context.Context, delivery string) (bodyHash string, directory int64, err error) {
	pipe := s.rdb.Pipeline()
	var marker *redis.StringCmd
	if delivery != "" {
		marker = pipe.Get(ctx, deliveryKey(delivery))
	}
	version := pipe.Get(ctx, directoryVersionKey)
	_, _ = pipe.Exec(ctx) // each command's own error is looked at below
	if marker != nil {
		if bodyHash, err = marker.Result(); err != nil && !errors.Is(err, redis.Nil) {
			return "", 0, fmt.Errorf("store: read delivery: %w", err)
		}
	}
	if directory, err = version.Int64(); err != nil && !errors.Is(err, redis.Nil) {
		return "", 0, fmt.Errorf("store: read version of the directory: %w", err)
	}
	return bodyHash, directory, nil
}

func openKeys(c *remediation.Commit) []string {
	p, none := remediation.Partition(c.ID), subjectKey(c.ID)
	account, tenant, delivery := none, none, none
	if c.Index.Account != "" {
		account = accountKey(c.Index.Account)
	}
	if c.Index.Tenant != "" {
		tenant = tenantListKey(p, c.Index.Tenant)
	}
	if c.Opening.Delivery != "" {
		delivery = deliveryKey(c.Opening.Delivery)
	}
	keys := []string{
		none, eventsKey(c.ID), dueKey(p), lanesKey(p), bellKey(p), account, refsKey(p), listKey(p),
		tenant, stateListKey(p, c.Index.State), directoryVersionKey, delivery,
	}
	for _, w := range c.Wake {
		keys = append(keys, laneKey(c.ID, w.Lane))
	}
	return keys
}

func openArgs(c *remediation.Commit) []any {
	o, hash := c.Opening, c.Opening.BodyHash
	if o.Delivery == "" {
		hash = ""
	}
	args := make([]any, 0, 14+len(c.Events)+2*len(c.Wake))
	args = append(args,
		c.ID, c.Doc, c.Seq, c.Head, strings.ToUpper(o.Ref), o.Alert, flag(c.Index.Account != ""), flag(c.Index.Tenant != ""),
		c.Index.OpenedAt.UnixMilli(), strconv.FormatInt(o.Directory, 10), hash, deliveryKept.Milliseconds(), len(c.Events), len(c.Wake))
	for _, e := range c.Events {
		args = append(args, e)
	}
	for _, w := range c.Wake {
		args = append(args, string(w.Lane), milliseconds(w.After))
	}
	return args
}
