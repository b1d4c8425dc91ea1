package halopsa

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

	"responsehub"
)

type webhook struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name"`
	URL         string `json:"url"`
	Type        int    `json:"type"`   // 0 goes out
	Method      int    `json:"method"` // 0 is POST
	ContentType string `json:"content_type"`
	SignIn      int    `json:"authentication_type"` // 1 is Basic
	User        string `json:"basic_username"`
	Password    string `json:"basic_password,omitempty"`
	Header      string `json:"authentication_header,omitempty"` // the token, should it be a bearer's
	Active      bool   `json:"active"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// hookName tells webhooks with different passwords or addresses apart; it tells neither.
func (d *Desk) hookName(address string) string {
	sum := sha256.Sum256([]byte(d.cfg.EventKey + "\x00" + address))
	return "responsehub " + hex.EncodeToString(sum[:4])
}

func (d *Desk) hooks(ctx context.Context) ([]webhook, error) {
	var all []webhook
	err := d.call(ctx, request{what: "read its webhooks", method: http.MethodGet, path: "/Webhook", query: url.Values{"type": {"0"}}}, &all)
	return all, err
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

// Listen sets up the webhook. One that was switched off or has another password or address
// is set right under its id, so that the events that a person chose for it stay.
func (d *Desk) Listen(ctx context.Context, address string) (string, error) {
	if d.cfg.EventKey == "" {
		return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "The hub has no password with which events sign in."}
	}
	all, err := d.hooks(ctx)
	if err != nil {
		return "", err
	}
	want := webhook{Name: d.hookName(address), URL: address, ContentType: "application/json", SignIn: 1, User: signIn, Password: d.cfg.EventKey, Header: d.cfg.EventKey, Active: true}
	for _, h := range all {
		if !ours(h.URL, address) {
			continue
		}
		if h.Name == want.Name && h.URL == address && h.Active && !h.Disabled {
			return "The webhook is there and active.", nil
		}
		want.ID = h.ID
	}
	if err := d.call(ctx, request{what: "set up its webhook", method: http.MethodPost, path: "/Webhook", in: []webhook{want}}, nil); err != nil {
		return "", err
	}
	if want.ID != "" {
		return "The webhook was switched off or pointed elsewhere and was set right.", nil
	}
	return "The webhook was set up. Choose its events in HaloPSA under Configuration, Integrations, Webhooks: ticket logged, updated, closed and deleted.", nil
}
