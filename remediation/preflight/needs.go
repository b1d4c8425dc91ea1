package preflight

import (
	"fmt"
	"slices"
	"strings"

	"responsehub"
)

// need is an application permission of Microsoft Graph, any of names. The first is the
// least one, which people are told to grant.
type need struct {
	names  []string
	grade  responsehub.Grade // when it is not there
	blocks []responsehub.StepID
	costs  string // what is lost, as the end of a sentence
}

// needs says what each step asks of Microsoft Graph.
// https://learn.microsoft.com/en-us/graph/permissions-reference
var needs = []need{
	{
		[]string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence, responsehub.Password, responsehub.Reenable},
		"no account can be found and no effect read back",
	},
	{
		[]string{"User.EnableDisableAccount.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Lock, responsehub.Reenable}, "no sign-in can be blocked or allowed again",
	},
	{
		[]string{"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Lock, responsehub.Reenable}, "no session can be revoked",
	},
	{
		[]string{"User-PasswordProfile.ReadWrite.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Password}, "no password can be reset",
	},
	{
		[]string{"Mail.ReadWrite"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Retract}, "no phishing mail can be found or moved",
	},
	{
		[]string{"MailboxSettings.ReadWrite"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Persistence}, "no inbox rule can be read or disabled",
	},
	{
		[]string{"Application.ReadWrite.All", "Directory.ReadWrite.All"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Persistence}, "no app can be disabled",
	},
	{
		[]string{"Directory.Read.All", "Directory.ReadWrite.All"}, responsehub.CheckMissing,
		[]responsehub.StepID{responsehub.Persistence}, "nobody sees what the user consented to, nor whether the account is an administrator's",
	},
	{
		[]string{"UserAuthenticationMethod.ReadWrite.All", "UserAuthenticationMethod.Read.All"}, responsehub.CheckWarning,
		[]responsehub.StepID{responsehub.Persistence}, "sign-in methods that an attacker added are not seen, and step 3 ends only partly done",
	},
	{
		[]string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}, responsehub.CheckWarning,
		[]responsehub.StepID{responsehub.Persistence}, "a consent to an app has to be deleted by hand",
	},
	{
		[]string{"AuditLog.Read.All"}, responsehub.CheckWarning,
		[]responsehub.StepID{responsehub.Persistence}, "owners and secrets that an attacker added to apps are not seen, so step 3 ends only partly done, nor are new sessions after a lock",
	},
	{
		[]string{"Device.ReadWrite.All"}, responsehub.CheckWarning,
		[]responsehub.StepID{responsehub.Persistence}, "a device that an attacker registered has to be disabled by hand",
	},
	{
		[]string{"ExchangeMessageTrace.Read.All"}, responsehub.CheckWarning,
		[]responsehub.StepID{responsehub.Retract}, "phishing mail is looked for in all mailboxes instead of in those that got it, which takes longer",
	},
}

var lockGroupNeed = need{
	[]string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}, responsehub.CheckMissing,
	[]responsehub.StepID{responsehub.Lock}, "no account can be put into the tenant's lock group",
}

const (
	exchangeAdministrator   = "Exchange Administrator"
	privilegedAdministrator = "Privileged Authentication Administrator"
	globalAdministrator     = "Global Administrator"

	authenticationAdministrator = "Authentication Administrator"
	manageAsApp                 = "Exchange.ManageAsApp"
)

// permission judges one need.
func permission(n need, r Rights, t responsehub.Tenant, link string) responsehub.Check {
	name := n.names[0]
	c := responsehub.Check{Name: name, Blocks: n.blocks}
	have := slices.IndexFunc(n.names, func(p string) bool { return slices.Contains(r.Permissions, p) })
	switch {
	case !r.Known:
		c.Grade, c.Sentence = responsehub.CheckUnknown, "Whether the application permission "+name+" is granted cannot be read from the token."
	case have == 0:
		c.Grade, c.Sentence = responsehub.CheckOK, "The application permission "+name+" is granted."
	case have > 0:
		c.Grade, c.Sentence = responsehub.CheckOK, "The application permission "+n.names[have]+" is granted, which includes "+name+"."
	default:
		c.Grade = n.grade
		c.Sentence = fmt.Sprintf("The hub's app lacks the application permission %s of Microsoft Graph: %s. Add it to the app registration, then have an administrator of the tenant consent: %s", name, n.costs, link)
		c.Step = fmt.Sprintf("The hub's app lacks %s in %s: this step will fail until it is granted.", name, t.Name)
	}
	return c
}

// protectedAccounts judges the directory role that accounts of administrators ask for.
func protectedAccounts(r Rights, t responsehub.Tenant) responsehub.Check {
	c := responsehub.Check{Name: "role " + privilegedAdministrator, Blocks: []responsehub.StepID{responsehub.Lock, responsehub.Password, responsehub.Reenable}}
	switch {
	case !r.Known:
		c.Grade, c.Sentence = responsehub.CheckUnknown, "The directory roles of the hub's app cannot be read from the token."
	case hasRole(r, privilegedAdministrator):
		c.Grade, c.Sentence = responsehub.CheckOK, "The hub's app may lock and reset administrators too."
	default:
		c.Grade = responsehub.CheckWarning
		c.Sentence = "The hub's app lacks the role " + privilegedAdministrator + ": accounts of administrators cannot be locked, reset or re-enabled. " + assign(privilegedAdministrator, t)
	}
	return c
}

func hasRole(r Rights, name string) bool {
	return slices.Contains(r.Roles, name) || slices.Contains(r.Roles, globalAdministrator)
}

// assign says how a directory role is given to the app.
func assign(role string, t responsehub.Tenant) string {
	return fmt.Sprintf("Assign it in the Entra admin center of %s: Roles and administrators, %s, Add assignments, the hub's enterprise app.", strings.TrimSpace(t.Name), role)
}
