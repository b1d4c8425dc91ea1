package app

import (
	"fmt"
	"net/url"

	"responsehub"
	"responsehub/connectors/webhook"
)

// checkHooks tells with which secret each outgoing webhook is signed. It goes to the
// terminal of whoever holds the hub's key anyway, and nowhere else.
func (a *App) checkHooks(tenants []responsehub.Tenant) []responsehub.Check {
	var checks []responsehub.Check
	for _, t := range tenants {
		for _, address := range t.Notify.Webhooks {
			u, err := url.Parse(address)
			if err != nil || u.Host == "" {
				checks = append(checks, responsehub.Check{Name: "webhook " + t.Name, Grade: responsehub.CheckMissing, Sentence: "An outgoing webhook's address is none."})
				continue
			}
			checks = append(checks, responsehub.Check{Name: "webhook " + t.Name, Grade: responsehub.CheckOK, Sentence: fmt.Sprintf(
				"Deliveries to %s are signed with %s; give it to the receiver.", u.Host, string(webhook.Secret(a.cfg.Secrets.Bytes(), address)))})
		}
	}
	return checks
}
