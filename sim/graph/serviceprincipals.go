package graph

import (
	"net/http"
	"slices"

	"responsehub/sim/tenant"
)

var spList = listing{
	entity: "servicePrincipal", context: "servicePrincipals", pageSize: 100, maxPage: 999,
	filter: rules{or: true, fields: map[string]string{"appId": "eq", "displayName": "eq startswith", "id": "eq", "accountEnabled": "eq", "appOwnerOrganizationId": "eq", "servicePrincipalType": "eq"}},
}

func (c *call) spObject(sp *tenant.ServicePrincipal) object {
	var disabled any // a read-only mirror of the application's flag
	if a := tenant.FindApplication(c.t, sp.AppID); a != nil && a.IsDisabled {
		disabled = true
	}
	urls := sp.ReplyURLs
	if urls == nil {
		urls = []string{}
	}
	return object{
		"id": sp.ID, "appId": sp.AppID, "displayName": sp.DisplayName, "appDisplayName": sp.DisplayName, "accountEnabled": sp.AccountEnabled,
		"appOwnerOrganizationId": sp.OwnerOrganizationID, "isDisabled": disabled, "disabledByMicrosoftStatus": nil, "servicePrincipalType": "Application",
		"signInAudience": "AzureADMultipleOrgs", "appRoleAssignmentRequired": false, "appRoles": []object{}, "oauth2PermissionScopes": []object{},
		"passwordCredentials": passwords(sp.Passwords), "keyCredentials": keys(sp.Keys), "replyUrls": urls, "servicePrincipalNames": []string{sp.AppID},
		"tags": []string{}, "homepage": nil, "notes": nil, "description": nil, "appDescription": nil, "deletedDateTime": nil, "verifiedPublisher": object{"displayName": nil},
	}
}

func (c *call) servicePrincipal() (*tenant.ServicePrincipal, *reply) {
	for _, sp := range c.t.ServicePrincipals {
		if keyed(c.args[0], sp.ID, sp.AppID) {
			return sp, nil
		}
	}
	out := notThere(c.args[0])
	return nil, &out
}

// listServicePrincipals: https://learn.microsoft.com/graph/api/serviceprincipal-list
func (c *call) listServicePrincipals() reply {
	return c.list(spList, each(c.t.ServicePrincipals, c.spObject))
}

// getServicePrincipal: https://learn.microsoft.com/graph/api/serviceprincipal-get
func (c *call) getServicePrincipal() reply {
	sp, refused := c.servicePrincipal()
	if refused != nil {
		return *refused
	}
	return c.one(spList, c.spObject(sp))
}

// patchServicePrincipal changes accountEnabled and keyCredentials. It lets a client disable Microsoft's
// own applications, as Graph does: the damage then shows at the sign-in service.
// https://learn.microsoft.com/graph/api/serviceprincipal-update
func (c *call) patchServicePrincipal() reply {
	m, refused := c.decode("accountEnabled", "keyCredentials")
	if refused != nil {
		return *refused
	}
	sp, refused := c.servicePrincipal()
	if refused != nil {
		return *refused
	}
	on, sets, ok := boolean(m, "accountEnabled")
	if !ok {
		return badRequest("Invalid value specified for property 'accountEnabled' of resource 'ServicePrincipal'.")
	}
	if refused := c.dropKeys(m, &sp.Keys, sp.ID); refused != nil {
		return *refused
	}
	if sets && on != sp.AccountEnabled {
		sp.AccountEnabled = on
		c.effect(onOff("sp", on), sp.ID, sp.DisplayName)
	}
	return reply{status: http.StatusNoContent}
}

// deleteServicePrincipal: https://learn.microsoft.com/graph/api/serviceprincipal-delete
func (c *call) deleteServicePrincipal() reply {
	sp, refused := c.servicePrincipal()
	if refused != nil {
		return *refused
	}
	c.t.ServicePrincipals = slices.DeleteFunc(c.t.ServicePrincipals, func(x *tenant.ServicePrincipal) bool { return x == sp })
	c.t.Grants = slices.DeleteFunc(c.t.Grants, func(g *tenant.Grant) bool { return g.ClientID == sp.ID })
	c.t.Assignments = slices.DeleteFunc(c.t.Assignments, func(a *tenant.Assignment) bool { return a.ResourceID == sp.ID || a.PrincipalID == sp.ID })
	c.effect("sp.delete", sp.ID, sp.DisplayName)
	return reply{status: http.StatusNoContent}
}

// removeSPPassword: https://learn.microsoft.com/graph/api/serviceprincipal-removepassword
func (c *call) removeSPPassword() reply {
	sp, refused := c.servicePrincipal()
	if refused != nil {
		return *refused
	}
	return c.removePassword(&sp.Passwords, sp.ID)
}

// ownedServicePrincipals: nobody owns service principals in this world.
// https://learn.microsoft.com/graph/api/user-list-ownedobjects
func (c *call) ownedServicePrincipals() reply {
	if tenant.FindUser(c.t, c.args[0]) == nil {
		return notThere(c.args[0])
	}
	return c.list(spList, lazy{})
}
