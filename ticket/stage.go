package ticket

import (
	"context"
	"fmt"
	"slices"
	"time"

	"responsehub"
)

// StageOf is where an incident stands, as a ticket's status shows it.
func StageOf(inc *responsehub.Incident) Stage {
	if inc.State.Closed() {
		return Closed
	}
	busy, stuck, begun, contained := false, false, inc.Acknowledged != nil, true
	for _, id := range responsehub.StepIDs[1:] {
		s := inc.Step(id)
		busy = busy || s.State.Busy()
		begun = begun || s.Round > 0 || s.State != responsehub.Waiting
		stuck = stuck || slices.Contains([]responsehub.StepState{responsehub.NeedsHuman, responsehub.Partial, responsehub.Failed}, s.State)
		if id.Automatic() {
			contained = contained && s.State.Settled()
		}
	}
	switch {
	case busy:
		return Working
	case stuck:
		return Waiting
	case contained:
		return Contained
	case begun:
		return Working
	}
	return New
}

// wantsStage is the stage to which the ticket has to be set, or "".
func (v *visit) wantsStage() Stage {
	inc, ref := v.inc(), v.ref()
	want := StageOf(inc)
	switch {
	case string(want) == ref.Stage || ref.Foreign:
		return ""
	case want != Closed && (ref.Closed || time.Now().Before(ref.Quiet)):
		return "" // a person closed it; or somebody works against the hub
	case want != Closed && waits(inc, time.Now()) > 0:
		return "" // the steps that run by themselves are about to end
	case ref.Stage == string(Reopened) && (want == New || want == Working):
		return ""
	}
	return want
}

// move sets the ticket's status to where the incident stands, and reports whether there
// is more to tell: a PSA that does not let the hub close a ticket is no reason to lose
// the resolution, but to say so.
func (v *visit) move(ctx context.Context) (more bool, err error) {
	want := v.wantsStage()
	if want == "" {
		return false, nil
	}
	if want == Closed && v.ref().Closed {
		return false, v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) { ref.Stage, ref.Intent = string(want), "" })
	}
	err = v.set(ctx, want)
	if err == nil || !lasting(err) {
		return false, err
	}
	return want == Closed, v.flaw(ctx, fmt.Sprintf("its status cannot be set to %q", want), err, func(ref *responsehub.TicketRef) {
		ref.Stage, ref.Intent = string(want), ""
		if want == Closed {
			ref.Refused = clean(responsehub.Sentence(err), 300)
		}
	})
}

// set moves the ticket and notes what became of it.
func (v *visit) set(ctx context.Context, want Stage) error {
	if err := v.intend(ctx, intentMove); err != nil {
		return err
	}
	said := ""
	if want == Closed {
		said = resolution(v.inc())
	}
	t, moved, err := v.conn.Move(ctx, v.ref().ID, want, said)
	if err != nil {
		return err
	}
	return v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) {
		ref.Stage, ref.Intent = string(want), ""
		if t.ID != "" {
			hold(ref, t)
			switch {
			case want == Closed && moved:
				ref.Closed, ref.ClosedAt = t.Closed, time.Now().UTC()
			case want == Reopened && !t.Closed:
				ref.Closed, ref.ClosedBy, ref.ClosedAt = false, "", time.Time{}
			}
		}
	})
}

// reopen opens a ticket again that a person closed while the incident goes on, or lets
// go of one that was closed too long ago. It reports whether another is needed.
func (v *visit) reopen(ctx context.Context) (again bool, err error) {
	ref := v.ref()
	if !ref.Closed || ref.Foreign || v.inc().State.Closed() {
		return false, nil
	}
	pending, _, err := v.pending(ctx)
	if err != nil || !slices.ContainsFunc(pending, func(n note) bool { return n.activity }) {
		return false, err
	}
	if time.Since(ref.ClosedAt) > time.Duration(v.conn.ReopenDays)*24*time.Hour {
		return true, v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) {
			leave(ref, "was closed too long ago to be opened again")
		})
	}
	if time.Now().Before(ref.Quiet) {
		return false, nil
	}
	err = v.set(ctx, Reopened)
	if lasting(err) && err != nil {
		return true, v.flaw(ctx, "it cannot be opened again", err, func(ref *responsehub.TicketRef) { leave(ref, "could not be opened again") })
	}
	return false, err
}
