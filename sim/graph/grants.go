package graph

import (
	"net/http"
	"slices"

	"responsehub/sim/tenant"
)

var grantList = listing{
	entity: "oAuth2PermissionGrant", context: "oauth2PermissionGrants", pageSize: 100, maxPage: 999,
	filter: rules{or: true, fields: map[string]string{"clientId": "eq", "principalId": "eq", "consentType": "eq", "resourceId": "eq"}},
}

func grantObject(g *tenant.Grant) object {
	return object{"id": g.ID, "clientId": g.ClientID, "consentType": g.ConsentType, "principalId": orNil(g.PrincipalID), "resourceId": g.ResourceID, "scope": g.Scope}
}

func (c *call) grants(keep func(*tenant.Grant) bool) reply {
	var out []*tenant.Grant
	for _, g := range c.t.Grants {
		if keep(g) {
			out = append(out, g)
		}
	}
	return c.list(grantList, each(out, grantObject))
}

// listGrants: https://learn.microsoft.com/graph/api/oauth2permissiongrant-list
func (c *call) listGrants() reply { return c.grants(func(*tenant.Grant) bool { return true }) }

// userGrants: https://learn.microsoft.com/graph/api/user-list-oauth2permissiongrants
func (c *call) userGrants() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	return c.grants(func(g *tenant.Grant) bool { return g.PrincipalID == u.ID })
}

// spGrants: https://learn.microsoft.com/graph/api/serviceprincipal-list-oauth2permissiongrants
func (c *call) spGrants() reply {
	sp, refused := c.servicePrincipal()
	if refused != nil {
		return *refused
	}
	return c.grants(func(g *tenant.Grant) bool { return g.ClientID == sp.ID })
}

// createGrant: https://learn.microsoft.com/graph/api/oauth2permissiongrant-post
func (c *call) createGrant() reply {
	m, refused := c.decode("id", "clientId", "consentType", "principalId", "resourceId", "scope", "startTime", "expiryTime")
	if refused != nil {
		return *refused
	}
	text := func(k string) string { s, _ := m[k].(string); return s }
	g := tenant.Grant{ClientID: text("clientId"), ConsentType: text("consentType"), PrincipalID: text("principalId"), ResourceID: text("resourceId"), Scope: text("scope")}
	isSP := func(id string) bool {
		return slices.ContainsFunc(c.t.ServicePrincipals, func(sp *tenant.ServicePrincipal) bool { return sp.ID == id })
	}
	switch {
	case !isSP(g.ClientID), !isSP(g.ResourceID):
		return notThere(g.ClientID)
	case g.ConsentType == "Principal" && tenant.FindUser(c.t, g.PrincipalID) == nil, g.ConsentType == "AllPrincipals" && g.PrincipalID != "",
		g.ConsentType != "Principal" && g.ConsentType != "AllPrincipals":
		return badRequest("Invalid value specified for property 'principalId' of resource 'OAuth2PermissionGrant'.")
	case slices.ContainsFunc(c.t.Grants, func(x *tenant.Grant) bool {
		return x.ClientID == g.ClientID && x.PrincipalID == g.PrincipalID && x.ResourceID == g.ResourceID
	}):
		return fail(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
	}
	made := tenant.AddGrant(c.t, g)
	c.effect("grant.create", made.ID, made.Scope)
	return reply{status: http.StatusCreated, body: c.created(grantObject(made), "oauth2PermissionGrants")}
}

// getGrant: https://learn.microsoft.com/graph/api/oauth2permissiongrant-get
func (c *call) getGrant() reply {
	i := slices.IndexFunc(c.t.Grants, func(g *tenant.Grant) bool { return g.ID == c.args[0] })
	if i < 0 {
		return notThere(c.args[0])
	}
	return c.one(grantList, grantObject(c.t.Grants[i]))
}

// deleteGrant: https://learn.microsoft.com/graph/api/oauth2permissiongrant-delete
func (c *call) deleteGrant() reply {
	i := slices.IndexFunc(c.t.Grants, func(g *tenant.Grant) bool { return g.ID == c.args[0] })
	if i < 0 {
		return notThere(c.args[0])
	}
	c.effect("grant.delete", c.args[0], c.t.Grants[i].Scope)
	c.t.Grants = slices.Delete(c.t.Grants, i, i+1)
	return reply{status: http.StatusNoContent}
}

var assignmentList = listing{entity: "appRoleAssignment", context: "appRoleAssignments", pageSize: 100, maxPage: 999}

func (c *call) assignments(keep func(*tenant.Assignment) bool) reply {
	var out []*tenant.Assignment
	for _, a := range c.t.Assignments {
		if keep(a) {
			out = append(out, a)
		}
	}
	return c.list(assignmentList, each(out, func(a *tenant.Assignment) object {
		name := ""
		if u := tenant.FindUser(c.t, a.PrincipalID); u != nil {
			name = u.Name
		} else if sp := tenant.FindServicePrincipal(c.t, a.PrincipalID); sp != nil {
			name = sp.DisplayName
		}
		resource := ""
		if sp := tenant.FindServicePrincipal(c.t, a.ResourceID); sp != nil {
			resource = sp.DisplayName
		}
		return object{
			"id": a.ID, "appRoleId": a.AppRoleID, "principalId": a.PrincipalID, "principalType": a.PrincipalType, "principalDisplayName": name,
			"resourceId": a.ResourceID, "resourceDisplayName": resource, "createdDateTime": stampOf(a.Created), "deletedDateTime": nil,
		}
	}))
}

// userAssignments: https://learn.microsoft.com/graph/api/user-list-approleassignments
func (c *call) userAssignments() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	return c.assignments(func(a *tenant.Assignment) bool { return a.PrincipalID == u.ID })
}

// spAssignments: https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments
func (c *call) spAssignments() reply {
	sp, refused := c.servicePrincipal()
	if refused != nil {
		return *refused
	}
	return c.assignments(func(a *tenant.Assignment) bool { return a.PrincipalID == sp.ID })
}

// spAssignedTo: https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
func (c *call) spAssignedTo() reply {
	sp, refused := c.servicePrincipal()
	if refused != nil {
		return *refused
	}
	return c.assignments(func(a *tenant.Assignment) bool { return a.ResourceID == sp.ID })
}

// deleteAssignment: https://learn.microsoft.com/graph/api/user-delete-approleassignments
func (c *call) deleteAssignment() reply {
	i := slices.IndexFunc(c.t.Assignments, func(a *tenant.Assignment) bool { return a.ID == c.args[1] })
	if i < 0 {
		return notThere(c.args[1])
	}
	c.t.Assignments = slices.Delete(c.t.Assignments, i, i+1)
	c.effect("assignment.delete", c.args[1], c.args[0])
	return reply{status: http.StatusNoContent}
}
