package responsehub

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// StepRequest is what somebody asks of a step.
type StepRequest struct {
	CommandID  string   // the same id twice has the effect of once; empty: made by the engine
	Items      []string // item ids; empty means all
	Action     Action   // for persistence; empty is disable
	Skip       bool     // set the items, or the step, aside
	Reason     string   // needed to skip, and to do again what is done
	Everywhere bool     // for retract: search all mailboxes, not only those that a trace names
	Preview    bool     // for retract: search and count, move nothing
	Done       bool     // for the password: a person has reset it by hand
	TwoPeople  bool     // the engine's: the account needs a second person to ask
}

// MaxReason is the longest reason a person may give, in characters.
const MaxReason = 1000

// Answer is what the person who asked is told.
type Answer struct {
	Incident *Incident `json:"-"`
	Sentence string    `json:"sentence"`
	Joined   bool      `json:"joined"` // somebody had asked before: one effect, this is who
}

// Ask applies a request to the incident: it refuses with the gate's sentence, joins a
// request that is under way, or queues the step. It does not ask who the actor is;
// [Actor.May] was asked before.
func (inc *Incident) Ask(id StepID, actor Actor, r StepRequest, now time.Time) (Answer, error) {
	s := inc.Step(id)
	if s == nil {
		return Answer{}, &Error{Kind: NotFound, Message: fmt.Sprintf("There is no step %q.", id)}
	}
	if err := r.check(s); err != nil {
		return Answer{}, err
	}
	switch {
	case inc.Withdrawal.Running() && !inc.State.Closed():
		return Answer{}, Refuse(inc.withdrawalSentence())
	case s.Undo && s.State.Busy():
		return Answer{}, Refuse(fmt.Sprintf("%s is being taken back for %s. Ask again when that is done.", s.ID.Title(), s.RequestedBy.Name))
	case r.Skip:
		return inc.skip(s, actor, r, now)
	}
	if answer, joined := s.join(r); joined {
		return answer, nil
	}
	if s.State.Busy() {
		return inc.follow(s, actor, r, now)
	}
	if err := inc.Gate(id); err != nil {
		return Answer{}, err
	}
	if r.TwoPeople && !r.Done && id.Protected() {
		if answer, waits := inc.confirm(s, "", actor, r.Reason, now); waits {
			return answer, nil
		}
	}
	inc.callOff(actor.By(), actor.Name+" asked for step "+itoa(id.Number())+", "+id.Title(), now)
	switch id {
	case Publish, Close:
		return inc.settleAtOnce(s, actor, r, now), nil
	}
	inc.queue(id, actor, r, now)
	if r.Done {
		return Answer{Sentence: "Noted: the password was reset by hand. The hub looks whether Microsoft shows it."}, nil
	}
	return Answer{Sentence: fmt.Sprintf("%s: started.", s.ID.Title())}, nil
}

// check refuses a malformed request.
func (r StepRequest) check(s *Step) error {
	switch {
	case utf8.RuneCountInString(r.Reason) > MaxReason:
		return &Error{Kind: Invalid, Pointer: "/reason", Message: fmt.Sprintf("The reason is longer than %d characters.", MaxReason)}
	case !slices.Contains([]Action{"", Disable, Delete, Remove}, r.Action):
		return &Error{Kind: Invalid, Pointer: "/action", Message: "The action must be disable, delete or remove."}
	case r.Action != "" && s.ID != Persistence:
		return &Error{Kind: Invalid, Pointer: "/action", Message: "Only step 3, disable persistence, takes an action."}
	case (r.Everywhere || r.Preview) && s.ID != Retract:
		pointer := "/everywhere"
		if r.Preview {
			pointer = "/preview"
		}
		return &Error{Kind: Invalid, Pointer: pointer, Message: "Only step 2, retract phishing emails, can search everywhere or show beforehand what it would move."}
	case (r.Everywhere || r.Preview) && r.Skip:
		return &Error{Kind: Invalid, Pointer: "/skip", Message: "Setting a step aside and asking for it do not go together."}
	case r.Done && s.ID != Password:
		return &Error{Kind: Invalid, Pointer: "/done", Message: "Only step 4, reset password, can be said to be done by hand."}
	case r.Done && r.Skip:
		return &Error{Kind: Invalid, Pointer: "/skip", Message: "Setting a step aside and saying that it is done do not go together."}
	case r.Done && strings.TrimSpace(r.Reason) == "":
		return &Error{Kind: Invalid, Pointer: "/reason", Message: "Saying that it was done by hand needs a reason, such as where it was done. It is kept in the record."}
	case len(r.Items) > 0 && s.ID != Persistence:
		return &Error{Kind: Invalid, Pointer: "/items", Message: fmt.Sprintf("%s takes no items.", s.ID.Title())}
	}
	for i, id := range r.Items {
		if s.Item(id) == nil {
			return &Error{Kind: Invalid, Pointer: fmt.Sprintf("/items/%d", i), Message: fmt.Sprintf("This incident has no item %q in step 3.", id)}
		}
	}
	return nil
}

