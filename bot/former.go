package bot

import (
	"context"
	"time"

	"responsehub"
	"responsehub/remediation"
)

const (
	// resumeWithin is how long after an incident was closed a new one of the same account
	// goes on in its thread. A closed ticket is opened again for as long.
	resumeWithin = 7 * 24 * time.Hour
	// lookBack is how long before that it may have been opened, and lookAt how many of a
	// tenant's closed incidents are looked at: enough for any tenant, and no burden.
	lookBack = 30 * 24 * time.Hour
	lookAt   = 100
	// lookFor bounds the search. A card that names nothing is better than one that is late.
	lookFor = time.Second
)

// resume lets a new incident answer in the thread of the one that its account had before,
// so that whoever reads it sees what was done then. It is decided once, before the first
// card. What cannot be found out keeps no card waiting.
func (f *Follower) resume(ctx context.Context, t *responsehub.Turn) error {
	inc := t.Incident
	if len(inc.Cards) > 0 || inc.Former != nil || inc.State.Closed() || inc.Tenant.ID == "" {
		return nil
	}
	old := f.former(ctx, inc)
	if old == nil {
		return nil
	}
	return t.Save(ctx, func(inc *responsehub.Incident) error {
		inc.Former = &responsehub.Former{ID: old.ID, Ref: old.Ref, State: old.State, ClosedAt: old.ClosedAt}
		for _, id := range f.channels(inc) {
			if was := old.Cards[id]; was.Activity != "" && was.Conversation != "" && was.Failure == "" && inc.Cards[id].Conversation == "" {
				set(inc, id, responsehub.CardRef{Conversation: was.Conversation})
			}
		}
		return nil
	})
}

// former is the incident of the same account that was closed last, if that was not long
// before this one was opened.
func (f *Follower) former(ctx context.Context, inc *responsehub.Incident) (old *responsehub.Incident) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	since := inc.OpenedAt.Add(-resumeWithin)
	for _, state := range []responsehub.IncidentState{responsehub.Remediated, responsehub.FalseAlarm} {
		page, err := f.bot.engine.Incidents(ctx, responsehub.Hub, remediation.Query{Tenant: inc.Tenant.ID, State: state, Since: since.Add(-lookBack), Limit: lookAt})
		if err != nil {
			f.log.Warn("whether the account had an incident before cannot be found out", "incident", inc.ID, "error", err)
			return old
		}
		for _, was := range page.Incidents {
			if was.Key == inc.Key && was.ID != inc.ID && was.ClosedAt.After(since) && (old == nil || was.ClosedAt.After(old.ClosedAt)) {
				old = was
			}
		}
	}
	return old
}
