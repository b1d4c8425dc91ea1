package remediation

import (
	"context"
	"time"

	"responsehub"
)

const (
	// formerLookBack is how long before it was closed a former incident may have been opened,
	// and formerLookAt how many of a tenant's closed incidents are looked at: enough for any
	// tenant, and no burden.
	formerLookBack = 30 * 24 * time.Hour
	formerLookAt   = 100
	// formerLookFor bounds the search. What names nothing is better than what is late.
	formerLookFor = time.Second
)

// Lister lists incidents; the engine does.
type Lister interface {
	Incidents(ctx context.Context, actor responsehub.Actor, q Query) (IncidentPage, error)
}

// Former finds the incident of the same account that was closed last, if that was not long
// before this one was opened; nil when there is none. With an error it is the best that
// could be found.
func Former(ctx context.Context, engine Lister, inc *responsehub.Incident) (old *responsehub.Incident, err error) {
	if inc.Tenant.ID == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, formerLookFor)
	defer cancel()
	since := inc.OpenedAt.Add(-responsehub.ResumeWithin)
	for _, state := range []responsehub.IncidentState{responsehub.Remediated, responsehub.FalseAlarm} {
		page, err := engine.Incidents(ctx, responsehub.Hub, Query{Tenant: inc.Tenant.ID, State: state, Since: since.Add(-formerLookBack), Limit: formerLookAt})
		if err != nil {
			return old, err
		}
		for _, was := range page.Incidents {
			if was.Key == inc.Key && was.ID != inc.ID && was.ClosedAt.After(since) && (old == nil || was.ClosedAt.After(old.ClosedAt)) {
				old = was
			}
		}
	}
	return old, nil
}

// Before is [Former] as an incident keeps it, for those who tell people. What cannot be
// found out is logged, and keeps nobody waiting.
func (e *Engine) Before(ctx context.Context, inc *responsehub.Incident) *responsehub.Former {
	old, err := Former(ctx, e, inc)
	if err != nil {
		e.log.Warn("whether the account had an incident before cannot be found out", "incident", inc.ID, "error", err)
	}
	if old == nil {
		return nil
	}
	return &responsehub.Former{ID: old.ID, Ref: old.Ref, State: old.State, ClosedAt: old.ClosedAt}
}
