package app

import (
	"context"

	"responsehub"
)

// checkPhone tries the account at Twilio without calling anybody.
func (a *App) checkPhone(ctx context.Context) []responsehub.Check {
	if a.phone == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return a.phone.Check(ctx)
}
