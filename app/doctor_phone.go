package app

import (
	"context"

	"responsehub"
)

// checkPhone tries the account at Twilio, and calls and texts somebody only where a person
// is named. With Redis it says which phones were never shown to work.
func (a *App) checkPhone(ctx context.Context, person string, redis bool) []responsehub.Check {
	var checks []responsehub.Check
	if a.phone != nil {
		asking, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		checks = a.phone.Check(asking)
	}
	if person != "" {
		checks = append(checks, a.pager.Try(ctx, person)...)
	}
	if a.phone != nil && redis {
		asking, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		checks = append(checks, a.pager.Unshown(asking)...)
	}
	return checks
}
