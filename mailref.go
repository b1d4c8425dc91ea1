package responsehub

import "time"

// MailRef is what one recipient was sent about an incident.
type MailRef struct {
	MessageID string    `json:"message_id,omitempty"` // of the first mail; later ones answer it
	Told      string    `json:"told,omitempty"`       // what the mails have said so far, as words of the mail lane
	Sent      int       `json:"sent,omitempty"`
	At        time.Time `json:"at,omitzero"`
	Failure   string    `json:"failure,omitempty"` // why the last one could not be sent
	Next      string    `json:"next,omitempty"`    // what the mail on its way says; saved before it is sent, so that its repetition says the same
	Begun     time.Time `json:"begun,omitzero"`    // since when it is on its way
	Tries     int       `json:"tries,omitempty"`   // how often it was tried
	Again     time.Time `json:"again,omitzero"`    // when it is tried again
}
