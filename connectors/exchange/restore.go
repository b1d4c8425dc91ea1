package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"

	"responsehub"
	"responsehub/remediation/steps"
)

var (
	_ steps.Restorer = (*Connectors)(nil)
	_ steps.Restorer = (*HiddenRules)(nil)
	_ steps.Restorer = (*SweepRules)(nil)
	_ steps.Restorer = (*TransportRules)(nil)
)

// The sentences on what cannot be given back.
const (
	noSnapshot   = "The copy that the hub kept of it cannot be read, so the hub cannot give it back; a person has to."
	goneByOthers = "It is not there any more, and it was not the hub that deleted it."
	goneHidden   = "A hidden inbox rule that was deleted cannot be made anew."
	goneRule     = "The rule was deleted, and the hub cannot make it anew; a person has to."
)

// settings are the properties of a connector that New-InboundConnector takes under the
// same name. Connectors of a hybrid set-up are never touched, so its flag is not one.
// https://learn.microsoft.com/en-us/powershell/module/exchange/new-inboundconnector
var settings = []string{
	"Name", "ConnectorType", "SenderDomains", "SenderIPAddresses", "TlsSenderCertificateName", "RequireTls",
	"RestrictDomainsToCertificate", "RestrictDomainsToIPAddresses", "AssociatedAcceptedDomains", "Comment",
	"TreatMessagesAsInternal", "TrustedOrganizations", "EFSkipIPs", "EFSkipLastIP", "EFUsers", "ScanAndDropRecipients",
}

// Restore switches a connector on again, if it was on, or makes one anew that the hub had
// removed. Its name is its own in the tenant, so one of that name is it: making it twice
// is impossible.
func (cs *Connectors) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	was, err := content(item.Snapshot)
	if err != nil {
		return steps.Receipt{}, err
	}
	removed := item.Action == responsehub.Delete || item.Action == responsehub.Remove
	found, receipt, err := cs.find(ctx, t, item)
	if removed && ClassOf(err) == NotFound {
		byName := *item
		byName.Object, _ = was["Name"].(string)
		if found, receipt, err = cs.find(ctx, t, &byName); ClassOf(err) == NotFound {
			return cs.create(ctx, t, item, was)
		}
	}
	switch {
	case ClassOf(err) == NotFound:
		return steps.Receipt{}, &responsehub.Error{Kind: responsehub.NotFound, Message: goneByOthers, Err: err}
	case err != nil:
		return steps.Receipt{}, err
	}
	if removed {
		item.Object = found.id() // made by an earlier attempt
	}
	if bool(found.Enabled) || !on(was) {
		return gone(receipt), nil
	}
	r, err := cs.c.run(ctx, cmdlet{name: "Set-InboundConnector", tenant: t.Tenant, op: "switch the inbound connector on again",
		parameters: map[string]any{"Identity": found.id(), "Enabled": true}})
	if err != nil {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

func (cs *Connectors) create(ctx context.Context, t steps.Target, item *responsehub.Item, was map[string]any) (steps.Receipt, error) {
	parameters := map[string]any{"Enabled": on(was)}
	for _, name := range settings {
		if v := said(was[name]); v != nil {
			parameters[name] = v
		}
	}
	r, err := cs.c.run(ctx, cmdlet{name: "New-InboundConnector", tenant: t.Tenant, op: "make the inbound connector anew", parameters: parameters})
	if err != nil {
		return steps.Receipt{}, err
	}
	item.Object, _ = was["Name"].(string)
	for _, made := range decode(r.values, func(*connector, json.RawMessage) {}) {
		item.Object = cmp.Or(made.id(), item.Object)
	}
	return gone(r.receipt), nil
}

// Restored compares whether the connector is on and lets in what it did.
func (cs *Connectors) Restored(before, now json.RawMessage) bool {
	was, err := content(before)
	is, err2 := content(now)
	if err != nil || err2 != nil || on(was) != on(is) {
		return false
	}
	for _, name := range settings {
		if !reflect.DeepEqual(said(was[name]), said(is[name])) {
			return false
		}
	}
	return true
}

// Restore switches a hidden rule on again, if it was on. One that was deleted cannot be
// made anew as it was: no cmdlet makes hidden rules.
func (h *HiddenRules) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	was, err := content(item.Snapshot)
	if err != nil {
		return steps.Receipt{}, err
	}
	found, receipt, err := h.find(ctx, t, item)
	switch {
	case ClassOf(err) == NotFound && (item.Action == responsehub.Delete || item.Action == responsehub.Remove):
		return steps.Receipt{}, &responsehub.Error{Kind: responsehub.NotFound, Message: goneHidden, Err: err}
	case ClassOf(err) == NotFound:
		return steps.Receipt{}, &responsehub.Error{Kind: responsehub.NotFound, Message: goneByOthers, Err: err}
	case err != nil:
		return steps.Receipt{}, err
	}
	if bool(found.Enabled) || !on(was) {
		return gone(receipt), nil
	}
	box := mailbox(t, item)
	r, err := h.c.run(ctx, cmdlet{name: "Enable-InboxRule", tenant: t.Tenant, mailbox: anchor(box), op: "switch the hidden inbox rule on again",
		parameters: map[string]any{"Identity": found.id(), "Mailbox": box, "Force": true, "Confirm": false}})
	if err != nil {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

// Restored compares whether the rule is on.
func (h *HiddenRules) Restored(before, now json.RawMessage) bool {
	was, err := content(before)
	is, err2 := content(now)
	return err == nil && err2 == nil && on(was) == on(is)
}

func content(snapshot json.RawMessage) (map[string]any, error) {
	var was map[string]any
	if err := json.Unmarshal(snapshot, &was); err != nil {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: noSnapshot, Err: err}
	}
	return was, nil
}

// on reads Enabled, which Exchange sends as a boolean or as its text.
func on(object map[string]any) bool {
	switch v := object["Enabled"].(type) {
	case bool:
		return v
	case string:
		var f flag
		_ = f.UnmarshalJSON([]byte(v)) // never fails
		return bool(f)
	}
	return false
}

// said is a value unless it stands for nothing: null, false, an empty text or list.
func said(v any) any {
	switch x := v.(type) {
	case bool:
		if !x {
			return nil
		}
	case string:
		if x == "" {
			return nil
		}
		switch x {
		case "True":
			return true
		case "False":
			return nil
		}
	case []any:
		if len(x) == 0 {
			return nil
		}
	}
	return v
}
