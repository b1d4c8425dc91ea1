package responsehub

import (
	"slices"
	"strings"
	"time"
)

// Page is the paging of one incident by phone: who is called and texted, in what order,
// and what became of each attempt.
type Page struct {
	State    PageState `json:"state"`
	Why      string    `json:"why,omitempty"`      // why people are called, in words
	Sequence []string  `json:"sequence,omitempty"` // ids of people and schedules in order, frozen when paging began
	Rounds   int       `json:"rounds,omitempty"`   // frozen too
	Begun    time.Time `json:"begun,omitzero"`
	Step     int       `json:"step"`              // whose turn it is, counted from 0 over all rounds
	StepAt   time.Time `json:"step_at,omitzero"`  // when that turn began
	Now      []string  `json:"now,omitempty"`     // ids of the people whose turn it is
	Alarmed  time.Time `json:"alarmed,omitzero"`  // when it was said that nobody has been reached
	Lapsed   int       `json:"lapsed,omitempty"`  // acknowledgements after which nothing was started
	Settled  bool      `json:"settled,omitempty"` // the end was carried out: nothing rings, everybody was told
	Attempts []Attempt `json:"attempts,omitempty"`
}

// PageState is where paging stands. The values are stored.
type PageState string

// The states of paging.
const (
	PageRunning      PageState = "running"
	PageAcknowledged PageState = "acknowledged"
	PageExhausted    PageState = "exhausted" // everybody was tried; the fallback contacts were told
	PageStopped      PageState = "stopped"   // the incident was closed, or nothing needs a person
)

// Going reports whether people are still called.
func (p *Page) Going() bool {
	return p != nil && (p.State == PageRunning || p.State == PageExhausted)
}

// Attempt returns the attempt with the id, or nil.
func (p *Page) Attempt(id string) *Attempt {
	if p == nil {
		return nil
	}
	for i := range p.Attempts {
		if p.Attempts[i].ID == id {
			return &p.Attempts[i]
		}
	}
	return nil
}

// Attempt is one call or text to one person. It is saved before the request.
type Attempt struct {
	ID      string       `json:"id"` // random; the only thing that callback addresses carry
	Person  string       `json:"person"`
	Way     Way          `json:"way"`
	For     Errand       `json:"for,omitempty"`
	Turn    int          `json:"turn,omitempty"` // the page's step it belongs to
	State   AttemptState `json:"state"`
	Code    string       `json:"code,omitempty"` // the four digits of a text's reply
	SID     string       `json:"sid,omitempty"`  // Twilio's id, once known
	Reason  string       `json:"reason,omitempty"`
	Refusal string       `json:"refusal,omitempty"` // whose fault a failure is
	At      time.Time    `json:"at"`                // when it was saved
	Ended   time.Time    `json:"ended,omitzero"`    // when it reached its last state
	Tries   int          `json:"tries,omitempty"`   // requests made for it
	Again   time.Time    `json:"again,omitzero"`    // when it has to be looked at again
	Unsure  bool         `json:"unsure,omitempty"`  // the request may have been carried out: look before it is repeated
	Also    []string     `json:"also,omitempty"`    // further ids at Twilio, where a request was repeated that had been carried out
	Joined  string       `json:"joined,omitempty"`  // attempt of the live call that carries this incident too
	Passed  bool         `json:"passed,omitempty"`  // the person asked for the next one
}

// Way is how a person is reached.
type Way string

// The ways.
const (
	ByCall Way = "call"
	ByText Way = "text"
)

// Errand is what an attempt is for. The values are stored.
type Errand string

// The errands. The empty one is to wake somebody.
const (
	ToWake  Errand = ""
	ToTell  Errand = "tell"  // that somebody else has it
	ToShare Errand = "share" // what was done by itself
)

// AttemptState says what became of an attempt. States only move forward; the values are
// stored.
type AttemptState string

// The states of an attempt.
const (
	AttemptQueued       AttemptState = "queued"
	AttemptRequested    AttemptState = "requested"
	AttemptRinging      AttemptState = "ringing"
	AttemptInProgress   AttemptState = "in_progress"
	AttemptSent         AttemptState = "sent" // a text left; whether it arrived is not known yet
	AttemptDelivered    AttemptState = "delivered"
	AttemptVoicemail    AttemptState = "voicemail"
	AttemptNoAnswer     AttemptState = "no_answer"
	AttemptBusy         AttemptState = "busy"
	AttemptFailed       AttemptState = "failed"
	AttemptUndelivered  AttemptState = "undelivered"
	AttemptHeard        AttemptState = "heard" // answered by a person who pressed nothing
	AttemptCancelled    AttemptState = "cancelled"
	AttemptAcknowledged AttemptState = "acknowledged"
)

