package bot

import (
	"context"

	"responsehub"
	"responsehub/remediation"
)

// resume lets a new incident answer in the thread of the one that its account had before,
// so that whoever reads it sees what was done then. It is decided once, before the first
// card. What cannot be found out keeps no card waiting.
func (f *Follower) resume(ctx context.Context, t *responsehub.Turn) error {
	inc := t.Incident
	if len(inc.Cards) > 0 || inc.State.Closed() || inc.Tenant.ID == "" {
		return nil
	}
	old := f.former(ctx, inc)
	if old == nil {
		return nil
	}
	return t.Save(ctx, func(inc *responsehub.Incident) error {
		inc.Follows(&responsehub.Former{ID: old.ID, Ref: old.Ref, State: old.State, ClosedAt: old.ClosedAt})
		for _, id := range f.channels(inc) {
			if was := old.Cards[id]; was.Activity != "" && was.Conversation != "" && was.Failure == "" && inc.Cards[id].Conversation == "" {
				set(inc, id, responsehub.CardRef{Conversation: was.Conversation})
			}
		}
		return nil
	})
}

// former is the incident that the account had before: the one that is known already, or
// the one that can be found.
func (f *Follower) former(ctx context.Context, inc *responsehub.Incident) (old *responsehub.Incident) {
	var err error
	if inc.Former != nil {
		old, err = f.bot.engine.Incident(ctx, responsehub.Hub, inc.Former.ID)
	} else {
		old, err = remediation.Former(ctx, f.bot.engine, inc)
	}
	if err != nil {
		f.log.Warn("whether the account had an incident before cannot be found out", "incident", inc.ID, "error", err)
	}
	return old
}
