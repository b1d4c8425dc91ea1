package steps

import (
	"regexp"

	"responsehub"
)

// The to-dos of an account from on-premises AD. The ids are stored and stand in
// addresses.
const (
	TodoDisable = "ad-disable"
	TodoReset   = "ad-reset"
)

// samAccount is a name that can be pasted into PowerShell as it stands. Names come from
// the tenant, so whatever else they hold must not become a command.
var samAccount = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// onPremises adds what only somebody at the customer's AD can do: there is the master of
// the account, and of its password. The reset is done twice against a stolen hash of the
// password (pass-the-hash).
// https://learn.microsoft.com/entra/identity/users/users-revoke-access
func onPremises(inc *responsehub.Incident, a Account) {
	command, whose := "disable the account "+a.UPN, a.UPN
	if samAccount.MatchString(a.SAM) {
		command, whose = "Disable-ADAccount "+a.SAM, a.SAM
	}
	inc.AddTodo(TodoDisable, "In on-premises AD: "+command)
	inc.AddTodo(TodoReset, "In on-premises AD: reset the AD password of "+whose+" twice")
}
