// Package desk is what the pretend ticket systems have in common: records as JSON objects, the people
// at the service desk, what the page shows of a ticket, and the posting of events to the hub.
//
// It knows no vendor's rule. What may go wrong: a Record that was kept and read again holds float64
// where an int stood before, so numbers are compared with Number only.
package desk

import "time"

// Person works at the service desk. They are no member of the hub's.
type Person struct {
	Key  string // by which acts name them
	Name string
	Mail string
}

// People are the technicians of every desk. The first one acts when an act names nobody.
var People = []Person{{"tess", "Tess Klein", "tess@desk.example"}, {"omar", "Omar Reyes", "omar@desk.example"}}

// FindPerson returns the index in People of the one with the key; "" is the first. -1 when there is nobody.
func FindPerson(key string) int {
	for i, p := range People {
		if key == "" || key == p.Key || key == p.Name {
			return i
		}
	}
	return -1
}

// Customer is a company that the desk works for.
type Customer struct {
	Identifier string // short name, where the vendor has one
	Name       string
	TenantID   string // its Microsoft tenant
	Contacts   []Contact
}

// Contact is somebody at a Customer.
type Contact struct{ First, Last, Mail string }

// Act is what a person at the desk does to a ticket, or an administrator to the desk.
type Act struct {
	Do     string // see sim.Act
	Ticket int
	Person string
	Value  string
	Text   string
}

// Ticket is a ticket as the page shows it.
type Ticket struct {
	ID         int       `json:"id"`
	Number     string    `json:"number"`
	Ref        string    `json:"ref"` // the hub's reference
	Title      string    `json:"title"`
	Text       string    `json:"text"`
	Company    string    `json:"company"`
	Board      string    `json:"board"` // or queue, or team
	Status     string    `json:"status"`
	Priority   string    `json:"priority"`
	Assignee   string    `json:"assignee"`
	Closed     bool      `json:"closed"`
	Deleted    bool      `json:"deleted"`
	MergedInto int       `json:"merged_into"` // 0: it was not
	Created    time.Time `json:"created"`
	CreatedBy  string    `json:"created_by"`
	Notes      []Note    `json:"notes"`
}

// Note is a note on a ticket.
type Note struct {
	ID       int       `json:"id"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Title    string    `json:"title,omitempty"`
	Text     string    `json:"text"`
	Internal bool      `json:"internal"` // the customer does not see it
}

// Hook is a callback or webhook that somebody registered, without its secret.
type Hook struct {
	ID     int    `json:"id"`
	URL    string `json:"url"`
	Active bool   `json:"active"`
	Why    string `json:"why,omitempty"` // it is not
}

// State is a desk as the page and GET /_world show it.
type State struct {
	Desk       string     `json:"desk"` // connectwise, autotask or halopsa
	Product    string     `json:"product"`
	Tickets    []Ticket   `json:"tickets"` // oldest first, with deleted ones
	Boards     []string   `json:"boards"`
	Statuses   []string   `json:"statuses"` // of all boards
	People     []string   `json:"people"`   // keys
	Hooks      []Hook     `json:"hooks"`
	Deliveries []Delivery `json:"deliveries"`
}

// ByRef returns the tickets that carry the hub's reference, without deleted ones.
func (s State) ByRef(ref string) (out []Ticket) {
	for _, t := range s.Tickets {
		if t.Ref == ref && !t.Deleted {
			out = append(out, t)
		}
	}
	return out
}

// Page is State with the newest tickets only and without what was posted.
func (s State) Page() State {
	const shown = 40
	s.Tickets = s.Tickets[max(0, len(s.Tickets)-shown):]
	s.Deliveries = s.Deliveries[max(0, len(s.Deliveries)-10):]
	for i := range s.Deliveries {
		s.Deliveries[i].Body = ""
	}
	return s
}
