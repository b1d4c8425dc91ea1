package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"responsehub"
	"responsehub/remediation/steps"
)

// SweepRules are rules that move mail away a few times a day. An item's Object is the
// rule's identity, its RuleId or its name.
type SweepRules struct{ c *Client }

// sweep is a sweep rule. https://learn.microsoft.com/powershell/module/exchangepowershell/get-sweeprule
type sweep struct {
	Identity text
	RuleID   text `json:"RuleId"`
	Name     string
	Enabled  flag
	Sender   person
	Folder   person `json:"DestinationFolder"`
	raw      json.RawMessage
}

func (s sweep) id() string { return cmp.Or(string(s.Identity), string(s.RuleID), s.Name) }

func (s sweep) why() string {
	sender, folder := cmp.Or(string(s.Sender), "a sender"), cmp.Or(string(s.Folder), "another folder")
	return fmt.Sprintf(whySweep, clip(sender), clip(folder))
}

func (s *SweepRules) list(ctx context.Context, t steps.Target, item *responsehub.Item) ([]sweep, steps.Receipt, error) {
	box := mailbox(t, item)
	r, err := s.c.run(ctx, cmdlet{name: "Get-SweepRule", tenant: t.Tenant, mailbox: anchor(box), op: "list the sweep rules", parameters: map[string]any{"Mailbox": box}})
	if err != nil {
		return nil, steps.Receipt{}, err
	}
	return decode(r.values, func(s *sweep, raw json.RawMessage) { s.raw = raw }), r.receipt, nil
}

func (s *SweepRules) find(ctx context.Context, t steps.Target, item *responsehub.Item) (sweep, steps.Receipt, error) {
	all, receipt, err := s.list(ctx, t, item)
	if err != nil {
		return sweep{}, receipt, err
	}
	for _, got := range all {
		if matches(item.Object, string(got.Identity), string(got.RuleID), got.Name) {
			return got, receipt, nil
		}
	}
	return sweep{}, receipt, s.c.fail(cmdlet{name: "Get-SweepRule", op: "read the sweep rule"}, NotFound, receipt.RequestID, 0, nil)
}

// Read returns the rule; Active is false for a disabled one. Nothing tells when a sweep
// rule was made, so that a person decides.
func (s *SweepRules) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	got, receipt, err := s.find(ctx, t, item)
	if err != nil {
		return steps.Reading{}, err
	}
	return steps.Reading{Name: got.Name, Active: bool(got.Enabled), Ask: got.why() + " " + askRule, Snapshot: got.raw, RequestID: receipt.RequestID}, nil
}

// Neutralise disables the rule, or deletes it for the actions delete and remove. One that
// is gone already is a success.
// https://learn.microsoft.com/powershell/module/exchangepowershell/disable-sweeprule
func (s *SweepRules) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, action responsehub.Action) (steps.Receipt, error) {
	remove := action == responsehub.Delete || action == responsehub.Remove
	got, receipt, err := s.find(ctx, t, item)
	if remove && ClassOf(err) == NotFound {
		return gone(receipt), nil
	}
	if err != nil {
		return steps.Receipt{}, err
	}
	box := mailbox(t, item)
	k := cmdlet{name: "Disable-SweepRule", tenant: t.Tenant, mailbox: anchor(box), op: "disable the sweep rule", parameters: map[string]any{"Identity": cmp.Or(string(got.RuleID), got.id()), "Mailbox": box, "Confirm": false}}
	if remove {
		k.name, k.op = "Remove-SweepRule", "delete the sweep rule"
	}
	r, err := s.c.run(ctx, k)
	if err != nil && !(remove && ClassOf(err) == NotFound) {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}
