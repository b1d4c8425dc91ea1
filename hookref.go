package responsehub

import "time"

// HookRef is how far one webhook or chat has been told about an incident. The address is
// a secret: it is kept under a name that is made of it.
type HookRef struct {
	Host    string    `json:"host"`              // of the address, for people
	Chat    bool      `json:"chat,omitempty"`    // a chat that people read
	Seq     int64     `json:"seq,omitempty"`     // number of the last event that was delivered or was not for it
	Sent    int       `json:"sent,omitempty"`    // messages that were taken
	At      time.Time `json:"at,omitzero"`       // when the last one was
	Failure string    `json:"failure,omitempty"` // why it cannot be reached
	Since   time.Time `json:"since,omitzero"`    // since when the failures in a row last
	Tries   int       `json:"tries,omitempty"`   // how many there were
	Again   time.Time `json:"again,omitzero"`    // not before
	Dead    bool      `json:"dead,omitempty"`    // given up for this incident
}
