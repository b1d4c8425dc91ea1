package remediation

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"responsehub"
)

// maxAttempts is how many failed turns in a row a lane gets before it is set aside
// where people see it. With pauses up to a minute that is most of an hour.
const maxAttempts = 50

// session writes on behalf of one turn, under its fence.
type session struct {
	engine *Engine
	claim  Claim
	state  State // as last read or written
}

// save writes an edit in the middle of the turn.
func (s *session) save(ctx context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
	if err := s.write(ctx, edit, ThenKeep, 0, ""); err != nil {
		return nil, err
	}
	return Decode(s.state)
}

// settle gives the lane back as the outcome says.
func (s *session) settle(ctx context.Context, out responsehub.Outcome, log *slog.Logger) error {
	// The result of work that was done must be written even when the hub is stopping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.engine.lease)
	defer cancel()
	if out.Err == nil {
		then := ThenDone
		if out.After > 0 {
			then = ThenAfter
		}
		return s.write(ctx, out.Edit, then, out.After, "")
	}
	if errors.Is(out.Err, context.Canceled) || errors.Is(out.Err, errStopping) {
		return s.write(ctx, out.Edit, ThenAfter, 0, "") // stopped, not failed: start elsewhere at once
	}
	sentence := responsehub.Sentence(out.Err)
	kind := responsehub.KindOf(out.Err)
	if out.Dead && out.Quiet {
		log.Info("lane stays set aside", "why", sentence)
		return s.write(ctx, out.Edit, ThenDead, 0, sentence)
	}
	if out.Dead || s.claim.Attempt+1 >= maxAttempts {
		log.Error("lane set aside", "error", out.Err, "attempts", s.claim.Attempt+1)
		s.engine.metrics.dead.WithLabelValues(string(s.claim.Lane)).Inc()
		return s.write(ctx, s.engine.abandon(s.claim.Lane, out, sentence), ThenDead, 0, sentence)
	}
	after := backoff(s.claim.Lane, s.claim.Attempt)
	if e, ok := errors.AsType[*responsehub.Error](out.Err); ok {
		after = max(after, e.RetryAfter)
	}
	if kind == responsehub.Throttled { // being limited is "later", never an attempt
		log.Info("lane limited", "after", after, "why", sentence)
		return s.write(ctx, out.Edit, ThenPause, after, sentence)
	}
	log.Warn("turn failed, trying again", "error", out.Err, "attempt", s.claim.Attempt+1, "after", after)
	return s.write(ctx, out.Edit, ThenRetry, after, sentence)
}

// Abandoner is a follower that wants to say so in the incident when its lane is given
// up, for instance by marking its step failed.
type Abandoner interface {
	Abandon(inc *responsehub.Incident, sentence string) error
}

// abandon adds to the outcome's edit what people must see of a lane that was given up.
func (e *Engine) abandon(lane responsehub.Lane, out responsehub.Outcome, sentence string) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		if out.Edit != nil {
			if err := out.Edit(inc); err != nil {
				return err
			}
		}
		if a, ok := e.followers[lane].(Abandoner); ok {
			if err := a.Abandon(inc, sentence); err != nil {
				return err
			}
		}
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventLaneDead, By: responsehub.Hub.By(), Text: "The hub gave up on \"" + string(lane) + "\": " + sentence})
		return nil
	}
}

// backoff is the pause after a failed turn: doubling with full jitter. The lock is
// tried sooner and more often than anything else.
func backoff(lane responsehub.Lane, attempt int) time.Duration {
	first, most := time.Second, time.Minute
	if lane == responsehub.LaneLock {
		first, most = 250*time.Millisecond, 15*time.Second
	}
	d := min(first<<min(attempt, 10), most)
	return d/2 + rand.N(d/2)
}

// write applies an edit to the newest state and stores it under the fence. When
// somebody else wrote first, the edit is applied anew.
func (s *session) write(ctx context.Context, edit responsehub.Edit, then Then, after time.Duration, why string) error {
	for try := range maxConflicts {
		set := Settlement{Claim: s.claim, Then: then, After: after, Error: why}
		before, inc, err := s.apply(edit, &set)
		if err != nil {
			return err
		}
		if set.Write == nil && then == ThenKeep {
			return nil
		}
		err = s.engine.store.Settle(ctx, set)
		if errors.Is(err, ErrConflict) {
			if err := pause(ctx, try); err != nil {
				return err
			}
			if s.state, err = s.engine.store.Load(ctx, s.claim.State.ID, ""); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if w := set.Write; w != nil {
			s.state.Version, s.state.Doc, s.state.Seq, s.state.Head = s.state.Version+1, w.Doc, w.Seq, w.Head
			s.engine.metrics.wrote(before, inc)
		}
		return nil
	}
	return ErrConflict
}

// apply puts the edit, if it changes anything, into the settlement.
func (s *session) apply(edit responsehub.Edit, set *Settlement) (before, after *responsehub.Incident, err error) {
	if edit == nil {
		return nil, nil, nil
	}
	if before, err = Decode(s.state); err != nil {
		return nil, nil, err
	}
	if after, err = Decode(s.state); err != nil {
		return nil, nil, err
	}
	if err := edit(after); err != nil {
		return nil, nil, &editError{err}
	}
	c, changed, err := s.engine.change(s.state, before, after)
	if err == nil && changed {
		set.Write = &c
	}
	return before, after, err
}

// editError is a follower's own mistake, told apart from a failure of the store.
type editError struct{ err error }

func (e *editError) Error() string { return "edit refused: " + e.err.Error() }
func (e *editError) Unwrap() error { return e.err }
