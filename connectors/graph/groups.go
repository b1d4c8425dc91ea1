package graph

import (
	"context"
	"errors"
	"net/url"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

var _ steps.Groups = (*Client)(nil)

var (
	memberRights = []string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	readMembers  = append([]string{"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"}, memberRights...)
)

// AddMember puts the user into the group. Who is in it already stays.
// https://learn.microsoft.com/en-us/graph/api/group-post-members
func (c *Client) AddMember(ctx context.Context, tenant, group, user string) (steps.Receipt, error) {
	k := call{op: "put the account into the tenant's lock group", tenant: tenant, about: aGroup, write: true, needs: memberRights}
	answer, err := c.send(ctx, k, abs.POST, c.address(nil, "groups", group, "members", "$ref"), map[string]string{
		"@odata.id": c.base.JoinPath("directoryObjects", user).String(),
	})
	if err != nil && !alreadyThere(err) {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

// alreadyThere recognises the refusal to add a reference twice.
func alreadyThere(err error) bool {
	e, ok := errors.AsType[*transport.Error](err)
	if !ok || e.Status != 400 {
		return false
	}
	_, message := complaint(e.Body)
	return strings.Contains(strings.ToLower(message), "already exist")
}

// RemoveMember takes the user out of the group. Who is not in it stays out.
// https://learn.microsoft.com/en-us/graph/api/group-delete-members
func (c *Client) RemoveMember(ctx context.Context, tenant, group, user string) (steps.Receipt, error) {
	k := call{op: "take the account out of the tenant's lock group", tenant: tenant, about: aGroup, write: true, needs: memberRights}
	answer, err := c.send(ctx, k, abs.DELETE, c.address(nil, "groups", group, "members", user, "$ref"), nil)
	if err != nil && responsehub.KindOf(err) != responsehub.NotFound {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

// Member reports whether the user is a direct member of the group.
// https://learn.microsoft.com/en-us/graph/api/group-list-members
func (c *Client) Member(ctx context.Context, tenant, group, user string) (bool, error) {
	k := call{op: "read the members of the tenant's lock group", tenant: tenant, about: aGroup, needs: readMembers}
	members, err := objects[struct {
		ID string `json:"id"`
	}](ctx, c, k, c.address(url.Values{"$select": {"id"}, "$top": {"999"}}, "groups", group, "members"))
	for _, m := range members {
		if strings.EqualFold(m.ID, user) {
			return true, nil
		}
	}
	return false, err
}
