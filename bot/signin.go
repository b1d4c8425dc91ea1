package bot

import "context"

// SignIn gets the bot's own token, to see whether its secret is accepted. It posts
// nothing.
func (b *Bot) SignIn(ctx context.Context) error {
	_, err := b.client.tokens.token(ctx)
	return err
}
