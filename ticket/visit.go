package ticket

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"responsehub"
)

const (
	// settles is how long the PSA gets to finish what nobody knows the outcome of, before
	// it is looked up: a search right after may miss it.
	settles = 8 * time.Second
	// fresh is how long a ticket that was read is taken to be so still.
	fresh = 20 * time.Second
	// outage is a failure so long that what was missed is told in one note.
	outage = 5 * time.Minute
	// stillWorthIt is how old a closed incident may be to get a ticket after an outage.
	stillWorthIt = 48 * time.Hour
)

const (
	intentCreate = "create"
	intentNote   = "note"
	intentMove   = "move"
)

// visit is one turn at one connection.
type visit struct {
	f    *Follower
	t    *responsehub.Turn
	name string
	conn Connection

	ticket *Ticket // as read in this visit
}

func (v *visit) inc() *responsehub.Incident { return v.t.Incident }

func (v *visit) ref() *responsehub.TicketRef {
	ref := v.inc().Tickets[v.name]
	return &ref
}

// save changes the incident's ticket. An error is the store's.
func (v *visit) save(ctx context.Context, edit func(*responsehub.Incident, *responsehub.TicketRef)) error {
	err := v.t.Save(ctx, func(inc *responsehub.Incident) error {
		if inc.Tickets == nil {
			inc.Tickets = map[string]responsehub.TicketRef{}
		}
		ref := inc.Tickets[v.name]
		edit(inc, &ref)
		inc.Tickets[v.name] = ref
		return nil
	})
	if err != nil {
		return &storeError{err}
	}
	return nil
}

// storeError is a write that failed: nothing more is done in this turn.
type storeError struct{ err error }

func (e *storeError) Error() string { return "ticket: save: " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

func record(inc *responsehub.Incident, kind responsehub.EventKind, by responsehub.By, text string) {
	inc.Record(responsehub.Event{At: time.Now(), Kind: kind, By: by, Text: text})
}

// keep visits the connection and says when to come back; 0: when something changes. An
// error is the store's: a PSA that fails is noted and costs nobody else anything.
func (v *visit) keep(ctx context.Context) (time.Duration, error) {
	if v.conn.Desk == nil {
		return 0, v.nameless(ctx)
	}
	if wait := time.Until(v.ref().RetryAt); wait > 0 {
		return wait, nil
	}
	due, later, err := v.due(ctx)
	if err != nil {
		return 0, err
	}
	if !due {
		if v.ref().ID != "" {
			err = v.worked(ctx, later) // a turn that ended right before it could say so
		}
		return later, err
	}
	blocked, err := v.f.cfg.Queue.Blocked(ctx, v.name)
	if err != nil {
		return 0, err
	}
	if blocked > 0 {
		return v.staggered(blocked), nil
	}
	atOnce := v.conn.AtOnce
	if atOnce <= 0 {
		atOnce = 4
	}
	leave, wait, err := v.f.cfg.Queue.Enter(ctx, v.name, atOnce, v.inc().ID, rank(v.inc()))
	if err != nil || leave == nil {
		return wait, err
	}
	defer leave()
	later, err = v.run(ctx)
	if err == nil {
		return later, v.worked(ctx, later)
	}
	if _, ours := errors.AsType[*storeError](err); ours || ctx.Err() != nil {
		return 0, err
	}
	return v.failed(ctx, err)
}

// jitter keeps those who wait for the same thing from coming all at once.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/4+time.Second)
}

// staggered is when to come back to a connection that is barred for so long: the most
// severe incidents first, each severity within its own second, for whoever comes first
// gets what there is by then.
func (v *visit) staggered(barred time.Duration) time.Duration {
	return barred + time.Duration(severity(v.inc()))*time.Second + rand.N(time.Second)
}

// due reports whether there is anything to do, and else when there will be.
func (v *visit) due(ctx context.Context) (bool, time.Duration, error) {
	inc, ref := v.inc(), v.ref()
	if ref.ID == "" {
		return ref.Intent != "" || !v.tooLate(), 0, nil
	}
	if ref.Hints > ref.Heard || ref.Intent != "" || v.f.moves(inc, v.name, ref) || v.wantsStage() != "" {
		return true, 0, nil
	}
	pending, held, err := v.pending(ctx)
	if err != nil {
		return false, 0, err
	}
	return len(pending) > 0, held, nil
}

// tooLate reports whether a ticket would be made for something long over.
func (v *visit) tooLate() bool {
	return v.inc().State.Closed() && time.Since(v.inc().OpenedAt) > stillWorthIt
}

// run does what there is to do, in order: the ticket, what happened to it, the notes,
// the status.
func (v *visit) run(ctx context.Context) (time.Duration, error) {
	for range 4 { // a ticket that was merged, deleted or is too old leads to another
		if v.ref().ID == "" {
			if wait, err := v.open(ctx); err != nil || wait > 0 || v.ref().ID == "" {
				return wait, err
			}
		}
		if wait, err := v.recover(ctx); err != nil || wait > 0 {
			return wait, err
		}
		again, err := v.look(ctx)
		if err != nil {
			return 0, err
		}
		if again {
			continue
		}
		if again, err = v.reopen(ctx); err != nil {
			return 0, err
		}
		if again {
			continue
		}
		if err := v.assign(ctx); err != nil {
			return 0, err
		}
		held, err := v.tell(ctx)
		if err != nil {
			return 0, err
		}
		more, err := v.move(ctx)
		if err != nil || !more {
			return held, err
		}
	}
	return time.Minute, nil
}

// nameless notes once that a connection is gone from the configuration.
func (v *visit) nameless(ctx context.Context) error {
	const gone = "No ticket is kept: the configuration has no connection of this name any more."
	if v.ref().Failure == gone {
		return nil
	}
	return v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		ref.Failure, ref.Told = gone, true
		record(inc, responsehub.EventNoticeFailed, responsehub.Hub.By(), fmt.Sprintf("PSA connection %q: %s", v.name, gone))
	})
}
