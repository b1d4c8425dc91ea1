package exchange

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"responsehub"
	"responsehub/remediation/steps"
)

var (
	_ steps.Restorer = (*Forwarding)(nil)
	_ steps.Restorer = (*Delegates)(nil)
)

// forwardsElsewhere is why the hub leaves a mailbox alone that forwards to somebody else now.
const forwardsElsewhere = "The mailbox forwards to another address now, which somebody set since. The hub leaves that alone."

// Restore lets the mailbox forward again as it did. Where somebody set another address
// since, theirs stays.
// https://learn.microsoft.com/powershell/module/exchangepowershell/set-mailbox
func (f *Forwarding) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	var was forwarding
	if err := json.Unmarshal(item.Snapshot, &was); err != nil {
		return steps.Receipt{}, &responsehub.Error{Kind: responsehub.Permanent, Message: noSnapshot, Err: err}
	}
	now, receipt, err := f.mailbox(ctx, t, item)
	switch {
	case err != nil:
		return steps.Receipt{}, err
	case same(was, now):
		return gone(receipt), nil
	case other(was.SMTP, now.SMTP), other(was.To, now.To):
		return steps.Receipt{}, responsehub.Refuse(forwardsElsewhere)
	}
	box := mailbox(t, item)
	set := map[string]any{"Identity": box, "DeliverToMailboxAndForward": bool(was.Keep)}
	if was.SMTP != now.SMTP {
		set["ForwardingSmtpAddress"] = string(was.SMTP)
	}
	if was.To != now.To {
		set["ForwardingAddress"] = string(was.To)
	}
	r, err := f.c.run(ctx, cmdlet{name: "Set-Mailbox", tenant: t.Tenant, mailbox: anchor(box), op: "let the mailbox forward again", parameters: set})
	if err != nil {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

// other reports whether an address stands where there was another one, or none.
func other(was, now text) bool { return now != "" && !matches(bare(was), bare(now)) }

// same compares two forwardings; with no address it does not matter what is kept.
func same(was, now forwarding) bool {
	alike := func(a, b text) bool { return strings.EqualFold(bare(a), bare(b)) }
	return alike(was.SMTP, now.SMTP) && alike(was.To, now.To) && (was.Keep == now.Keep || was.SMTP+was.To == "")
}

// Restored compares where the mail goes, and whether a copy stays.
func (f *Forwarding) Restored(before, now json.RawMessage) bool {
	var was, is forwarding
	return json.Unmarshal(before, &was) == nil && json.Unmarshal(now, &is) == nil && same(was, is)
}

// Restore gives the right back, if nobody else did. Whether Outlook opens the mailbox by
// itself is not told by Exchange: it does then.
// https://learn.microsoft.com/powershell/module/exchangepowershell/add-mailboxpermission
func (d *Delegates) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	right, who, err := d.part(item)
	if err != nil {
		return steps.Receipt{}, err
	}
	var was permission
	if err := json.Unmarshal(item.Snapshot, &was); err != nil {
		return steps.Receipt{}, &responsehub.Error{Kind: responsehub.Permanent, Message: noSnapshot, Err: err}
	}
	all, receipt, err := d.list(ctx, t, item, right)
	if err != nil {
		return steps.Receipt{}, err
	}
	if slices.ContainsFunc(all, func(p permission) bool { return matches(who, p.who()) }) {
		return gone(receipt), nil
	}
	box := mailbox(t, item)
	k := cmdlet{tenant: t.Tenant, mailbox: anchor(box), op: "give the right to the mailbox back", parameters: map[string]any{"Identity": box}}
	switch right {
	case fullAccess:
		k.name, k.parameters["User"], k.parameters["AccessRights"], k.parameters["InheritanceType"] = "Add-MailboxPermission", who, []string{fullAccess}, "All"
		k.parameters["Confirm"] = false
	case sendAs:
		k.name, k.parameters["Trustee"], k.parameters["AccessRights"] = "Add-RecipientPermission", who, []string{sendAs}
		k.parameters["Confirm"] = false
	default:
		k.name, k.parameters["User"], k.parameters["AccessRights"], k.parameters["Identity"] = "Add-MailboxFolderPermission", who, []string(was.Rights), box+`:\Inbox`
	}
	r, err := d.c.run(ctx, k)
	if err != nil {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

// Restored compares who holds what.
func (d *Delegates) Restored(before, now json.RawMessage) bool {
	var was, is permission
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(now, &is) != nil {
		return false
	}
	missing := slices.ContainsFunc(was.Rights, func(right string) bool { return !is.Rights.has(right) })
	return strings.EqualFold(was.who(), is.who()) && !missing
}
