package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"responsehub"
	"responsehub/remediation/steps"
)

// Scan returns the account's hidden inbox rules and sweep rules that are enabled, its
// mailbox's forwarding and delegates, and the tenant's inbound connectors and mail flow
// rules that were made or changed since the given time. What could be read is returned
// together with the errors of what could not. Two parts run at a time, since Exchange
// bears no more: with a second a call the whole takes five.
func (c *Client) Scan(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	if _, err := c.token(ctx, t.Tenant); err != nil {
		return nil, err // every part would only say the same
	}
	parts := []func() ([]responsehub.Item, error){
		func() ([]responsehub.Item, error) { return c.scanRules(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanForwarding(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanFullAccess(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanSendAs(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanInbox(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanSweeps(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanConnectors(ctx, t, since) },
		func() ([]responsehub.Item, error) { return c.scanTransport(ctx, t, since) },
	}
	found, errs := make([][]responsehub.Item, len(parts)), make([]error, len(parts))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, part := range parts {
		group.Go(func() error {
			found[i], errs[i] = part()
			if ClassOf(errs[i]) == NotFound { // an account without a mailbox has none of it
				errs[i] = nil
			}
			return nil
		})
	}
	_ = group.Wait() // the parts report through errs
	var items []responsehub.Item
	for _, f := range found {
		items = append(items, f...)
	}
	return items, errors.Join(errs...)
}

// item completes what a scan found.
func item(kind responsehub.ItemKind, object, name, box, why string) responsehub.Item {
	return responsehub.Item{ID: responsehub.ItemID(kind, object), Kind: kind, Object: object, Name: name, Mailbox: box, Why: why}
}

func (c *Client) scanRules(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	rules, err := c.HiddenRules().hidden(ctx, t)
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, r := range rules {
		if !r.Enabled {
			continue
		}
		it := item(responsehub.InboxRule, r.id(), r.Name, t.User, whyHidden)
		it.Hidden = true
		items = append(items, it)
	}
	return items, nil
}

func (c *Client) scanForwarding(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	found, _, err := c.Forwarding().mailbox(ctx, t, nil)
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, address := range found.addresses() {
		why := fmt.Sprintf(whyForwarding, clip(address))
		if !found.Keep {
			why += " " + whyForwardingOnly
		}
		items = append(items, item(responsehub.Forwarding, t.User+">"+address, address, t.User, why))
	}
	return items, nil
}

func (c *Client) scanSweeps(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	all, _, err := c.SweepRules().list(ctx, t, nil)
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, s := range all {
		if s.Enabled {
			items = append(items, item(responsehub.SweepRule, s.id(), s.Name, t.User, s.why()))
		}
	}
	return items, nil
}

func (c *Client) scanConnectors(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	all, err := c.Connectors().list(ctx, t)
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, k := range all {
		// One whose age is not known is not shown as new; the technician's list has it all.
		if !bool(k.Enabled) || k.Created.IsZero() || k.Created.Before(since) || k.hybrid() {
			continue
		}
		it := item(responsehub.InboundConnector, k.id(), k.Name, "", fmt.Sprintf(whyConnector, k.Created.Format(shown)))
		it.MadeAt = k.Created.Time
		items = append(items, it)
	}
	return items, nil
}

func (c *Client) scanTransport(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	r, err := c.run(ctx, cmdlet{name: "Get-TransportRule", tenant: t.Tenant, op: "list the mail flow rules", parameters: map[string]any{}})
	if err != nil {
		return nil, err
	}
	var items []responsehub.Item
	for _, rule := range decode(r.values, func(r *transportRule, raw json.RawMessage) { r.raw = raw }) {
		if !rule.on() || rule.Changed.IsZero() || rule.Changed.Before(since) {
			continue
		}
		it := item(responsehub.TransportRule, rule.id(), rule.Name, "", rule.why())
		it.MadeAt, it.MadeBy = rule.Changed.Time, clip(string(rule.By))
		items = append(items, it)
	}
	return items, nil
}

// shown is how times stand in sentences.
const shown = "2006-01-02 15:04:05 UTC"

// clip keeps a stranger's text short inside a sentence.
func clip(s string) string {
	r := []rune(s)
	if len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
