package graph

import (
	"context"
	"encoding/json"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/oauth2permissiongrants"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

var _ steps.Foothold = (*Grants)(nil)

// Grants returns the consents to apps.
func (c *Client) Grants() *Grants { return &Grants{c} }

// Grants are consents to apps. An item's Object is the grant's id.
type Grants struct{ c *Client }

var grantRights = []string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}

// Read returns the grant from the lists in which it stands: the user's own consents,
// or, for a consent that an administrator gave for everybody, the tenant's. A grant to
// an app that is switched off is not active.
// https://learn.microsoft.com/en-us/graph/api/user-list-oauth2permissiongrants
func (g *Grants) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	k := call{op: "read the consent", tenant: t.Tenant, about: anApp, needs: append([]string{"Directory.Read.All"}, grantRights...)}
	reading, found, err := g.look(ctx, k, item, func(next string) getGrants { return g.c.userGrants(t.User, next) })
	if err == nil && !found && !personal(item.Snapshot) {
		reading, found, err = g.look(ctx, k, item, g.c.tenantGrants)
	}
	if err != nil {
		return steps.Reading{}, err
	}
	if !found {
		return steps.Reading{}, &responsehub.Error{Kind: responsehub.NotFound, Message: words(NotFound, k), RequestID: reading.RequestID, Err: &Fault{Class: NotFound, Op: k.op}}
	}
	return g.effect(ctx, t.Tenant, reading)
}

// effect asks whether the consented app can still be used: one that is switched off in
// the tenant, or gone from it, gets no new token by any consent.
func (g *Grants) effect(ctx context.Context, tenant string, reading steps.Reading) (steps.Reading, error) {
	var grant struct{ ClientID string }
	if err := json.Unmarshal(reading.Snapshot, &grant); err != nil || grant.ClientID == "" {
		return reading, nil // unknown app: the consent counts as active
	}
	sp, answer, err := g.c.principal(ctx, tenant, grant.ClientID)
	switch {
	case err != nil && ClassOf(err) == NotFound:
		reading.Active = false
	case err != nil:
		return steps.Reading{}, err
	case sp.GetAccountEnabled() != nil && !*sp.GetAccountEnabled():
		reading.Active, reading.RequestID = false, answer.RequestID
	default:
		reading.Guard = g.c.guard(sp)
	}
	return reading, nil
}

// getGrants reads one page of grants.
type getGrants func(ctx context.Context) (models.OAuth2PermissionGrantCollectionResponseable, error)

// look goes through one list.
func (g *Grants) look(ctx context.Context, k call, item *responsehub.Item, list func(next string) getGrants) (reading steps.Reading, found bool, err error) {
	seen := map[string]bool{}
	for next := ""; ; {
		var page models.OAuth2PermissionGrantCollectionResponseable
		answer, err := g.c.do(ctx, k, func(ctx context.Context) (err error) {
			page, err = list(next)(ctx)
			return present(page, err)
		})
		if err != nil {
			return reading, false, err
		}
		reading.RequestID = answer.RequestID
		for i, grant := range page.GetValue() {
			if deref(grant.GetId()) == item.Object {
				return steps.Reading{Name: item.Name, Active: true, Snapshot: nth(answer, i), RequestID: answer.RequestID}, true, nil
			}
		}
		if next = deref(page.GetOdataNextLink()); next == "" {
			return reading, false, nil
		}
		if err := g.c.follow(next, seen); err != nil {
			return reading, false, astray(k, err)
		}
	}
}

func (c *Client) userGrants(user, next string) getGrants {
	b := c.user(user).Oauth2PermissionGrants()
	if next != "" {
		b = users.NewItemOauth2PermissionGrantsRequestBuilder(next, c.adapter)
	}
	return func(ctx context.Context) (models.OAuth2PermissionGrantCollectionResponseable, error) {
		return b.Get(ctx, nil)
	}
}

func (c *Client) tenantGrants(next string) getGrants {
	b := c.grants()
	if next != "" {
		b = oauth2permissiongrants.NewOauth2PermissionGrantsRequestBuilder(next, c.adapter)
	}
	return func(ctx context.Context) (models.OAuth2PermissionGrantCollectionResponseable, error) {
		return b.Get(ctx, nil)
	}
}

// personal reports whether a grant was one of the user's own when it was read before: its
// absence from the user's list is then the whole answer.
func personal(snapshot json.RawMessage) bool {
	var was struct {
		Type string `json:"consentType"`
	}
	return json.Unmarshal(snapshot, &was) == nil && was.Type == "Principal"
}

// nth is one object of a list as Microsoft described it.
func nth(answer *transport.Answer, i int) json.RawMessage {
	var list struct {
		Value []json.RawMessage `json:"value"`
	}
	if json.Unmarshal(answer.Body, &list) != nil || i >= len(list.Value) {
		return nil
	}
	return list.Value[i]
}

// Neutralise deletes the grant, since there is no disabling one; the snapshot is enough
// to make it again. Access tokens already out live on for up to an hour.
func (g *Grants) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	k := call{op: "delete the consent", tenant: t.Tenant, about: anApp, write: true, needs: grantRights}
	answer, err := g.c.do(ctx, k, func(ctx context.Context) error {
		return g.c.grants().ByOAuth2PermissionGrantId(item.Object).Delete(ctx, nil)
	})
	if err != nil && ClassOf(err) != NotFound {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}
