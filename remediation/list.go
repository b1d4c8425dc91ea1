package remediation

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// Query narrows a list of incidents.
type Query struct {
	Tenant string // either id of a tenant; "" is all
	State  responsehub.IncidentState
	Since  time.Time // opened at or after
	Cursor string
	Limit  int // 1..200; 0 is 50
}

// IncidentPage is one page of incidents, newest first.
type IncidentPage struct {
	Incidents []*responsehub.Incident
	Next      string
}

// Incidents lists the incidents the actor may see.
func (e *Engine) Incidents(ctx context.Context, actor responsehub.Actor, q Query) (IncidentPage, error) {
	if actor.Role == "" {
		return IncidentPage{}, actor.May(responsehub.See, responsehub.TenantRef{})
	}
	f := Filter{State: q.State, Since: q.Since, Cursor: q.Cursor, Limit: q.Limit}
	tenants, all := e.reach(actor)
	if q.Tenant != "" {
		t, ok := e.tenants.Tenant(q.Tenant)
		if !ok || !actor.Sees(t.Ref()) {
			return IncidentPage{}, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such tenant among yours."}
		}
		f.Tenants = []string{t.ID}
	} else if !all {
		f.Tenants = tenants
		if len(tenants) == 0 {
			return IncidentPage{}, nil
		}
	}
	page, err := e.archive.List(ctx, f)
	if err != nil {
		return IncidentPage{}, unavailable(err)
	}
	out := IncidentPage{Next: page.Next}
	for _, st := range page.States {
		inc, err := Decode(st)
		if err != nil {
			e.log.Error("stored incident cannot be read", "incident", st.ID, "error", err)
			continue
		}
		if actor.Sees(inc.Tenant) {
			out.Incidents = append(out.Incidents, inc)
		}
	}
	return out, nil
}

// reach lists the tenants an actor may see; all is true for everything.
func (e *Engine) reach(actor responsehub.Actor) (ids []string, all bool) {
	for _, name := range actor.Tenants {
		if name == "*" {
			return nil, true
		}
		if t, ok := e.tenants.Tenant(name); ok {
			ids = append(ids, t.ID)
		}
	}
	return ids, false
}

// Events returns an incident's record, oldest first, as stored.
func (e *Engine) Events(ctx context.Context, actor responsehub.Actor, idOrRef string) ([]json.RawMessage, error) {
	inc, err := e.Incident(ctx, actor, idOrRef)
	if err != nil {
		return nil, err
	}
	stored, _, err := e.archive.Events(ctx, inc.ID)
	if err != nil {
		return nil, unavailable(err)
	}
	out := make([]json.RawMessage, len(stored))
	for i, b := range stored {
		out[i] = b
	}
	return out, nil
}

// DeadLanes lists the lanes that were given up. Only somebody who may manage the hub
// sees them.
func (e *Engine) DeadLanes(ctx context.Context, actor responsehub.Actor) ([]DeadLane, error) {
	if err := manageAll(actor); err != nil {
		return nil, err
	}
	dead, err := e.archive.DeadLanes(ctx)
	return dead, unavailable(err)
}

// Revive starts a dead lane again. lane is "<incident id>|<lane>".
func (e *Engine) Revive(ctx context.Context, actor responsehub.Actor, lane string) error {
	if err := manageAll(actor); err != nil {
		return err
	}
	id, name, ok := strings.Cut(lane, "|")
	if !ok || id == "" || name == "" {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "A lane is named <incident id>|<lane>, as the list of dead lanes shows it."}
	}
	err := e.archive.Revive(ctx, id, responsehub.Lane(name))
	if errors.Is(err, ErrNotFound) {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "That lane is not dead; somebody may have started it again already."}
	}
	if err != nil {
		return unavailable(err)
	}
	return e.Amend(ctx, id, func(inc *responsehub.Incident) error {
		if r, ok := e.followers[responsehub.Lane(name)].(Reviver); ok {
			r.Revive(inc)
		}
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventLaneRetried, By: actor.By(), Text: "Lane " + name + " started again by " + actor.Name})
		return nil
	})
}

// Reviver is a follower that keeps in the incident what it gave up, and forgets that when
// a person starts its lane again.
type Reviver interface {
	Revive(inc *responsehub.Incident)
}

// manageAll allows only an administrator of the whole hub.
func manageAll(actor responsehub.Actor) error {
	if actor.Role == responsehub.Admin && slices.Contains(actor.Tenants, "*") {
		return nil
	}
	return &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only an administrator of the whole hub may see and retry dead lanes."}
}
