package responsehub

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Rule says by what a message was recognised as the phish. The values are stored.
type Rule string

// The rules, the surest first. Nothing is moved for its sender or its subject alone.
const (
	ByMessageID Rule = "message_id" // the internet message id that the detector named
	BySender    Rule = "sender"     // sender, subject and window: one sent by one with an id of its own
)

// Words is the rule as people read it.
func (r Rule) Words() string {
	switch r {
	case ByMessageID:
		return "message id"
	case BySender:
		return "sender, subject and time"
	}
	return ""
}

// Letter is one message that a retraction found, in one mailbox. Letters are kept beside
// the incident, not in it: there may be as many as there are mailboxes. Each is written
// before its message is touched, with all that taking the move back needs.
type Letter struct {
	Mailbox   string    `json:"mailbox"`           // object id of its owner
	Address   string    `json:"address,omitempty"` // of the mailbox, for people
	ID        string    `json:"id"`                // immutable id: it survives moves
	MessageID string    `json:"internet_message_id,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Folder    string    `json:"folder,omitempty"` // where it lay before it was touched
	Read      bool      `json:"read,omitempty"`   // whether it was read then
	Rule      Rule      `json:"rule,omitempty"`
	Round     int       `json:"round"`                // of the retraction that saw it last
	State     StepState `json:"state"`                // waiting: found; running: about to be moved; done, failed, skipped
	Hub       bool      `json:"hub,omitempty"`        // the hub moved it; otherwise it lay in Deleted Items, or was gone
	Why       string    `json:"why,omitempty"`        // why it was left, or could not be moved
	At        time.Time `json:"at,omitzero"`          // when that was settled
	RequestID string    `json:"request_id,omitempty"` // Microsoft's id of the read that proves it
}

// Key is the letter's stored name within its incident.
func (l *Letter) Key() string { return LetterKey(l.Mailbox, l.ID) }

// LetterKey is the stored name of a message in a mailbox. Ids differ in case alone.
func LetterKey(mailbox, id string) string {
	sum := sha256.Sum256([]byte(mailbox + "|" + id))
	return hex.EncodeToString(sum[:12])
}

// Item is the letter as an item of its step, for those who look at a sample of them.
func (l *Letter) Item() Item {
	it := Item{ID: ItemID(Message, l.Mailbox+"|"+l.ID), Kind: Message, Name: l.Subject, Object: l.ID, Mailbox: l.Mailbox, State: l.State, Why: l.Why, At: l.At}
	if l.State == Done {
		value := "in Deleted Items"
		if !l.Hub && l.RequestID != "" {
			value = "not in its mailbox any more"
		}
		it.Proof = &Proof{Value: value, RequestID: l.RequestID, At: l.At}
	}
	if it.Why == "" {
		it.Why = "In the mailbox of " + l.Address + ", known by its " + l.Rule.Words() + "."
	}
	return it
}

// Fence proves that whoever writes beside an incident still holds its lane.
type Fence struct {
	Incident string
	Lane     Lane
	Token    int64
}
