package responsehub

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// UndoRequest is what somebody asks to have taken back.
type UndoRequest struct {
	CommandID string   // the same id twice has the effect of once; empty: made by the engine
	Items     []string // item ids of step 3; empty means all
	Reason    string   // needed; goes on record
	TwoPeople bool     // the engine's: the account needs a second person where it is opened
}

// AskUndo asks for a step to be taken back: the account as it was before the lock, the
// letters in their folders, the items of step 3 as they were. It refuses with a
// sentence, joins an undo that is under way, or queues it. What cannot be taken back is
// told by [Incident.Irreversible], before anything is done.
func (inc *Incident) AskUndo(id StepID, actor Actor, r UndoRequest, now time.Time) (Answer, error) {
	s := inc.Step(id)
	if s == nil {
		return Answer{}, &Error{Kind: NotFound, Message: fmt.Sprintf("There is no step %q.", id)}
	}
	if err := (StepRequest{Items: r.Items, Reason: r.Reason}).check(s); err != nil {
		return Answer{}, err
	}
	if why := noUndo[id]; why != "" {
		return Answer{}, Refuse(why)
	}
	if answer, joined := s.joinUndo(r.Items); joined {
		return answer, nil
	}
	switch {
	case inc.State.Closed():
		return Answer{}, Refuse(inc.closedSentence())
	case inc.Withdrawal.Running():
		return Answer{}, Refuse(inc.withdrawalSentence())
	case s.State.Busy():
		return Answer{}, Refuse(fmt.Sprintf("%s is under way. Wait until it ends, then take it back.", id.Title()))
	case !inc.Reversible(id):
		return Answer{}, Refuse(fmt.Sprintf("The hub has changed nothing in step %d that it could take back.", id.Number()))
	}
	for _, item := range r.Items {
		if it := s.Item(item); !it.reversible() {
			return Answer{}, Refuse(fmt.Sprintf("The hub has not changed %s, so there is nothing to take back.", it.Title()))
		}
	}
	if err := needReason(r.Reason, "Taking something back"); err != nil {
		return Answer{}, err
	}
	if r.TwoPeople && id == Lock {
		// To open the account must not be easier than to shut it.
		if answer, waits := inc.confirm(s, ToUndo, actor, r.Reason, now); waits {
			return answer, nil
		}
	}
	does := inc.Reversal(id)
	if n := len(r.Items); n > 0 {
		does = fmt.Sprintf("gives %s back as %s", count(n, "item"), plural(n, "it was", "they were"))
	}
	inc.queueUndo(s, actor.By(), r.Items, r.Reason, now)
	inc.acknowledge(actor, now)
	return Answer{Sentence: fmt.Sprintf("Undo of step %d: started. It %s.", id.Number(), does)}, nil
}

// noUndo says of the other steps why there is no way back.
var noUndo = map[StepID]string{
	Publish:  "Publishing cannot be taken back. If nothing is wrong with the account, declare a false alarm.",
	Password: "A password that was reset cannot be brought back. Reset it again if it must change.",
	Reenable: "Re-enabling is not undone: lock the account again with step 1.",
	Close:    "A closed incident stays closed.",
}

func needReason(reason, what string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return &Error{Kind: Invalid, Pointer: "/reason", Message: what + " needs a reason, which is kept in the record."}
	case utf8.RuneCountInString(reason) > MaxReason:
		return &Error{Kind: Invalid, Pointer: "/reason", Message: fmt.Sprintf("The reason is longer than %d characters.", MaxReason)}
	}
	return nil
}

// joinUndo answers the second asker with what the first one started.
func (s *Step) joinUndo(items []string) (Answer, bool) {
	covered := len(s.Asked) == 0 || len(items) > 0 && !slices.ContainsFunc(items, func(id string) bool { return !slices.Contains(s.Asked, id) })
	switch {
	case s.Undo && s.State.Busy() && covered:
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s is being taken back; %s asked for it at %s.", s.ID.Title(), s.RequestedBy.Name, clock(s.RequestedAt))}, true
	case s.State == Undone:
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s was taken back already; %s asked for it at %s.", s.ID.Title(), s.RequestedBy.Name, clock(s.RequestedAt))}, true
	case len(items) > 0 && !slices.ContainsFunc(items, func(id string) bool { return s.Item(id).State != Undone }):
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s was taken back already by %s.", s.Item(items[0]).Title(), s.Item(items[0]).By.Name)}, true
	}
	return Answer{}, false
}

// queueUndo asks the step's lane to take it back.
func (inc *Incident) queueUndo(s *Step, by By, items []string, reason string, now time.Time) {
	s.State, s.Undo = Queued, true
	s.Round++
	s.Asked, s.Action, s.Reason = slices.Clone(items), "", ""
	s.RequestedAt, s.RequestedBy = now.UTC(), by
	s.StartedAt, s.SentAt, s.VerifiedAt, s.Proof, s.Cursor = time.Time{}, time.Time{}, time.Time{}, nil, ""
	who := by.Name
	if c := s.Confirm; c != nil && c.For == ToUndo && c.By.ID != by.ID {
		who += ", confirming " + c.By.Name
	}
	s.Confirm = nil
	inc.Record(Event{At: now, Kind: EventUndoRequested, By: by, Step: s.ID, Text: fmt.Sprintf("Undo of step %d, %s, asked for by %s: %s", s.ID.Number(), s.ID.Title(), who, reason)})
}

