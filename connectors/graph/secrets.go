package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/remediation/steps"
)

// secretAdded are the activities that give an app a secret or a certificate. The name of
// the first goes on differently in the log of different years, so that it is asked for by
// its beginning and told by what was changed.
// https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-audit-activities
var secretAdded = []struct {
	which string
	kind  responsehub.ItemKind
	what  string // type of what was changed
}{
	{"startswith(activityDisplayName,'Update application')", responsehub.AppRegistration, "Application"},
	{"activityDisplayName eq 'Add service principal credentials'", responsehub.ServicePrincipal, "ServicePrincipal"},
}

// scanSecrets finds the apps to which the account gave a secret or a certificate since the
// given time, also those that it does not own: whoever holds the secret signs in as the
// app, whatever becomes of the account.
func (c *Client) scanSecrets(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	var items []responsehub.Item
	for _, a := range secretAdded {
		entries, err := c.audits(ctx, t, since, a.which)
		if err != nil {
			return items, err
		}
		for i := range entries {
			e := &entries[i]
			app, name := e.secretOf(a.what)
			by := e.Initiator.User
			if app == "" || by == nil || !strings.EqualFold(by.ID, t.User) && (by.UPN == "" || !strings.EqualFold(by.UPN, t.UPN)) || e.Result != "" && !strings.EqualFold(e.Result, "success") {
				continue
			}
			who := clip(t.UPN)
			items = append(items, responsehub.Item{
				ID: responsehub.ItemID(a.kind, app), Kind: a.kind, Object: app, Name: name, MadeAt: e.At.UTC(), MadeBy: who,
				Why: fmt.Sprintf(whySecretAdded, e.At.UTC().Format(shown), who),
			})
		}
	}
	return items, nil
}

// secretOf returns the app to which the entry says that a credential was added; one that
// was only taken away is none.
func (e *audited) secretOf(what string) (app, name string) {
	for _, target := range e.Targets {
		if !strings.EqualFold(target.Type, what) {
			continue
		}
		for _, p := range target.Properties {
			if p.Name == "KeyDescription" && added(p.Old, p.New) {
				return target.ID, target.Name
			}
		}
	}
	return "", ""
}

// added reports whether the list new, which is JSON, has something that old has not. What
// is not a list counts when it is another.
func added(old, new string) bool {
	var was, is []string
	if json.Unmarshal([]byte(new), &is) != nil || old != "" && json.Unmarshal([]byte(old), &was) != nil {
		return old != new
	}
	return slices.ContainsFunc(is, func(k string) bool { return !slices.Contains(was, k) })
}
