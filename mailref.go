package responsehub

import "time"

// MailRef is what one recipient was sent about an incident.
type MailRef struct {
	MessageID string    `json:"message_id,omitempty"` // of the first mail; later ones answer it
	Told      string    `json:"told,omitempty"`       // hash of what the last mail said
	Sent      int       `json:"sent,omitempty"`
	At        time.Time `json:"at,omitzero"`
	Failure   string    `json:"failure,omitempty"` // why the last one could not be sent
}
