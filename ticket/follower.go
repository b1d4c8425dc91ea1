package ticket

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"responsehub"
)

// Connection is a desk and how its tickets are kept.
type Connection struct {
	Desk
	Product            string // as people read it: ConnectWise
	AtOnce             int    // incidents that are worked on at the same time; 0 is 4
	ReopenDays         int    // for how many days a closed ticket is opened again; 0: a new one is made
	AcknowledgeOn      string // assignment, status, or empty for neither
	CloseOnTicketClose bool   // a ticket closed by hand marks its incident as remediated, for every tenant
}

// Queue lets the most severe incidents through first, across all processes, and bars a
// connection for everybody.
type Queue interface {
	// Enter takes one of n places of a connection. Without one leave is nil and wait says
	// when to come again; lower ranks go first. An incident that has a place keeps it.
	Enter(ctx context.Context, connection string, n int, incident string, rank float64) (leave func(), wait time.Duration, err error)
	// Block bars a connection for a time, and Blocked says for how long it still is.
	Block(ctx context.Context, connection string, d time.Duration) error
	// Free takes the bar away before its time.
	Free(ctx context.Context, connection string) error
	Blocked(ctx context.Context, connection string) (time.Duration, error)
}

// Index finds the incident of a ticket.
type Index interface {
	PutTicket(ctx context.Context, connection, ticket, incident string) error
	// TicketOf returns "" for a ticket that is not the hub's.
	TicketOf(ctx context.Context, connection, ticket string) (string, error)
}

// Config says what a follower works with.
type Config struct {
	Connections map[string]Connection
	Unknown     string // the connection for incidents of unknown tenants; empty: none
	Tenant      func(id string) (responsehub.Tenant, bool)
	Queue       Queue
	Index       Index
	// Record returns an incident's events.
	Record func(ctx context.Context, incident string) ([]responsehub.Event, error)
	Link   func(*responsehub.Incident) string // where people act on it; may return ""
	// Before names the incident that the account had before, or returns nil; nil: nothing is
	// looked for.
	Before func(ctx context.Context, inc *responsehub.Incident) *responsehub.Former
	// Alarm tells the operators what concerns every ticket of a connection, and its end. It
	// must not block. Each refusal is told; who is told once for an outage is its business.
	Alarm func(ctx context.Context, a responsehub.Alarm)
	Log   *slog.Logger
}

// Follower keeps the tickets of an incident in step with it.
type Follower struct{ cfg Config }

var _ responsehub.Follower = (*Follower)(nil)

// NewFollower returns the follower of the ticket lane.
func NewFollower(cfg Config) *Follower { return &Follower{cfg} }

// Lane is the ticket lane.
func (f *Follower) Lane() responsehub.Lane { return responsehub.LaneTicket }

// silent are the events that change nothing in a ticket.
var silent = []responsehub.EventKind{
	responsehub.EventSent, responsehub.EventRetrying, responsehub.EventProgress, responsehub.EventItemFound, responsehub.EventItemDone,
	responsehub.EventItemFailed, responsehub.EventItemUndone, responsehub.EventErased, responsehub.EventRefused, responsehub.EventNoticeSent,
	responsehub.EventNoticeFailed, responsehub.EventLaneDead, responsehub.EventLaneRetried, responsehub.EventWatchChecked,
	responsehub.EventTodoDone, responsehub.EventTicketChanged,
}

// Wake reports whether a ticket may have to be told, or looked at.
func (f *Follower) Wake(inc *responsehub.Incident, events []responsehub.Event) bool {
	names := f.connections(inc)
	if len(names) == 0 {
		return false
	}
	for _, e := range events {
		if !slices.Contains(silent, e.Kind) {
			return true
		}
	}
	for _, name := range names {
		ref := inc.Tickets[name]
		if ref.Hints > ref.Heard || ref.ID != "" && f.moves(inc, name, &ref) {
			return true
		}
	}
	return false
}

// connections are where the incident has tickets or has to have one.
func (f *Follower) connections(inc *responsehub.Incident) []string {
	var names []string
	if t, ok := f.cfg.Tenant(inc.Tenant.ID); ok && inc.Tenant.ID != "" {
		for _, d := range t.Notify.PSA {
			names = append(names, d.Connection)
		}
	} else if f.cfg.Unknown != "" {
		names = append(names, f.cfg.Unknown)
	}
	for name, ref := range inc.Tickets {
		if ref.ID != "" || ref.Intent != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// company is the incident's company at the connection, "" for the catch-all.
func (f *Follower) company(inc *responsehub.Incident, connection string) string {
	t, ok := f.cfg.Tenant(inc.Tenant.ID)
	if !ok || inc.Tenant.ID == "" {
		return ""
	}
	d, _ := t.Notify.PSA.At(connection)
	return d.Company
}

// moves reports whether a ticket of the catch-all company has one of its own now.
func (f *Follower) moves(inc *responsehub.Incident, connection string, ref *responsehub.TicketRef) bool {
	return ref.Company == "" && !ref.Closed && !ref.Foreign && !inc.State.Closed() && f.company(inc, connection) != ""
}

// Follow brings the incident's tickets to what it says now.
func (f *Follower) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	names := f.connections(t.Incident)
	if len(names) == 0 {
		return responsehub.Settle(nil)
	}
	pause, err := f.visits(ctx, t, names)
	if err != nil {
		return responsehub.TryAgain(err, nil)
	}
	if pause == 0 {
		return responsehub.Settle(nil)
	}
	return responsehub.ComeBack(pause, nil)
}

// rank orders incidents: the most severe first, then the oldest.
func rank(inc *responsehub.Incident) float64 {
	return float64(severity(inc))*1e13 + float64(inc.OpenedAt.UnixMilli())
}

// severity is 0 for the most severe.
func severity(inc *responsehub.Incident) int {
	n := slices.Index(responsehub.Severities, inc.Severity)
	if n < 0 {
		return len(responsehub.Severities)
	}
	return n
}
