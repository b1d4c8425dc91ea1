package remediation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"responsehub"
)

const (
	// claimMost is how many lanes one visit to a partition takes at most, so that the
	// lanes of a burst spread over the replicas.
	claimMost = 16
	// bell is the longest time a partition is left unvisited when nothing rings.
	bell = time.Second
)

// Run works the lanes until ctx ends. Then it claims nothing more, lets turns under way
// end within the grace time, and gives the rest back so that they start elsewhere at
// once. It returns when nothing of it runs any more.
func (e *Engine) Run(ctx context.Context) {
	turns, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(e.grace, func() { stop(errStopping) })
	})()
	var wg sync.WaitGroup
	for p := range Partitions {
		wg.Go(func() { e.partition(ctx, turns, p, &wg) })
	}
	wg.Go(func() { e.sweepForever(ctx) })
	wg.Wait()
}

var (
	errStopping  = errors.New("the hub is stopping")
	errLeaseLost = errors.New("the lease was lost")
)

// partition claims the due lanes of one partition and starts a turn for each.
func (e *Engine) partition(ctx, turns context.Context, p int, wg *sync.WaitGroup) {
	log := e.log.With("partition", p)
	failures := 0
	for ctx.Err() == nil {
		urgentOnly := e.working.Load() >= int64(e.inFlight)
		claims, next, err := e.store.Claim(ctx, p, claimMost, urgentOnly, e.lease)
		if err != nil {
			if failures++; failures == 1 && ctx.Err() == nil {
				log.Error("lanes cannot be claimed, trying again", "error", err)
			}
			sleep(ctx, min(time.Duration(failures)*100*time.Millisecond, 2*time.Second))
			continue
		}
		if failures > 0 {
			log.Info("lanes can be claimed again", "failures", failures)
			failures = 0
		}
		for _, c := range claims {
			e.working.Add(1)
			wg.Go(func() {
				defer e.working.Add(-1)
				e.turn(turns, c)
			})
		}
		switch {
		case len(claims) == claimMost:
		case urgentOnly:
			// Without room for the lanes that are due, the bell would ring all the time.
			sleep(ctx, 50*time.Millisecond)
		default:
			if err := e.store.Await(ctx, p, min(max(next, time.Millisecond), bell)); err != nil {
				sleep(ctx, 100*time.Millisecond)
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// turn visits one lane under its lease.
func (e *Engine) turn(parent context.Context, c Claim) {
	log := e.log.With("incident", c.State.ID, "lane", string(c.Lane))
	ctx, lost := context.WithCancelCause(parent)
	defer lost(nil)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		e.heartbeat(ctx, c, lost, log)
	}()
	defer func() { lost(nil); <-stopped }()

	s := &session{engine: e, claim: c, state: c.State}
	inc, err := Decode(c.State)
	if err != nil {
		log.Error("incident cannot be read, lane set aside", "error", err)
		_ = s.settle(ctx, responsehub.GiveUp(err, nil), log)
		return
	}
	f, ok := e.followers[c.Lane]
	if !ok {
		// A newer hub may know the lane; this one leaves it alone.
		_ = s.write(ctx, nil, ThenAfter, 30*time.Second, "this hub does not know the lane "+string(c.Lane))
		return
	}
	start := time.Now()
	t := responsehub.NewTurn(inc, c.Attempt, s.save)
	t.Fence = responsehub.Fence{Incident: inc.ID, Lane: c.Lane, Token: c.Token}
	var out responsehub.Outcome
	if e.around == nil {
		out = follow(ctx, f, t)
	} else {
		out = e.around(ctx, c.Lane, t, func(ctx context.Context) responsehub.Outcome { return follow(ctx, f, t) })
	}
	e.metrics.turn(c.Lane, out, time.Since(start))
	if errors.Is(context.Cause(ctx), errLeaseLost) || errors.Is(out.Err, ErrStale) {
		log.Warn("lease lost, turn dropped")
		return
	}
	err = s.settle(ctx, out, log)
	if _, refused := errors.AsType[*editError](err); refused {
		log.Error("turn's result cannot be written", "error", err)
		err = s.settle(ctx, responsehub.TryAgain(err, nil), log)
	}
	if err != nil && !errors.Is(err, ErrStale) {
		log.Error("turn cannot be settled; the lane starts again when its lease ends", "error", err)
	}
}

// follow calls the follower and turns a panic into a failed turn: one broken incident
// must not take the hub down.
func follow(ctx context.Context, f responsehub.Follower, t *responsehub.Turn) (out responsehub.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = responsehub.TryAgain(fmt.Errorf("panic: %v\n%s", p, debug.Stack()), nil)
		}
	}()
	return f.Follow(ctx, t)
}

// heartbeat extends the lease while the turn runs, and ends the turn when the lease is
// lost or Redis has been silent for so long that it may be.
func (e *Engine) heartbeat(ctx context.Context, c Claim, lost context.CancelCauseFunc, log *slog.Logger) {
	every := e.lease / 4
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		err := e.store.Extend(ctx, c, e.lease)
		switch {
		case err == nil:
			last = time.Now()
		case errors.Is(err, ErrStale), time.Since(last) > e.lease-every:
			if ctx.Err() == nil {
				log.Warn("lease cannot be kept", "error", err)
			}
			lost(errLeaseLost)
			return
		}
	}
}
