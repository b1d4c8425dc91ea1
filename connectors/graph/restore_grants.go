package graph

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"responsehub"
	"responsehub/remediation/steps"
)

// consent is what makes two grants the same; Graph allows one for each client, person
// and resource.
type consent struct {
	ID          string `json:"id"`
	ClientID    string `json:"clientId"`
	ConsentType string `json:"consentType"`
	PrincipalID string `json:"principalId"`
	ResourceID  string `json:"resourceId"`
	Scope       string `json:"scope"`
}

// Restore makes a consent anew that the hub had deleted, unless it is there again. A
// consent to the same app by the same person is taken for it.
// https://learn.microsoft.com/en-us/graph/api/oauth2permissiongrant-post
func (g *Grants) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	var was consent
	if err := json.Unmarshal(item.Snapshot, &was); err != nil || was.ClientID == "" || was.ResourceID == "" {
		return steps.Receipt{}, unreadable(err)
	}
	if found, r, err := g.find(ctx, t, was); err != nil || found != "" {
		if err == nil {
			item.Object = found
		}
		return r, err
	}
	k := call{op: "make the consent anew", tenant: t.Tenant, about: anApp, write: true, needs: grantRights}
	body := models.NewOAuth2PermissionGrant()
	body.SetClientId(&was.ClientID)
	body.SetConsentType(&was.ConsentType)
	body.SetResourceId(&was.ResourceID)
	body.SetScope(&was.Scope)
	if was.PrincipalID != "" {
		body.SetPrincipalId(&was.PrincipalID)
	}
	var made models.OAuth2PermissionGrantable
	answer, err := g.c.do(ctx, k, func(ctx context.Context) (err error) {
		made, err = g.c.grants().Post(ctx, body, nil)
		return present(made, err)
	})
	if err != nil {
		if answer != nil && conflict(answer.Status) { // it is there, but does not show yet
			return steps.Receipt{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: words(Transient, k), Err: err}
		}
		return steps.Receipt{}, err
	}
	item.Object = deref(made.GetId())
	return receipt(answer), nil
}

// find looks for the consent in the list in which it would stand.
func (g *Grants) find(ctx context.Context, t steps.Target, was consent) (id string, r steps.Receipt, err error) {
	k := call{op: "read the consent", tenant: t.Tenant, about: anApp, needs: append([]string{"Directory.Read.All"}, grantRights...)}
	list := g.c.tenantGrants
	if was.ConsentType == "Principal" {
		user := was.PrincipalID
		list = func(next string) getGrants { return g.c.userGrants(user, next) }
	}
	seen := map[string]bool{}
	for next := ""; ; {
		var page models.OAuth2PermissionGrantCollectionResponseable
		answer, err := g.c.do(ctx, k, func(ctx context.Context) (err error) {
			page, err = list(next)(ctx)
			return present(page, err)
		})
		if err != nil {
			return "", steps.Receipt{}, err
		}
		for _, is := range page.GetValue() {
			if deref(is.GetClientId()) == was.ClientID && deref(is.GetResourceId()) == was.ResourceID && deref(is.GetPrincipalId()) == was.PrincipalID {
				return deref(is.GetId()), receipt(answer), nil
			}
		}
		if next = deref(page.GetOdataNextLink()); next == "" {
			return "", receipt(answer), nil
		}
		if err := g.c.follow(next, seen); err != nil {
			return "", steps.Receipt{}, astray(k, err)
		}
	}
}

// Restored compares who may do what by the consent.
func (g *Grants) Restored(before, now json.RawMessage) bool {
	var was, is consent
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(now, &is) != nil {
		return false
	}
	a, b := strings.Fields(was.Scope), strings.Fields(is.Scope)
	slices.Sort(a)
	slices.Sort(b)
	was.ID, is.ID, was.Scope, is.Scope = "", "", "", ""
	return was == is && slices.Equal(a, b)
}
