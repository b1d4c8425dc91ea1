package responsehub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Withdrawal is a false alarm that was declared: what was done is taken back, mail and
// persistence first, the account last, and the incident closes.
type Withdrawal struct {
	By      By        `json:"by"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason"`
	EndedAt time.Time `json:"ended_at,omitzero"` // when everything that can be taken back was tried
	Left    []string  `json:"left,omitempty"`    // what could not be taken back; waits for a person
}

// Running reports whether a false alarm is being taken back.
func (w *Withdrawal) Running() bool { return w != nil && w.EndedAt.IsZero() }

// FalseAlarm declares the incident a false alarm. The first call takes back what was
// done and closes the incident when all of it is; what cannot be taken back is listed
// and keeps the incident open. A second call, after that, confirms the list and closes.
func (inc *Incident) FalseAlarm(actor Actor, reason string, now time.Time) (Answer, error) {
	return inc.Withdraw(actor, UndoRequest{Reason: reason}, now)
}

// Withdraw is [Incident.FalseAlarm] of an account that may need two people where it is
// opened: the first one only asks, as long as the hub's lock is on the account or on its
// way. Of the request the reason and TwoPeople count.
func (inc *Incident) Withdraw(actor Actor, r UndoRequest, now time.Time) (Answer, error) {
	w, reason := inc.Withdrawal, r.Reason
	switch {
	case inc.State == FalseAlarm && w != nil:
		return Answer{Joined: true, Sentence: fmt.Sprintf("%s was closed as a false alarm, declared by %s at %s.", inc.Ref, w.By.Name, clock(w.At))}, nil
	case inc.State.Closed():
		return Answer{}, Refuse(inc.closedSentence())
	case w.Running():
		return Answer{Joined: true, Sentence: inc.withdrawalSentence()}, nil
	}
	if err := needReason(reason, "A false alarm"); err != nil {
		return Answer{}, err
	}
	by, lock := actor.Name, inc.Step(Lock)
	if r.TwoPeople && w == nil && (lock.State.Busy() || inc.Reversible(Lock)) {
		if answer, waits := inc.confirm(lock, ToWithdraw, actor, reason, now); waits {
			return answer, nil
		}
		by += ", confirming " + lock.Confirm.By.Name
		lock.Confirm = nil
	}
	inc.acknowledge(actor, now)
	if w != nil {
		inc.Record(Event{At: now, Kind: EventFalseAlarm, By: actor.By(), Text: fmt.Sprintf("%s closes the false alarm although some things stay: %s. %s", actor.Name, reason, strings.Join(w.Left, " "))})
		inc.closeAsFalseAlarm(actor.By(), reason, now)
		return Answer{Sentence: fmt.Sprintf("%s is closed as a false alarm, with what stays on record.", inc.Ref)}, nil
	}
	inc.Withdrawal = &Withdrawal{By: actor.By(), At: now.UTC(), Reason: reason}
	inc.Record(Event{At: now, Kind: EventFalseAlarm, By: actor.By(), Text: "False alarm, declared by " + by + ": " + reason})
	for i := range inc.Steps {
		inc.Steps[i].Next = nil // what was lined up would be done only to be taken back
	}
	inc.Advance(now)
	switch {
	case inc.State == FalseAlarm:
		return Answer{Sentence: fmt.Sprintf("%s is closed as a false alarm. Nothing had to be taken back.", inc.Ref)}, nil
	case inc.Withdrawal.Running():
		return Answer{Sentence: "False alarm: what was done is being taken back, the account last. Then the incident closes."}, nil
	}
	return Answer{Sentence: "False alarm: not everything can be taken back. " + strings.Join(inc.Withdrawal.Left, " ") + " Declare the false alarm again to close it so."}, nil
}

