package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// Retract is step 2: find the phish and move it to Deleted Items. The message trace is
// asked first who got it; where it cannot say, all mailboxes are searched. Every
// message's mailbox and folder are written down before it is moved; a message whose move
// has an unknown outcome is looked up before it is moved again, because Microsoft's move
// is not idempotent. A turn that dies goes on where it was.
type Retract struct {
	Mail    Mail
	Letters Letters
}

var _ responsehub.Follower = (*Retract)(nil)

// Lane returns the retraction's lane.
func (r *Retract) Lane() responsehub.Lane { return responsehub.LaneRetract }

// Wake reports whether the retraction was asked for.
func (r *Retract) Wake(_ *responsehub.Incident, events []responsehub.Event) bool {
	return requested(events, responsehub.Retract)
}

// Abandon marks the step as failed when the lane is given up.
func (r *Retract) Abandon(inc *responsehub.Incident, sentence string) error {
	return abandon(inc, responsehub.Retract, sentence)
}

// Follow searches, moves and reads back, all at the same time.
func (r *Retract) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	s := t.Incident.Step(responsehub.Retract)
	if !s.State.Busy() {
		return responsehub.Settle(nil)
	}
	if s.Undo {
		return r.takeBack(ctx, t)
	}
	if len(t.Incident.Phish) == 0 {
		return responsehub.Settle(func(inc *responsehub.Incident) error {
			return done(inc, inc.Step(responsehub.Retract), responsehub.Proof{Value: "the alert names no phishing mail", At: time.Now()}, "No phishing mail is named, so there is nothing to retract")
		})
	}
	if err := t.Save(ctx, func(inc *responsehub.Incident) error { return begin(inc.Step(responsehub.Retract), time.Now()) }); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	w, err := r.begin(ctx, t)
	if err == nil {
		err = w.work(ctx)
	}
	switch {
	case err != nil && (ctx.Err() != nil || isForeign(err)):
		return responsehub.TryAgain(err, nil)
	case err != nil:
		return failed(responsehub.Retract, err)
	}
	return w.outcome()
}

// isForeign reports whether an error is not one for people: the store's, mostly.
func isForeign(err error) bool {
	return responsehub.KindOf(err) == responsehub.Unavailable && responsehub.Sentence(err) == responsehub.Sentence(nil)
}

// outcome ends the turn: with what is still to come, or with the step's end.
func (w *run) outcome() responsehub.Outcome {
	at := w.track.cursor()
	if w.later != nil && at.Turns < maxTurns {
		at.Turns++
		save, reason := w.progress(at), responsehub.Sentence(w.later)
		return responsehub.TryAgain(w.later, func(inc *responsehub.Incident) error {
			if err := save(inc); err != nil {
				return err
			}
			return waits(inc, responsehub.Retract, reason)
		})
	}
	for _, box := range at.Left {
		at.take(visit{box: box, end: unreachable, why: "did not answer for a long time."})
	}
	at.Left = nil
	save := w.progress(at)
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		if err := save(inc); err != nil {
			return err
		}
		return w.conclude(inc, at)
	})
}

// maxTurns is how often a run that leaves something out is done again before that is
// said to be out of reach.
const maxTurns = 20

// conclude settles the step from its letters.
func (w *run) conclude(inc *responsehub.Incident, at cursor) error {
	s := inc.Step(responsehub.Retract)
	s.Cursor = ""
	p := *s.Progress
	var faults []string
	if n := w.book.faults(); n > 0 {
		faults = append(faults, fmt.Sprintf("%d messages could not be moved: %s", n, w.book.why))
	}
	if n := w.unmoved; n > 0 {
		faults = append(faults, fmt.Sprintf("%d messages could not be moved yet: %s", n, responsehub.Sentence(w.later)))
	}
	if p.Unreachable > 0 {
		faults = append(faults, fmt.Sprintf("%d mailboxes could not be searched: %s", p.Unreachable, firstFew(at.Unread, p.Unreachable)))
	}
	s.Unread = at.Unread
	if s.Preview {
		n, boxes := w.book.waiting()
		faults = append([]string{fmt.Sprintf("%d messages in %d mailboxes match%s. Ask again to move them.", n, boxes, w.book.byRule())}, faults...)
		return ended(inc, s, responsehub.NeedsHuman, strings.Join(faults, " "), time.Now())
	}
	if len(faults) == 0 {
		proof := responsehub.Proof{Value: fmt.Sprintf("%d of %d messages lie in Deleted Items, %d mailboxes searched", p.Moved+p.Already, p.Found-p.Kept, p.Searched), RequestID: w.requestID, At: time.Now()}
		return done(inc, s, proof, "Phishing mail retracted: "+progressWords(p)+", read back from Microsoft")
	}
	state := responsehub.Partial
	if p.Searched == 0 {
		state = responsehub.Failed
	}
	return ended(inc, s, state, strings.Join(faults, " "), time.Now())
}

func progressWords(p responsehub.Progress) string {
	return fmt.Sprintf("%d of %d mailboxes searched, %d found, %d moved", p.Searched, p.Mailboxes, p.Found, p.Moved)
}
