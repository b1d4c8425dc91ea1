package responsehub

import "time"

// Page is the paging of one incident by phone: who is called and texted, in what order,
// and what became of each attempt.
type Page struct {
	State    PageState `json:"state"`
	Sequence []string  `json:"sequence,omitempty"` // people ids in order, frozen when paging began
	Step     int       `json:"step"`               // whose turn it is, counted from 0 over all rounds
	StepAt   time.Time `json:"step_at,omitzero"`   // when that turn began
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

// Attempt is one call or text to one person. It is saved before the request.
type Attempt struct {
	ID     string       `json:"id"` // random; the only thing that callback addresses carry
	Person string       `json:"person"`
	Way    Way          `json:"way"`
	State  AttemptState `json:"state"`
	Code   string       `json:"code,omitempty"` // the four digits of a text's reply
	SID    string       `json:"sid,omitempty"`  // Twilio's id, once known
	Reason string       `json:"reason,omitempty"`
	At     time.Time    `json:"at"`               // when it was saved
	Ended  time.Time    `json:"ended,omitzero"`   // when it reached its last state
	Tries  int          `json:"tries,omitempty"`  // requests made for it
	Joined string       `json:"joined,omitempty"` // attempt of the live call that carries this incident too
}

// Way is how a person is reached.
type Way string

// The ways.
const (
	ByCall Way = "call"
	ByText Way = "text"
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
