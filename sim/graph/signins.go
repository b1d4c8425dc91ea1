package graph

import (
	"net/http"
	"slices"

	"responsehub/sim/tenant"
)

var signInList = listing{
	entity: "signIn", context: "auditLogs/signIns", pageSize: 1000, maxPage: 1000,
	filter: rules{fields: map[string]string{
		"createdDateTime": "eq ge le", "userId": "eq", "userPrincipalName": "eq startswith", "appId": "eq", "appDisplayName": "eq startswith",
		"ipAddress": "eq startswith", "status/errorCode": "eq",
	}},
}

// listSignIns: https://learn.microsoft.com/graph/api/signin-list, newest first.
func (c *call) listSignIns() reply {
	if c.t.NoP1 {
		return fail(http.StatusForbidden, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license")
	}
	newest := slices.Clone(c.t.Entries)
	slices.Reverse(newest)
	return c.list(signInList, each(newest, c.signInObject))
}

func (c *call) signInObject(e *tenant.Entry) object {
	name, upn := any(nil), any(nil)
	if u := tenant.FindUser(c.t, e.User); u != nil {
		name, upn = u.Name, u.UPN
	}
	reason := any(nil)
	if e.Code != 0 {
		reason = "The user account is disabled."
	}
	return object{
		"id": e.ID, "createdDateTime": stampOf(e.At), "userId": e.User, "userDisplayName": name, "userPrincipalName": upn,
		"appId": "5d661950-3475-41cd-a2c3-d671a3162bc1", "appDisplayName": e.App, "ipAddress": e.IP, "clientAppUsed": "Browser", "correlationId": e.ID,
		"conditionalAccessStatus": "notApplied", "isInteractive": true, "resourceDisplayName": "Office 365 Exchange Online", "resourceId": tenant.ExchangeAppID,
		"riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes": []any{}, "riskEventTypes_v2": []any{},
		"appliedConditionalAccessPolicies": []object{}, "status": object{"errorCode": e.Code, "failureReason": reason, "additionalDetails": nil},
	}
}