// Reversible reports whether the hub did something in the step that it can take back.
func (inc *Incident) Reversible(id StepID) bool {
	s := inc.Step(id)
	if s == nil || s.State == Waiting || s.State == Undone {
		return false
	}
	switch id {
	case Lock:
		return len(s.Snapshot) > 0
	case Retract:
		return s.moved() > 0
	case Persistence:
		return slices.ContainsFunc(s.Items, func(it Item) bool { return it.reversible() })
	}
	return false
}

// moved counts the letters that the hub moved and has not brought back.
func (s *Step) moved() int {
	n := 0
	for i := range s.Items {
		if it := &s.Items[i]; len(it.Snapshot) > 0 && (it.State == Done || it.State == Running) {
			n++
		}
	}
	if s.Progress != nil {
		n = max(n, s.Progress.Moved)
	}
	return n
}

// reversible reports whether the hub changed the item, kept what it was, and knows how
// to make it so again.
func (i *Item) reversible() bool {
	// Nothing makes a hidden rule, and the copies of these two are no recipe for a new one.
	lost := (i.Action == Delete || i.Action == Remove) && (i.Hidden || i.Kind == SweepRule || i.Kind == TransportRule)
	return i.Kind.Restorable() && !lost && len(i.Snapshot) > 0 && (i.State == Done || i.State == Running)
}

// Restorable reports whether the hub can give an item of the kind back as it was.
func (k ItemKind) Restorable() bool {
	switch k {
	case InboxRule, SweepRule, TransportRule, ServicePrincipal, AppRegistration, InboundConnector, OAuthGrant,
		Forwarding, Delegate, AutoReply, Device:
		return true
	}
	return false
}

// Reversal says what taking the step back does, to continue "It ..."; "" when there is
// nothing to take back.
func (inc *Incident) Reversal(id StepID) string {
	if !inc.Reversible(id) {
		return ""
	}
	s := inc.Step(id)
	switch id {
	case Lock:
		return "gives the account back as it was before the lock"
	case Retract:
		n := s.moved()
		return fmt.Sprintf("moves %s back", count(n, "message"))
	}
	n := 0
	for i := range s.Items {
		if s.Items[i].reversible() {
			n++
		}
	}
	return fmt.Sprintf("gives %s back as %s", count(n, "item"), plural(n, "it was", "they were"))
}

// Irreversible names what was done in the steps (all when none is named) and stays so
// whatever is taken back: a person must know it before.
func (inc *Incident) Irreversible(ids ...StepID) []string {
	out := []string{}
	for i := range inc.Steps {
		s := &inc.Steps[i]
		if len(ids) > 0 && !slices.Contains(ids, s.ID) || s.State == Waiting || s.State == Undone {
			continue
		}
		switch s.ID {
		case Lock:
			if s.touched() {
				out = append(out, "The account's sessions were revoked: the user signs in anew on every device.")
			}
		case Retract:
			if s.moved() > 0 {
				out = append(out, "Mail that its owner has deleted for good or moved since stays as it is, and mail that was opened stays opened.")
			}
		case Persistence:
			out = append(out, s.lasting()...)
		case Password:
			if s.State == Done || !s.SentAt.IsZero() {
				out = append(out, inc.passwordLasts())
			}
		}
	}
	return out
}

// touched reports whether the lock may have had an effect.
func (s *Step) touched() bool {
	return !s.SentAt.IsZero() || s.State == Done || s.State == Partial || s.State == NeedsHuman || len(s.Snapshot) > 0
}

func (inc *Incident) passwordLasts() string {
	return "The password was reset and the old one cannot be brought back: see that " + inc.Account.Label() + " gets the new one."
}

// lasting says what of step 3 stays changed.
func (s *Step) lasting() []string {
	var made, kept []string
	for i := range s.Items {
		it := &s.Items[i]
		switch {
		case it.reversible() && (it.Action == Delete || it.Action == Remove || it.Kind == OAuthGrant):
			made = append(made, it.Title())
		case it.State == Done && it.Action != "" && len(it.Snapshot) > 0 && !it.reversible():
			kept = append(kept, it.Title())
		}
	}
	var out []string
	if len(made) > 0 {
		out = append(out, "What was deleted is made anew from its copy, under a new id: "+list(made, 5)+".")
	}
	if len(kept) > 0 {
		out = append(out, "The hub cannot give these back; a person has to: "+list(kept, 5)+".")
	}
	return out
}

func count(n int, thing string) string { return itoa(n) + " " + plural(n, thing, thing+"s") }

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
