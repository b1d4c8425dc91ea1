package autotask

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
)

const (
	hourly     = 1000
	atOnce     = 2 // to one kind of record; a fourth call at once is refused
	gateMost   = 15 * time.Second
	paceMost   = 3 * time.Second
	usageEvery = 5 * time.Minute
	busyAt     = 75 // percent of what the database is allowed an hour
	fullAt     = 95
	busyHourly = 120
	fullRest   = 5 * time.Minute
)

// budget keeps the hub within a small part of the calls that Autotask allows all
// integrations together. From half of them on every call of everybody is slowed down, and
// when all are used up nothing works, so the hub steps back before.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/General_Topics/REST_Thresholds_Limits.htm
type budget struct {
	name    string
	hourly  int
	buckets Buckets
	limiter transport.Limiter

	mu    sync.Mutex
	read  time.Time // when the use was last asked for
	usage int       // percent
	local map[string]*local
}

// local is a bucket of this process alone.
type local struct {
	left float64
	at   time.Time
}

func (b *budget) init(cfg Config) {
	if b.name, b.hourly, b.buckets = "autotask:"+cfg.Name, cfg.Hourly, cfg.Buckets; b.hourly <= 0 {
		b.hourly = hourly
	}
}

// enter takes a call out of the budget and a place at the kind of record, which leave
// gives back. Whoever would have to wait long is told so instead: the lanes have other
// work.
func (b *budget) enter(ctx context.Context, path string) (leave func(), err error) {
	entity, _, _ := strings.Cut(path, "/")
	pass, err := b.limiter.Enter(ctx, transport.Gate{Name: entity, Who: "Autotask", Start: atOnce, Patience: gateMost})
	if err != nil {
		return nil, stopped(err)
	}
	if err := b.pay(ctx); err != nil {
		pass.Leave()
		return nil, err
	}
	return pass.Leave, nil
}

func stopped(err error) error {
	if responsehub.KindOf(err) == responsehub.Throttled {
		return err
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub was stopped.", Err: err}
}

func (b *budget) pay(ctx context.Context) error {
	b.mu.Lock()
	usage := b.usage
	if !b.read.IsZero() && time.Since(b.read) > 2*usageEvery {
		usage = 0 // of long ago
	}
	b.mu.Unlock()
	switch {
	case usage >= fullAt:
		return &responsehub.Error{Kind: responsehub.Throttled, Message: "Nearly all calls that Autotask allows an hour are used up by other integrations; the hub waits so as not to stop all of them.", RetryAfter: fullRest}
	case usage > busyAt:
		if err := b.token(ctx, b.name+":busy", busyHourly); err != nil {
			return err
		}
	}
	return b.token(ctx, b.name, b.hourly)
}

// token takes a token, and waits for it if that is soon.
func (b *budget) token(ctx context.Context, name string, n int) error {
	wait := b.take(ctx, name, n)
	if wait <= 0 {
		return nil
	}
	if wait > paceMost {
		return &responsehub.Error{Kind: responsehub.Throttled, Message: "The hub has much to tell Autotask and keeps to its share of the calls; it goes on by itself.", RetryAfter: wait}
	}
	select {
	case <-ctx.Done():
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub was stopped.", Err: context.Cause(ctx)}
	case <-time.After(wait):
	}
	if wait = b.take(ctx, name, n); wait > 0 {
		return &responsehub.Error{Kind: responsehub.Throttled, Message: "The hub has much to tell Autotask and keeps to its share of the calls; it goes on by itself.", RetryAfter: wait}
	}
	return nil
}

// take asks the shared bucket; while it cannot be asked, this process keeps one of its own.
func (b *budget) take(ctx context.Context, name string, n int) time.Duration {
	if b.buckets != nil {
		if wait, err := b.buckets.Take(ctx, name, n, time.Hour); err == nil {
			return wait
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now, each := time.Now(), time.Hour/time.Duration(n)
	l := b.local[name]
	if l == nil {
		if b.local == nil {
			b.local = map[string]*local{}
		}
		l = &local{left: float64(n), at: now}
		b.local[name] = l
	}
	l.left = min(float64(n), l.left+float64(now.Sub(l.at))/float64(each))
	l.at = now
	if l.left < 1 {
		return time.Duration((1 - l.left) * float64(each))
	}
	l.left--
	return 0
}

// usage is how much of the calls of the last hour is used up.
type usage struct {
	Allowed int `json:"externalRequestThreshold"`
	Minutes int `json:"requestThresholdTimeframe"`
	Used    int `json:"currentTimeframeRequestCount"`
}

func (u usage) percent() int {
	if u.Allowed <= 0 {
		return 0
	}
	return int(int64(u.Used) * 100 / int64(u.Allowed))
}

// heard asks, after a call that worked and every five minutes, how much is used up.
func (b *budget) heard(ctx context.Context, d *Desk) {
	b.mu.Lock()
	due := time.Since(b.read) > usageEvery
	if due {
		b.read = time.Now()
	}
	b.mu.Unlock()
	if !due {
		return
	}
	var u usage
	if err := d.call(ctx, request{what: "read the use of its API", method: http.MethodGet, path: "ThresholdInformation"}, &u); err != nil {
		return // as before: what is needed was done
	}
	b.note(u)
}

func (b *budget) note(u usage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.usage, b.read = u.percent(), time.Now()
}
