package twilio

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"responsehub"
)

const (
	// patience is how long a request waits for its turn before its worker is set free.
	patience = 2 * time.Second
	// near is how many of those in front wait longer, so that somebody severe is always
	// there when a turn comes; longest is how long they do.
	near    = 3
	longest = 4 * patience
	// absence is how long a place is kept for whoever was told to come back.
	absence = 15 * time.Second
	// tooOld is the age of the queue at which people have to know: a page that is late is
	// as bad as one that is lost.
	tooOld = 10 * time.Second
	// alarmEvery bounds how often they are told.
	alarmEvery = time.Minute
)

// queue lets requests go at the rate that a sender bears, the most severe first and
// among equals the oldest. The rate, and the order among the first of each replica, are
// kept by the shared line, the order behind them by this process. Who waits too long is sent away with its place kept, so that a queue never
// holds all workers.
type queue struct {
	shared Line
	log    *slog.Logger
	mu     sync.Mutex
	lines  map[string]*line
}

// line is the queue before one bucket.
type line struct {
	places  []*place // in order
	next    time.Time
	alarmed time.Time
}

// place is one attempt's place in a line.
type place struct {
	attempt string
	rank    int
	since   time.Time
	until   time.Time     // kept until then, of one who is absent; zero: present
	asked   bool          // stands in the shared line; its waiter's own
	head    chan struct{} // tells that it may have become the first
}

func newQueue(shared Line, log *slog.Logger) *queue {
	return &queue{shared: shared, log: log, lines: map[string]*line{}}
}

// wait waits for the turns that a request needs.
func (c *Client) wait(ctx context.Context, what string, perSecond int, attempt string, s responsehub.Severity, cost int) error {
	sender := c.cfg.From
	if what == "text" {
		sender = cmp.Or(c.cfg.MessagingServiceSID, sender)
	}
	for range max(1, cost) {
		if err := c.queue.wait(ctx, what, "twilio:"+what+":"+sender, perSecond, attempt, s); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) wait(ctx context.Context, what, name string, perSecond int, attempt string, s responsehub.Severity) error {
	enough := time.NewTimer(patience)
	defer enough.Stop()
	me, begin := q.enter(name, attempt, s), time.Now()
	for {
		var again <-chan time.Time
		if q.first(name, me) {
			pause := q.take(ctx, name, perSecond, me)
			if pause <= 0 {
				q.leave(what, name, me)
				return nil
			}
			again = time.After(pause)
		} else {
			q.quit(ctx, name, me) // somebody here goes before
		}
		select {
		case <-again:
		case <-me.head:
		case <-enough.C:
			if q.ahead(name, me) < near && time.Since(begin) < longest {
				enough.Reset(patience)
				continue
			}
			q.quit(ctx, name, me)
			return q.excuse(what, name, perSecond, me)
		case <-ctx.Done():
			q.quit(ctx, name, me)
			q.leave(what, name, me)
			return context.Cause(ctx)
		}
	}
}

// enter takes a place, or the one that was kept.
func (q *queue) enter(name, attempt string, s responsehub.Severity) *place {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[name]
	if l == nil {
		l = &line{}
		q.lines[name] = l
	}
	now := time.Now()
	l.places = slices.DeleteFunc(l.places, func(p *place) bool { return !p.until.IsZero() && p.until.Before(now) })
	me := &place{attempt: attempt, rank: rank(s), since: now, head: make(chan struct{}, 1)}
	if i := slices.IndexFunc(l.places, func(p *place) bool { return p.attempt == attempt && !p.until.IsZero() }); i >= 0 {
		me.since = l.places[i].since
		l.places = slices.Delete(l.places, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(l.places, me, before)
	l.places = slices.Insert(l.places, at, me)
	return me
}

func before(a, b *place) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), a.since.Compare(b.since), 1)
}

// rank orders severities; one that is not known goes before the mild ones.
func rank(s responsehub.Severity) int {
	if i := slices.Index(responsehub.Severities, s); i >= 0 {
		return i
	}
	return 1
}

// first reports whether nobody who is present comes before p.
func (q *queue) first(name string, p *place) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines[name].first() == p
}

func (l *line) first() *place {
	for _, p := range l.places {
		if p.until.IsZero() {
			return p
		}
	}
	return nil
}

// order is a place's rank among those of all replicas: by severity, then by age. Replicas'
// clocks differ by less than matters among equals.
func (p *place) order() float64 { return float64(p.rank)*1e13 + float64(p.since.UnixMilli()) }

// take asks whether the place may go. Without a shared line, or while it cannot be asked,
// this process keeps the rate by itself: better a little too fast than silent.
func (q *queue) take(ctx context.Context, name string, perSecond int, me *place) time.Duration {
	if q.shared != nil {
		me.asked = true
		pause, err := q.shared.Next(ctx, name, perSecond, me.attempt, me.order())
		if err == nil {
			return pause
		}
		if ctx.Err() != nil {
			return time.Second
		}
		q.log.Warn("the shared rate cannot be asked; this process keeps its own", "error", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	l, now := q.lines[name], time.Now()
	if now.Before(l.next) {
		return l.next.Sub(now)
	}
	l.next = now.Add(time.Second / time.Duration(perSecond))
	return 0
}

// quit leaves the shared line, so that nobody in another replica waits for whoever does not
// ask any more. Where that fails the place is forgotten a little later.
func (q *queue) quit(ctx context.Context, name string, me *place) {
	if q.shared == nil || !me.asked {
		return
	}
	me.asked = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := q.shared.Leave(ctx, name, me.attempt); err != nil {
		q.log.Warn("a place in the shared line cannot be given up", "error", err)
	}
}

// ahead is how many stand before p.
func (q *queue) ahead(name string, p *place) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Index(q.lines[name].places, p)
}

// leave gives a place up.
func (q *queue) leave(what, name string, me *place) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[name]
	q.watch(what, l, me)
	l.places = slices.DeleteFunc(l.places, func(p *place) bool { return p == me })
	l.wake()
}

// excuse sends a waiter away until shortly before its turn.
func (q *queue) excuse(what, name string, perSecond int, me *place) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	l, now := q.lines[name], time.Now()
	q.watch(what, l, me)
	ahead := slices.Index(l.places, me)
	pause := max(500*time.Millisecond, time.Duration(ahead)*time.Second/time.Duration(perSecond)-time.Second)
	me.until = now.Add(pause + absence)
	l.wake()
	return &responsehub.Error{Kind: responsehub.Throttled, Message: queued(what, ahead, now.Sub(me.since)), RetryAfter: pause}
}

// wake tells the first of those present. q.mu is held.
func (l *line) wake() {
	if p := l.first(); p != nil {
		select {
		case p.head <- struct{}{}:
		default:
		}
	}
}

// watch tells people when the queue is old. q.mu is held.
func (q *queue) watch(what string, l *line, me *place) {
	now := time.Now()
	age := now.Sub(me.since)
	if age < tooOld || now.Sub(l.alarmed) < alarmEvery {
		return
	}
	l.alarmed = now
	q.log.Error("phone requests wait too long for the rate that the account is allowed: ask Twilio for more, and raise twilio.calls_per_second or texts_per_second",
		"kind", what, "age", age.Round(time.Second), "waiting", len(l.places))
}
