package responsehub

import (
	"encoding/json"
	"slices"
	"time"
)

// StepID names one of the seven steps. The values are stored and never change.
type StepID string

// The steps, in the order in which the card shows them.
const (
	Publish     StepID = "publish"
	Lock        StepID = "lock"
	Retract     StepID = "retract"
	Persistence StepID = "persistence"
	Password    StepID = "password"
	Reenable    StepID = "reenable"
	Close       StepID = "close"
)

// StepIDs lists all steps in order: Publish, then the six numbered ones.
var StepIDs = []StepID{Publish, Lock, Retract, Persistence, Password, Reenable, Close}

var stepTitles = map[StepID]string{
	Publish:     "Publish Incident",
	Lock:        "Revoke sessions and lock account",
	Retract:     "Retract phishing emails",
	Persistence: "Disable persistence",
	Password:    "Reset password",
	Reenable:    "Re-enable account",
	Close:       "Mark as remediated",
}

// Valid reports whether s is one of the seven steps.
func (s StepID) Valid() bool { return slices.Contains(StepIDs, s) }

// Number is the step's number on the card, 1 to 6; Publish stands above them and has 0.
func (s StepID) Number() int { return slices.Index(StepIDs, s) }

// Title is the step's name as people read it.
func (s StepID) Title() string { return stepTitles[s] }

// Automatic reports whether the step runs by itself when the tenant's Response is on.
func (s StepID) Automatic() bool { return s == Lock || s == Retract || s == Persistence }

// Protected reports whether the step is one for which an account may need two people:
// those that shut it or open it.
func (s StepID) Protected() bool { return s == Lock || s == Password || s == Reenable }

// Skippable reports whether a person may set the step aside with a reason.
func (s StepID) Skippable() bool { return s != Publish && s != Close }

// Lane is the lane in which the step's work is done. Publish and close have no work
// outside the hub: they settle in the write that asks for them.
func (s StepID) Lane() Lane {
	switch s {
	case Lock:
		return LaneLock
	case Retract:
		return LaneRetract
	case Persistence:
		return LanePersistence
	case Password, Reenable:
		return LaneAccount
	default:
		return ""
	}
}

// Action is what is done to an item of persistence.
type Action string

// The actions. The empty action is the default of the item's kind: disable.
const (
	Disable Action = "disable"
	Delete  Action = "delete"
	Remove  Action = "remove"
)

// Step is one step of one incident.
type Step struct {
	ID          StepID          `json:"id"`
	State       StepState       `json:"state"`
	Round       int             `json:"round,omitempty"`      // how many times it was asked for
	Undo        bool            `json:"undo,omitempty"`       // the round takes the step back
	Asked       []string        `json:"asked,omitempty"`      // items of the running request; empty means all
	Action      Action          `json:"action,omitempty"`     // of the running request
	Everywhere  bool            `json:"everywhere,omitempty"` // the running request searches all mailboxes
	Preview     bool            `json:"preview,omitempty"`    // the running request moves nothing
	Note        string          `json:"note,omitempty"`       // how the work is done, as people read it
	Next        *Round          `json:"next,omitempty"`       // asked for while at work: the round that follows
	RequestedAt time.Time       `json:"requested_at,omitzero"`
	RequestedBy By              `json:"requested_by,omitzero"`
	StartedAt   time.Time       `json:"started_at,omitzero"`
	SentAt      time.Time       `json:"sent_at,omitzero"`
	VerifiedAt  time.Time       `json:"verified_at,omitzero"`
	Proof       *Proof          `json:"proof,omitempty"`
	Reason      string          `json:"reason,omitempty"`  // why it failed, waits or was set aside
	Unread      []string        `json:"unread,omitempty"`  // what the last round could not read: not clean until it is read or set aside
	Looks       []time.Time     `json:"looks,omitempty"`   // when the hub looks again whether something came back
	Held        bool            `json:"held,omitempty"`    // the policy does not ask for it any more: a person does
	Confirm     *Confirmation   `json:"confirm,omitempty"` // somebody asked and a second person has to
	ByHand      bool            `json:"by_hand,omitempty"` // the running request: a person says it is done
	Progress    *Progress       `json:"progress,omitempty"`
	Items       []Item          `json:"items,omitempty"`
	Snapshot    json.RawMessage `json:"snapshot,omitempty"` // the world before the step, for undo; the step owns its shape
	Cursor      string          `json:"cursor,omitempty"`   // where long work goes on after a crash
}

// Round is a request that waits for the one under way.
type Round struct {
	Items      []string  `json:"items,omitempty"` // empty means all
	Action     Action    `json:"action,omitempty"`
	Everywhere bool      `json:"everywhere,omitempty"`
	Preview    bool      `json:"preview,omitempty"`
	By         By        `json:"by"`
	At         time.Time `json:"at"`
}

// Proof is what Microsoft said when the effect was read back.
type Proof struct {
	Value     string    `json:"value"`                // what was read, in words
	RequestID string    `json:"request_id,omitempty"` // Microsoft's id of the read
	At        time.Time `json:"at"`
}

// Progress counts long work.
type Progress struct {
	Searched    int `json:"searched"`              // mailboxes searched
	Mailboxes   int `json:"mailboxes"`             // mailboxes to search
	Found       int `json:"found"`                 // messages found
	Moved       int `json:"moved"`                 // messages moved by the hub
	Returned    int `json:"returned,omitempty"`    // messages moved back by an undo
	Already     int `json:"already,omitempty"`     // found in Deleted Items or gone
	Kept        int `json:"kept,omitempty"`        // found and left on purpose, as evidence
	Unreachable int `json:"unreachable,omitempty"` // mailboxes that could not be read
}

// Item returns the item with the id, or nil.
func (s *Step) Item(id string) *Item {
	for i := range s.Items {
		if s.Items[i].ID == id {
			return &s.Items[i]
		}
	}
	return nil
}

// Untouched reports whether the step says nothing but its name: nobody asked for it and
// nothing is known of it.
func (s *Step) Untouched() bool {
	return s.State == Waiting && s.Round == 0 && !s.Undo && s.Asked == nil && s.Action == "" && !s.Everywhere && !s.Preview && s.Note == "" &&
		s.Next == nil && s.RequestedAt.IsZero() && s.RequestedBy == (By{}) && s.StartedAt.IsZero() && s.SentAt.IsZero() && s.VerifiedAt.IsZero() &&
		s.Proof == nil && s.Reason == "" && s.Unread == nil && s.Looks == nil && !s.Held && s.Confirm == nil && !s.ByHand &&
		s.Progress == nil && s.Items == nil && s.Snapshot == nil && s.Cursor == ""
}

// Wants reports whether the running request covers the item.
func (s *Step) Wants(id string) bool { return len(s.Asked) == 0 || slices.Contains(s.Asked, id) }

// To moves the step to a state of the transition table. A move that the table does
// not know is a bug of the caller and returned as an error, so that a wrong state is
// never stored.
func (s *Step) To(state StepState) error {
	if s.State == state {
		return nil
	}
	if !s.State.May(state) {
		return &Error{Kind: Permanent, Message: "step " + string(s.ID) + " cannot go from " + string(s.State) + " to " + string(state)}
	}
	s.State = state
	return nil
}
