package steps

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// requested reports whether one of the events asks for one of the steps.
func requested(events []responsehub.Event, ids ...responsehub.StepID) bool {
	return slices.ContainsFunc(events, func(e responsehub.Event) bool {
		return (e.Kind == responsehub.EventRequested || e.Kind == responsehub.EventUndoRequested) && slices.Contains(ids, e.Step)
	})
}

// begin marks a step as running.
func begin(s *responsehub.Step, now time.Time) error {
	if s.StartedAt.IsZero() {
		s.StartedAt = now.UTC()
	}
	return s.To(responsehub.Running)
}

// sent marks a step whose effect Microsoft accepted and the hub has yet to read back.
func sent(inc *responsehub.Incident, s *responsehub.Step, now time.Time, text string) error {
	s.SentAt, s.Reason = now.UTC(), ""
	inc.Record(responsehub.Event{At: now, Kind: responsehub.EventSent, By: s.RequestedBy, Step: s.ID, Text: text})
	return s.To(responsehub.Sent)
}

// done marks a step whose effect was read back. When the step was asked for again
// meanwhile, another round follows.
func done(inc *responsehub.Incident, s *responsehub.Step, proof responsehub.Proof, text string) error {
	proof.At = proof.At.UTC()
	s.Proof, s.VerifiedAt, s.Reason = &proof, proof.At, ""
	if err := s.To(responsehub.Done); err != nil {
		return err
	}
	inc.Record(responsehub.Event{At: proof.At, Kind: responsehub.EventDone, By: s.RequestedBy, Step: s.ID, Text: text})
	return again(inc, s, proof.At)
}

// ended marks a step that stopped short of done: failed, partial or in need of a human.
func ended(inc *responsehub.Incident, s *responsehub.Step, state responsehub.StepState, reason string, now time.Time) error {
	s.Reason = reason
	if err := s.To(state); err != nil {
		return err
	}
	kind := map[responsehub.StepState]responsehub.EventKind{
		responsehub.Failed: responsehub.EventFailed, responsehub.Partial: responsehub.EventPartial, responsehub.NeedsHuman: responsehub.EventNeedsHuman,
	}[state]
	inc.Record(responsehub.Event{At: now, Kind: kind, By: s.RequestedBy, Step: s.ID, Text: s.ID.Title() + ": " + reason})
	return again(inc, s, now)
}

// again starts the round that was asked for while the step was at work.
func again(inc *responsehub.Incident, s *responsehub.Step, now time.Time) error {
	next := s.Next
	if next == nil {
		return nil
	}
	s.Next, s.Undo, s.Asked, s.Action = nil, false, next.Items, next.Action
	s.Everywhere, s.Preview, s.Note, s.Cursor = next.Everywhere, next.Preview, "", ""
	s.RequestedBy, s.RequestedAt = next.By, next.At
	s.Round++
	s.StartedAt, s.SentAt = time.Time{}, time.Time{}
	inc.Record(responsehub.Event{At: now, Kind: responsehub.EventRequested, By: next.By, Step: s.ID, Text: s.ID.Title() + ": the next round, asked for meanwhile by " + next.By.Name})
	return s.To(responsehub.Queued)
}

// hopeless reports whether trying again by itself cannot help: a right has to be
// granted, or the thing does not exist.
func hopeless(err error) bool {
	switch responsehub.KindOf(err) {
	case responsehub.Forbidden, responsehub.NotFound, responsehub.Invalid, responsehub.Permanent, responsehub.Refused, responsehub.Conflict:
		return true
	}
	return false
}

// failed ends a turn with an error: a hopeless one fails the step and tells why, any
// other is tried again while the step shows what it waits for.
func failed(id responsehub.StepID, err error) responsehub.Outcome {
	reason := responsehub.Sentence(err)
	if hopeless(err) {
		return responsehub.Settle(func(inc *responsehub.Incident) error {
			return ended(inc, inc.Step(id), responsehub.Failed, reason, time.Now())
		})
	}
	return responsehub.TryAgain(err, func(inc *responsehub.Incident) error {
		return waits(inc, id, reason)
	})
}

// waits notes why a step is not getting on. The record gets one entry for each new
// reason, not one for each try.
func waits(inc *responsehub.Incident, id responsehub.StepID, reason string) error {
	s := inc.Step(id)
	if s.Reason == reason || !s.State.Busy() {
		return nil
	}
	s.Reason = reason
	inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventRetrying, By: responsehub.Hub.By(), Step: id, Text: id.Title() + ": " + reason + " The hub tries again."})
	return nil
}

// abandon fails a step whose lane was given up.
func abandon(inc *responsehub.Incident, id responsehub.StepID, sentence string) error {
	s := inc.Step(id)
	if !s.State.Busy() {
		return nil
	}
	s.Next = nil
	if s.Undo {
		return ended(inc, s, responsehub.NeedsHuman, sentence+" The hub has tried for a long time to take this back and gave up; ask for the undo again.", time.Now())
	}
	return ended(inc, s, responsehub.Failed, sentence+" The hub has tried for a long time and gave up; press the button to try again.", time.Now())
}

// maxNamed is how many of many a reason names.
const maxNamed = 5

// cmpErr returns the first error there is.
func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// firstFew names a few and counts the rest of them all.
func firstFew(lines []string, all int) string {
	lines = slices.Sorted(slices.Values(lines))
	if all > maxNamed {
		lines = lines[:min(len(lines), maxNamed)]
		return strings.Join(lines, " ") + fmt.Sprintf(" And %d more.", all-len(lines))
	}
	return strings.Join(lines, " ")
}
