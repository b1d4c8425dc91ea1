package responsehub

import (
	"fmt"
	"strings"
	"time"
)

// skip sets items or the whole step aside, with a reason.
func (inc *Incident) skip(s *Step, actor Actor, r StepRequest, now time.Time) (Answer, error) {
	switch {
	case !s.ID.Skippable():
		return Answer{}, Refuse(fmt.Sprintf("%s cannot be set aside.", s.ID.Title()))
	case strings.TrimSpace(r.Reason) == "":
		return Answer{}, &Error{Kind: Invalid, Pointer: "/reason", Message: "Setting something aside needs a reason, which is kept in the record."}
	case inc.State.Closed():
		return Answer{}, Refuse(inc.closedSentence())
	case inc.State == Unpublished:
		return Answer{}, Refuse(unpublishedSentence)
	case s.State.Busy():
		return Answer{}, Refuse(fmt.Sprintf("%s is under way. Wait until it ends, then set aside what is left.", s.ID.Title()))
	}
	if len(r.Items) == 0 && s.State.Settled() {
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s is settled already.", s.ID.Title())}, nil
	}
	ids := r.Items
	if len(ids) == 0 {
		for i := range s.Items {
			ids = append(ids, s.Items[i].ID)
		}
	}
	for _, id := range ids {
		it := s.Item(id)
		if it.State.Settled() {
			continue
		}
		it.State, it.Why, it.By, it.At = Skipped, "Set aside by "+actor.Name+": "+r.Reason, actor.By(), now.UTC()
		inc.Record(Event{At: now, Kind: EventItemSkipped, By: actor.By(), Step: s.ID, Item: it.ID, Text: it.Title() + " set aside by " + actor.Name + ": " + r.Reason})
	}
	inc.acknowledge(actor, now)
	if len(r.Items) > 0 {
		if s.Settle() && s.State == Done {
			s.VerifiedAt, s.Proof = now.UTC(), &Proof{Value: "every item is settled, the last one set aside by " + actor.Name, At: now.UTC()}
		}
		return Answer{Sentence: "Set aside, with your reason on record."}, nil
	}
	s.State, s.Reason, s.Confirm = Skipped, "Set aside by "+actor.Name+": "+r.Reason, nil
	s.RequestedAt, s.RequestedBy = now.UTC(), actor.By()
	inc.Record(Event{At: now, Kind: EventSkipped, By: actor.By(), Step: s.ID, Text: s.ID.Title() + " set aside by " + actor.Name + ": " + r.Reason})
	return Answer{Sentence: s.ID.Title() + " is set aside, with your reason on record."}, nil
}

// Settle makes a step done whose last open item was just settled, and reports whether
// nothing of the step is open. What could not be read is open too. A step of which only
// a person's judgement is left says so, and no longer that something failed.
func (s *Step) Settle() bool {
	var judge []string
	for i := range s.Items {
		it := &s.Items[i]
		switch {
		case it.State.Settled():
		case it.State == NeedsHuman && !it.Kind.Blocks():
			judge = append(judge, it.Title())
		default:
			return false
		}
	}
	if len(s.Unread) > 0 {
		return false
	}
	if len(judge) > 0 {
		if s.State == Partial {
			s.State, s.Reason = NeedsHuman, "Only a person can judge these: "+list(judge, 5)+". Look at them, then set them aside with a reason."
		}
		return false
	}
	if s.State == Partial || s.State == Failed || s.State == NeedsHuman {
		s.State, s.Reason = Done, ""
	}
	return true
}