// Advance takes a false alarm one step further. It is called in every write, does
// nothing while something is under way, and may be called any number of times.
func (inc *Incident) Advance(now time.Time) {
	w := inc.Withdrawal
	if !w.Running() || inc.State.Closed() {
		return
	}
	for _, id := range []StepID{Retract, Persistence} {
		inc.withdraw(id, now)
	}
	if inc.busy() {
		return
	}
	if inc.withdraw(Lock, now); inc.busy() {
		return
	}
	w.EndedAt = now.UTC()
	if w.Left = inc.leftovers(); len(w.Left) == 0 {
		inc.closeAsFalseAlarm(w.By, w.Reason, now)
		return
	}
	s := inc.Step(Close)
	s.State = NeedsHuman
	s.Reason = "False alarm, but not everything could be taken back. " + strings.Join(w.Left, " ") + " Declare the false alarm again, with a reason, to close it so."
	inc.Record(Event{At: now, Kind: EventNeedsHuman, By: w.By, Step: Close, Text: s.Reason})
}

func (inc *Incident) busy() bool {
	return slices.ContainsFunc(inc.Steps, func(s Step) bool { return s.State.Busy() })
}

// withdraw queues the undo of a step, once for each false alarm.
func (inc *Incident) withdraw(id StepID, now time.Time) {
	s, w := inc.Step(id), inc.Withdrawal
	if s.State.Busy() || inc.tried(s) || !inc.Reversible(id) {
		return
	}
	inc.queueUndo(s, w.By, nil, "false alarm, "+w.Reason, now)
}

// tried reports whether the step was asked to be taken back for this false alarm.
func (inc *Incident) tried(s *Step) bool {
	return s.Undo && !s.RequestedAt.Before(inc.Withdrawal.At)
}

// leftovers says what a person has to know or to do before the incident may close.
func (inc *Incident) leftovers() []string {
	var left []string
	for _, id := range []StepID{Lock, Retract, Persistence} {
		s := inc.Step(id)
		switch {
		case inc.tried(s) && s.State != Undone:
			left = append(left, fmt.Sprintf("Step %d, %s: %s", id.Number(), id.Title(), s.Reason))
		case id == Lock && len(s.Snapshot) == 0 && (!s.SentAt.IsZero() || s.State == Partial):
			left = append(left, "Step 1: the account could not be read before it was locked, so the hub does not know how it was. Look at its sign-in by hand.")
		}
	}
	for _, text := range inc.Step(Persistence).lasting() {
		if !inc.tried(inc.Step(Persistence)) && strings.HasPrefix(text, "The hub cannot") {
			left = append(left, text)
		}
	}
	if s := inc.Step(Password); s.State == Done || !s.SentAt.IsZero() {
		left = append(left, inc.passwordLasts())
	}
	return left
}

// closeAsFalseAlarm closes the incident. Steps that nobody asked for stay as they are.
func (inc *Incident) closeAsFalseAlarm(by By, reason string, now time.Time) {
	inc.State, inc.ClosedAt = FalseAlarm, now.UTC()
	s := inc.Step(Close)
	s.State, s.Reason = Skipped, "Closed as a false alarm by "+by.Name+": "+reason
	s.RequestedAt, s.RequestedBy = now.UTC(), by
	inc.Record(Event{At: now, Kind: EventClosed, By: by, Text: "Closed as a false alarm, declared by " + by.Name + ": " + reason})
}

func (inc *Incident) withdrawalSentence() string {
	w := inc.Withdrawal
	return fmt.Sprintf("%s declared a false alarm at %s, and what was done is being taken back.", w.By.Name, clock(w.At))
}

// callOff forgets a false alarm: somebody went on with the incident, or the detector saw
// more. With Response on, what was taken back for it is done again when the detector
// was the one.
func (inc *Incident) callOff(by By, why string, now time.Time) {
	if s := inc.Step(Lock); s.Confirm != nil && s.Confirm.For == ToWithdraw && by.Via == ViaAlert {
		s.Confirm = nil // it was asked for before the detector saw more
	}
	if inc.Withdrawal == nil || inc.State.Closed() {
		return
	}
	inc.Record(Event{At: now, Kind: EventFalseAlarm, By: by, Text: "The false alarm is called off: " + why})
	if s := inc.Step(Close); s.State == NeedsHuman {
		s.State, s.Reason = Waiting, ""
	}
	w := inc.Withdrawal
	inc.Withdrawal = nil
	if !inc.Response || by.Via != ViaAlert {
		return
	}
	for _, id := range StepIDs {
		s := inc.Step(id)
		if id.Automatic() && s.Undo && !s.RequestedAt.Before(w.At) {
			inc.queue(id, Policy, StepRequest{Reason: why}, now)
		}
	}
}
