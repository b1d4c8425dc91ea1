package halopsa

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"responsehub"
)

// basic is the number of Basic authentication among the kinds of a webhook: 0 none, 1 Basic,
// 2 a bearer token, 3 an API key, 4 a certificate. HaloPSA's API description has no names for
// them; these are from https://github.com/redanthrax/halopsa-node/blob/master/docs/webhooks.md,
// which works against live instances, as are the numbers of types and methods.
const basic = 1

type webhook struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name"`
	URL         string `json:"url"`
	Type        int    `json:"type"`   // 0 goes out
	Method      int    `json:"method"` // 0 is POST
	ContentType string `json:"content_type"`
	SignIn      int    `json:"authentication_type"`
	User        string `json:"basic_username"`
	Password    string `json:"basic_password,omitempty"`
	Active      bool   `json:"active"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// set is a webhook as it was set up, with what makes it speak. Events is nil where the
// instance does not show them.
type set struct {
	webhook
	Events []subscription `json:"events"`
}

// live reports whether it is neither switched off nor disabled after failures.
func (w *webhook) live() bool { return w.Active && !w.Disabled }

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

// Listen sets up the webhook and the events that it tells of. One that was switched off or
// has another password or address is set right under its id, so that the events that a
// person chose for it stay; an event that is gone is added again.
func (d *Desk) Listen(ctx context.Context, address string) (string, error) {
	if d.cfg.EventKey == "" {
		return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "The hub has no password with which events sign in."}
	}
	all, err := d.hooks(ctx)
	if err != nil {
		return "", err
	}
	want := webhook{Name: d.hookName(address), URL: address, ContentType: "application/json", SignIn: basic, User: signIn, Password: d.cfg.EventKey, Active: true}
	said := "The webhook was set up."
	for _, h := range all {
		if !ours(h.URL, address) {
			continue
		}
		want.ID, said = h.ID, "The webhook was switched off or pointed elsewhere and was set right."
		if h.Name == want.Name && h.URL == address && h.live() {
			said = "The webhook is there and active."
			break
		}
	}
	fresh := want.ID == ""
	if said != "The webhook is there and active." {
		if want.ID, err = d.install(ctx, want); err != nil {
			return "", err
		}
	}
	added, left, err := d.subscribe(ctx, want.ID, fresh)
	if err != nil {
		return "", err
	}
	if len(added) > 0 {
		said += " It tells of these events now: " + strings.Join(added, ", ") + "."
	}
	if len(left) > 0 {
		said += " " + byHand(left)
	}
	return said, nil
}

// install makes or changes a webhook and returns its id, which is looked up: answers to
// what was made differ between instances.
func (d *Desk) install(ctx context.Context, want webhook) (string, error) {
	if err := d.call(ctx, request{what: "set up its webhook", method: http.MethodPost, path: "/Webhook", in: []webhook{want}}, nil); err != nil || want.ID != "" {
		return want.ID, err
	}
	all, err := d.hooks(ctx)
	if err != nil {
		return "", err
	}
	for _, h := range all {
		if h.Name == want.Name && h.URL == want.URL {
			return h.ID, nil
		}
	}
	return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "HaloPSA accepted the hub's webhook and does not list it."}
}

// hook reads a webhook with its events.
func (d *Desk) hook(ctx context.Context, id string) (set, error) {
	var got set
	err := d.call(ctx, request{what: "read the events of its webhook", method: http.MethodGet, path: "/Webhook/" + url.PathEscape(id), query: url.Values{"includedetails": {"true"}}}, &got)
	return got, err
}

// subscription is an event of which a webhook tells, which HaloPSA keeps as a notification.
type subscription struct {
	ID       int    `json:"id,omitempty"`
	Webhook  string `json:"webhook_id,omitempty"`
	Type     int    `json:"type"`
	Delivery int    `json:"delivery_method"`
	Event    digits `json:"eventno"`
	Filter   int    `json:"filter_type"`
	Name     string `json:"name"`
}

// digits is a number that HaloPSA takes as a text and gives as either.
type digits int

func (n digits) MarshalJSON() ([]byte, error) {
	return []byte(strconv.Quote(strconv.Itoa(int(n)))), nil
}

func (n *digits) UnmarshalJSON(b []byte) error {
	v, err := strconv.Atoi(strings.Trim(string(b), `"`))
	if err != nil {
		return nil //nolint:nilerr // an event without a number is none of the hub's
	}
	*n = digits(v)
	return nil
}

// The hub's numbers of events, and how a webhook's notification is told from a person's, are
// from https://github.com/redanthrax/halopsa-node, nodes/HaloPSA/HaloPsaTrigger.node.ts.
const (
	toWebhook  = -2 // type of a notification
	byWebhook  = 6  // its way
	everyMatch = 2  // its filter, with no conditions
)

// events are those of which the hub wants to be told and whose number is known.
var events = []struct {
	number digits
	name   string // as HaloPSA's setup calls it
}{{76, "Ticket Status Changed"}, {39, "Closed"}, {1072, "Ticket Deleted"}}

// reassigned is the event whose number no document tells: a person adds it.
const reassigned = "Ticket Reassigned"

// subscribe adds the events that the webhook does not tell of, and returns the names of
// those and of the ones that a person has to add. Where the instance does not show what a
// webhook tells of, they are added to a fresh one only: twice would be two events each time.
func (d *Desk) subscribe(ctx context.Context, id string, fresh bool) (added, left []string, err error) {
	have, err := d.hook(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if have.Events == nil && !fresh {
		return nil, nil, nil
	}
	for _, name := range missing(have.Events) {
		if name == reassigned {
			left = append(left, name)
			continue
		}
		if err := d.add(ctx, id, name); err == nil {
			added = append(added, name)
		} else if lasting(err) {
			left = append(left, name)
		} else {
			return nil, nil, err
		}
	}
	return added, left, nil
}

// lasting reports whether asking again gives the same answer.
func lasting(err error) bool {
	switch responsehub.KindOf(err) {
	case responsehub.Forbidden, responsehub.Permanent, responsehub.NotFound:
		return true
	}
	return false
}

func (d *Desk) add(ctx context.Context, webhook, name string) error {
	for _, e := range events {
		if e.name == name {
			in := subscription{Webhook: webhook, Type: toWebhook, Delivery: byWebhook, Event: e.number, Filter: everyMatch}
			return d.call(ctx, request{what: "add an event to its webhook", method: http.MethodPost, path: "/Notification", in: []subscription{in}}, nil)
		}
	}
	return nil
}

// missing are the events that a webhook does not tell of. One with a number that the hub
// does not know was added by a person, and is taken to be the one that only people add.
func missing(have []subscription) []string {
	var out []string
	theirs := len(have)
	for _, e := range events {
		found := false
		for _, h := range have {
			if h.Event == e.number {
				found = true
				theirs--
			}
		}
		if !found {
			out = append(out, e.name)
		}
	}
	if theirs <= 0 {
		out = append(out, reassigned)
	}
	return out
}

// byHand says what a person has to tick, and where.
func byHand(names []string) string {
	return "Add by hand in HaloPSA, under Configuration, Integrations, Webhooks, the webhook \"responsehub ...\", Events: " + strings.Join(names, ", ") + ". Leave its batching at one delivery for each event. Until then these are seen within ten minutes."
}
