package app

import (
	"fmt"
	"net/url"

	"responsehub"
)

// checkHooks tells how each outgoing webhook is signed. The secret itself is shown once,
// when it is made: what doctor says is pasted into tickets.
func (a *App) checkHooks(tenants []responsehub.Tenant) []responsehub.Check {
	var checks []responsehub.Check
	for _, t := range tenants {
		for _, address := range t.Notify.Webhooks {
			c := responsehub.Check{Name: "webhook " + t.Name, Grade: responsehub.CheckMissing, Sentence: "An outgoing webhook's address is none."}
			if u, err := url.Parse(address); err == nil && u.Host != "" {
				c.Grade, c.Sentence = responsehub.CheckOK, fmt.Sprintf(
					"Deliveries to %s are signed. `responsehub webhook rotate %s %s` makes a new secret and shows it once.", u.Host, t.ID, responsehub.AddressID(address))
			}
			checks = append(checks, c)
		}
	}
	return checks
}
