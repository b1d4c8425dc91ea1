package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Answers remembers what a caller from outside was answered, so that a request that
// comes again gets the same answer and has no effect. The expiry only clears up: nothing
// else depends on an answer being gone.
type Answers struct {
	rdb redis.UniversalClient
}

// NewAnswers returns a memory on a client, which the caller closes.
func NewAnswers(rdb redis.UniversalClient) *Answers { return &Answers{rdb: rdb} }

// Recall returns what was kept under the key.
func (a *Answers) Recall(ctx context.Context, key string) (answer string, found bool, err error) {
	answer, err = a.rdb.Get(ctx, answerKey(key)).Result()
	if errors.Is(err, redis.Nil) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("answers: recall: %w", err)
	}
	return answer, true, nil
}

// Keep keeps an answer for a time. The first one stays.
func (a *Answers) Keep(ctx context.Context, key, answer string, span time.Duration) error {
	if err := a.rdb.SetNX(ctx, answerKey(key), answer, span).Err(); err != nil {
		return fmt.Errorf("answers: keep: %w", err)
	}
	return nil
}
