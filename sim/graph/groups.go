package graph

import (
	"net/http"
	"slices"
	"strings"

	"responsehub/sim/tenant"
)

// listMembers: https://learn.microsoft.com/graph/api/group-list-members
func (c *call) listMembers() reply {
	g := tenant.FindGroup(c.t, c.args[0])
	if g == nil {
		return notThere(c.args[0])
	}
	l := userList
	l.context, l.filter = "directoryObjects", rules{}
	return c.list(l, each(g.Members, func(id string) object { return userObject(tenant.FindUser(c.t, id)) }))
}

// addMember: https://learn.microsoft.com/graph/api/group-post-members
func (c *call) addMember() reply {
	m, refused := c.decode("@odata.id")
	if refused != nil {
		return *refused
	}
	g := tenant.FindGroup(c.t, c.args[0])
	if g == nil {
		return notThere(c.args[0])
	}
	if out := c.mayChangeMembers(g); out != nil {
		return *out
	}
	ref, _ := m["@odata.id"].(string)
	parts := strings.Split(ref, "/") // whatever host the address names
	id := parts[len(parts)-1]
	if n := len(parts); n < 2 || parts[n-2] != "directoryObjects" && parts[n-2] != "users" {
		return badRequest("Invalid value specified for property '@odata.id' of resource 'Group'.")
	}
	u := tenant.FindUser(c.t, id)
	if u == nil || u.ID != id {
		return notThere(id)
	}
	if slices.Contains(g.Members, u.ID) {
		return badRequest("One or more added object references already exist for the following modified properties: 'members'.")
	}
	g.Members = append(g.Members, u.ID)
	c.effect("member.add", g.ID, u.ID)
	return reply{status: http.StatusNoContent}
}

// removeMember: https://learn.microsoft.com/graph/api/group-delete-members
func (c *call) removeMember() reply {
	g := tenant.FindGroup(c.t, c.args[0])
	if g == nil {
		return notThere(c.args[0])
	}
	if out := c.mayChangeMembers(g); out != nil {
		return *out
	}
	i := slices.Index(g.Members, c.args[1])
	if i < 0 {
		return notThere(c.args[1])
	}
	g.Members = slices.Delete(g.Members, i, i+1)
	c.effect("member.remove", g.ID, c.args[1])
	return reply{status: http.StatusNoContent}
}

// mayChangeMembers keeps role-assignable groups from whoever may not give roles.
func (c *call) mayChangeMembers(g *tenant.Group) *reply {
	if !g.RoleAssignable || c.claims.Has("RoleManagement.ReadWrite.Directory") {
		return nil
	}
	out := insufficient()
	return &out
}
