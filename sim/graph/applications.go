package graph

import (
	"net/http"
	"slices"
	"strings"

	"responsehub/sim/tenant"
)

var appList = listing{
	entity: "application", context: "applications", pageSize: 100, maxPage: 999,
	filter: rules{or: true, fields: map[string]string{"appId": "eq", "displayName": "eq startswith", "id": "eq", "createdDateTime": "ge le gt lt"}},
}

func appObject(a *tenant.Application) object {
	return object{
		"id": a.ID, "appId": a.AppID, "displayName": a.DisplayName, "isDisabled": a.IsDisabled, "createdDateTime": stampOf(a.Created),
		"passwordCredentials": passwords(a.Passwords), "keyCredentials": keys(a.Keys), "signInAudience": "AzureADMyOrg", "identifierUris": []string{},
		"tags": []string{}, "requiredResourceAccess": []object{}, "disabledByMicrosoftStatus": nil, "publisherDomain": nil, "notes": nil, "description": nil,
		"deletedDateTime": nil, "web": object{"redirectUris": []string{}},
	}
}

func passwords(cs []tenant.Credential) []object {
	out := []object{}
	for _, p := range cs {
		out = append(out, object{"keyId": p.KeyID, "displayName": orNil(p.Name), "startDateTime": stampOf(p.Start), "endDateTime": stampOf(p.End), "hint": "abc", "secretText": nil, "customKeyIdentifier": nil})
	}
	return out
}

func keys(cs []tenant.Credential) []object {
	out := []object{}
	for _, k := range cs {
		out = append(out, object{"keyId": k.KeyID, "displayName": orNil(k.Name), "startDateTime": stampOf(k.Start), "endDateTime": stampOf(k.End), "type": "AsymmetricX509Cert", "usage": "Verify", "key": nil})
	}
	return out
}

// keyed says whether a path argument names an object: by object id, or by appId='x'.
func keyed(arg, id, appID string) bool {
	if app, ok := strings.CutPrefix(arg, "appId='"); ok {
		return strings.EqualFold(strings.TrimSuffix(app, "'"), appID)
	}
	return strings.EqualFold(arg, id)
}

func (c *call) application() (*tenant.Application, *reply) {
	for _, a := range c.t.Applications {
		if keyed(c.args[0], a.ID, a.AppID) {
			return a, nil
		}
	}
	out := notThere(c.args[0])
	return nil, &out
}

// listApplications: https://learn.microsoft.com/graph/api/application-list
func (c *call) listApplications() reply { return c.list(appList, each(c.t.Applications, appObject)) }

// getApplication: https://learn.microsoft.com/graph/api/application-get
func (c *call) getApplication() reply {
	a, refused := c.application()
	if refused != nil {
		return *refused
	}
	return c.one(appList, appObject(a))
}

// patchApplication changes isDisabled and keyCredentials (which may only keep or drop known keys);
// secrets go by removePassword only.
// https://learn.microsoft.com/graph/api/application-update
func (c *call) patchApplication() reply {
	m, refused := c.decode("isDisabled", "keyCredentials", "passwordCredentials")
	if refused != nil {
		return *refused
	}
	a, refused := c.application()
	if refused != nil {
		return *refused
	}
	if _, ok := m["passwordCredentials"]; ok {
		return badRequest("Property passwordCredentials is read-only in this operation. Use addPassword or removePassword.")
	}
	disabled, sets, ok := boolean(m, "isDisabled")
	if !ok {
		return badRequest("Invalid value specified for property 'isDisabled' of resource 'Application'.")
	}
	if refused := c.dropKeys(m, &a.Keys, a.ID); refused != nil {
		return *refused
	}
	if sets && disabled != a.IsDisabled {
		a.IsDisabled = disabled
		c.effect(onOff("app", !disabled), a.ID, a.DisplayName)
	}
	return reply{status: http.StatusNoContent}
}

func onOff(what string, on bool) string {
	if on {
		return what + ".enable"
	}
	return what + ".disable"
}

