package bot

import (
	"context"
	"fmt"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
)

// Alarm says something to the operators that belongs to no incident, in a thread of its
// own in a channel. The words are shown as they are, without formatting.
func (b *Bot) Alarm(ctx context.Context, channel, words string) error {
	ch, _, why := b.Reach(channel)
	if ch.ServiceURL == "" {
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: why}
	}
	if err := b.room(ctx, ch.ID); err != nil {
		return err
	}
	if _, err := b.client.thread(ctx, ch, schema.Activity{Type: schema.Message, TextFormat: schema.TextFormatTypes("plain"), Text: words}); err != nil {
		return fmt.Errorf("say an alarm in %s: %w", ch.ID, err)
	}
	return nil
}
