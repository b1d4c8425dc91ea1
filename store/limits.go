package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

// Limits keeps all processes together within what an outside service allows. A
// destination is named by the caller, such as "graph:<tenant id>". Being limited is
// never a failed attempt: the caller comes back later.
type Limits struct {
	rdb  redis.UniversalClient
	rate *redis_rate.Limiter
}

// NewLimits returns limits on a client, which the caller closes.
func NewLimits(rdb redis.UniversalClient) *Limits {
	return &Limits{rdb: rdb, rate: redis_rate.NewLimiter(rdb)}
}

// Block bars a destination for everybody for d, as its Retry-After asked. A longer bar
// that is there already stays.
func (l *Limits) Block(ctx context.Context, dest string, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := blockDestination.Run(ctx, l.rdb, []string{blockKey(dest)}, milliseconds(d)).Err(); err != nil {
		return fmt.Errorf("limits: block %s: %w", dest, err)
	}
	return nil
}

// Free takes a destination's bar away before its time.
func (l *Limits) Free(ctx context.Context, dest string) error {
	if err := l.rdb.Del(ctx, blockKey(dest)).Err(); err != nil {
		return fmt.Errorf("limits: free %s: %w", dest, err)
	}
	return nil
}

// Blocked returns for how long a destination is still barred; 0 when it is free.
func (l *Limits) Blocked(ctx context.Context, dest string) (time.Duration, error) {
	ms, err := readBlock.Run(ctx, l.rdb, []string{blockKey(dest)}).Int64()
	if err != nil {
		return 0, fmt.Errorf("limits: is %s blocked: %w", dest, err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// Rate is a token bucket: n calls in each period, and as many at once.
type Rate struct {
	N   int
	Per time.Duration
}

// Allow takes one token of the destination's bucket. It returns 0 when the call may
// go, else how long to wait before asking again.
func (l *Limits) Allow(ctx context.Context, dest string, r Rate) (time.Duration, error) {
	return l.AllowMany(ctx, dest, 1, r)
}

// AllowMany takes so many tokens of the destination's bucket, or none of them. The rate
// may change from call to call: the part of the bucket that is full stays the same.
func (l *Limits) AllowMany(ctx context.Context, dest string, tokens int, r Rate) (time.Duration, error) {
	got, err := l.rate.AllowN(ctx, rateKey(dest), redis_rate.Limit{Rate: r.N, Burst: r.N, Period: r.Per}, tokens)
	if err != nil {
		return 0, fmt.Errorf("limits: rate of %s: %w", dest, err)
	}
	if got.Allowed > 0 {
		return 0, nil
	}
	return max(got.RetryAfter, time.Millisecond), nil
}

// Permit is one of a destination's places, held under a lease.
type Permit struct {
	limits *Limits
	dest   string
	name   string
}

// Acquire takes one of n places of a destination for at most the lease, so that a
// killed process does not keep it. Without a free place the permit is nil and wait says
// when to ask again at the latest.
func (l *Limits) Acquire(ctx context.Context, dest string, n int, lease time.Duration) (p *Permit, wait time.Duration, err error) {
	name := rand.Text()
	ms, err := takePermit.Run(ctx, l.rdb, []string{permitsKey(dest)}, n, milliseconds(lease), name).Int64()
	if err != nil {
		return nil, 0, fmt.Errorf("limits: permit for %s: %w", dest, err)
	}
	if ms > 0 {
		return nil, time.Duration(ms) * time.Millisecond, nil
	}
	return &Permit{limits: l, dest: dest, name: name}, 0, nil
}

// Release gives the place back. Doing it twice, or after the lease, does no harm.
func (p *Permit) Release(ctx context.Context) error {
	if err := p.limits.rdb.ZRem(ctx, permitsKey(p.dest), p.name).Err(); err != nil {
		return fmt.Errorf("limits: release permit for %s: %w", p.dest, err)
	}
	return nil
}
