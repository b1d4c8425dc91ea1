package autotask

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"responsehub"
)

type webhook struct {
	ID           int64  `json:"id,omitempty"`
	Name         string `json:"name"` // at most 50 characters
	URL          string `json:"webhookUrl"`
	Deactivation string `json:"deactivationUrl"`
	Key          string `json:"secretKey,omitempty"` // at most 64 characters
	Active       bool   `json:"isActive"`
	Ready        bool   `json:"isReady,omitempty"`
	Create       bool   `json:"isSubscribedToCreateEvents"`
	Update       bool   `json:"isSubscribedToUpdateEvents"`
	Delete       bool   `json:"isSubscribedToDeleteEvents"`
	Owner        int    `json:"ownerResourceID,omitempty"`
	Mail         bool   `json:"sendThresholdExceededNotification"`
}

const hooksNamed = "responsehub "

// subscribed are the fields whose change is told, by the names under which Autotask lists
// them, without blanks and case. Without one that is subscribed a webhook never gets ready.
var subscribed = []struct {
	names  []string
	needed bool
}{
	{[]string{"status"}, true},
	{[]string{"assignedresourceid", "assignedresource", "primaryresource", "assignedresourceid(primaryresource)"}, false},
	{[]string{"queueid", "queue"}, false},
	{[]string{"companyid", "company", "accountid", "account"}, false},
}

// hookName tells webhooks with different keys or addresses apart; it tells neither.
func (d *Desk) hookName(address string) string {
	sum := sha256.Sum256([]byte(d.cfg.EventKey + "\x00" + address))
	return hooksNamed + hex.EncodeToString(sum[:4])
}

func (d *Desk) hooks(ctx context.Context) ([]webhook, error) {
	return rows[webhook](ctx, d, "read its webhooks", "TicketWebhooks", query{Filter: []filter{{Op: "beginsWith", Field: "name", Value: strings.TrimSpace(hooksNamed)}}}, queryMost)
}

// ours reports whether a webhook goes to the hub, whatever its token.
func ours(entry, address string) bool {
	a, err := url.Parse(entry)
	if err != nil {
		return false
	}
	b, err := url.Parse(address)
	return err == nil && a.Host == b.Host && a.Path == b.Path
}

// Listen sets up the webhook. One that is there, active and ready stays; one that
// Autotask switched off (after 25 failed events), that is only half set up or that has
// another key or address is replaced.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/Entities/REST_WebhooksEntity.htm
func (d *Desk) Listen(ctx context.Context, address string) (string, error) {
	if d.cfg.EventKey == "" {
		return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "The hub has no key with which events are signed."}
	}
	if err := d.begin(ctx, hooking, true); err != nil {
		return "", err
	}
	all, err := d.hooks(ctx)
	if err != nil {
		return "", err
	}
	name, replaced := d.hookName(address), 0
	for _, h := range all {
		switch {
		case !ours(h.URL, address):
		case h.Name == name && h.URL == address && h.Active && h.Ready:
			return "The webhook is there and active.", nil
		default:
			if err := d.call(ctx, request{what: "remove an old webhook", method: http.MethodDelete, path: fmt.Sprintf("TicketWebhooks/%d", h.ID), write: true}, nil); err != nil && responsehub.KindOf(err) != responsehub.NotFound {
				return "", err
			}
			replaced++
		}
	}
	if err := d.listen(ctx, name, address); err != nil {
		return "", err
	}
	if replaced > 0 {
		return "The webhook was switched off or pointed elsewhere and was set up again.", nil
	}
	return "The webhook was set up.", nil
}

func (d *Desk) listen(ctx context.Context, name, address string) error {
	ids, err := d.hookFields(ctx)
	if err != nil {
		return err
	}
	me := d.me(ctx)
	var got made
	hook := webhook{Name: name, URL: address, Deactivation: address, Key: d.cfg.EventKey, Active: true, Update: true, Delete: true, Owner: me}
	if err := d.call(ctx, request{what: "set up its webhook", method: http.MethodPost, path: "TicketWebhooks", in: hook, write: true}, &got); err != nil {
		return err
	}
	at := fmt.Sprintf("TicketWebhooks/%d", got.ID)
	// One after the other: there are only three places for calls at once.
	for _, id := range ids {
		in := map[string]any{"fieldID": id, "isSubscribedField": true, "isDisplayAlwaysField": false}
		if err := d.call(ctx, request{what: "set up its webhook's fields", method: http.MethodPost, path: at + "/Fields", in: in, write: true}, nil); err != nil {
			return err
		}
	}
	if me != 0 { // else the hub's own changes come back, and are seen to change nothing
		if err := d.call(ctx, request{what: "leave its own changes out of its webhook", method: http.MethodPost, path: at + "/ExcludedResources", in: map[string]any{"resourceID": me}, write: true}, nil); err != nil {
			return err
		}
	}
	var back struct {
		Item webhook `json:"item"`
	}
	if err := d.call(ctx, request{what: "read its webhook", method: http.MethodGet, path: at}, &back); err != nil {
		return err
	}
	if !back.Item.Ready || !back.Item.Active {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "Autotask took the webhook and did not make it ready. Check that the API user's security level allows webhooks."}
	}
	return nil
}

// hookFields are the ids of the fields to be subscribed to.
func (d *Desk) hookFields(ctx context.Context) ([]int, error) {
	all, err := d.of(ctx, ofWebhooks)
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, want := range subscribed {
		found := false
		for _, c := range named(all, "fieldID").Picks {
			label := strings.ToLower(strings.Join(strings.Fields(c.Label), ""))
			for _, n := range want.names {
				if label == n && !found {
					ids, found = append(ids, c.number()), true
				}
			}
		}
		if want.needed && !found {
			return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: "Autotask does not offer the ticket's status to webhooks."}
		}
	}
	return ids, nil
}
