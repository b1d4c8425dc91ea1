package graph

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"responsehub"
	"responsehub/remediation/steps"
)

var _ steps.Foothold = (*Grants)(nil)

// Grants returns the consents to apps.
func (c *Client) Grants() *Grants { return &Grants{c} }

// Grants are consents to apps. An item's Object is the grant's id.
type Grants struct{ c *Client }

var grantRights = []string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}

// Read returns the grant. A grant to an app that is switched off in the tenant gives
// nobody a new token, so it is not active.
// https://learn.microsoft.com/en-us/graph/api/oauth2permissiongrant-get
func (g *Grants) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	k := call{op: "read the consent", tenant: t.Tenant, about: anApp, needs: append([]string{"Directory.Read.All"}, grantRights...)}
	var grant models.OAuth2PermissionGrantable
	answer, err := g.c.do(ctx, k, func(ctx context.Context) (err error) {
		grant, err = g.c.grants().ByOAuth2PermissionGrantId(item.Object).Get(ctx, nil)
		return present(grant, err)
	})
	if err != nil {
		return steps.Reading{}, err
	}
	reading := steps.Reading{Name: item.Name, Active: true, Snapshot: snapshot(answer), RequestID: answer.RequestID}
	sp, asked, err := g.c.principal(ctx, t.Tenant, deref(grant.GetClientId()))
	switch {
	case err != nil && ClassOf(err) != NotFound:
		return steps.Reading{}, err
	case err != nil:
		reading.Active = false
	case sp.GetAccountEnabled() != nil && !*sp.GetAccountEnabled():
		reading.Active, reading.RequestID = false, asked.RequestID
	default:
		reading.Guard = g.c.guard(sp)
	}
	return reading, nil
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
