package graph

import (
	"context"
	"encoding/json"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub"
	"responsehub/remediation/steps"
)

var (
	_ steps.Restorer = (*AutoReplies)(nil)
	_ steps.Restorer = (*Devices)(nil)
)

// repliesChanged is why the hub leaves automatic replies alone that are on in another way.
const repliesChanged = "Automatic replies are on in another way now, which somebody set since. The hub leaves that alone."

// Restore switches the replies on again as they were. Their text was never touched.
// https://learn.microsoft.com/en-us/graph/api/user-update-mailboxsettings
func (a *AutoReplies) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	var was map[string]json.RawMessage
	if err := json.Unmarshal(item.Snapshot, &was); err != nil {
		return steps.Receipt{}, unreadable(err)
	}
	var status string
	if err := json.Unmarshal(was["status"], &status); err != nil {
		return steps.Receipt{}, unreadable(err)
	}
	now, reading, err := a.read(ctx, t)
	switch {
	case err != nil:
		return steps.Receipt{}, err
	case a.Restored(item.Snapshot, reading.Snapshot):
		return there(reading), nil
	case now.on():
		return steps.Receipt{}, responsehub.Refuse(repliesChanged)
	}
	set := map[string]any{"status": status}
	if status == "scheduled" { // without its times the schedule would be another one
		for _, name := range []string{"scheduledStartDateTime", "scheduledEndDateTime"} {
			if len(was[name]) > 0 {
				set[name] = was[name]
			}
		}
	}
	k := a.call(t, "switch the mailbox's automatic replies on again", writesRules)
	k.write = true
	return receiptOf(a.c.send(ctx, k, abs.PATCH, a.c.address(nil, "users", t.User, "mailboxSettings"), map[string]any{"automaticRepliesSetting": set}))
}

// Restored compares whether replies go out, which is all that the hub changes.
func (a *AutoReplies) Restored(before, now json.RawMessage) bool {
	return sameFields(before, now, "status")
}

// Restore lets people sign in from the device again, if they could.
// https://learn.microsoft.com/en-us/graph/api/device-update
func (ds *Devices) Restore(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Receipt, error) {
	enabled, err := enabledIn(item.Snapshot)
	if err != nil {
		return steps.Receipt{}, unreadable(err)
	}
	now, err := ds.Read(ctx, t, item)
	if ClassOf(err) == NotFound {
		return steps.Receipt{}, notOurs(err)
	}
	if err != nil || now.Active || !enabled {
		return there(now), err
	}
	k := call{op: "allow sign-in from the device again", tenant: t.Tenant, about: aDevice, write: true, needs: writesDevices}
	return receiptOf(ds.c.send(ctx, k, abs.PATCH, ds.c.address(nil, "devices", item.Object), map[string]any{"accountEnabled": true}))
}

// Restored compares whether people can sign in from the device.
func (ds *Devices) Restored(before, now json.RawMessage) bool { return samePrincipal(before, now) }

// there is the receipt of an effect that was there already.
func there(r steps.Reading) steps.Receipt { return steps.Receipt{RequestID: r.RequestID} }
