package graph

import (
	"net/http"
	"slices"
	"time"

	"responsehub/sim/tenant"
)

// passwordMethod is the id of every user's password method.
const passwordMethod = "28c10230-6103-485e-b985-444c60001490" //nolint:gosec // an id that is the same everywhere

// resetPassword is the reset by a person, which is written back to Active Directory for accounts that
// come from there. It answers at once and goes on by itself.
// https://learn.microsoft.com/graph/api/authenticationmethod-resetpassword
func (c *call) resetPassword() reply {
	m, refused := c.decode("newPassword")
	if refused != nil {
		return *refused
	}
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	password, ok := m["newPassword"].(string)
	switch {
	case c.args[1] != passwordMethod:
		return fail(http.StatusNotFound, "resourceNotFound", "The requested authentication method was not found.")
	case !c.mayReset(u):
		return methodsDenied()
	case !ok || u.UserType == "Guest":
		return badRequest("Invalid value specified for property 'newPassword'.")
	case !complexEnough(password, u.UPN):
		return fail(http.StatusBadRequest, "invalidRequest", "The specified password does not comply with password complexity requirements. Please provide a different password.")
	}
	op := tenant.StartReset(c.t, u, password)
	if op.Status == "succeeded" {
		c.effect("password", u.ID, u.UPN)
	}
	at := c.base + "/users/" + u.ID + "/authentication/operations/" + op.ID
	return reply{status: http.StatusAccepted, header: map[string]string{"Location": at, "Retry-After": "1"}}
}

// mayReset says whether the roles of the person who signed in cover the user.
// https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference#authentication-administrator
func (c *call) mayReset(u *tenant.User) bool {
	holds := func(role string) bool { return slices.Contains(c.claims.WIDs, tenant.RoleTemplate(role)) }
	if holds(tenant.PrivilegedAuthAdmin) || holds(tenant.GlobalAdministrator) {
		return true
	}
	return holds(tenant.AuthAdministrator) && len(u.Roles) == 0
}

// getOperation: https://learn.microsoft.com/graph/api/longrunningoperation-get
func (c *call) getOperation() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	op := tenant.FindOperation(c.t, u.ID, c.args[1])
	if op == nil {
		return fail(http.StatusNotFound, "resourceNotFound", "The requested operation was not found.")
	}
	status, detail, last := "running", "", op.Created
	if !time.Now().Before(op.Ends) {
		status, detail, last = op.Status, op.Detail, op.Ends
	}
	return reply{status: http.StatusOK, body: object{
		"@odata.context": c.base + "/$metadata#users('" + u.ID + "')/authentication/operations/$entity", "@odata.type": "#microsoft.graph.longRunningOperation",
		"id": op.ID, "status": status, "statusDetail": orNil(detail), "createdDateTime": stampOf(op.Created), "lastActionDateTime": stampOf(last),
		"resourceLocation": c.base + "/users/" + u.ID + "/authentication/methods/" + passwordMethod,
	}}
}
