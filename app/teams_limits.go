package app

import (
	"context"
	"time"

	"responsehub/bot"
	"responsehub/store"
)

// teamsLimits keeps all replicas within what Teams allows in one conversation.
type teamsLimits struct{ *store.Limits }

var _ bot.Limits = teamsLimits{}

func (l teamsLimits) Admit(ctx context.Context, place string, windows ...bot.Window) (time.Duration, error) {
	rates := make([]store.Rate, len(windows))
	for i, w := range windows {
		rates[i] = store.Rate(w)
	}
	return l.Limits.Admit(ctx, place, rates...)
}

func (l teamsLimits) Bar(ctx context.Context, place string, d time.Duration) error {
	return l.Block(ctx, place, d)
}
