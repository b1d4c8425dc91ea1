package ticket

import (
	"context"
	"net/http"
	"time"

	"responsehub"
)

// Desk is a service desk: ConnectWise, Autotask or HaloPSA. Errors carry a
// [responsehub.Error] whose kind says what to do: Throttled and Unavailable are certain
// not to have been done; NotFound is a ticket or company that is gone; Forbidden and
// Permanent need a person; UnknownOutcome may or may not have been done and is read back
// before it is tried again.
type Desk interface {
	// Find returns the tickets, open and closed, that carry the reference, lowest id first.
	Find(ctx context.Context, ref string) ([]Ticket, error)
	// Create makes a ticket. It is not idempotent.
	Create(ctx context.Context, d Draft) (Ticket, error)
	// Get reads a ticket. One that was merged names the ticket it went into.
	Get(ctx context.Context, id string) (Ticket, error)
	// List reads many tickets in few calls, for the reconcile poll; those that are gone are
	// left out.
	List(ctx context.Context, ids []string) ([]Ticket, error)
	// Notes returns the text of a ticket's notes.
	Notes(ctx context.Context, id string) ([]string, error)
	// Note adds a note, internal unless the connection says otherwise.
	Note(ctx context.Context, id string, n Note) error
	// Move sets the ticket to the connection's status for a stage and reads it back. A stage
	// without a status leaves the ticket alone, and so does one that is not
	// [Stage.ForClosed] where the ticket was closed meanwhile. On a board that is not the connection's the
	// status is found by name there, or the ticket is left alone and Moved is false. It may
	// be repeated. The resolution, given with Closed only, is for a PSA with a field for it;
	// where it is a note, it was added before with [Note.Resolution] and is not added again.
	Move(ctx context.Context, id string, s Stage, resolution string) (t Ticket, moved bool, err error)
	// Assign moves an open ticket to another company.
	Assign(ctx context.Context, id, company string) error
	// Companies lists companies whose name contains the text, for mapping.
	Companies(ctx context.Context, text string) ([]Company, error)
	// Check says what is missing before the first incident: rights, team, statuses, clock,
	// webhook. It changes nothing.
	Check(ctx context.Context) []responsehub.Check
	// Listen sets up the events back to the address, if they are not there or were switched
	// off, and returns a sentence of what it did.
	Listen(ctx context.Context, address string) (string, error)
}

// Mapper is a desk that can say whether a tenant's mapping leads anywhere.
type Mapper interface {
	// Mapped returns a NotFound error when there is no such company, or no active one.
	Mapped(ctx context.Context, company string) error
}

// Finisher is a desk where making a ticket takes more than one request.
type Finisher interface {
	// Finish adds what the draft of a ticket has beyond its first request, if it is not
	// there yet. It may be repeated.
	Finish(ctx context.Context, id string, d Draft) error
}

// Inbox is a desk whose PSA sends events.
type Inbox interface {
	// ParseEvent verifies a request, whose whole body was read, over the bytes as they came,
	// and returns what it hints at. An Unauthorized error is a forgery, an Invalid one cannot
	// be read, and after an Unavailable one the sender may try again. It has no effect
	// outside but the fetch of a key with which the event is verified.
	ParseEvent(r *http.Request, body []byte) (Event, error)
}

// Stage is where an incident stands, as far as a ticket's status shows it.
type Stage string

// The stages.
const (
	New       Stage = "new"
	Working   Stage = "working"   // steps run or were asked for
	Contained Stage = "contained" // 1 to 3 are done
	Waiting   Stage = "waiting"   // a person has to act
	Closed    Stage = "closed"
	Reopened  Stage = "reopened"
)

// ForClosed reports whether the stage may be set on a ticket that is closed. Whoever closed
// it since it was last read is not overruled by a status on the way.
func (s Stage) ForClosed() bool { return s == Closed || s == Reopened }

// Stages lists the stages.
var Stages = []Stage{New, Working, Contained, Waiting, Closed, Reopened}

// Draft is a ticket to be made.
type Draft struct {
	Ref         string // RH-7K2M, by which it is found again
	Company     string // by the PSA's name or identifier; "" is the connection's catch-all
	Title       string // cut by the desk to what the PSA takes, see Cut
	Description string // plain text
	Internal    string // plain text for the service desk only
	Severity    responsehub.Severity
	Contact     string // principal name of the account, looked up among the contacts
}

// Note is a note to be added.
type Note struct {
	Title      string
	Text       string // plain text that ends with its marker
	Resolution bool
}

// Ticket is a ticket as the PSA has it.
type Ticket struct {
	ID         string
	Number     string
	URL        string
	Ref        string
	Company    string // id
	Board      string
	Status     string
	Closed     bool
	ClosedBy   string
	ClosedAt   time.Time
	Owner      string // who it is assigned to; "" for nobody
	MergedInto string // id of the ticket it was merged into
	UpdatedBy  string
}

// Company is a company of the PSA.
type Company struct {
	ID   string
	Name string // what a tenant's mapping holds
}

// Event is a verified hint that something happened to a ticket. It is never believed:
// the ticket is read.
type Event struct {
	Connection string
	ID         string // the PSA's id of the event; the same may come again
	Ticket     string
	By         string // who did it, as far as the PSA says
	Own        bool   // it was the hub's own user
	Deleted    bool
	Off        bool // the PSA says that it switched its events off
}
