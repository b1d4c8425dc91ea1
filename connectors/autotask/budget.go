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
	usageSoon  = time.Minute // while much is used up
	easyAt     = 50          // percent of what the database is allowed an hour; from here on Autotask slows every call down
	busyAt     = 75
	fullAt     = 95
	leastLeft  = 60 // calls an hour that the hub keeps to itself right before fullAt
)

// What a visit to a ticket costs. It begins with looking the ticket up or reading it, and
// pays for all its calls then: what was begun is not left half done for want of a call,
// and a visit that ran dry each time before its last call would never end.
const (
	opening = 8 // find, company, contact, make, read back, details; status
	visit   = 5 // read, note; status: read, change, read back
	asking  = 2 // what a person looks up
	polling = 2 // a hundred tickets, and into which they were merged
	hooking = 8
)

// budget keeps the hub within a small part of the calls that Autotask allows all
// integrations together. From half of them on every call of everybody is slowed down, and
// when all are used up nothing works for anybody. So the hub takes the less the more is
// used, first gives up what can wait, and stops before the end.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/General_Topics/REST_Thresholds_Limits.htm
type budget struct {
	name    string
	hourly  int
	buckets Buckets
	limiter transport.Limiter

	mu    sync.Mutex
	read  time.Time // when the use was last asked for
	usage int       // percent
	known time.Time // when usage was so
	left  float64   // of this process's own bucket, from 0 to 1
	at    time.Time // when left was so
}

func (b *budget) init(cfg Config) {
	if b.name, b.hourly, b.buckets = "autotask:"+cfg.Name, cfg.Hourly, cfg.Buckets; b.hourly <= 0 {
		b.hourly = hourly
	}
	b.left = 1
}

// enter takes a place at the kind of record for one call, which leave gives back. Whoever
// would have to wait long is told so instead: the lanes have other work.
func (b *budget) enter(ctx context.Context, path string) (leave func(), err error) {
	entity, _, _ := strings.Cut(path, "/")
	pass, err := b.limiter.Enter(ctx, transport.Gate{Name: entity, Who: "Autotask", Start: atOnce, Patience: gateMost})
	switch {
	case err == nil:
		return pass.Leave, nil
	case responsehub.KindOf(err) == responsehub.Throttled:
		return nil, err
	}
	return nil, stopped(err)
}

func stopped(err error) error {
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub was stopped.", Err: err}
}

// share is how many calls an hour the hub makes when so many percent of everybody's are
// used up.
func (b *budget) share(used int) int {
	if used <= easyAt {
		return b.hourly
	}
	least := min(b.hourly, leastLeft)
	return least + (b.hourly-least)*max(fullAt-used, 0)/(fullAt-easyAt)
}

// begin pays for a piece of work of so many calls; 0 is one that was paid for. What can
// be spared is the first not to be done.
func (d *Desk) begin(ctx context.Context, calls int, spared bool) error {
	b := &d.budget
	b.heard(ctx, d)
	b.mu.Lock()
	used, again := b.usage, max(time.Until(b.read.Add(usageSoon)), time.Second)
	if time.Since(b.known) > 2*usageEvery {
		used = 0 // of long ago: the calls themselves tell
	}
	b.mu.Unlock()
	switch {
	case used >= fullAt:
		return &responsehub.Error{Kind: responsehub.Throttled, Message: "Nearly all calls that Autotask allows an hour are used up by other integrations; the hub waits so as not to stop all of them.", RetryAfter: again}
	case spared && used > busyAt:
		return &responsehub.Error{Kind: responsehub.Throttled, Message: "Most calls that Autotask allows an hour are used up; the hub keeps the rest for incidents.", RetryAfter: again}
	case calls == 0:
		return nil
	}
	wait := b.take(ctx, calls, b.share(used))
	if wait > 0 && wait <= paceMost {
		select {
		case <-ctx.Done():
			return stopped(context.Cause(ctx))
		case <-time.After(wait):
		}
		wait = b.take(ctx, calls, b.share(used))
	}
	if wait > 0 {
		return &responsehub.Error{Kind: responsehub.Throttled, Message: "The hub has much to tell Autotask and keeps to its share of the calls; it goes on by itself.", RetryAfter: wait}
	}
	return nil
}

// take asks the shared bucket; while it cannot be asked, this process keeps one of its own.
func (b *budget) take(ctx context.Context, calls, n int) time.Duration {
	if b.buckets != nil {
		if wait, err := b.buckets.TakeMany(ctx, b.name, calls, n, time.Hour); err == nil {
			return wait
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now, price := time.Now(), float64(calls)/float64(n)
	if !b.at.IsZero() {
		b.left = min(1, b.left+now.Sub(b.at).Hours())
	}
	b.at = now
	if b.left < price {
		return time.Duration((price - b.left) * float64(time.Hour))
	}
	b.left -= price
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

// heard asks how much is used up, if that was not done lately.
func (b *budget) heard(ctx context.Context, d *Desk) {
	b.mu.Lock()
	every := usageEvery
	if b.usage > easyAt {
		every = usageSoon
	}
	due := b.read.IsZero() || time.Since(b.read) >= every
	if due {
		b.read = time.Now()
	}
	b.mu.Unlock()
	if !due {
		return
	}
	var u usage
	if err := d.call(ctx, request{what: "read the use of its API", method: http.MethodGet, path: "ThresholdInformation"}, &u); err != nil {
		return // as before: what comes next meets the same fault, and says so
	}
	b.note(u)
}

func (b *budget) note(u usage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.usage, b.read, b.known = u.percent(), time.Now(), time.Now()
}
