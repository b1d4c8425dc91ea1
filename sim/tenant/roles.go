package tenant

import "slices"

// Resources that tokens are made for, by their app id.
// https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
const (
	GraphAppID    = "00000003-0000-0000-c000-000000000000"
	ExchangeAppID = "00000002-0000-0ff1-ce00-000000000000"
	TraceAppID    = "8bd644d1-64a1-4d4b-ae52-2e0cbf64e373"
	MicrosoftOrg  = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
)

// Names of directory roles the simulators look for.
const (
	GlobalAdministrator     = "Global Administrator"
	PrivilegedAuthAdmin     = "Privileged Authentication Administrator"
	UserAdministrator       = "User Administrator"
	ExchangeAdministrator   = "Exchange Administrator"
	DirectoryReaders        = "Directory Readers"
	HelpdeskAdministrator   = "Helpdesk Administrator"
	PrivilegedRoleAdmin     = "Privileged Role Administrator"
	GlobalReader            = "Global Reader"
	ExchangeRecipientAdmin  = "Exchange Recipient Administrator"
	AuthAdministrator       = "Authentication Administrator"
	ApplicationAdmin        = "Application Administrator"
	SecurityAdministrator   = "Security Administrator"
	GuestInviter            = "Guest Inviter"
	MessageCenterReader     = "Message Center Reader"
	ReportsReader           = "Reports Reader"
	PasswordAdministrator   = "Password Administrator"
	SharePointAdministrator = "SharePoint Administrator"
)

// roleTemplates are the fixed ids of the built-in roles, as they stand in a token's wids claim.
// https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
var roleTemplates = map[string]string{ //nolint:gosec // ids that everybody may know
	GlobalAdministrator:     "62e90394-69f5-4237-9190-012177145e10",
	PrivilegedAuthAdmin:     "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
	UserAdministrator:       "fe930be7-5e62-47db-91af-98c3a49a38b1",
	ExchangeAdministrator:   "29232cdf-9323-42fd-ade2-1d097af3e4de",
	DirectoryReaders:        "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
	HelpdeskAdministrator:   "729827e3-9c14-49f7-bb1b-9608f156bbb8",
	PrivilegedRoleAdmin:     "e8611ab8-c189-46e8-94e1-60213ab1f814",
	GlobalReader:            "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
	ExchangeRecipientAdmin:  "31392ffb-586c-42d1-9346-e59415a2cc4e",
	AuthAdministrator:       "c4e39bd9-1100-46d3-8c65-fb160da0071f",
	ApplicationAdmin:        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
	SecurityAdministrator:   "194ae4cb-b126-40b2-bd5b-6091b380977d",
	GuestInviter:            "95e79109-95c0-4d8e-aee3-d01accf2d47b",
	MessageCenterReader:     "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b",
	ReportsReader:           "4a5d8f65-41da-4de4-8968-e035b65339cf",
	PasswordAdministrator:   "966707d0-3269-4727-9be2-8c3a10f19b9d",
	SharePointAdministrator: "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
}

// RoleTemplate returns the template id of a built-in role by its name, or "".
func RoleTemplate(name string) string { return roleTemplates[name] }

// lightRoles are those whose holders a User Administrator may still change.
// https://learn.microsoft.com/graph/api/resources/users
var lightRoles = []string{DirectoryReaders, GuestInviter, MessageCenterReader, ReportsReader, HelpdeskAdministrator, PasswordAdministrator}

// MayChange says whether the holder of the roles with these template ids may do a sensitive action
// (accountEnabled, passwordProfile, methods) on a user who holds the named roles.
func MayChange(wids, targetRoles []string) bool {
	if len(targetRoles) == 0 {
		return true
	}
	if slices.Contains(wids, roleTemplates[PrivilegedAuthAdmin]) || slices.Contains(wids, roleTemplates[GlobalAdministrator]) {
		return true
	}
	if !slices.Contains(wids, roleTemplates[UserAdministrator]) {
		return false
	}
	return !slices.ContainsFunc(targetRoles, func(r string) bool { return !slices.Contains(lightRoles, r) })
}

// GraphRoles is every application permission of Microsoft Graph that a full consent grants here.
var GraphRoles = []string{
	"User.Read.All", "User.EnableDisableAccount.All", "User.RevokeSessions.All", "User-PasswordProfile.ReadWrite.All",
	"Mail.ReadWrite", "MailboxSettings.ReadWrite", "Application.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All",
	"Directory.Read.All", "Organization.Read.All", "Domain.Read.All", "UserAuthenticationMethod.ReadWrite.All",
	"Device.ReadWrite.All", "GroupMember.ReadWrite.All", "IdentityRiskyUser.ReadWrite.All", "ExchangeMessageTrace.Read.All", "AuditLog.Read.All",
}

// ExchangeRoles is the application permission of Exchange Online that a full consent grants.
var ExchangeRoles = []string{"Exchange.ManageAsApp"}
