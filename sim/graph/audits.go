package graph

import (
	"encoding/json"

	"responsehub/sim/tenant"
)

var auditList = listing{
	entity: "directoryAudit", context: "auditLogs/directoryAudits", pageSize: 100, maxPage: 999,
	filter: rules{fields: map[string]string{
		"activityDateTime": "eq ge le", "activityDisplayName": "eq startswith", "category": "eq", "result": "eq", "initiatedBy/user/id": "eq",
	}},
}

// listAudits: https://learn.microsoft.com/graph/api/directoryaudit-list
func (c *call) listAudits() reply {
	return c.list(auditList, each(c.t.Audits, c.auditObject))
}

// auditObject is an entry as Entra writes it: the user it was about comes first, and carries the app
// among the changed properties, whose values are JSON inside of JSON.
func (c *call) auditObject(a *tenant.Audit) object {
	by := object{"app": nil, "user": nil}
	if u := tenant.FindUser(c.t, a.User); u != nil {
		by["user"] = object{"id": u.ID, "displayName": nil, "userPrincipalName": u.UPN, "ipAddress": "203.0.113.10", "userType": nil, "homeTenantId": nil, "homeTenantName": nil}
	}
	if sp := tenant.FindServicePrincipal(c.t, a.App); a.App != "" && sp != nil {
		// The app's id is left out here, as it often is in the field.
		by["app"] = object{"appId": nil, "displayName": sp.DisplayName, "servicePrincipalId": sp.ID, "servicePrincipalName": nil}
	}
	inner := func(s string) any {
		raw, _ := json.Marshal(s)
		return string(raw)
	}
	property := func(name, value string) object {
		return object{"displayName": name, "oldValue": nil, "newValue": inner(value)}
	}
	if a.Target == "" { // about the app itself: its credentials
		key, _ := json.Marshal([]string{"[KeyIdentifier=" + a.ID + ",KeyType=Password,KeyUsage=Verify,DisplayName=added]"})
		keys := object{"displayName": "KeyDescription", "oldValue": "[]", "newValue": string(key)}
		return c.auditEntry(a, by, []object{{"id": a.Object, "displayName": a.Name, "type": a.Type, "userPrincipalName": nil, "groupType": nil, "modifiedProperties": []object{keys, property("Included Updated Properties", "KeyDescription")}}})
	}
	target := object{"id": a.Target, "displayName": nil, "type": "User", "userPrincipalName": nil, "groupType": nil, "modifiedProperties": []object{
		property(a.Type+".ObjectID", a.Object), property(a.Type+".DisplayName", a.Name), property(a.Type+".AppId", a.AppID),
	}}
	if u := tenant.FindUser(c.t, a.Target); u != nil {
		target["userPrincipalName"] = u.UPN
	}
	return c.auditEntry(a, by, []object{target, {"id": a.Object, "displayName": nil, "type": a.Type, "userPrincipalName": nil, "groupType": nil, "modifiedProperties": []object{}}})
}

func (c *call) auditEntry(a *tenant.Audit, by object, targets []object) object {
	return object{
		"id": a.ID, "category": "ApplicationManagement", "correlationId": a.ID, "result": "success", "resultReason": "", "activityDisplayName": a.Activity,
		"activityDateTime": stampOf(a.At), "loggedByService": "Core Directory", "operationType": "Assign", "initiatedBy": by, "additionalDetails": []object{},
		"targetResources": targets,
	}
}
