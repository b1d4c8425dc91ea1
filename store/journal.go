package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
)

// errUnchanged abandons a change that would change nothing.
var errUnchanged = errors.New("nothing changes")

// journalled chains the notes of a change to the record. The record and the directory
// are read one after the other; whoever writes in between raises the version, and the
// change is decided anew.
func (d *Directory) journalled(ctx context.Context, by responsehub.By, notes []note) ([]any, error) {
	if len(notes) == 0 {
		return nil, nil
	}
	seq, head, err := d.journalEnd(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	events := make([]responsehub.Event, 0, len(notes))
	for _, n := range notes {
		events = append(events, responsehub.Event{At: now, Kind: n.kind, By: by, Item: n.item, Text: n.text})
	}
	stored, _, err := responsehub.Chain(seq, head, events)
	if err != nil {
		return nil, fmt.Errorf("directory: record: %w", err)
	}
	out := make([]any, len(stored))
	for i, b := range stored {
		out[i] = b
	}
	return out, nil
}

func (d *Directory) journalEnd(ctx context.Context) (seq int64, head string, err error) {
	pipe := d.rdb.TxPipeline()
	n, last := pipe.LLen(ctx, journalKey), pipe.LIndex(ctx, journalKey, -1)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return 0, "", fmt.Errorf("directory: read record: %w", err)
	}
	if n.Val() == 0 {
		return 0, "", nil
	}
	return n.Val(), responsehub.EventHash([]byte(last.Val())), nil
}

// Journal returns the stored entries of the hub's own record: who changed tenants, people,
// keys and switches. It begins after entry number after and has at most n entries.
func (d *Directory) Journal(ctx context.Context, after int64, n int) ([][]byte, error) {
	texts, err := d.rdb.LRange(ctx, journalKey, after, after+int64(n)-1).Result()
	if err != nil {
		return nil, fmt.Errorf("directory: read record: %w", err)
	}
	out := make([][]byte, len(texts))
	for i, s := range texts {
		out[i] = []byte(s)
	}
	return out, nil
}

// JournalLength is how many entries the hub's own record has.
func (d *Directory) JournalLength(ctx context.Context) (int64, error) {
	n, err := d.rdb.LLen(ctx, journalKey).Result()
	if err != nil {
		return 0, fmt.Errorf("directory: read record: %w", err)
	}
	return n, nil
}