// join answers the second asker with what the first one started. A step that is done
// is done again only for a reason.
func (s *Step) join(r StepRequest) (Answer, bool) {
	switch {
	case r.Done && s.State == Done:
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s is done already; %s asked for it at %s.", s.ID.Title(), s.RequestedBy.Name, clock(s.RequestedAt))}, true
	case s.State.Busy() && s.covers(r):
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s was started by %s at %s and is under way.", s.ID.Title(), s.RequestedBy.Name, clock(s.RequestedAt))}, true
	case s.State == Done && r.Everywhere && !s.Everywhere:
		return Answer{}, false // a wider search than the one that is done
	case s.State == Done && (r.Reason == "" || s.ID == Publish || s.ID == Close):
		if len(r.Items) > 0 && !s.settled(r.Items) {
			return Answer{}, false
		}
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s was started by %s at %s and is done.%s", s.ID.Title(), s.RequestedBy.Name, clock(s.RequestedAt), s.againHint())}, true
	}
	return Answer{}, false
}

// covers reports whether the round under way does what the request asks.
func (s *Step) covers(r StepRequest) bool {
	if r.Action != s.Action && (r.Action != "" || s.Action != Disable) && (r.Action != Disable || s.Action != "") {
		return false
	}
	if r.Everywhere && !s.Everywhere || s.Preview && !r.Preview {
		return false
	}
	return len(s.Asked) == 0 || len(r.Items) > 0 && !slices.ContainsFunc(r.Items, func(id string) bool { return !slices.Contains(s.Asked, id) })
}

// follow lines up a request that the round under way does not cover.
func (inc *Incident) follow(s *Step, actor Actor, r StepRequest, now time.Time) (Answer, error) {
	if s.Next != nil && s.Next.Action != r.Action {
		return Answer{}, Refuse(fmt.Sprintf("%s is under way, and %s asked for something else after it. Ask again when both are done.", s.ID.Title(), s.Next.By.Name))
	}
	s.enqueue(actor, r, now)
	inc.Record(Event{At: now, Kind: EventRequested, By: actor.By(), Step: s.ID, Text: fmt.Sprintf("%s asked for by %s, after the round under way", s.ID.Title(), actor.Name)})
	return Answer{Sentence: fmt.Sprintf("%s is under way for %s. What you asked for follows right after it.", s.ID.Title(), s.RequestedBy.Name)}, nil
}

// enqueue adds to the round that follows.
func (s *Step) enqueue(actor Actor, r StepRequest, now time.Time) {
	n := s.Next
	if n == nil {
		s.Next = &Round{Items: slices.Clone(r.Items), Action: r.Action, Everywhere: r.Everywhere, Preview: r.Preview, By: actor.By(), At: now.UTC()}
		return
	}
	n.Everywhere, n.Preview = n.Everywhere || r.Everywhere, n.Preview && r.Preview
	if len(n.Items) == 0 || len(r.Items) == 0 {
		n.Items = nil
		return
	}
	for _, id := range r.Items {
		if !slices.Contains(n.Items, id) {
			n.Items = append(n.Items, id)
		}
	}
}

