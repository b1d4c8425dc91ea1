package graph

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/remediation/steps"
)

// credential is a secret or a certificate of an app.
type credential struct {
	Start time.Time `json:"startDateTime"`
}

// ownedApp is an app registration or an enterprise app that a user owns.
// https://learn.microsoft.com/en-us/graph/api/user-list-ownedobjects
type ownedApp struct {
	ID        string       `json:"id"`
	AppID     string       `json:"appId"`
	Name      string       `json:"displayName"`
	Disabled  bool         `json:"isDisabled"`
	Enabled   *bool        `json:"accountEnabled"`
	Owner     string       `json:"appOwnerOrganizationId"`
	Created   time.Time    `json:"createdDateTime"`
	Passwords []credential `json:"passwordCredentials"`
	Keys      []credential `json:"keyCredentials"`
}

// since says why the app is suspected, and when that was made: the app itself, or a
// secret of it. An enterprise app does not tell when it was made.
func (a ownedApp) since(t time.Time) (why string, at time.Time) {
	if !a.Created.IsZero() && !a.Created.Before(t) {
		return fmt.Sprintf(whyAppMade, a.Created.UTC().Format(shown)), a.Created
	}
	for _, k := range slices.Concat(a.Passwords, a.Keys) {
		if !k.Start.IsZero() && !k.Start.Before(t) && k.Start.After(at) {
			why, at = fmt.Sprintf(whyAppSecret, k.Start.UTC().Format(shown)), k.Start
		}
	}
	return why, at
}

func (c *Client) scanOwned(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	k := call{op: "list the apps that the account owns", tenant: t.Tenant, about: anAccount, needs: []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}}
	var items []responsehub.Item
	for _, list := range []struct {
		kind   responsehub.ItemKind
		cast   string
		fields string
	}{
		{responsehub.AppRegistration, "graph.application", "id,appId,displayName,isDisabled,createdDateTime,passwordCredentials,keyCredentials"},
		{responsehub.ServicePrincipal, "graph.servicePrincipal", "id,appId,displayName,accountEnabled,appOwnerOrganizationId,passwordCredentials,keyCredentials"},
	} {
		apps, err := objects[ownedApp](ctx, c, k, c.address(url.Values{"$select": {list.fields}}, "users", t.User, "ownedObjects", list.cast))
		if err != nil {
			return items, err
		}
		for _, a := range apps {
			why, at := a.since(since)
			if a.ID == "" || why == "" || a.Disabled || a.Enabled != nil && !*a.Enabled || c.spared(a.AppID, a.Owner) != "" {
				continue
			}
			items = append(items, responsehub.Item{ID: responsehub.ItemID(list.kind, a.ID), Kind: list.kind, Object: a.ID, Name: a.Name, Why: why, MadeAt: at.UTC(), MadeBy: strings.TrimSpace(t.UPN)})
		}
	}
	return items, nil
}

// shown is how times stand in sentences.
const shown = "2006-01-02 15:04:05 UTC"
