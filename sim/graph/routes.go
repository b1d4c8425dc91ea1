package graph

import (
	"net/url"
	"strings"
)

// route is one operation. roles are the application permissions of which one is needed (least first);
// operations that need more look for themselves. mail marks Outlook operations, whose first argument is
// the mailbox. scope marks what only a person may do: the delegated permission of the person's token.
type route struct {
	method  string
	pattern string // "{}" for an argument
	roles   []string
	scope   string
	mail    bool
	deny    func() reply
	serve   func(*call) reply

	parts []string
}

func (r *route) denied() reply {
	switch {
	case r.deny != nil:
		return r.deny()
	case r.mail:
		return mailDenied()
	}
	return insufficient()
}

// Permissions: the least one of the operation's page first, then the documented higher ones.
// https://learn.microsoft.com/graph/permissions-reference
var (
	readUsers      = []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	revokeSessions = []string{"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}
	readRoles      = []string{"Directory.Read.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.ReadWrite.All"}
	readMail       = []string{"Mail.ReadBasic.All", "Mail.Read", "Mail.ReadWrite"}
	writeMail      = []string{"Mail.ReadWrite"}
	readSettings   = []string{"MailboxSettings.Read", "MailboxSettings.ReadWrite"}
	writeSettings  = []string{"MailboxSettings.ReadWrite"}
	readApps       = []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	writeApps      = []string{"Application.ReadWrite.All"}
	readGrants     = []string{"Directory.Read.All", "DelegatedPermissionGrant.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}
	writeGrants    = []string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}
	readAssigned   = []string{"Directory.Read.All", "AppRoleAssignment.ReadWrite.All", "Directory.ReadWrite.All"}
	writeAssigned  = []string{"AppRoleAssignment.ReadWrite.All"}
	readMethods    = []string{"UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All"}
	readAudits     = []string{"AuditLog.Read.All"}
	writeMethods   = []string{"UserAuthenticationMethod.ReadWrite.All"}
	readDevices    = []string{"Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	writeDevices   = []string{"Device.ReadWrite.All"}
	writeRisk      = []string{"IdentityRiskyUser.ReadWrite.All"}
	readRisk       = []string{"IdentityRiskyUser.Read.All", "IdentityRiskyUser.ReadWrite.All"}
	readTraces     = []string{"ExchangeMessageTrace.Read.All"}
	readOrg        = []string{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	readMembers    = []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	writeMembers   = []string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	readDomains    = []string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)

var routes = table(
	route{method: "GET", pattern: "users", roles: readUsers, serve: (*call).listUsers},
	route{method: "GET", pattern: "users/{}", roles: readUsers, serve: (*call).getUser},
	route{method: "PATCH", pattern: "users/{}", serve: (*call).patchUser},
	route{method: "POST", pattern: "users/{}/revokeSignInSessions", roles: revokeSessions, serve: (*call).revoke},
	route{method: "GET", pattern: "users/{}/transitiveMemberOf/graph.directoryRole", roles: readRoles, serve: (*call).listRoles},
	route{method: "GET", pattern: "users/{}/memberOf/graph.directoryRole", roles: readRoles, serve: (*call).listRoles},
	route{method: "GET", pattern: "users/{}/registeredDevices/graph.device", roles: readUsers, serve: (*call).listDevices},
	route{method: "GET", pattern: "users/{}/registeredDevices", roles: readUsers, serve: (*call).listDevices},
	route{method: "GET", pattern: "users/{}/oauth2PermissionGrants", roles: readGrants, serve: (*call).userGrants},
	route{method: "GET", pattern: "users/{}/appRoleAssignments", roles: readAssigned, serve: (*call).userAssignments},
	route{method: "DELETE", pattern: "users/{}/appRoleAssignments/{}", roles: writeAssigned, serve: (*call).deleteAssignment},
	route{method: "GET", pattern: "users/{}/ownedObjects/graph.application", roles: readUsers, serve: (*call).ownedApplications},
	route{method: "GET", pattern: "users/{}/ownedObjects/graph.servicePrincipal", roles: readUsers, serve: (*call).ownedServicePrincipals},
	route{method: "GET", pattern: "users/{}/authentication/methods", roles: readMethods, deny: methodsDenied, serve: (*call).listMethods},
	route{method: "GET", pattern: "users/{}/authentication/{}", roles: readMethods, deny: methodsDenied, serve: (*call).listMethodsOfType},
	route{method: "DELETE", pattern: "users/{}/authentication/{}/{}", roles: writeMethods, deny: methodsDenied, serve: (*call).deleteMethod},
	route{method: "POST", pattern: "users/{}/authentication/methods/{}/resetPassword", scope: "UserAuthenticationMethod.ReadWrite.All", deny: methodsDenied, serve: (*call).resetPassword},
	route{method: "GET", pattern: "users/{}/authentication/operations/{}", scope: "UserAuthenticationMethod.ReadWrite.All", deny: methodsDenied, serve: (*call).getOperation},

	route{method: "GET", pattern: "users/{}/messages", roles: readMail, mail: true, serve: (*call).listMessages},
	route{method: "GET", pattern: "users/{}/messages/{}", roles: readMail, mail: true, serve: (*call).getMessage},
	route{method: "POST", pattern: "users/{}/messages/{}/move", roles: writeMail, mail: true, serve: (*call).moveMessage},
	route{method: "POST", pattern: "users/{}/messages/{}/permanentDelete", roles: writeMail, mail: true, serve: (*call).purgeMessage},
	route{method: "GET", pattern: "users/{}/mailFolders", roles: readMail, mail: true, serve: (*call).listFolders},
	route{method: "GET", pattern: "users/{}/mailFolders/{}", roles: readMail, mail: true, serve: (*call).getFolder},
	route{method: "GET", pattern: "users/{}/mailFolders/{}/messages", roles: readMail, mail: true, serve: (*call).listMessages},
	route{method: "GET", pattern: "users/{}/mailFolders/{}/messageRules", roles: readSettings, mail: true, serve: (*call).listRules},
	route{method: "POST", pattern: "users/{}/mailFolders/{}/messageRules", roles: writeSettings, mail: true, serve: (*call).createRule},
	route{method: "GET", pattern: "users/{}/mailFolders/{}/messageRules/{}", roles: readSettings, mail: true, serve: (*call).getRule},
	route{method: "PATCH", pattern: "users/{}/mailFolders/{}/messageRules/{}", roles: writeSettings, mail: true, serve: (*call).patchRule},
	route{method: "DELETE", pattern: "users/{}/mailFolders/{}/messageRules/{}", roles: writeSettings, mail: true, serve: (*call).deleteRule},
	route{method: "GET", pattern: "users/{}/mailboxSettings", roles: readSettings, mail: true, serve: (*call).getSettings},
	route{method: "PATCH", pattern: "users/{}/mailboxSettings", roles: writeSettings, mail: true, serve: (*call).patchSettings},

	route{method: "GET", pattern: "applications", roles: readApps, serve: (*call).listApplications},
	route{method: "GET", pattern: "applications/{}", roles: readApps, serve: (*call).getApplication},
	route{method: "PATCH", pattern: "applications/{}", roles: writeApps, serve: (*call).patchApplication},
	route{method: "DELETE", pattern: "applications/{}", roles: writeApps, serve: (*call).deleteApplication},
	route{method: "GET", pattern: "applications/{}/owners", roles: readApps, serve: (*call).listOwners},
	route{method: "POST", pattern: "applications/{}/owners/$ref", roles: writeApps, serve: (*call).addOwner},
	route{method: "DELETE", pattern: "applications/{}/owners/{}/$ref", roles: writeApps, serve: (*call).removeOwner},
	route{method: "POST", pattern: "applications/{}/removePassword", roles: writeApps, serve: (*call).removeAppPassword},
	route{method: "GET", pattern: "servicePrincipals", roles: readApps, serve: (*call).listServicePrincipals},
	route{method: "GET", pattern: "servicePrincipals/{}", roles: readApps, serve: (*call).getServicePrincipal},
	route{method: "PATCH", pattern: "servicePrincipals/{}", roles: writeApps, serve: (*call).patchServicePrincipal},
	route{method: "DELETE", pattern: "servicePrincipals/{}", roles: writeApps, serve: (*call).deleteServicePrincipal},
	route{method: "POST", pattern: "servicePrincipals/{}/removePassword", roles: writeApps, serve: (*call).removeSPPassword},
	route{method: "GET", pattern: "servicePrincipals/{}/appRoleAssignments", roles: readApps, serve: (*call).spAssignments},
	route{method: "GET", pattern: "servicePrincipals/{}/appRoleAssignedTo", roles: readApps, serve: (*call).spAssignedTo},
	route{method: "DELETE", pattern: "servicePrincipals/{}/appRoleAssignments/{}", roles: writeAssigned, serve: (*call).deleteAssignment},
	route{method: "GET", pattern: "servicePrincipals/{}/oauth2PermissionGrants", roles: readGrants, serve: (*call).spGrants},
	route{method: "GET", pattern: "oauth2PermissionGrants", roles: readGrants, serve: (*call).listGrants},
	route{method: "POST", pattern: "oauth2PermissionGrants", roles: writeGrants, serve: (*call).createGrant},
	route{method: "GET", pattern: "oauth2PermissionGrants/{}", roles: readGrants, serve: (*call).getGrant},
	route{method: "DELETE", pattern: "oauth2PermissionGrants/{}", roles: writeGrants, serve: (*call).deleteGrant},

	route{method: "GET", pattern: "groups/{}/members", roles: readMembers, serve: (*call).listMembers},
	route{method: "POST", pattern: "groups/{}/members/$ref", roles: writeMembers, serve: (*call).addMember},
	route{method: "DELETE", pattern: "groups/{}/members/{}/$ref", roles: writeMembers, serve: (*call).removeMember},
	route{method: "GET", pattern: "devices/{}", roles: readDevices, serve: (*call).getDevice},
	route{method: "PATCH", pattern: "devices/{}", roles: writeDevices, serve: (*call).patchDevice},
	route{method: "GET", pattern: "organization", roles: readOrg, serve: (*call).listOrganization},
	route{method: "GET", pattern: "domains", roles: readDomains, serve: (*call).listDomains},
	route{method: "GET", pattern: "identityProtection/riskyUsers/{}", roles: readRisk, serve: (*call).getRisky},
	route{method: "POST", pattern: "identityProtection/riskyUsers/confirmCompromised", roles: writeRisk, serve: (*call).confirmCompromised},
	route{method: "POST", pattern: "identityProtection/riskyUsers/dismiss", roles: writeRisk, serve: (*call).dismissRisk},
	route{method: "GET", pattern: "auditLogs/directoryAudits", roles: readAudits, serve: (*call).listAudits},
	route{method: "GET", pattern: "auditLogs/signIns", roles: readAudits, serve: (*call).listSignIns},
	route{method: "GET", pattern: "admin/exchange/tracing/messageTraces", roles: readTraces, serve: (*call).listTraces},
)

// table prepares the routes, by number of segments.
func table(rs ...route) map[int][]*route {
	out := map[int][]*route{}
	for _, r := range rs {
		r.parts = strings.Split(r.pattern, "/")
		out[len(r.parts)] = append(out[len(r.parts)], &r)
	}
	return out
}

// match finds the route of an escaped path and its decoded arguments. applications(appId='x') and
// servicePrincipals(appId='x') become the two segments applications and appId='x'.
func match(method, path string) (*route, []string, bool) {
	raw := strings.Split(strings.Trim(path, "/"), "/")
	var segments []string
	for i, s := range raw {
		d, err := url.PathUnescape(s)
		if err != nil || d == "" {
			return nil, nil, false
		}
		if i == 0 {
			if set, key, ok := strings.Cut(d, "("); ok && strings.HasSuffix(key, "')") && (set == "applications" || set == "servicePrincipals") {
				segments = append(segments, set, strings.TrimSuffix(key, ")"))
				continue
			}
		}
		segments = append(segments, strings.Replace(d, "microsoft.graph.", "graph.", 1))
	}
	for _, r := range routes[len(segments)] {
		if r.method != method {
			continue
		}
		if args, ok := r.fits(segments); ok {
			return r, args, true
		}
	}
	return nil, nil, false
}

func (r *route) fits(segments []string) (args []string, ok bool) {
	for i, p := range r.parts {
		if p == "{}" {
			args = append(args, segments[i])
			continue
		}
		if !strings.EqualFold(p, segments[i]) {
			return nil, false
		}
	}
	return args, true
}
