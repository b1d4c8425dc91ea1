package exchange

import (
	"context"
	"encoding/json"
	"strings"

	"responsehub"
	"responsehub/remediation/steps"
)

// Forwarding is what a mailbox sends on by itself. An item's Object ends in the address,
// after the mailbox and a ">".
type Forwarding struct{ c *Client }

// forwarding is the part of a mailbox that says where its mail goes. SMTP is any address,
// To a recipient of the organisation.
// https://learn.microsoft.com/powershell/module/exchangepowershell/get-mailbox
type forwarding struct {
	SMTP text `json:"ForwardingSmtpAddress"`
	To   text `json:"ForwardingAddress"`
	Keep flag `json:"DeliverToMailboxAndForward"`
}

func bare(address text) string {
	if s := string(address); len(s) > 5 && strings.EqualFold(s[:5], "smtp:") {
		return s[5:]
	}
	return string(address)
}

func (f forwarding) addresses() (out []string) {
	for _, a := range []text{f.SMTP, f.To} {
		if a != "" {
			out = append(out, bare(a))
		}
	}
	return out
}

func (f *Forwarding) mailbox(ctx context.Context, t steps.Target, item *responsehub.Item) (forwarding, steps.Receipt, error) {
	box := mailbox(t, item)
	k := cmdlet{name: "Get-Mailbox", tenant: t.Tenant, mailbox: anchor(box), op: "read the mailbox's forwarding", parameters: map[string]any{"Identity": box}}
	r, err := f.c.run(ctx, k)
	if err != nil {
		return forwarding{}, steps.Receipt{}, err
	}
	for _, m := range decode(r.values, func(*forwarding, json.RawMessage) {}) {
		return m, r.receipt, nil
	}
	return forwarding{}, r.receipt, f.c.fail(k, NotFound, r.receipt.RequestID, 0, nil)
}

// Read returns whether the mailbox still forwards to the item's address.
func (f *Forwarding) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	now, receipt, err := f.mailbox(ctx, t, item)
	if err != nil {
		return steps.Reading{}, err
	}
	address := item.Object[strings.LastIndex(item.Object, ">")+1:]
	snapshot, err := json.Marshal(map[string]any{"ForwardingSmtpAddress": now.SMTP, "ForwardingAddress": now.To, "DeliverToMailboxAndForward": bool(now.Keep)})
	return steps.Reading{Name: address, Active: matches(address, now.addresses()...), Snapshot: snapshot, RequestID: receipt.RequestID}, err
}

// Neutralise ends the forwarding to the item's address, whatever the action.
// https://learn.microsoft.com/powershell/module/exchangepowershell/set-mailbox
func (f *Forwarding) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	now, receipt, err := f.mailbox(ctx, t, item)
	if err != nil {
		return steps.Receipt{}, err
	}
	box, address := mailbox(t, item), item.Object[strings.LastIndex(item.Object, ">")+1:]
	set := map[string]any{"Identity": box, "DeliverToMailboxAndForward": false}
	if matches(address, bare(now.SMTP)) {
		set["ForwardingSmtpAddress"] = nil
	}
	if matches(address, bare(now.To)) {
		set["ForwardingAddress"] = nil
	}
	if len(set) == 2 {
		return gone(receipt), nil
	}
	r, err := f.c.run(ctx, cmdlet{name: "Set-Mailbox", tenant: t.Tenant, mailbox: anchor(box), op: "end the mailbox's forwarding", parameters: set})
	if err != nil {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}
