package steps

import (
	"context"
	"encoding/json"
	"time"

	"responsehub"
)

// Restorer is a [Foothold] that can give an item back as its snapshot says.
type Restorer interface {
	Foothold
	// Restore makes the item what it was: switched on again, or made anew where the hub
	// had deleted it, in which case it puts the new id into item.Object. What is so
	// already is left alone. A state of Running says that an earlier attempt may have had
	// its effect, so that what cannot be repeated is looked for first.
	Restore(ctx context.Context, t Target, item *responsehub.Item) (Receipt, error)
	// Restored reports whether what was read now is what the snapshot before the change
	// says, in everything that the hub may have changed.
	Restored(before, now json.RawMessage) bool
}

// undone marks a step that was taken back and read back.
func undone(inc *responsehub.Incident, s *responsehub.Step, proof responsehub.Proof, text string) error {
	proof.At = proof.At.UTC()
	s.Proof, s.VerifiedAt, s.Reason = &proof, proof.At, ""
	if err := s.To(responsehub.Undone); err != nil {
		return err
	}
	inc.Record(responsehub.Event{At: proof.At, Kind: responsehub.EventStepUndone, By: s.RequestedBy, Step: s.ID, Text: text})
	return again(inc, s, proof.At)
}

// stays ends an undo with an error: a hopeless one leaves the step to a person, any other
// is tried again while the step shows what it waits for.
func stays(id responsehub.StepID, err error) responsehub.Outcome {
	if !hopeless(err) {
		return failed(id, err)
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		return ended(inc, inc.Step(id), responsehub.NeedsHuman, "It could not be taken back: "+responsehub.Sentence(err), time.Now())
	})
}
