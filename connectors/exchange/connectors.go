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

// Connectors are the tenant's inbound connectors. An item's Object is the connector's
// GUID, identity or name.
type Connectors struct{ c *Client }

// connector is an inbound connector.
// https://learn.microsoft.com/en-us/powershell/module/exchange/get-inboundconnector
type connector struct {
	Identity      string
	GUID          string `json:"Guid"`
	Name          string
	Enabled       flag
	Source        string `json:"ConnectorSource"`
	CloudServices flag   `json:"CloudServicesMailEnabled"`
	Created       moment `json:"WhenCreatedUTC"`
	raw           json.RawMessage
}

func (c connector) id() string { return cmp.Or(c.GUID, c.Identity, c.Name) }

// wizardName is how the Hybrid Configuration Wizard names its inbound connector.
var wizardName = regexp.MustCompile(`(?i)^inbound from [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// hybrid reports whether mail of the tenant's own servers comes in by the connector.
func (c connector) hybrid() bool {
	return bool(c.CloudServices) || strings.EqualFold(c.Source, "HybridWizard") || wizardName.MatchString(strings.TrimSpace(c.Name))
}

func (c connector) guard() string {
	if c.hybrid() {
		return guardHybrid
	}
	return ""
}

// Read returns the connector; Active is false for a disabled one.
func (cs *Connectors) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	found, receipt, err := cs.find(ctx, t, item)
	if err != nil {
		return steps.Reading{}, err
	}
	return steps.Reading{Name: found.Name, Active: bool(found.Enabled), Guard: found.guard(), Snapshot: found.raw, RequestID: receipt.RequestID}, nil
}

func (cs *Connectors) find(ctx context.Context, t steps.Target, item *responsehub.Item) (connector, steps.Receipt, error) {
	k := cmdlet{name: "Get-InboundConnector", tenant: t.Tenant, op: "read the inbound connector", parameters: map[string]any{"Identity": item.Object}}
	r, err := cs.c.run(ctx, k)
	if err != nil {
		return connector{}, steps.Receipt{}, err
	}
	for _, raw := range r.values {
		var got connector
		if json.Unmarshal(raw, &got) != nil || got.id() == "" {
			continue
		}
		if len(r.values) == 1 || matches(item.Object, got.GUID, got.Identity, got.Name) {
			got.raw = raw
			return got, r.receipt, nil
		}
	}
	return connector{}, r.receipt, cs.c.fail(k, NotFound, r.receipt.RequestID, 0, nil)
}

// Neutralise disables the connector, or removes it for the actions delete and remove. One
// that is gone already is a success. A hybrid one is refused: all mail from the tenant's
// own servers would stop.
func (cs *Connectors) Neutralise(ctx context.Context, t steps.Target, item *responsehub.Item, action responsehub.Action) (steps.Receipt, error) {
	remove := action == responsehub.Delete || action == responsehub.Remove
	found, receipt, err := cs.find(ctx, t, item)
	if remove && ClassOf(err) == NotFound {
		return gone(receipt), nil
	}
	if err != nil {
		return steps.Receipt{}, err
	}
	if guard := found.guard(); guard != "" {
		return steps.Receipt{}, responsehub.Refuse(guard)
	}
	k := cmdlet{name: "Set-InboundConnector", tenant: t.Tenant, op: "disable the inbound connector",
		parameters: map[string]any{"Identity": found.id(), "Enabled": false}}
	if remove {
		k = cmdlet{name: "Remove-InboundConnector", tenant: t.Tenant, op: "remove the inbound connector",
			parameters: map[string]any{"Identity": found.id(), "Confirm": false}}
	}
	r, err := cs.c.run(ctx, k)
	if err != nil && !(remove && ClassOf(err) == NotFound) {
		return steps.Receipt{}, err
	}
	return gone(r.receipt), nil
}

// list returns all inbound connectors of the tenant.
func (cs *Connectors) list(ctx context.Context, t steps.Target) ([]connector, error) {
	r, err := cs.c.run(ctx, cmdlet{name: "Get-InboundConnector", tenant: t.Tenant, op: "list the inbound connectors", parameters: map[string]any{}})
	if err != nil {
		return nil, err
	}
	return decode(r.values, func(c *connector, raw json.RawMessage) { c.raw = raw }), nil
}
