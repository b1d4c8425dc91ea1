package responsehub

import (
	"slices"
	"time"
)

// Reopen opens step 3 again because something came back, or is new, after it had ended:
// the reason is what people read. With Response on the policy asks for the step at once;
// otherwise it waits for a person. It does nothing while the step is at work, and to an
// incident that is not active.
func (inc *Incident) Reopen(reason string, now time.Time, holds ...Hold) {
	s := inc.Step(Persistence)
	if inc.State != Active || s.State.Busy() || s.State == Undone {
		return
	}
	s.Proof, s.VerifiedAt = nil, time.Time{}
	held := s.Held || slices.ContainsFunc(holds, func(h Hold) bool { return slices.Contains(h.Steps, Persistence) })
	if inc.Response && !held {
		inc.queue(Persistence, Policy, StepRequest{Reason: reason}, now)
		return
	}
	switch s.State {
	case Done:
		s.State = NeedsHuman
	case Skipped:
		s.State = Partial
	}
	s.Reason = reason
	kind := EventNeedsHuman
	if s.State != NeedsHuman {
		kind = EventPartial
	}
	inc.Record(Event{At: now, Kind: kind, By: Hub.By(), Step: Persistence, Text: Persistence.Title() + ": " + reason})
}

// Restore notes that an item which was disabled is there again, or works again.
func (inc *Incident) Restore(it *Item, why string, now time.Time) {
	it.Returned++
	it.State, it.Why, it.Proof = Waiting, why, nil
	if !it.Kind.Blocks() {
		it.State = NeedsHuman
	}
	inc.Record(Event{At: now, Kind: EventItemReturned, By: Hub.By(), Step: Persistence, Item: it.ID, Text: it.Title() + " came back: " + why})
}
