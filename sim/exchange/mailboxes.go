package exchange

import (
	"strconv"
	"strings"
	"time"

	"responsehub/sim/tenant"
)

// mailbox finds the mailbox a parameter names by id, principal name or address.
func (c *call) mailbox(param string) (*tenant.User, *refusal) {
	id, refused := c.needs(param)
	if refused != nil {
		return nil, refused
	}
	u := tenant.FindUser(c.t, id)
	if u == nil || u.Mailbox == nil {
		return nil, notFound("The operation couldn't be performed because object '%s' couldn't be found on 'SIM0001.PROD.OUTLOOK.COM'.", id)
	}
	return u, nil
}

func mailboxObject(u *tenant.User) object {
	kind := "UserMailbox"
	if u.Shared {
		kind = "SharedMailbox"
	}
	var forward any
	if u.ForwardingSMTPAddress != "" {
		forward = u.ForwardingSMTPAddress
	}
	return object{
		"ExternalDirectoryObjectId": u.ID, "Guid": u.ID, "Identity": u.Name, "UserPrincipalName": u.UPN, "PrimarySmtpAddress": u.Mail, "DisplayName": u.Name,
		"RecipientTypeDetails": kind, "ForwardingSmtpAddress": forward, "ForwardingAddress": nil, "DeliverToMailboxAndForward": u.DeliverAndForward,
		"AccountDisabled": !u.AccountEnabled, "WhenCreatedUTC": u.Created.UTC().Format(time.RFC3339),
	}
}

// getMailboxes: https://learn.microsoft.com/powershell/module/exchangepowershell/get-mailbox
func (c *call) getMailboxes() ([]object, *refusal) {
	if c.text("Identity") != "" {
		u, refused := c.mailbox("Identity")
		if refused != nil {
			return nil, refused
		}
		return []object{mailboxObject(u)}, nil
	}
	var out []object
	for _, u := range c.t.Users {
		if u.Mailbox != nil {
			out = append(out, mailboxObject(u))
		}
	}
	return out, nil
}

// setMailbox: https://learn.microsoft.com/powershell/module/exchangepowershell/set-mailbox
func (c *call) setMailbox() ([]object, *refusal) {
	u, refused := c.mailbox("Identity")
	if refused != nil {
		return nil, refused
	}
	keep, setsKeep, refused := c.boolean("DeliverToMailboxAndForward")
	if refused != nil {
		return nil, refused
	}
	was := u.ForwardingSMTPAddress
	if v, ok := c.value("ForwardingSmtpAddress"); ok {
		address, isText := v.(string)
		if v != nil && !isText {
			return nil, badParameter("ForwardingSmtpAddress")
		}
		if address != "" && !strings.HasPrefix(address, "smtp:") {
			address = "smtp:" + address
		}
		u.ForwardingSMTPAddress = address
	}
	if setsKeep {
		u.DeliverAndForward = keep
	}
	switch {
	case was != "" && u.ForwardingSMTPAddress == "":
		c.effect("forwarding.clear", u.ID, was)
	case was != u.ForwardingSMTPAddress:
		c.effect("forwarding.set", u.ID, u.ForwardingSMTPAddress)
	}
	return nil, nil
}

// getPermissions: https://learn.microsoft.com/powershell/module/exchangepowershell/get-mailboxpermission
func (c *call) getPermissions() ([]object, *refusal) {
	u, refused := c.mailbox("Identity")
	if refused != nil {
		return nil, refused
	}
	row := func(who string, rights ...string) object {
		return object{"Identity": u.Name, "User": who, "AccessRights": rights, "IsInherited": false, "Deny": false, "InheritanceType": "All"}
	}
	out := []object{row(`NT AUTHORITY\SELF`, "FullAccess", "ReadPermission")}
	for _, d := range u.Delegates {
		out = append(out, row(d, "FullAccess"))
	}
	return out, nil
}

