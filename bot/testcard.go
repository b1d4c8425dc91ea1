package bot

import (
	"context"
	"fmt"

	"responsehub"
	"responsehub/bot/card"
)

// Reach says how the bot would post in a channel, or why it cannot. Known is false where
// no install event has named the channel yet; then the address is that of another
// channel, if there is any.
func (b *Bot) Reach(id string) (ch responsehub.Channel, known bool, why string) {
	_, known = b.directory.Channel(id)
	ch, why = (&Follower{bot: b}).reach(id)
	return ch, known, why
}

// TestCard posts a card that says it is a test, and then changes it to say that the test
// passed: the two things that every card of an incident needs. A channel that was noted
// as out of reach is tried too, and is in reach again when it works.
func (b *Bot) TestCard(ctx context.Context, id string) error {
	ch, known, why := b.Reach(id)
	if ch.ServiceURL == "" {
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: why}
	}
	if err := b.room(ctx, ch.ID); err != nil {
		return err
	}
	at, err := b.client.thread(ctx, ch, attached(card.Test(false), sayTest))
	if err != nil {
		return fmt.Errorf("post a test card in %s: %w", ch.ID, err)
	}
	if err := b.client.update(ctx, ch.ServiceURL, at.Conversation, at.Activity, attached(card.Test(true), sayTest)); err != nil {
		return fmt.Errorf("change the test card in %s: %w", ch.ID, err)
	}
	if known && why != "" {
		ch.Installed, ch.Failure = true, ""
		if err := b.directory.PutChannel(ctx, ch); err != nil {
			return fmt.Errorf("keep channel %s: %w", ch.ID, err)
		}
	}
	return nil
}

const sayTest = "A test of responsehub: nothing has happened."
