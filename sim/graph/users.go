package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"responsehub/sim/tenant"
)

var userList = listing{
	entity: "user", context: "users", pageSize: 100, maxPage: 999, orderBy: "displayName",
	defaults: []string{"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id"},
	filter: rules{or: true, fields: map[string]string{
		"id": "eq", "accountEnabled": "eq ne", "userType": "eq ne", "mail": "eq ne startswith endswith", "userPrincipalName": "eq startswith endswith",
		"displayName": "eq startswith", "proxyAddresses": "any", "onPremisesSyncEnabled": "eq", "createdDateTime": "ge le gt lt",
	}},
}

// userObject is a user with every property this world knows.
func userObject(u *tenant.User) object {
	proxies := []string{}
	if u.Mail != "" {
		proxies = append(proxies, "SMTP:"+u.Mail)
	}
	first, last, _ := strings.Cut(u.Name, " ")
	plans := []object{}
	if u.Mailbox != nil && !u.Shared {
		plans = append(plans, object{"assignedDateTime": stampOf(u.Created), "capabilityStatus": "Enabled", "service": "exchange", "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0"})
	}
	var synced, sam any
	if u.Synced {
		local, _, _ := strings.Cut(u.UPN, "@")
		synced, sam = true, local
	}
	var restricted any
	if u.Restricted {
		restricted = true
	}
	return object{
		"id": u.ID, "userPrincipalName": u.UPN, "displayName": u.Name, "givenName": first, "surname": orNil(last), "mail": orNil(u.Mail),
		"accountEnabled": tenant.ShownEnabled(u), "onPremisesSyncEnabled": synced, "userType": u.UserType, "isManagementRestricted": restricted,
		"signInSessionsValidFromDateTime": stampOf(u.SessionsValidFrom), "lastPasswordChangeDateTime": stampOf(u.LastPasswordChange),
		"createdDateTime": stampOf(u.Created), "businessPhones": []string{}, "mobilePhone": nil, "jobTitle": nil, "officeLocation": nil,
		"preferredLanguage": nil, "department": nil, "companyName": nil, "usageLocation": nil, "proxyAddresses": proxies, "otherMails": []string{},
		"assignedPlans": plans, "assignedLicenses": []object{}, "passwordPolicies": nil, "passwordProfile": nil, "onPremisesImmutableId": nil,
		"onPremisesLastSyncDateTime": nil, "onPremisesDomainName": nil, "onPremisesSamAccountName": sam, "onPremisesUserPrincipalName": nil, "onPremisesDistinguishedName": nil,
		"mailNickname": first, "deletedDateTime": nil, "externalUserState": nil, "identities": []object{}, "creationType": nil,
	}
}

// listUsers: https://learn.microsoft.com/graph/api/user-list
func (c *call) listUsers() reply {
	if named, ok := c.byAddress(); ok {
		return c.list(userList, each(named, userObject))
	}
	return c.list(userList, each(c.t.Users, userObject))
}

// maxChildren is how many expressions the directory takes in one $filter; clients that join more get
// a 400. https://learn.microsoft.com/graph/aad-advanced-queries
const maxChildren = 15

// byAddress finds the users whom a filter asks for by address alone, without looking at all others: a
// tenant may have 100,000.
func (c *call) byAddress() ([]*tenant.User, bool) {
	f, err := parseFilter(c.query.Get("$filter"))
	if err != nil {
		return nil, false
	}
	leaves := []*filter{f}
	if f.op == "or" {
		leaves = f.sub
	}
	var named []*tenant.User
	for _, leaf := range leaves {
		address, ok := leaf.value.(string)
		if leaf.op != "any" || leaf.path != "proxyAddresses" || !ok || len(leaves) > maxChildren {
			return nil, false
		}
		kind, address, _ := strings.Cut(address, ":")
		u := tenant.FindUser(c.t, address)
		if u != nil && strings.EqualFold(kind, "smtp") && strings.EqualFold(u.Mail, address) && !slices.Contains(named, u) {
			named = append(named, u)
		}
	}
	return named, true
}

// getUser: https://learn.microsoft.com/graph/api/user-get
func (c *call) getUser() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	return c.one(userList, userObject(u))
}

// patchUser changes accountEnabled and passwordProfile, nothing else.
// https://learn.microsoft.com/graph/api/user-update
func (c *call) patchUser() reply {
	m, refused := c.decode("accountEnabled", "passwordProfile")
	if refused != nil {
		return *refused
	}
	enabled, setsEnabled, ok := boolean(m, "accountEnabled")
	if !ok {
		return badRequest("Invalid value specified for property 'accountEnabled' of resource 'User'.")
	}
	profile, setsPassword := m["passwordProfile"]
	if !c.mayPatch(setsEnabled, setsPassword) {
		return insufficient()
	}
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	if refused := c.guarded(u); refused != nil {
		return *refused
	}
	if setsPassword {
		if refused := c.setPassword(u, profile); refused != nil {
			return *refused
		}
	}
	if setsEnabled && tenant.SetEnabled(u, enabled) {
		kind := "disable"
		if enabled {
			kind = "enable"
		}
		c.effect(kind, u.ID, u.UPN)
	}
	return reply{status: http.StatusNoContent}
}

