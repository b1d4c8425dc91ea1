package graph

import (
	"context"
	"encoding/json"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub"
	"responsehub/remediation/steps"
)

// AutoReplies are the automatic replies of mailboxes. An item's Object is the user's
// object id.
type AutoReplies struct{ c *Client }

// settings is the part of a mailbox's settings that answers mail by itself.
// https://learn.microsoft.com/en-us/graph/api/user-get-mailboxsettings
type settings struct {
	Replies struct {
		Status string `json:"status"`
	} `json:"automaticRepliesSetting"`
}

func (s settings) on() bool { return s.Replies.Status != "" && s.Replies.Status != "disabled" }

func (a *AutoReplies) call(t steps.Target, op string, needs []string) call {
	return call{op: op, tenant: t.Tenant, mailbox: t.User, about: aMailbox, needs: needs}
}

func (a *AutoReplies) read(ctx context.Context, t steps.Target) (settings, steps.Reading, error) {
	k := a.call(t, "read the mailbox's automatic replies", readsRules)
	answer, err := a.c.send(ctx, k, abs.GET, a.c.address(nil, "users", t.User, "mailboxSettings"), nil)
	if err != nil {
		return settings{}, steps.Reading{}, err
	}
	var s settings
	var whole struct {
		Replies json.RawMessage `json:"automaticRepliesSetting"`
	}
	if json.Unmarshal(answer.Body, &s) != nil || json.Unmarshal(answer.Body, &whole) != nil {
		return settings{}, steps.Reading{}, astray(k, errEmpty)
	}
	return s, steps.Reading{Active: s.on(), Snapshot: whole.Replies, RequestID: answer.RequestID}, nil
}

// Read returns the setting; Active is false when no replies go out.
func (a *AutoReplies) Read(ctx context.Context, t steps.Target, item *responsehub.Item) (steps.Reading, error) {
	_, reading, err := a.read(ctx, t)
	reading.Name = item.Name
	return reading, err
}

// Neutralise switches the replies off, whatever the action; their text is kept.
// https://learn.microsoft.com/en-us/graph/api/user-update-mailboxsettings
func (a *AutoReplies) Neutralise(ctx context.Context, t steps.Target, _ *responsehub.Item, _ responsehub.Action) (steps.Receipt, error) {
	k := a.call(t, "switch the mailbox's automatic replies off", writesRules)
	k.write = true
	body := map[string]any{"automaticRepliesSetting": map[string]any{"status": "disabled"}}
	return receiptOf(a.c.send(ctx, k, abs.PATCH, a.c.address(nil, "users", t.User, "mailboxSettings"), body))
}

func (c *Client) scanReplies(ctx context.Context, t steps.Target) ([]responsehub.Item, error) {
	s, _, err := c.AutoReplies().read(ctx, t)
	if err != nil || !s.on() {
		return nil, err
	}
	return []responsehub.Item{{
		ID: responsehub.ItemID(responsehub.AutoReply, t.User), Kind: responsehub.AutoReply, Object: t.User, Name: t.UPN,
		Mailbox: t.User, Why: whyReplies,
	}}, nil
}
