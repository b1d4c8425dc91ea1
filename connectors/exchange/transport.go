package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"responsehub"
	"responsehub/remediation/steps"
)

// TransportRules are the mail flow rules of the organisation. An item's Object is the
// rule's GUID, identity or name.
type TransportRules struct{ c *Client }

// transportRule is a mail flow rule of the organisation.
// https://learn.microsoft.com/powershell/module/exchangepowershell/get-transportrule
type transportRule struct {
	Identity text
	GUID     text `json:"Guid"`
	Name     string
	State    text
	By       text   `json:"LastModifiedBy"`
	Maker    text   `json:"CreatedBy"`
	Changed  moment `json:"WhenChanged"`
	Blind    rights `json:"BlindCopyTo"`
	Redirect rights `json:"RedirectMessageTo"`
	Deletes  flag   `json:"DeleteMessage"`
	raw      json.RawMessage
}

func (r transportRule) id() string { return cmp.Or(string(r.GUID), string(r.Identity), r.Name) }

func (r transportRule) on() bool { return !strings.EqualFold(string(r.State), "Disabled") }

func (r transportRule) why() string {
	why := fmt.Sprintf(whyTransport, r.Changed.Format(shown))
	switch {
	case len(r.Blind) > 0:
		why += " " + fmt.Sprintf(whyCopies, clip(strings.Join(r.Blind, ", ")))
	case len(r.Redirect) > 0:
		why += " " + fmt.Sprintf(whyRedirects, clip(strings.Join(r.Redirect, ", ")))
	case bool(r.Deletes):
		why += " " + whyDeletes
	}
	return why
}

// by reports whether the account that was taken over made the rule or changed it last.
func (r transportRule) by(t steps.Target) bool {
	for _, who := range []text{r.By, r.Maker} {
		if who != "" && (matches(string(who), t.UPN, t.User) || t.UPN != "" && strings.HasSuffix(strings.ToLower(string(who)), `\`+strings.ToLower(t.UPN))) {
			return true
		}
	}
	return false
}

func (tr *TransportRules) find(ctx context.Context, t steps.Target, item *responsehub.Item) (transportRule, steps.Receipt, error) {
	k := cmdlet{name: "Get-TransportRule", tenant: t.Tenant, op: "read the mail flow rule", parameters: map[string]any{"Identity": item.Object}}
	r, err := tr.c.run(ctx, k)
	if err != nil {
		return transportRule{}, steps.Receipt{}, err
	}
	for _, got := range decode(r.values, func(r *transportRule, raw json.RawMessage) { r.raw = raw }) {
		if matches(item.Object, string(got.GUID), string(got.Identity), got.Name) {
			return got, r.receipt, nil
		}
	}
	return transportRule{}, r.receipt, tr.c.fail(k, NotFound, r.receipt.RequestID, 0, nil)
}

// Read returns the rule; Active is false for a disabled one. A rule that somebody else
// than the taken account changed may be an administrator's work: a person decides.
func (tr *TransportRules) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	got, receipt, err := tr.find(ctx, t, item)
	if err != nil {
		return steps.Reading{}, err
	}
	reading := steps.Reading{Name: got.Name, Active: got.on(), Snapshot: got.raw, RequestID: receipt.RequestID}
	if !got.by(t) {
		reading.Ask = got.why() + " " + askRule
	}
	return reading, nil
}

// Neutralise disables the rule, or deletes it for the actions delete and remove. One that
// is gone already is a success.
// https://learn.microsoft.com/powershell/module/exchangepowershell/disable-transportrule
func (tr *TransportRules) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, action responsehub.Action) (steps.Receipt, error) {
	remove := action == responsehub.Delete || action == responsehub.Remove
	got, receipt, err := tr.find(ctx, t, item)
	if remove && ClassOf(err) == NotFound {
		return gone(receipt), nil
	}
	if err != nil {
		return steps.Receipt{}, err
	}
	k := cmdlet{name: "Disable-TransportRule", tenant: t.Tenant, op: "disable the mail flow rule", parameters: map[string]any{"Identity": got.id(), "Confirm": false}}
	if remove {
		k.name, k.op = "Remove-TransportRule", "delete the mail flow rule"
	}
	r, err := tr.c.run(ctx, k)
	if err != nil && !(remove && ClassOf(err) == NotFound) {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}