func (s *Step) againHint() string {
	if s.ID == Publish || s.ID == Close {
		return ""
	}
	return " To do it again, give a reason."
}

func (s *Step) settled(items []string) bool {
	return !slices.ContainsFunc(items, func(id string) bool { return !s.Item(id).State.Settled() })
}

// queue asks for the step's work. A step at work gets another round after this one,
// since what came in meanwhile may have been overlooked by the turn under way.
func (inc *Incident) queue(id StepID, actor Actor, r StepRequest, now time.Time) {
	s := inc.Step(id)
	if s.State.Busy() {
		s.enqueue(actor, StepRequest{}, now)
		return
	}
	if id == Retract && actor.Via != ViaPolicy {
		s.moveAgain()
	}
	s.State, s.Undo = Queued, false
	s.Round++
	s.Asked, s.Action, s.Reason = slices.Clone(r.Items), r.Action, ""
	s.Everywhere, s.Preview, s.Note = r.Everywhere, r.Preview, ""
	s.RequestedAt, s.RequestedBy = now.UTC(), actor.By()
	s.Unread, s.ByHand = nil, r.Done
	if actor.Via != ViaPolicy {
		s.Held = false
	}
	s.StartedAt, s.SentAt, s.VerifiedAt, s.Proof, s.Cursor = time.Time{}, time.Time{}, time.Time{}, nil, ""
	text := fmt.Sprintf("%s asked for by %s", id.Title(), actor.Name)
	if r.Done {
		text = fmt.Sprintf("%s: done by hand, says %s", id.Title(), actor.Name)
	}
	if c := s.Confirm; c != nil && c.By.ID != actor.ID {
		text += ", confirming " + c.By.Name
	}
	s.Confirm = nil
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	inc.Record(Event{At: now, Kind: EventRequested, By: actor.By(), Step: id, Text: text})
	inc.acknowledge(actor, now)
}

// moveAgain opens the letters that were brought back: whoever asks for the step by hand
// wants them gone after all. New evidence alone does not overrule the person who did.
func (s *Step) moveAgain() {
	for i := range s.Items {
		if it := &s.Items[i]; it.State == Undone {
			it.State, it.Proof = Waiting, nil
		}
	}
}

// settleAtOnce does publish and close, which have no effect outside the hub but the
// ones that followers bring about.
func (inc *Incident) settleAtOnce(s *Step, actor Actor, r StepRequest, now time.Time) Answer {
	s.State, s.Round = Done, s.Round+1
	s.RequestedAt, s.RequestedBy, s.VerifiedAt, s.Reason = now.UTC(), actor.By(), now.UTC(), r.Reason
	e := Event{At: now, By: actor.By(), Step: s.ID}
	sentence := "The incident is published. The steps can be run now."
	if s.ID == Publish {
		inc.State, e.Kind, e.Text = Active, EventPublished, "Published by "+actor.Name
	} else {
		inc.State, inc.ClosedAt = Remediated, now.UTC()
		e.Kind, e.Text = EventClosed, "Marked as remediated by "+actor.Name
		sentence = "The incident is marked as remediated."
	}
	inc.Record(e)
	inc.acknowledge(actor, now)
	return Answer{Sentence: sentence}
}

// acknowledge notes the first person who acted: any started step is an answer.
func (inc *Incident) acknowledge(actor Actor, now time.Time) {
	if inc.Acknowledged != nil || actor.Via == ViaPolicy || actor.Via == ViaHub || actor.Via == ViaAlert {
		return
	}
	inc.Acknowledged = &Acknowledgement{By: actor.By(), At: now.UTC()}
	inc.Record(Event{At: now, Kind: EventAcknowledged, By: actor.By(), Text: "Acknowledged by " + actor.Name})
}

// Acknowledge notes that the actor takes the incident. The first one wins; the second
// is told who was first.
func (inc *Incident) Acknowledge(actor Actor, now time.Time) Answer {
	if a := inc.Acknowledged; a != nil {
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s acknowledged this at %s.", a.By.Name, clock(a.At))}
	}
	inc.acknowledge(actor, now)
	return Answer{Sentence: "Acknowledged. Nobody else will be called."}
}
