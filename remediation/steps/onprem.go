package steps

import (
	"regexp"
	"slices"

	"responsehub"
)

// The to-dos of an account from on-premises AD. The ids are stored and stand in
// addresses.
const (
	TodoDisable = "ad-disable"
	TodoReset   = "ad-reset"
	TodoEnable  = "ad-enable"
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
	if opened := inc.Todo(TodoEnable); opened != nil { // locked anew after it was opened
		anew := opened.Done()
		inc.Todos = slices.DeleteFunc(inc.Todos, func(t responsehub.Todo) bool {
			return t.ID == TodoEnable || anew && t.ID == TodoDisable
		})
	}
	inc.AddTodo(TodoDisable, "In on-premises AD: "+command)
	inc.AddTodo(TodoReset, "In on-premises AD: reset the AD password of "+whose+" twice")
}

// opened adds what AD needs once the account is open in the cloud again: while it is
// disabled there, each directory sync blocks sign-in anew. Nobody shall disable it there
// any more. It returns what the record says of it, "" for an account of the cloud.
func opened(inc *responsehub.Incident, a Account) string {
	if !a.Synced {
		return ""
	}
	command := "enable the account " + a.UPN
	if samAccount.MatchString(a.SAM) {
		command = "Enable-ADAccount " + a.SAM
	}
	inc.Todos = slices.DeleteFunc(inc.Todos, func(t responsehub.Todo) bool { return t.ID == TodoDisable && !t.Done() })
	inc.AddTodo(TodoEnable, "In on-premises AD: "+command+", if it is disabled there")
	return ". While it is disabled in on-premises AD, the next directory sync blocks sign-in again: enable it there too"
}