func ruleObject(u *tenant.User, r *tenant.Rule) object {
	addresses := func(key string) any {
		list, _ := r.Actions[key].([]any)
		out := []string{}
		for _, x := range list {
			m, _ := x.(map[string]any)
			e, _ := m["emailAddress"].(map[string]any)
			if a, ok := e["address"].(string); ok {
				out = append(out, `"`+a+`" [SMTP:`+a+`]`)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	flag := func(key string) bool { b, _ := r.Actions[key].(bool); return b }
	number := strconv.FormatUint(r.Number, 10)
	return object{
		"Identity": u.Name + `\` + number, "RuleIdentity": r.Number, "Name": r.Name, "Enabled": r.Enabled, "Priority": r.Sequence, "InError": r.HasError,
		"MailboxOwnerId": u.Name, "Description": "", "ForwardTo": addresses("forwardTo"), "RedirectTo": addresses("redirectTo"), "ForwardAsAttachmentTo": addresses("forwardAsAttachmentTo"),
		"DeleteMessage": flag("delete"), "MarkAsRead": flag("markAsRead"), "MoveToFolder": r.Actions["moveToFolder"], "StopProcessingRules": flag("stopProcessingRules"),
		"SubjectContainsWords": r.Conditions["subjectContains"], "From": nil, "SupportedByTask": true, "IsValid": true,
	}
}

// getRules shows hidden rules only with IncludeHidden.
// https://learn.microsoft.com/powershell/module/exchangepowershell/get-inboxrule
func (c *call) getRules() ([]object, *refusal) {
	u, refused := c.mailbox("Mailbox")
	if refused != nil {
		return nil, refused
	}
	hidden, _, refused := c.boolean("IncludeHidden")
	if refused != nil {
		return nil, refused
	}
	if c.text("Identity") != "" {
		r, refused := c.rule(u)
		if refused != nil {
			return nil, refused
		}
		return []object{ruleObject(u, r)}, nil
	}
	var out []object
	for _, r := range u.Mailbox.Rules {
		if !r.Hidden || hidden {
			out = append(out, ruleObject(u, r))
		}
	}
	return out, nil
}

// rule finds the rule named by Identity: "mailbox\number", the number, or the name.
func (c *call) rule(u *tenant.User) (*tenant.Rule, *refusal) {
	id, refused := c.needs("Identity")
	if refused != nil {
		return nil, refused
	}
	key := id[strings.LastIndex(id, `\`)+1:]
	r := tenant.FindRule(u.Mailbox, key, true)
	if r == nil {
		return nil, notFound("The Inbox rule '%s' couldn't be found.", id)
	}
	return r, nil
}

// changeRule finds mailbox and rule for the three cmdlets that change one. The mailbox may also stand
// in front of the rule's identity only.
func (c *call) changeRule() (*tenant.User, *tenant.Rule, *refusal) {
	if c.text("Mailbox") == "" {
		if owner, _, ok := strings.Cut(c.text("Identity"), `\`); ok {
			for _, u := range c.t.Users {
				if u.Mailbox != nil && (u.Name == owner || strings.EqualFold(u.UPN, owner) || u.ID == owner) {
					r, refused := c.rule(u)
					return u, r, refused
				}
			}
		}
	}
	u, refused := c.mailbox("Mailbox")
	if refused != nil {
		return nil, nil, refused
	}
	r, refused := c.rule(u)
	return u, r, refused
}

// disableRule: https://learn.microsoft.com/powershell/module/exchangepowershell/disable-inboxrule
func (c *call) disableRule() ([]object, *refusal) { return c.switchRule(false) }

// enableRule: https://learn.microsoft.com/powershell/module/exchangepowershell/enable-inboxrule
func (c *call) enableRule() ([]object, *refusal) { return c.switchRule(true) }

func (c *call) switchRule(on bool) ([]object, *refusal) {
	u, r, refused := c.changeRule()
	if refused != nil {
		return nil, refused
	}
	if r.Enabled == on {
		return nil, nil
	}
	r.Enabled = on
	kind := "rule.disable"
	if on {
		kind = "rule.enable"
	}
	c.effect(kind, r.ID, u.UPN+": "+r.Name)
	return nil, nil
}

// removeRule: https://learn.microsoft.com/powershell/module/exchangepowershell/remove-inboxrule
func (c *call) removeRule() ([]object, *refusal) {
	u, r, refused := c.changeRule()
	if refused != nil {
		return nil, refused
	}
	tenant.RemoveRule(u.Mailbox, r)
	c.effect("rule.delete", r.ID, u.UPN+": "+r.Name)
	return nil, nil
}
