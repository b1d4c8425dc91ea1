package bot

import (
	"context"
	"fmt"
	"time"

	"responsehub"
	"responsehub/remediation"
)

// spreads is how long it takes until every replica's list of channels shows a change.
const spreads = 2 * time.Second

// tellRemoved notes in each open incident whose card stands in a channel that the bot
// was removed from, that nobody reads the truth there any more. The note also makes the
// hub look for another channel, which an install event alone would not.
func (b *Bot) tellRemoved(ctx context.Context, lost []responsehub.Channel) error {
	select {
	case <-time.After(spreads):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for _, state := range []responsehub.IncidentState{responsehub.Active, responsehub.Unpublished} {
		for cursor := ""; ; {
			page, err := b.engine.Incidents(ctx, responsehub.Hub, remediation.Query{State: state, Cursor: cursor, Limit: 200})
			if err != nil {
				return fmt.Errorf("list incidents of a lost channel: %w", err)
			}
			for _, inc := range page.Incidents {
				for _, ch := range lost {
					if inc.Cards[ch.ID].Activity == "" {
						continue
					}
					event := responsehub.Event{At: time.Now(), Kind: responsehub.EventNoticeFailed, By: responsehub.Hub.By(), Text: sayLost(ch)}
					if err := b.engine.Note(ctx, inc.ID, event); err != nil {
						return fmt.Errorf("note a lost channel: %w", err)
					}
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	return nil
}
