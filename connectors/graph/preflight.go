package graph

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/connectors/entra"
)

var readsOrganization = []string{"Organization.Read.All", "Directory.Read.All", "Organization.ReadWrite.All", "Directory.ReadWrite.All"}

// FreshRights returns what a token made just now may do: rights that were granted or
// withdrawn show in a new one only. It needs one request to the sign-in service.
func (c *Client) FreshRights(ctx context.Context, tenant string) (entra.Rights, error) {
	return c.login.FreshRights(ctx, tenant, c.login.Cloud().Graph)
}

// Hybrid reports whether the tenant's directory is synchronised with on-premises Active
// Directory. https://learn.microsoft.com/en-us/graph/api/organization-list
func (c *Client) Hybrid(ctx context.Context, tenant string) (bool, error) {
	k := call{op: "read the organisation", tenant: tenant, needs: readsOrganization}
	list, err := objects[struct {
		Synced *bool `json:"onPremisesSyncEnabled"`
	}](ctx, c, k, c.address(url.Values{"$select": {"id,onPremisesSyncEnabled"}}, "organization"))
	if err != nil {
		return false, err
	}
	for _, o := range list {
		if deref(o.Synced) {
			return true, nil
		}
	}
	return false, nil
}

// Organization returns the tenant's own id, read with the hub's own token for it. A token
// that was made for another tenant is refused before it is used.
func (c *Client) Organization(ctx context.Context, tenant string) (string, error) {
	rights, err := c.FreshRights(ctx, tenant)
	if err != nil {
		return "", err
	}
	k := call{op: "read the organisation", tenant: tenant, needs: readsOrganization}
	if rights.Known && !strings.EqualFold(rights.Tenant, tenant) {
		return "", &responsehub.Error{Kind: responsehub.Forbidden, Message: "Microsoft answered for another tenant than the one that was asked for."}
	}
	list, err := objects[struct {
		ID string `json:"id"`
	}](ctx, c, k, c.address(url.Values{"$select": {"id"}}, "organization"))
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", &responsehub.Error{Kind: responsehub.NotFound, Message: "Microsoft names no organisation for this tenant."}
	}
	return list[0].ID, nil
}

// TraceAnswers makes the smallest message trace there is, to see whether the tenant
// answers one.
func (c *Client) TraceAnswers(ctx context.Context, tenant string) error {
	k := call{op: "read the message trace", tenant: tenant, traces: true, needs: readsTraces}
	if !c.login.Cloud().Global() {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "Microsoft has the message trace in the global cloud only.", Err: errNotHere}
	}
	now := time.Now()
	filter := "messageId eq " + quote("<preflight@responsehub.invalid>") + " and receivedDateTime ge " + stamp(now.Add(-time.Hour)) + " and receivedDateTime le " + stamp(now)
	return c.trace(ctx, k, filter, func(map[string]any) {})
}

// NeedsRole names the directory role that the hub's app lacks to lock or reset somebody
// who holds these roles, "" when it lacks none. An app whose token cannot be read counts
// as lacking it.
func (c *Client) NeedsRole(ctx context.Context, tenant string, roles []string) (string, error) {
	rights, err := c.FreshRights(ctx, tenant)
	if err != nil {
		return "", err
	}
	held, needs := rights.DirectoryRoles(), leastRole(roles)
	if len(roles) == 0 || slices.Contains(held, needs) || slices.Contains(held, privilegedAdministrator) || slices.Contains(held, "Global Administrator") {
		return "", nil
	}
	return needs, nil
}
