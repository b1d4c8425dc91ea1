package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
)

// Alarm says something to the operators that belongs to no incident, in a thread of its
// own in each of the fallback channels. One channel that fails does not keep it from the
// others. The words are shown as they are, without formatting.
func (b *Bot) Alarm(ctx context.Context, words string) error {
	var errs []error
	for _, id := range b.cfg.Channels {
		ch, _, why := b.Reach(id)
		if ch.ServiceURL == "" {
			errs = append(errs, &responsehub.Error{Kind: responsehub.Forbidden, Message: why})
			continue
		}
		if err := b.room(ctx, ch.ID); err != nil {
			errs = append(errs, err)
			continue
		}
		if _, err := b.client.thread(ctx, ch, schema.Activity{Type: schema.Message, TextFormat: schema.TextFormatTypes("plain"), Text: words}); err != nil {
			errs = append(errs, fmt.Errorf("say an alarm in %s: %w", ch.ID, err))
		}
	}
	return errors.Join(errs...)
}
