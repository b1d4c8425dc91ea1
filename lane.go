package responsehub

import (
	"context"
	"time"
)

// Lane names a follower of an incident: one part of the outside world that is kept in
// step with what the incident says now. A lane is the unit of order (one holder at a
// time) and of parallelism (lanes do not wait for each other).
type Lane string

// The lanes of an incident.
const (
	LaneLock        Lane = "lock"
	LaneRetract     Lane = "retract"
	LanePersistence Lane = "persistence"
	LaneAccount     Lane = "account" // password, re-enable, erasure of the one-time password
	LaneWatch       Lane = "watch"
	LaneTeams       Lane = "teams"
	LaneTicket      Lane = "ticket"
	LaneOnCall      Lane = "oncall"
	LaneMail        Lane = "mail"
)

// Edit changes an incident inside one write. It may be run several times against
// fresher copies when somebody else wrote first, so it must depend on nothing but the
// incident it is given. An error abandons the write.
type Edit func(*Incident) error

// Turn is one visit of a follower to its incident, under a lease.
type Turn struct {
	Incident *Incident // as it was at the start of the turn, or after the last Save
	Attempt  int       // failed turns in a row before this one
	Fence    Fence     // for what is written beside the incident
	save     func(context.Context, Edit) (*Incident, error)
}

// NewTurn returns a turn whose Save writes by the given function.
func NewTurn(inc *Incident, attempt int, save func(context.Context, Edit) (*Incident, error)) *Turn {
	return &Turn{Incident: inc, Attempt: attempt, save: save}
}

// Save writes an edit in the middle of a turn, for instance the intent before an
// effect outside. It fails when the lease was lost: then the follower must stop,
// since somebody else is at work.
func (t *Turn) Save(ctx context.Context, edit Edit) error {
	inc, err := t.save(ctx, edit)
	if err != nil {
		return err
	}
	t.Incident = inc
	return nil
}

// Outcome is how a turn ended.
type Outcome struct {
	Edit  Edit          // applied in the same write that gives the lane back; may be nil
	After time.Duration // come back after this long; 0: when the incident changes
	Err   error         // what went wrong; tried again with growing pauses, its RetryAfter obeyed
	Dead  bool          // Err will not get better: the lane is set aside where people see it
	Quiet bool          // with Dead: the incident says so already, nothing more is recorded
}

// Settle ends a turn: nothing to do until the incident changes.
func Settle(edit Edit) Outcome { return Outcome{Edit: edit} }

// ComeBack ends a turn that goes on after d.
func ComeBack(d time.Duration, edit Edit) Outcome { return Outcome{After: d, Edit: edit} }

// TryAgain ends a turn that failed and may work later.
func TryAgain(err error, edit Edit) Outcome { return Outcome{Err: err, Edit: edit} }

// GiveUp ends a turn that failed for good; a person can start it again.
func GiveUp(err error, edit Edit) Outcome { return Outcome{Err: err, Dead: true, Edit: edit} }

// Follower keeps one lane's part of the world in step with the incident. It is told
// that the incident changed, not what changed, and must do no harm when it runs twice.
type Follower interface {
	// Lane is the follower's lane.
	Lane() Lane
	// Wake reports whether the lane has to be visited after a write that turned the
	// incident into inc and recorded the events.
	Wake(inc *Incident, events []Event) bool
	// Follow visits the incident. ctx ends when the lease is lost or the hub stops.
	Follow(ctx context.Context, t *Turn) Outcome
}
