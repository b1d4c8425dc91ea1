package responsehub

import "time"

// TicketRef is the ticket of an incident at one PSA connection. Its creation is saved as
// intent before the request, so that a lost answer makes no second ticket.
type TicketRef struct {
	ID       string    `json:"id,omitempty"`     // the PSA's id; empty until it is known
	Number   string    `json:"number,omitempty"` // as people read it
	URL      string    `json:"url,omitempty"`
	Company  string    `json:"company,omitempty"`
	Intent   string    `json:"intent,omitempty"` // what was asked for and not read back yet
	IntentAt time.Time `json:"intent_at,omitzero"`
	Stage    string    `json:"stage,omitempty"` // the stage that was last written and read back
	Noted    []string  `json:"noted,omitempty"` // markers of the notes that were read back
	Closed   bool      `json:"closed,omitempty"`
	ClosedBy string    `json:"closed_by,omitempty"` // when a person closed it by hand
	Old      []string  `json:"old,omitempty"`       // numbers of tickets that this one follows
	Failure  string    `json:"failure,omitempty"`   // why it cannot be kept in step
	SeenAt   time.Time `json:"seen_at,omitzero"`    // when the PSA's state was last read
}