// mayPatch says whether the token's permissions cover the change.
func (c *call) mayPatch(enabled, password bool) bool {
	wide := c.claims.Has("User.ReadWrite.All", "Directory.ReadWrite.All")
	if enabled && !wide && !(c.claims.Has("User.EnableDisableAccount.All") && c.claims.Has(readUsers...)) {
		return false
	}
	// The wide permissions cover passwords only together with a directory role that does.
	byRole := wide && slices.ContainsFunc(c.claims.WIDs, func(w string) bool {
		return w == tenant.RoleTemplate(tenant.UserAdministrator) || w == tenant.RoleTemplate(tenant.PrivilegedAuthAdmin) || w == tenant.RoleTemplate(tenant.GlobalAdministrator)
	})
	if password && !byRole && !c.claims.Has("User-PasswordProfile.ReadWrite.All") {
		return false
	}
	return enabled || password || wide
}

// guarded refuses sensitive actions on protected targets.
// https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions
func (c *call) guarded(u *tenant.User) *reply {
	if u.Restricted {
		out := fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation. Target object is a member of a restricted management administrative unit and can only be modified by administrators scoped to that administrative unit. Check that you are assigned a role that has permission to perform the operation for this restricted management administrative unit.")
		return &out
	}
	if !tenant.MayChange(c.claims.WIDs, u.Roles) {
		out := insufficient()
		return &out
	}
	return nil
}

func (c *call) setPassword(u *tenant.User, raw any) *reply {
	refuse := func(r reply) *reply { return &r }
	p, ok := raw.(map[string]any)
	password, isText := p["password"].(string)
	if !ok || !isText {
		return refuse(badRequest("Invalid value specified for property 'passwordProfile' of resource 'User'."))
	}
	force := true
	for k, v := range p {
		switch k {
		case "password", "@odata.type", "forceChangePasswordNextSignInWithMfa":
		case "forceChangePasswordNextSignIn":
			force, _ = v.(bool)
		default:
			c.s.log.Unexpected(vendor, "passwordProfile field "+k)
			return refuse(badRequest("Property '%s' does not exist as a declared property or extension property.", k))
		}
	}
	switch {
	case u.UserType == "Guest":
		return refuse(badRequest("Invalid value specified for property 'passwordProfile' of resource 'User'. The password of a guest is kept in the home tenant."))
	case u.Synced:
		return refuse(onPremMastered())
	case !complexEnough(password, u.UPN):
		return refuse(badRequest("The specified password does not comply with password complexity requirements. Please provide a different password."))
	}
	tenant.SetPassword(u, password, force)
	c.effect("password", u.ID, u.UPN)
	return nil
}

// complexEnough is the cloud password policy: 8 to 256 characters, three of four classes, ASCII
// without control characters, not the name of the user.
// https://learn.microsoft.com/entra/identity/authentication/concept-sspr-policy
func complexEnough(password, upn string) bool {
	if len(password) < 8 || len(password) > 256 {
		return false
	}
	var lower, upper, digit, symbol int
	for _, r := range password {
		switch {
		case r > unicode.MaxASCII || unicode.IsControl(r):
			return false
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			symbol = 1
		}
	}
	local, _, _ := strings.Cut(upn, "@")
	if len(local) >= 4 && strings.Contains(strings.ToLower(password), strings.ToLower(local)) {
		return false
	}
	return lower+upper+digit+symbol >= 3
}

// revoke: https://learn.microsoft.com/graph/api/user-revokesigninsessions
func (c *call) revoke() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	detail := u.UPN
	if u.UserType == "Guest" {
		detail += " (guest: no effect)" // a guest signs in at home
	} else {
		u.SessionsValidFrom = time.Now().UTC().Truncate(time.Second)
	}
	c.effect("revoke", u.ID, detail)
	return reply{status: http.StatusOK, body: object{"@odata.context": c.base + "/$metadata#Edm.Boolean", "value": true}}
}

// listRoles: https://learn.microsoft.com/graph/api/user-list-transitivememberof
func (c *call) listRoles() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	return c.list(listing{entity: "directoryRole", context: "directoryRoles", pageSize: 100, maxPage: 999}, each(u.Roles, func(name string) object {
		return object{"id": tenant.RoleTemplate(name), "displayName": name, "description": "", "roleTemplateId": tenant.RoleTemplate(name), "deletedDateTime": nil}
	}))
}
