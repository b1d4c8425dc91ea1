package exchange

import (
	"net/http"
	"slices"
	"strings"

	"responsehub/sim/tenant"
)

func sweepObject(u *tenant.User, s *tenant.Sweep) object {
	alias, _, _ := strings.Cut(u.UPN, "@")
	return object{
		"Identity": alias + `\` + s.ID, "RuleId": s.ID, "Name": s.Name, "Enabled": s.Enabled, "Provider": "Exchange16", "Sender": s.Sender,
		"DestinationFolder": s.Folder, "SourceFolder": "Inbox", "KeepForDays": s.Days, "KeepLatest": nil, "SystemCategory": nil,
		"ExceptIfFlagged": false, "ExceptIfPinned": false, "MailboxOwnerId": u.Name, "IsValid": true,
	}
}

// getSweeps: https://learn.microsoft.com/powershell/module/exchangepowershell/get-sweeprule
func (c *call) getSweeps() ([]object, *refusal) {
	u, refused := c.mailbox("Mailbox")
	if refused != nil {
		return nil, refused
	}
	var out []object
	for _, s := range u.Mailbox.Sweeps {
		if id := c.text("Identity"); id == "" || tenant.FindSweep(u.Mailbox, id[strings.LastIndex(id, `\`)+1:]) == s {
			out = append(out, sweepObject(u, s))
		}
	}
	if c.text("Identity") != "" && len(out) == 0 {
		return nil, notFound("The Sweep rule '%s' couldn't be found.", c.text("Identity"))
	}
	return out, nil
}

// sweep finds the rule by "alias\RuleId", or by RuleId or name with the mailbox given.
func (c *call) sweep() (*tenant.User, *tenant.Sweep, *refusal) {
	id, refused := c.needs("Identity")
	if refused != nil {
		return nil, nil, refused
	}
	alias, key, qualified := strings.Cut(id, `\`)
	if !qualified {
		key = id
	}
	for _, u := range c.t.Users {
		mine, _, _ := strings.Cut(u.UPN, "@")
		box := c.text("Mailbox")
		if u.Mailbox == nil || qualified && !strings.EqualFold(mine, alias) || box != "" && tenant.FindUser(c.t, box) != u {
			continue
		}
		if s := tenant.FindSweep(u.Mailbox, key); s != nil {
			return u, s, nil
		}
	}
	return nil, nil, notFound("The Sweep rule '%s' couldn't be found.", id)
}

// enableSweep: https://learn.microsoft.com/powershell/module/exchangepowershell/enable-sweeprule
func (c *call) enableSweep() ([]object, *refusal) { return c.switchSweep(true, "sweep.enable") }

// disableSweep: https://learn.microsoft.com/powershell/module/exchangepowershell/disable-sweeprule
func (c *call) disableSweep() ([]object, *refusal) { return c.switchSweep(false, "sweep.disable") }

func (c *call) switchSweep(on bool, kind string) ([]object, *refusal) {
	u, s, refused := c.sweep()
	if refused != nil {
		return nil, refused
	}
	if s.Enabled != on {
		s.Enabled = on
		c.effect(kind, s.ID, u.UPN+": "+s.Name)
	}
	return nil, nil
}

// removeSweep: https://learn.microsoft.com/powershell/module/exchangepowershell/remove-sweeprule
func (c *call) removeSweep() ([]object, *refusal) {
	u, s, refused := c.sweep()
	if refused != nil {
		return nil, refused
	}
	u.Mailbox.Sweeps = slices.DeleteFunc(u.Mailbox.Sweeps, func(x *tenant.Sweep) bool { return x == s })
	c.effect("sweep.delete", s.ID, u.UPN+": "+s.Name)
	return nil, nil
}

// without takes who (the parameter named) off a list of principal names.
func (c *call) without(list *[]string, param, kind string, u *tenant.User) *refusal {
	who, refused := c.needs(param)
	if refused != nil {
		return refused
	}
	if _, ok := c.value("AccessRights"); !ok {
		_, refused := c.needs("AccessRights")
		return refused
	}
	i := slices.IndexFunc(*list, func(d string) bool { return strings.EqualFold(d, who) })
	if i < 0 {
		return nil // the cmdlet warns, and succeeds
	}
	*list = slices.Delete(slices.Clone(*list), i, i+1)
	c.effect(kind, u.ID, who)
	return nil
}

// with puts who on a list of principal names.
func (c *call) with(list *[]string, param, kind string, u *tenant.User) *refusal {
	who, refused := c.needs(param)
	if refused != nil {
		return refused
	}
	if !slices.ContainsFunc(*list, func(d string) bool { return strings.EqualFold(d, who) }) {
		*list = append(*list, who)
		c.effect(kind, u.ID, who)
	}
	return nil
}

// addPermission: https://learn.microsoft.com/powershell/module/exchangepowershell/add-mailboxpermission
func (c *call) addPermission() ([]object, *refusal) {
	u, refused := c.mailbox("Identity")
	if refused == nil {
		refused = c.with(&u.Delegates, "User", "delegate.add", u)
	}
	return nil, refused
}

// removePermission: https://learn.microsoft.com/powershell/module/exchangepowershell/remove-mailboxpermission
func (c *call) removePermission() ([]object, *refusal) {
	u, refused := c.mailbox("Identity")
	if refused == nil {
		refused = c.without(&u.Delegates, "User", "delegate.remove", u)
	}
	return nil, refused
}

// getTrustees: https://learn.microsoft.com/powershell/module/exchangepowershell/get-recipientpermission
func (c *call) getTrustees() ([]object, *refusal) {
	u, refused := c.mailbox("Identity")
	if refused != nil {
		return nil, refused
	}
	row := func(who string) object {
		return object{"Identity": u.Name, "Trustee": who, "AccessControlType": "Allow", "AccessRights": []string{"SendAs"}, "IsInherited": false, "InheritanceType": "None", "TrusteeSidString": ""}
	}
	out := []object{row(`NT AUTHORITY\SELF`)}
	for _, who := range u.SendAs {
		out = append(out, row(who))
	}
	return out, nil
}

// addTrustee: https://learn.microsoft.com/powershell/module/exchangepowershell/add-recipientpermission
func (c *call) addTrustee() ([]object, *refusal) {
	u, refused := c.mailbox("Identity")
	if refused == nil {
		refused = c.with(&u.SendAs, "Trustee", "sendas.add", u)
	}
	return nil, refused
}

// removeTrustee: https://learn.microsoft.com/powershell/module/exchangepowershell/remove-recipientpermission
func (c *call) removeTrustee() ([]object, *refusal) {
	u, refused := c.mailbox("Identity")
	if refused == nil {
		refused = c.without(&u.SendAs, "Trustee", "sendas.remove", u)
	}
	return nil, refused
}

// inbox reads an identity such as pat@contoso.example:\Inbox; only the inbox is kept here.
func (c *call) inbox() (*tenant.User, *refusal) {
	id, refused := c.needs("Identity")
	if refused != nil {
		return nil, refused
	}
	box, folder, ok := strings.Cut(id, `:\`)
	u := tenant.FindUser(c.t, box)
	if !ok || !strings.EqualFold(folder, "Inbox") || u == nil || u.Mailbox == nil {
		return nil, notFound("The operation couldn't be performed because '%s' couldn't be found.", id)
	}
	return u, nil
}

// getShares: https://learn.microsoft.com/powershell/module/exchangepowershell/get-mailboxfolderpermission
func (c *call) getShares() ([]object, *refusal) {
	u, refused := c.inbox()
	if refused != nil {
		return nil, refused
	}
	row := func(who string, rights []string) object {
		return object{"Identity": u.Name + `:\Inbox`, "FolderName": "Inbox", "User": who, "AccessRights": rights, "SharingPermissionFlags": nil, "IsValid": true}
	}
	out := []object{row("Default", []string{"None"}), row("Anonymous", []string{"None"})}
	for _, s := range u.Mailbox.Shares {
		out = append(out, row(s.User, s.Rights))
	}
	return out, nil
}

// addShare: https://learn.microsoft.com/powershell/module/exchangepowershell/add-mailboxfolderpermission
func (c *call) addShare() ([]object, *refusal) {
	u, refused := c.inbox()
	if refused != nil {
		return nil, refused
	}
	who, refused := c.needs("User")
	if refused != nil {
		return nil, refused
	}
	raw, _ := c.value("AccessRights")
	rights, ok := texts(raw)
	if !ok {
		return nil, badParameter("AccessRights")
	}
	if slices.ContainsFunc(u.Mailbox.Shares, func(s tenant.Share) bool { return strings.EqualFold(s.User, who) }) {
		return nil, &refusal{http.StatusBadRequest, "BadRequest", "Microsoft.Exchange.Management.StoreTasks.UserAlreadyExistsInPermissionEntryException", "An existing permission entry was found for user: " + who + "."}
	}
	u.Mailbox.Shares = append(u.Mailbox.Shares, tenant.Share{User: who, Rights: rights})
	c.effect("share.add", u.ID, who)
	return nil, nil
}

// removeShare: https://learn.microsoft.com/powershell/module/exchangepowershell/remove-mailboxfolderpermission
func (c *call) removeShare() ([]object, *refusal) {
	u, refused := c.inbox()
	if refused != nil {
		return nil, refused
	}
	who, refused := c.needs("User")
	if refused != nil {
		return nil, refused
	}
	i := slices.IndexFunc(u.Mailbox.Shares, func(s tenant.Share) bool { return strings.EqualFold(s.User, who) })
	if i < 0 {
		return nil, &refusal{http.StatusBadRequest, "BadRequest", "Microsoft.Exchange.Management.StoreTasks.UserNotFoundInPermissionEntryException", "There is no existing permission entry found for user: " + who + "."}
	}
	u.Mailbox.Shares = slices.Delete(slices.Clone(u.Mailbox.Shares), i, i+1)
	c.effect("share.remove", u.ID, who)
	return nil, nil
}
