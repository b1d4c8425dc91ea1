package responsehub

import (
	"encoding/json"
	"time"
)

// ItemKind says what an item is.
type ItemKind string

// The kinds of items. The first four are persistence that the hub can disable; the
// others only a person can judge; a message is an item of the retraction.
const (
	InboxRule        ItemKind = "inbox_rule"
	ServicePrincipal ItemKind = "service_principal"
	AppRegistration  ItemKind = "app_registration"
	InboundConnector ItemKind = "inbound_connector"
	Forwarding       ItemKind = "forwarding"
	Delegate         ItemKind = "delegate"
	OAuthGrant       ItemKind = "oauth_grant"
	AuthMethod       ItemKind = "auth_method"
	Device           ItemKind = "device"
	Message          ItemKind = "message"
)

// PersistenceKinds are the kinds that an alert may name.
var PersistenceKinds = []ItemKind{InboxRule, ServicePrincipal, AppRegistration, InboundConnector, Forwarding, Delegate, OAuthGrant, AuthMethod, Device}

var kindWords = map[ItemKind]string{
	InboxRule: "inbox rule", ServicePrincipal: "enterprise app", AppRegistration: "app registration",
	InboundConnector: "inbound connector", Forwarding: "mailbox forwarding", Delegate: "mailbox delegate",
	OAuthGrant: "app consent", AuthMethod: "sign-in method", Device: "device", Message: "message",
}

// Words is the kind as people read it.
func (k ItemKind) Words() string { return kindWords[k] }

// Blocks reports whether an unsettled item of the kind keeps the password reset shut:
// what is left alive there survives a new password.
func (k ItemKind) Blocks() bool {
	return k == InboxRule || k == ServicePrincipal || k == AppRegistration || k == InboundConnector
}

// Item is one thing inside a step: a rule, an app, a connector, a message.
type Item struct {
	ID       string          `json:"id"`
	Kind     ItemKind        `json:"kind"`
	Name     string          `json:"name,omitempty"`
	Object   string          `json:"object"`            // the id by which Microsoft knows it
	Mailbox  string          `json:"mailbox,omitempty"` // owner of a message or rule
	Hidden   bool            `json:"hidden,omitempty"`  // an inbox rule that Graph does not show
	State    StepState       `json:"state"`
	Why      string          `json:"why,omitempty"`    // why it is suspected, or why it could not be settled
	Action   Action          `json:"action,omitempty"` // what was done to it
	By       By              `json:"by,omitzero"`
	At       time.Time       `json:"at,omitzero"`
	Proof    *Proof          `json:"proof,omitempty"`
	Snapshot json.RawMessage `json:"snapshot,omitempty"` // its content before the change, for undo
}

// Title names the item so that a technician recognises it: kind and name in quotes.
func (i *Item) Title() string {
	name := i.Name
	if name == "" {
		name = i.Object
	}
	return i.Kind.Words() + " \"" + name + "\""
}

// ItemID is the stable id of an item: the same rule found by the detector and by the
// hub's own scan is one item.
func ItemID(kind ItemKind, object string) string {
	return shortHash(string(kind) + "|" + object)
}
