package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"responsehub"
	"responsehub/remediation/steps"
)

// Delegates are people who may use somebody else's mailbox. An item's Object is the
// mailbox, the right and the person, with ">" between them.
type Delegates struct{ c *Client }

// The rights as they stand in an item's Object.
const (
	fullAccess = "FullAccess"
	sendAs     = "SendAs"
	inbox      = "Inbox"
)

// permission is a row of one of the three lists. The right to a mailbox names its User,
// that to send in its name a Trustee.
type permission struct {
	User      person
	Trustee   person
	Rights    rights `json:"AccessRights"`
	Inherited flag   `json:"IsInherited"`
	Deny      flag
	raw       json.RawMessage
}

func (p permission) who() string {
	if p.Trustee != "" {
		return string(p.Trustee)
	}
	return string(p.User)
}

// own reports whether the row is the mailbox's own or comes from the organisation.
func (p permission) own() bool {
	who := strings.ToUpper(p.who())
	return who == "" || bool(p.Inherited) || bool(p.Deny) || strings.HasPrefix(who, `NT AUTHORITY\`) || strings.HasPrefix(who, "S-1-5-")
}

// person is a name, or an object that has one.
type person string

// UnmarshalJSON reads either form; anything else is nobody.
func (p *person) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*p = person(s)
		return nil
	}
	var o struct{ DisplayName, UserPrincipalName string }
	if json.Unmarshal(b, &o) == nil {
		*p = person(o.DisplayName)
		if o.UserPrincipalName != "" {
			*p = person(o.UserPrincipalName)
		}
	}
	return nil
}

// rights is a list of rights, sent as one or as text with commas.
type rights []string

// UnmarshalJSON reads either form.
func (r *rights) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, (*[]string)(r)) == nil {
		return nil
	}
	var s string
	_ = json.Unmarshal(b, &s) // anything else is no right
	*r = strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == ' ' })
	return nil
}

func (r rights) has(right string) bool {
	return slices.ContainsFunc(r, func(x string) bool { return strings.EqualFold(x, right) })
}

// list reads who holds one of the rights.
func (d *Delegates) list(ctx context.Context, t steps.Target, item *responsehub.Item, right string) ([]permission, steps.Receipt, error) {
	box := mailbox(t, item)
	k := cmdlet{tenant: t.Tenant, mailbox: anchor(box), parameters: map[string]any{"Identity": box}}
	switch right {
	case fullAccess:
		k.name, k.op = "Get-MailboxPermission", "read who has full access to the mailbox"
	case sendAs:
		k.name, k.op = "Get-RecipientPermission", "read who may send in the mailbox's name"
	default:
		k.name, k.op = "Get-MailboxFolderPermission", "read who may use the inbox"
		k.parameters["Identity"] = box + `:\Inbox`
	}
	r, err := d.c.run(ctx, k)
	if err != nil {
		return nil, steps.Receipt{}, err
	}
	var out []permission
	for _, p := range decode(r.values, func(p *permission, raw json.RawMessage) { p.raw = raw }) {
		switch {
		case p.own(), right == fullAccess && !p.Rights.has(fullAccess), right == sendAs && !p.Rights.has(sendAs), right == inbox && (len(p.Rights) == 0 || p.Rights.has("None")):
		default:
			out = append(out, p)
		}
	}
	return out, r.receipt, nil
}

// part takes an item's Object apart.
func (d *Delegates) part(item *responsehub.Item) (right, who string, err error) {
	parts := strings.SplitN(item.Object, ">", 3)
	if len(parts) != 3 || !slices.Contains([]string{fullAccess, sendAs, inbox}, parts[1]) {
		return "", "", &responsehub.Error{Kind: responsehub.Permanent, Message: unknownDelegate}
	}
	return parts[1], parts[2], nil
}

// Read returns the right; NotFound when nobody of that name holds it any more.
func (d *Delegates) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	right, who, err := d.part(item)
	if err != nil {
		return steps.Reading{}, err
	}
	all, receipt, err := d.list(ctx, t, item, right)
	if err != nil {
		return steps.Reading{}, err
	}
	for _, p := range all {
		if matches(who, p.who()) {
			return steps.Reading{Name: item.Name, Active: true, Snapshot: p.raw, RequestID: receipt.RequestID}, nil
		}
	}
	return steps.Reading{}, d.c.fail(cmdlet{name: "Get-MailboxPermission", op: "read the delegate"}, NotFound, receipt.RequestID, 0, nil)
}

// Neutralise takes the right away, whatever the action.
// https://learn.microsoft.com/powershell/module/exchangepowershell/remove-mailboxpermission
func (d *Delegates) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	right, who, err := d.part(item)
	if err != nil {
		return steps.Receipt{}, err
	}
	box := mailbox(t, item)
	k := cmdlet{tenant: t.Tenant, mailbox: anchor(box), op: "take the right to the mailbox away", parameters: map[string]any{"Identity": box, "Confirm": false}}
	switch right {
	case fullAccess:
		k.name, k.parameters["User"], k.parameters["AccessRights"], k.parameters["InheritanceType"] = "Remove-MailboxPermission", who, []string{fullAccess}, "All"
	case sendAs:
		k.name, k.parameters["Trustee"], k.parameters["AccessRights"] = "Remove-RecipientPermission", who, []string{sendAs}
	default:
		k.name, k.parameters["User"], k.parameters["Identity"] = "Remove-MailboxFolderPermission", who, box+`:\Inbox`
	}
	r, err := d.c.run(ctx, k)
	if err != nil && ClassOf(err) != NotFound {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

func (c *Client) scanFullAccess(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	return c.scanDelegates(ctx, t, fullAccess)
}

func (c *Client) scanSendAs(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	return c.scanDelegates(ctx, t, sendAs)
}

func (c *Client) scanInbox(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	return c.scanDelegates(ctx, t, inbox)
}

func (c *Client) scanDelegates(ctx context.Context, t steps.Target, right string) ([]responsehub.Item, error) {
	all, _, err := c.Delegates().list(ctx, t, nil, right)
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, p := range all {
		may := map[string]string{fullAccess: mayOpen, sendAs: maySend, inbox: fmt.Sprintf(mayUse, clip(strings.Join(p.Rights, ", ")))}[right]
		items = append(items, item(responsehub.Delegate, t.User+">"+right+">"+p.who(), p.who()+" ("+right+")", t.User, fmt.Sprintf(whyDelegate, clip(p.who()), may)))
	}
	return items, nil
}
