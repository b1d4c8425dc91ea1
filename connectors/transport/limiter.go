package transport

import (
	"context"
	"slices"
	"sync"
	"time"

	"responsehub"
)

// Patience is the longest that [Limiter.Enter] waits at a gate that does not say
// otherwise. Whoever cannot go by then is told
// so and comes back later: a worker that sleeps keeps its lane from everybody.
const Patience = 2 * time.Second

// Gate limits how many requests are on their way to one destination.
type Gate struct {
	Name  string // unique in the process, such as "mail tenant <id>"
	Who   string // the destination as people read it
	Start int    // requests at once in the beginning
	Floor int    // never fewer, however often the destination complains; 0 is Start
	Cap   int    // never more, however well it goes; 0 is Start

	Patience time.Duration // the longest wait; 0 is [Patience]
	// Tolerance is the share of recent requests, such as 0.1, of which the destination may
	// complain before the gate takes it to heart: a few complaints are a matter of what
	// stands behind the gate, such as one mailbox, many are about the whole. 0 is none.
	Tolerance float64
}

// Limiter keeps this process within what its destinations bear. A gate starts with
// Start requests at once. While the destination never complained it gains one for each
// answer, so that it doubles with each round; from the first complaint on, which halves
// it, it gains one a second. It is halved once a second at most, gains nothing while it
// is not used, and begins anew after a minute without anybody. A pause that a
// destination asks for holds for all. The zero value is ready for use.
type Limiter struct {
	mu    sync.Mutex
	gates map[string]*gate
}

type gate struct {
	Gate
	pace
	busy  int
	users int       // passes held or waited for
	left  time.Time // when the last of them left
	until time.Time // blocked till then
	queue []chan struct{}
	alarm *time.Timer // dispatches when the block ends
}

// Pass is the right to one request. Leave must be called once.
type Pass struct {
	l     *Limiter
	gates []*gate
	at    time.Time // when it was given
	bad   bool
}

// Enter waits until there is room at all the gates, entered in the order given: the
// narrow one first, so that nobody waits there while holding a place at the wide one.
// When a gate's patience ends, or at once when a pause is longer than that, it gives up with a
// Throttled *responsehub.Error.
func (l *Limiter) Enter(ctx context.Context, gates ...Gate) (*Pass, error) {
	p := &Pass{l: l}
	for _, g := range gates {
		patience := g.Patience
		if patience == 0 {
			patience = Patience
		}
		entered, err := l.enter(ctx, g, time.Now().Add(patience))
		if err != nil {
			p.Leave()
			return nil, err
		}
		p.gates = append(p.gates, entered)
	}
	p.at = time.Now()
	return p, nil
}

func (l *Limiter) enter(ctx context.Context, def Gate, deadline time.Time) (*gate, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	l.mu.Lock()
	g := l.gate(def)
	now := time.Now()
	if g.until.After(deadline) {
		wait := g.until.Sub(now)
		l.forget(g)
		l.mu.Unlock()
		return nil, throttled(def.Who, wait)
	}
	g.users++
	if len(g.queue) == 0 && g.busy < g.limit && !g.until.After(now) {
		g.busy++
		l.mu.Unlock()
		return g, nil
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	l.watch(g, now)
	l.mu.Unlock()

	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	var err error
	select {
	case <-turn:
		return g, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-timer.C:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-turn: // granted in the same moment
		return g, nil
	default:
	}
	for i, c := range g.queue {
		if c == turn {
			g.queue = append(g.queue[:i], g.queue[i+1:]...)
			break
		}
	}
	l.gone(g)
	if err == nil {
		err = throttled(def.Who, max(time.Second, time.Until(g.until)))
	}
	l.forget(g)
	return nil, err
}

func throttled(who string, wait time.Duration) error {
	return &responsehub.Error{Kind: responsehub.Throttled, Message: busyWords(who, wait), RetryAfter: wait}
}

// gate returns the gate, new or as it is. l.mu is held.
func (l *Limiter) gate(def Gate) *gate {
	if l.gates == nil {
		l.gates = map[string]*gate{}
	}
	g := l.gates[def.Name]
	if g == nil {
		if def.Floor == 0 {
			def.Floor = def.Start
		}
		if def.Cap == 0 {
			def.Cap = def.Start
		}
		g = &gate{Gate: def, pace: pace{limit: def.Start}}
		l.gates[def.Name] = g
	}
	if now := time.Now(); g.users == 0 && now.Sub(g.left) >= forgetAfter && !g.until.After(now) {
		g.pace = pace{limit: g.Start} // what it learnt is of long ago
	}
	return g
}

// gone notes that one user of a gate is. l.mu is held.
func (l *Limiter) gone(g *gate) {
	g.users--
	g.left = time.Now()
}

// forget drops a gate that nobody uses and that remembers nothing: there is one for
// each mailbox. l.mu is held.
func (l *Limiter) forget(g *gate) {
	if g.users == 0 && g.limit == g.Start && g.alarm == nil && !g.until.After(time.Now()) {
		delete(l.gates, g.Name)
	}
}

// dispatch lets in whoever can go. l.mu is held.
func (l *Limiter) dispatch(g *gate, now time.Time) {
	if g.until.After(now) {
		l.watch(g, now)
		return
	}
	for len(g.queue) > 0 && g.busy < g.limit {
		close(g.queue[0])
		g.queue = g.queue[1:]
		g.busy++
	}
}

// watch sets the alarm for the end of a block that somebody waits for. l.mu is held.
func (l *Limiter) watch(g *gate, now time.Time) {
	if g.alarm != nil || !g.until.After(now) {
		return
	}
	g.alarm = time.AfterFunc(g.until.Sub(now), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		g.alarm = nil
		l.dispatch(g, time.Now())
		l.forget(g)
	})
}

// Throttled notes that the destination complained: all gates of the pass are halved,
// and the named ones are shut for everybody for the time it asked for. A gate that
// tolerates some complaints does neither while they are few.
func (p *Pass) Throttled(after time.Duration, names ...string) { p.throttled(after, false, names) }

// ThrottledAll is Throttled for a complaint that says that it is about all of them: no
// gate tolerates it.
func (p *Pass) ThrottledAll(after time.Duration, names ...string) { p.throttled(after, true, names) }

func (p *Pass) throttled(after time.Duration, all bool, names []string) {
	p.bad = true
	now := time.Now()
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	for _, g := range p.gates {
		g.complain(p.at, now)
		if !all && g.Tolerance > 0 && !g.many(g.Tolerance, g.busy) {
			continue
		}
		g.halve(p.at, now, g.Floor)
		if until := now.Add(after); slices.Contains(names, g.Name) && until.After(g.until) {
			g.until = until
		}
	}
}

// Leave gives the places back.
func (p *Pass) Leave() {
	now := time.Now()
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	for _, g := range p.gates {
		g.answered(p.at, now)
		if !p.bad && 2*g.busy >= g.limit && !g.until.After(now) {
			g.grow(now, g.Cap)
		}
		g.busy--
		p.l.gone(g)
		p.l.dispatch(g, now)
		p.l.forget(g)
	}
	p.gates = nil
}
