package api

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"responsehub"
)

// limits gives each key its own bucket, so that a program in a loop slows nobody but
// itself. Only keys that exist get one, so the map cannot be made to grow. Buckets are
// per process: with n replicas a key may do n times as much.
type limits struct {
	every rate.Limit
	burst int
	mu    sync.Mutex
	of    map[string]*rate.Limiter
}

func newLimits(perSecond float64, burst int) *limits {
	return &limits{every: rate.Limit(perSecond), burst: burst, of: map[string]*rate.Limiter{}}
}

// take counts one request of the key, or says how long to wait.
func (l *limits) take(key string) error {
	l.mu.Lock()
	b := l.of[key]
	if b == nil {
		b = rate.NewLimiter(l.every, l.burst)
		l.of[key] = b
	}
	l.mu.Unlock()
	now := time.Now()
	if b.AllowN(now, 1) {
		return nil
	}
	missing := math.Max(0, 1-b.TokensAt(now))
	return &responsehub.Error{
		Kind: responsehub.Throttled, Message: "This API key asks too often. Wait a moment and try again.",
		RetryAfter: time.Duration(missing / float64(l.every) * float64(time.Second)),
	}
}
