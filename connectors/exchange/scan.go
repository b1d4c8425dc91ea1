package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"responsehub"
	"responsehub/remediation/steps"
)

// Scan returns the account's hidden inbox rules that are enabled, its mailbox's
// forwarding, and the tenant's inbound connectors that were made since the given time.
// What could be read is returned together with the error of what could not. One thing
// after another, since Exchange bears two requests at a time.
func (c *Client) Scan(ctx context.Context, t steps.Target, since time.Time) ([]responsehub.Item, error) {
	var items []responsehub.Item
	var errs []error
	for _, part := range []func() ([]responsehub.Item, error){
		func() ([]responsehub.Item, error) { return c.scanRules(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanForwarding(ctx, t) },
		func() ([]responsehub.Item, error) { return c.scanConnectors(ctx, t, since) },
	} {
		found, err := part()
		items = append(items, found...)
		if err == nil || ClassOf(err) == NotFound { // an account without a mailbox has no rules
			continue
		}
		errs = append(errs, err)
		if kind := responsehub.KindOf(err); kind != responsehub.Unavailable && ClassOf(err) == "" {
			break // no token for Exchange: the other parts would only say so again
		}
	}
	return items, errors.Join(errs...)
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
		items = append(items, responsehub.Item{
			ID: responsehub.ItemID(responsehub.InboxRule, r.id()), Kind: responsehub.InboxRule, Object: r.id(), Name: r.Name,
			Mailbox: t.User, Hidden: true, Why: whyHidden,
		})
	}
	return items, nil
}

func (c *Client) scanForwarding(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	box := mailbox(t, nil)
	r, err := c.run(ctx, cmdlet{name: "Get-Mailbox", tenant: t.Tenant, mailbox: anchor(box), op: "read the mailbox's forwarding",
		parameters: map[string]any{"Identity": box}})
	if err != nil {
		return nil, err
	}
	type mailbox struct {
		Smtp text `json:"ForwardingSmtpAddress"`
		To   text `json:"ForwardingAddress"`
	}
	var items []responsehub.Item
	for _, m := range decode(r.values, func(*mailbox, json.RawMessage) {}) {
		for _, to := range []text{m.Smtp, m.To} {
			address := strings.TrimPrefix(strings.TrimPrefix(string(to), "smtp:"), "SMTP:")
			if address == "" {
				continue
			}
			object := t.User + ">" + address
			items = append(items, responsehub.Item{
				ID: responsehub.ItemID(responsehub.Forwarding, object), Kind: responsehub.Forwarding, Object: object, Name: address,
				Mailbox: t.User, Why: fmt.Sprintf(whyForwarding, address),
			})
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
		items = append(items, responsehub.Item{
			ID: responsehub.ItemID(responsehub.InboundConnector, k.id()), Kind: responsehub.InboundConnector, Object: k.id(), Name: k.Name,
			Why: fmt.Sprintf(whyConnector, k.Created.Format("2006-01-02 15:04:05 UTC")),
		})
	}
	return items, nil
}
