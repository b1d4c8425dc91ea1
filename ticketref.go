package responsehub

import "time"

// TicketRef is the ticket of an incident at one PSA connection. Its creation is saved as
// intent before the request, so that a lost answer makes no second ticket.
type TicketRef struct {
	ID       string    `json:"id,omitempty"`     // the PSA's id; empty until it is known
	Number   string    `json:"number,omitempty"` // as people read it
	URL      string    `json:"url,omitempty"`
	Company  string    `json:"company,omitempty"` // as the tenant's mapping names it; empty: the connection's catch-all
	Intent   string    `json:"intent,omitempty"`  // what was asked for and not read back yet
	IntentAt time.Time `json:"intent_at,omitzero"`
	Stage    string    `json:"stage,omitempty"` // the stage that was last written and read back
	Noted    []string  `json:"noted,omitempty"` // markers of the notes that were read back
	Closed   bool      `json:"closed,omitempty"`
	ClosedBy string    `json:"closed_by,omitempty"` // when a person closed it by hand
	ClosedAt time.Time `json:"closed_at,omitzero"`
	Old      []string  `json:"old,omitempty"`     // numbers of tickets that this one follows
	Left     []string  `json:"left,omitempty"`    // their ids: these are not found again
	Why      string    `json:"why,omitempty"`     // why it follows them
	Foreign  bool      `json:"foreign,omitempty"` // it was merged into a ticket that is about something else: its status is left alone
	Refused  string    `json:"refused,omitempty"` // why the PSA did not let the hub close it
	Failure  string    `json:"failure,omitempty"` // why it cannot be kept in step
	Told     bool      `json:"told,omitempty"`    // the failure is in the record
	Since    time.Time `json:"since,omitzero"`    // when the failures in a row began
	Tries    int       `json:"tries,omitempty"`   // how many there were
	RetryAt  time.Time `json:"retry_at,omitzero"` // not before

	SeenAt time.Time   `json:"seen_at,omitzero"` // when the PSA's state was last read
	Status string      `json:"status,omitempty"` // as read then
	Owner  string      `json:"owner,omitempty"`  // as read then
	Hints  int64       `json:"hints,omitempty"`  // how often something outside said that it changed
	Heard  int64       `json:"heard,omitempty"`  // how many of these were looked at
	Flips  []time.Time `json:"flips,omitempty"`  // the latest changes of its status that were not the hub's
	Quiet  time.Time   `json:"quiet,omitzero"`   // until then its status is left alone: somebody else keeps changing it
}
