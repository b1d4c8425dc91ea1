package responsehub

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"responsehub/rawjson"
)

// EventKind says what happened. The values are stored.
type EventKind string

// The kinds of events.
const (
	EventOpened        EventKind = "incident.opened"
	EventJoined        EventKind = "alert.joined"
	EventAcknowledged  EventKind = "incident.acknowledged"
	EventPublished     EventKind = "incident.published"
	EventClosed        EventKind = "incident.closed"
	EventRequested     EventKind = "step.requested"
	EventSent          EventKind = "step.sent"
	EventDone          EventKind = "step.done"
	EventPartial       EventKind = "step.partial"
	EventFailed        EventKind = "step.failed"
	EventNeedsHuman    EventKind = "step.needs_human"
	EventRetrying      EventKind = "step.retrying"
	EventProgress      EventKind = "step.progress"
	EventSkipped       EventKind = "step.skipped"
	EventItemFound     EventKind = "item.found"
	EventItemDone      EventKind = "item.done"
	EventItemFailed    EventKind = "item.failed"
	EventItemSkipped   EventKind = "item.skipped"
	EventItemReturned  EventKind = "item.returned"
	EventUndoRequested EventKind = "undo.requested"
	EventStepUndone    EventKind = "step.undone"
	EventItemUndone    EventKind = "item.undone"
	EventFalseAlarm    EventKind = "incident.false_alarm"
	EventRevealed      EventKind = "password.revealed"
	EventErased        EventKind = "password.erased"
	EventRefused       EventKind = "request.refused"
	EventNoticeSent    EventKind = "notice.sent"
	EventNoticeFailed  EventKind = "notice.failed"
	EventLaneDead      EventKind = "lane.dead"
	EventLaneRetried   EventKind = "lane.retried"

	EventWatchChecked  EventKind = "watch.checked" // a look at the lock that found something new
	EventWatchRelocked EventKind = "watch.relocked"
	EventTodoDone      EventKind = "todo.done"
	EventHeldBack      EventKind = "policy.held_back"
	EventMoved         EventKind = "state.moved" // a write moved the standing and had nothing else to say

	// Of the hub's own record, which no incident has. Item names the tenant, person or key.
	EventTenantChanged   EventKind = "tenant.changed"
	EventTenantAdded     EventKind = "tenant.added"
	EventTenantRemoved   EventKind = "tenant.removed"
	EventPersonChanged   EventKind = "person.changed"
	EventPersonRemoved   EventKind = "person.removed"
	EventKeyMade         EventKind = "key.made"
	EventKeyRemoved      EventKind = "key.removed"
	EventSettingsChanged EventKind = "settings.changed"
	EventKeySignIn       EventKind = "sign_in.key" // somebody signed in to the console with an API key

	EventTicketChanged EventKind = "ticket.changed" // somebody did something to the incident's ticket

	EventPageBegun   EventKind = "page.begun"          // people are called
	EventPageAttempt EventKind = "page.attempt"        // what became of a call or text
	EventPagePassed  EventKind = "page.passed"         // somebody asked for the next person
	EventPageNobody  EventKind = "page.nobody_reached" // an alarm for the fallback contacts
	EventPageAgain   EventKind = "page.again"          // acknowledged, but nothing was started
	EventPhoneFault  EventKind = "phone.fault"         // STOP, a number that is dead, guessed codes: for the operators
)

// Event is one entry of an incident's append-only record. Each entry names the hash
// of the one before it, so that a changed, missing or inserted entry shows.
// It never contains a secret.
type Event struct {
	V    int               `json:"v"`
	Seq  int64             `json:"seq"`
	At   time.Time         `json:"at"`
	Kind EventKind         `json:"kind"`
	By   By                `json:"by,omitzero"`
	Step StepID            `json:"step,omitempty"`
	Item string            `json:"item,omitempty"`
	Text string            `json:"text,omitempty"` // what happened, in words for the timeline
	Set  map[string]string `json:"set,omitempty"`  // what moved in the incident's standing with this write
	Prev string            `json:"prev"`           // hex SHA-256 of the stored bytes of the entry before; empty for the first
}

// EventVersion is the version of the stored form.
const EventVersion = 1

// Chain numbers the events after seq, links each to the one before it (head is the
// hash of the last stored entry) and returns their stored bytes and the new head.
func Chain(seq int64, head string, events []Event) (stored [][]byte, newHead string, err error) {
	for _, e := range events {
		seq++
		e.V, e.Seq, e.Prev = EventVersion, seq, head
		e.At = e.At.UTC().Truncate(time.Millisecond)
		b, err := e.encode()
		if err != nil {
			return nil, "", err
		}
		stored = append(stored, b)
		head = EventHash(b)
	}
	return stored, head, nil
}

// encode writes the entry as encoding/json would: every alert brings one, and the next
// entry names its bytes.
func (e *Event) encode() ([]byte, error) {
	w := rawjson.New(512)
	w.Int(`{"v":`, int64(e.V))
	w.Int(`,"seq":`, e.Seq)
	w.Time(`,"at":`, e.At)
	w.Text(`,"kind":`, string(e.Kind))
	if e.By != (By{}) {
		w.Group(`,"by":{`, rawjson.Member{Name: `"id":`, Text: e.By.ID}, rawjson.Member{Name: `"name":`, Text: e.By.Name}, rawjson.Member{Name: `"via":`, Text: string(e.By.Via)})
	}
	w.Some(`,"step":`, string(e.Step))
	w.Some(`,"item":`, e.Item)
	w.Some(`,"text":`, e.Text)
	if len(e.Set) > 0 {
		w.Map(`,"set":`, e.Set)
	}
	w.Text(`,"prev":`, e.Prev)
	w.Raw(`}`)
	return w.Bytes()
}

// EventHash is the hash by which the next entry names the stored one.
func EventHash(stored []byte) string {
	sum := sha256.Sum256(stored)
	return hex.EncodeToString(sum[:])
}

// CheckChain verifies that stored is a whole, unbroken record that ends in head. The
// error names the first entry at fault.
func CheckChain(stored [][]byte, head string) error {
	prev := ""
	for i, b := range stored {
		var e Event
		if err := json.Unmarshal(b, &e); err != nil {
			return &Error{Kind: Permanent, Message: "entry " + itoa(i+1) + " cannot be read", Err: err}
		}
		if e.Seq != int64(i+1) {
			return &Error{Kind: Permanent, Message: "entry " + itoa(i+1) + " does not follow the one before it: it has the number " + itoa(int(e.Seq))}
		}
		if e.Prev != prev {
			message := "entry " + itoa(i+1) + " does not follow the one before it"
			if i > 0 {
				message += ": entry " + itoa(i) + " was changed, or the link to it"
			}
			return &Error{Kind: Permanent, Message: message}
		}
		prev = EventHash(b)
	}
	if prev != head {
		return &Error{Kind: Permanent, Message: "the record ends before entry " + itoa(len(stored)+1) + " or its last entry was changed"}
	}
	return nil
}
