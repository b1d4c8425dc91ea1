package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Polls is what processes share about sources that are asked what they found.
type Polls struct {
	rdb    redis.UniversalClient
	limits *Limits
}

// NewPolls returns it on a client, which the caller closes.
func NewPolls(rdb redis.UniversalClient) *Polls {
	return &Polls{rdb: rdb, limits: NewLimits(rdb)}
}

func pollList(source string) string { return "poll:" + source }

// markKey is a STRING: up to where a source was asked.
func markKey(source string) string { return limitTag(pollList(source)) + "mark" }

// Turn reports whether this process has the source for the period. Of several that ask
// one gets it; when it is killed, the others' turn comes with the next period.
func (p *Polls) Turn(ctx context.Context, source string, period time.Duration) (bool, error) {
	_, fresh, err := p.limits.Take(ctx, pollList(source), "turn", 1, period)
	return fresh, err
}

// LoadMark returns what SaveMark kept last, or nil.
func (p *Polls) LoadMark(ctx context.Context, source string) ([]byte, error) {
	mark, err := p.rdb.Get(ctx, markKey(source)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: mark of source %s: %w", source, err)
	}
	return mark, nil
}

// SaveMark keeps a mark, without an end.
func (p *Polls) SaveMark(ctx context.Context, source string, mark []byte) error {
	if err := p.rdb.Set(ctx, markKey(source), mark, 0).Err(); err != nil {
		return fmt.Errorf("store: mark of source %s: %w", source, err)
	}
	return nil
}