// AttemptStates lists the states by rank: a state is left for one that stands behind it
// only. So reports that come in any order, doubled or partly lost end in the same state.
var AttemptStates = []AttemptState{
	AttemptQueued, AttemptRequested, AttemptSent, AttemptRinging, AttemptInProgress,
	AttemptDelivered, AttemptUndelivered, AttemptHeard, AttemptNoAnswer, AttemptBusy, AttemptFailed, AttemptVoicemail,
	AttemptCancelled, AttemptAcknowledged,
}

// Over reports whether nothing more comes of an attempt in the state by itself.
func (s AttemptState) Over() bool {
	return slices.Index(AttemptStates, s) >= slices.Index(AttemptStates, AttemptDelivered)
}

// To moves an attempt forward and reports whether it moved. A report that is behind is
// no error: it came late. Acknowledged is reached from anywhere and never left.
func (a *Attempt) To(s AttemptState, now time.Time) bool {
	if slices.Index(AttemptStates, s) <= slices.Index(AttemptStates, a.State) {
		return false
	}
	a.State = s
	if s.Over() {
		if a.Ended.IsZero() {
			a.Ended = now.UTC()
		}
		a.Again, a.Unsure = time.Time{}, false
	}
	return true
}

// NeedsPeople says in words why somebody has to be called about the incident now, or ""
// while nobody has. With Response off nothing runs by itself; with it on people are
// needed as soon as a step that runs by itself cannot go on.
func (inc *Incident) NeedsPeople(now time.Time) (why string) {
	if inc.State.Closed() {
		return ""
	}
	if !inc.Response {
		return "Response is off: nothing is done by itself"
	}
	for i := range inc.Steps {
		s := &inc.Steps[i]
		if !s.ID.Automatic() {
			continue
		}
		switch {
		case s.State == Failed:
			return s.ID.Title() + " failed"
		case s.State == NeedsHuman:
			return s.ID.Title() + " needs a person"
		case s.State == Waiting && s.Held:
			return s.ID.Title() + " was held back"
		case s.ID == Lock && !s.State.Settled() && !now.Before(inc.OpenedAt.Add(LockWithin)):
			return "the account is not locked yet"
		}
	}
	return ""
}

// LockWithin is how long the lock may take before somebody is called.
const LockWithin = 5 * time.Minute

// AutomaticDone reports whether everything that runs by itself is done.
func (inc *Incident) AutomaticDone() bool {
	for i := range inc.Steps {
		if s := &inc.Steps[i]; s.ID.Automatic() && !s.State.Settled() {
			return false
		}
	}
	return inc.Response
}

// Started reports whether a person asked for a step, or set one aside, at or after a time.
func (inc *Incident) Started(since time.Time) bool {
	for i := range inc.Steps {
		s := &inc.Steps[i]
		if s.RequestedBy.Via != ViaPolicy && s.RequestedBy.Via != "" && !s.RequestedAt.Before(since) || s.State == Skipped {
			return true
		}
		for k := range s.Items {
			if s.Items[k].State == Skipped {
				return true
			}
		}
	}
	return inc.Withdrawal != nil || inc.State.Closed()
}

// Lapse takes an acknowledgement back after which nothing was started, so that people
// are called again and the next answer counts.
func (inc *Incident) Lapse(after time.Duration, now time.Time) {
	a := inc.Acknowledged
	if a == nil {
		return
	}
	inc.Acknowledged = nil
	inc.Record(Event{At: now, Kind: EventPageAgain, By: Hub.By(), Text: a.By.Name + " acknowledged at " + clock(a.At) + " but nothing was started within " + Age(after) + ". People are called again."})
}

// MaskPhone hides a number but for what helps to tell two apart: +1500***0006.
func MaskPhone(number string) string {
	if len(number) < 10 {
		return strings.Repeat("*", max(len(number)-2, 0)) + number[max(len(number)-2, 0):]
	}
	return number[:5] + "***" + number[len(number)-4:]
}
