package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"responsehub"
	"responsehub/remediation/steps"
)

// HiddenRules are inbox rules, the hidden ones included. An item's Object is the rule's
// identity, its number or its name.
type HiddenRules struct{ c *Client }

// rule is an inbox rule. https://learn.microsoft.com/en-us/powershell/module/exchange/get-inboxrule
type rule struct {
	Identity text
	Number   text `json:"RuleIdentity"`
	Name     string
	Enabled  flag
	raw      json.RawMessage
}

func (r rule) id() string { return cmp.Or(string(r.Identity), string(r.Number), r.Name) }

// Outlook keeps its own work in hidden rules.
var outlooks = regexp.MustCompile(`(?i)^(junk e-mail rule|microsoft\.exchange\.oof\..*|delegate rule -\d+)$`)

func (r rule) guard() string {
	if outlooks.MatchString(strings.TrimSpace(r.Name)) {
		return guardOutlook
	}
	return ""
}

// mailbox is whose rules are meant: the principal name where it is known.
func mailbox(t steps.Target, item *responsehub.Item) string {
	if item != nil && item.Mailbox != "" && !strings.EqualFold(item.Mailbox, t.User) {
		return item.Mailbox
	}
	return cmp.Or(t.UPN, t.User)
}

// anchor routes a request to the mailbox; only principal names can.
func anchor(box string) string {
	if strings.Contains(box, "@") {
		return box
	}
	return ""
}

// Read returns the rule; Active is false for a disabled one.
func (h *HiddenRules) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	found, receipt, err := h.find(ctx, t, item)
	if err != nil {
		return steps.Reading{}, err
	}
	return steps.Reading{Name: found.Name, Active: bool(found.Enabled), Guard: found.guard(), Snapshot: found.raw, RequestID: receipt.RequestID}, nil
}

// find looks the rule up in the whole list: asking for one by its identity does not find
// hidden ones everywhere.
func (h *HiddenRules) find(ctx context.Context, t steps.Target, item *responsehub.Item) (rule, steps.Receipt, error) {
	box := mailbox(t, item)
	k := listRules(t, box, true)
	k.op = "read the hidden inbox rule"
	r, err := h.c.run(ctx, k)
	if err != nil {
		return rule{}, steps.Receipt{}, err
	}
	for _, got := range decode(r.values, func(r *rule, raw json.RawMessage) { r.raw = raw }) {
		if matches(item.Object, string(got.Identity), string(got.Number), got.Name) {
			return got, r.receipt, nil
		}
	}
	return rule{}, r.receipt, h.c.fail(k, NotFound, r.receipt.RequestID, 0, nil)
}

func listRules(t steps.Target, box string, hidden bool) cmdlet {
	k := cmdlet{name: "Get-InboxRule", tenant: t.Tenant, mailbox: anchor(box), op: "list the inbox rules", parameters: map[string]any{"Mailbox": box}}
	if hidden {
		k.parameters["IncludeHidden"] = true
	}
	return k
}

// Neutralise disables the rule, or deletes it for the actions delete and remove. A rule
// that is gone already is a success. As a side effect Exchange drops the rules of the
// mailbox that only exist in the user's Outlook.
// https://learn.microsoft.com/en-us/powershell/module/exchange/disable-inboxrule
func (h *HiddenRules) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, action responsehub.Action) (steps.Receipt, error) {
	remove := action == responsehub.Delete || action == responsehub.Remove
	found, receipt, err := h.find(ctx, t, item)
	if remove && ClassOf(err) == NotFound {
		return gone(receipt), nil
	}
	if err != nil {
		return steps.Receipt{}, err
	}
	if guard := found.guard(); guard != "" {
		return steps.Receipt{}, responsehub.Refuse(guard)
	}
	box := mailbox(t, item)
	k := cmdlet{name: "Disable-InboxRule", tenant: t.Tenant, mailbox: anchor(box), op: "disable the hidden inbox rule",
		parameters: map[string]any{"Identity": found.id(), "Mailbox": box, "Force": true, "Confirm": false}}
	if remove {
		k.name, k.op = "Remove-InboxRule", "delete the hidden inbox rule"
	}
	r, err := h.c.run(ctx, k)
	if err != nil && !(remove && ClassOf(err) == NotFound) {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

// hidden returns the rules that only show when hidden ones are asked for, without
// Outlook's own.
func (h *HiddenRules) hidden(ctx context.Context, t steps.Target) ([]rule, error) {
	box := mailbox(t, nil)
	all, err := h.c.run(ctx, listRules(t, box, true))
	if err != nil {
		return nil, err
	}
	var suspects []rule
	for _, r := range decode(all.values, func(r *rule, raw json.RawMessage) { r.raw = raw }) {
		if r.guard() == "" {
			suspects = append(suspects, r)
		}
	}
	if len(suspects) == 0 {
		return nil, nil
	}
	shown, err := h.c.run(ctx, listRules(t, box, false))
	if err != nil {
		return nil, err
	}
	visible := map[string]bool{}
	for _, r := range decode(shown.values, func(*rule, json.RawMessage) {}) {
		visible[r.id()] = true
	}
	var out []rule
	for _, r := range suspects {
		if !visible[r.id()] {
			out = append(out, r)
		}
	}
	return out, nil
}
