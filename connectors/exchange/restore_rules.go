package exchange

import (
	"cmp"
	"context"
	"encoding/json"

	"responsehub"
	"responsehub/remediation/steps"
)

// missing is why a rule that is not there cannot be switched on again.
func missing(item *responsehub.Item, err error) error {
	if ClassOf(err) != NotFound {
		return err
	}
	message := goneByOthers
	if item.Action == responsehub.Delete || item.Action == responsehub.Remove {
		message = goneRule
	}
	return &responsehub.Error{Kind: responsehub.NotFound, Message: message, Err: err}
}

// Restore switches a sweep rule on again, if it was on. One that was deleted cannot be
// made anew from what Exchange tells of it.
// https://learn.microsoft.com/powershell/module/exchangepowershell/enable-sweeprule
func (s *SweepRules) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	was, err := content(item.Snapshot)
	if err != nil {
		return steps.Receipt{}, err
	}
	got, receipt, err := s.find(ctx, t, item)
	if err != nil {
		return steps.Receipt{}, missing(item, err)
	}
	if bool(got.Enabled) || !on(was) {
		return gone(receipt), nil
	}
	box := mailbox(t, item)
	r, err := s.c.run(ctx, cmdlet{name: "Enable-SweepRule", tenant: t.Tenant, mailbox: anchor(box), op: "switch the sweep rule on again",
		parameters: map[string]any{"Identity": cmp.Or(string(got.RuleID), got.id()), "Mailbox": box, "Confirm": false}})
	if err != nil {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

// Restored compares whether the rule is on.
func (s *SweepRules) Restored(before, now json.RawMessage) bool {
	return (&HiddenRules{}).Restored(before, now)
}

// Restore switches a mail flow rule on again, if it was on. One that was deleted cannot
// be made anew from what Exchange tells of it.
// https://learn.microsoft.com/powershell/module/exchangepowershell/enable-transportrule
func (tr *TransportRules) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	var was transportRule
	if err := json.Unmarshal(item.Snapshot, &was); err != nil {
		return steps.Receipt{}, &responsehub.Error{Kind: responsehub.Permanent, Message: noSnapshot, Err: err}
	}
	got, receipt, err := tr.find(ctx, t, item)
	if err != nil {
		return steps.Receipt{}, missing(item, err)
	}
	if got.on() || !was.on() {
		return gone(receipt), nil
	}
	r, err := tr.c.run(ctx, cmdlet{name: "Enable-TransportRule", tenant: t.Tenant, op: "switch the mail flow rule on again", parameters: map[string]any{"Identity": got.id(), "Confirm": false}})
	if err != nil {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

// Restored compares whether the rule is on.
func (tr *TransportRules) Restored(before, now json.RawMessage) bool {
	var was, is transportRule
	return json.Unmarshal(before, &was) == nil && json.Unmarshal(now, &is) == nil && was.on() == is.on()
}