// dropKeys applies a keyCredentials property, when there is one.
func (c *call) dropKeys(m map[string]any, have *[]tenant.Credential, target string) *reply {
	raw, ok := m["keyCredentials"]
	if !ok {
		return nil
	}
	list, ok := raw.([]any)
	if !ok {
		out := badRequest("Invalid value specified for property 'keyCredentials'.")
		return &out
	}
	var keep []tenant.Credential
	for _, x := range list {
		k, _ := x.(map[string]any)
		i := slices.IndexFunc(*have, func(h tenant.Credential) bool { return k["keyId"] == h.KeyID })
		if i < 0 {
			out := badRequest("New key credentials need a key of type AsymmetricX509Cert.")
			return &out
		}
		keep = append(keep, (*have)[i])
	}
	if len(keep) < len(*have) {
		c.effect("key.remove", target, "")
	}
	*have = keep
	return nil
}

// deleteApplication: https://learn.microsoft.com/graph/api/application-delete
func (c *call) deleteApplication() reply {
	a, refused := c.application()
	if refused != nil {
		return *refused
	}
	c.t.Applications = slices.DeleteFunc(c.t.Applications, func(x *tenant.Application) bool { return x == a })
	c.t.ServicePrincipals = slices.DeleteFunc(c.t.ServicePrincipals, func(x *tenant.ServicePrincipal) bool { return x.AppID == a.AppID })
	c.effect("app.delete", a.ID, a.DisplayName)
	return reply{status: http.StatusNoContent}
}

// listOwners: https://learn.microsoft.com/graph/api/application-list-owners
func (c *call) listOwners() reply {
	a, refused := c.application()
	if refused != nil {
		return *refused
	}
	var owners []object
	for _, id := range a.Owners {
		if u := tenant.FindUser(c.t, id); u != nil {
			o := pick(userObject(u), userList.defaults, nil)
			o["@odata.type"] = "#microsoft.graph.user"
			owners = append(owners, o)
		}
	}
	return c.list(listing{entity: "directoryObject", context: "directoryObjects", pageSize: 100, maxPage: 999}, each(owners, func(o object) object { return o }))
}

// addOwner: https://learn.microsoft.com/graph/api/application-post-owners
func (c *call) addOwner() reply {
	a, refused := c.application()
	if refused != nil {
		return *refused
	}
	m, refused := c.decode("@odata.id")
	if refused != nil {
		return *refused
	}
	ref, _ := m["@odata.id"].(string)
	u := tenant.FindUser(c.t, ref[strings.LastIndex(ref, "/")+1:])
	if u == nil {
		return notThere(ref)
	}
	if slices.Contains(a.Owners, u.ID) {
		return badRequest("One or more added object references already exist for the following modified properties: 'owners'.")
	}
	a.Owners = append(a.Owners, u.ID)
	tenant.Log(c.t, tenant.OwnerAdded(a, u, tenant.Audit{App: c.claims.AppID}))
	c.effect("owner.add", a.ID, u.ID)
	return reply{status: http.StatusNoContent}
}

// removeOwner: https://learn.microsoft.com/graph/api/application-delete-owners
func (c *call) removeOwner() reply {
	a, refused := c.application()
	if refused != nil {
		return *refused
	}
	i := slices.Index(a.Owners, c.args[1])
	if i < 0 {
		return notThere(c.args[1])
	}
	a.Owners = slices.Delete(a.Owners, i, i+1)
	c.effect("owner.remove", a.ID, c.args[1])
	return reply{status: http.StatusNoContent}
}

// removeAppPassword: https://learn.microsoft.com/graph/api/application-removepassword
func (c *call) removeAppPassword() reply {
	a, refused := c.application()
	if refused != nil {
		return *refused
	}
	return c.removePassword(&a.Passwords, a.ID)
}

func (c *call) removePassword(have *[]tenant.Credential, target string) reply {
	m, refused := c.decode("keyId")
	if refused != nil {
		return *refused
	}
	id, _ := m["keyId"].(string)
	i := slices.IndexFunc(*have, func(p tenant.Credential) bool { return strings.EqualFold(p.KeyID, id) })
	if i < 0 {
		return badRequest("No password credential found with keyId.")
	}
	*have = slices.Delete(*have, i, i+1)
	c.effect("secret.remove", target, id)
	return reply{status: http.StatusNoContent}
}

// ownedApplications: https://learn.microsoft.com/graph/api/user-list-ownedobjects
func (c *call) ownedApplications() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	var owned []*tenant.Application
	for _, a := range c.t.Applications {
		if slices.Contains(a.Owners, u.ID) {
			owned = append(owned, a)
		}
	}
	return c.list(appList, each(owned, appObject))
}
