package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub"
	"responsehub/remediation/steps"
)

// Devices are the devices registered in the tenant's directory. An item's Object is the
// device's object id.
type Devices struct{ c *Client }

var (
	readsDevices  = []string{"Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	writesDevices = []string{"Device.ReadWrite.All", "Directory.ReadWrite.All"}
)

// device is a registered device. One that Intune manages belongs to a real person.
type device struct {
	ID         string    `json:"id"`
	Name       string    `json:"displayName"`
	Enabled    *bool     `json:"accountEnabled"`
	Managed    bool      `json:"isManaged"`
	System     string    `json:"operatingSystem"`
	Registered time.Time `json:"registrationDateTime"`
}

func (d device) on() bool { return d.Enabled == nil || *d.Enabled }

// Read returns the device; Active is false for a disabled one.
// https://learn.microsoft.com/en-us/graph/api/device-get
func (ds *Devices) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	k := call{op: "read the device", tenant: t.Tenant, about: aDevice, needs: readsDevices}
	answer, err := ds.c.send(ctx, k, abs.GET, ds.c.address(nil, "devices", item.Object), nil)
	if err != nil {
		return steps.Reading{}, err
	}
	var d device
	if err := json.Unmarshal(answer.Body, &d); err != nil || d.ID == "" {
		return steps.Reading{}, astray(k, errEmpty)
	}
	return steps.Reading{Name: d.Name, Active: d.on(), Snapshot: snapshot(answer), RequestID: answer.RequestID}, nil
}

// Neutralise disables the device, whatever the action: nobody signs in from it.
// https://learn.microsoft.com/en-us/graph/api/device-update
func (ds *Devices) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	k := call{op: "disable the device", tenant: t.Tenant, about: aDevice, write: true, needs: writesDevices}
	return receiptOf(ds.c.send(ctx, k, abs.PATCH, ds.c.address(nil, "devices", item.Object), map[string]any{"accountEnabled": false}))
}

func (c *Client) scanDevices(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	k := call{op: "list the account's devices", tenant: t.Tenant, about: anAccount, needs: []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}}
	all, err := objects[device](ctx, c, k, c.address(nil, "users", t.User, "registeredDevices", "graph.device"))
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, d := range all {
		if d.ID == "" || !d.on() || d.Registered.IsZero() || d.Registered.Before(since) {
			continue
		}
		why := fmt.Sprintf(whyDevice, d.Registered.UTC().Format(shown))
		if d.Managed {
			why += " " + whyManaged
		}
		items = append(items, responsehub.Item{ID: responsehub.ItemID(responsehub.Device, d.ID), Kind: responsehub.Device, Object: d.ID, Name: d.Name, Why: why, MadeAt: d.Registered.UTC()})
	}
	return items, nil
}
