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

var _ steps.Roles = (*Client)(nil)

const (
	userAdministrator       = "User Administrator"
	privilegedAdministrator = "Privileged Authentication Administrator"
)

// lightRoles are those whose holders a User Administrator may still lock and reset.
// https://learn.microsoft.com/en-us/graph/api/resources/users#who-can-perform-sensitive-actions
var lightRoles = []string{
	"Directory Readers", "Groups Administrator", "Guest Inviter", "Helpdesk Administrator", "Message Center Reader",
	"Password Administrator", "Reports Reader", "Usage Summary Reports Reader", userAdministrator,
}

// Roles names the directory roles of a user, those through groups too.
// https://learn.microsoft.com/en-us/graph/api/user-list-transitivememberof
func (c *Client) Roles(ctx context.Context, tenant, user string) ([]string, error) {
	k := call{op: "read the account's directory roles", tenant: tenant, about: anAccount, needs: []string{"Directory.Read.All", "RoleManagement.Read.Directory"}}
	roles, err := objects[struct {
		Name string `json:"displayName"`
	}](ctx, c, k, c.address(url.Values{"$select": {"displayName"}}, "users", user, "transitiveMemberOf", "graph.directoryRole"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range roles {
		if r.Name != "" {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// whyRefused looks why Microsoft refused although the permission may be there: no role of
// the whole tenant overcomes a restricted management unit, and which role overcomes an
// administrator's protection depends on the roles of the account.
func (c *Client) whyRefused(ctx context.Context, k call, user string, err error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if a, readErr := c.Account(ctx, k.tenant, user); readErr == nil && a.Restricted {
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: words(RestrictedUnit, k), Err: &Fault{Class: RestrictedUnit, Op: k.op, Err: err}}
	}
	if !k.admin {
		return err
	}
	if roles, readErr := c.Roles(ctx, k.tenant, user); readErr == nil && len(roles) > 0 {
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: protected(k, roles), Err: &Fault{Class: ProtectedTarget, Op: k.op, Err: err}}
	}
	return err
}

// leastRole is the least role that suffices to lock or reset a holder of the roles.
func leastRole(roles []string) string {
	if slices.ContainsFunc(roles, func(r string) bool { return !slices.Contains(lightRoles, r) }) {
		return privilegedAdministrator
	}
	return userAdministrator
}

// protected is the sentence for an administrator's account, with the least role that
// suffices.
func protected(k call, roles []string) string {
	needs := leastRole(roles)
	const most = 3
	named := strings.Join(roles[:min(len(roles), most)], ", ")
	if n := len(roles) - most; n > 0 {
		named += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("The hub could not %s: the account is protected by its own role (%s). Give the hub's app the role %s in this tenant, or let a Global Administrator do it by hand in the Entra admin center.", k.op, named, needs)
}
