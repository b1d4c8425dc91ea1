package responsehub

import (
	"encoding/json"
	"time"
)

// ItemKind says what an item is.
type ItemKind string

// The kinds of items. Rules, apps and connectors are persistence that the hub disables;
// the others only a person can judge; a message is an item of the retraction.
const (
	InboxRule        ItemKind = "inbox_rule"
	ServicePrincipal ItemKind = "service_principal"
	AppRegistration  ItemKind = "app_registration"
	InboundConnector ItemKind = "inbound_connector"
	SweepRule        ItemKind = "sweep_rule"
	TransportRule    ItemKind = "transport_rule"
	AutoReply        ItemKind = "auto_reply"
	Forwarding       ItemKind = "forwarding"
	Delegate         ItemKind = "delegate"
	OAuthGrant       ItemKind = "oauth_grant"
	AuthMethod       ItemKind = "auth_method"
	Device           ItemKind = "device"
	Message          ItemKind = "message"
)

// PersistenceKinds are the kinds that an alert may name.
var PersistenceKinds = []ItemKind{InboxRule, ServicePrincipal, AppRegistration, InboundConnector, SweepRule, TransportRule, AutoReply, Forwarding, Delegate, OAuthGrant, AuthMethod, Device}

var kindWords = map[ItemKind]string{
	InboxRule: "inbox rule", ServicePrincipal: "enterprise app", AppRegistration: "app registration",
	InboundConnector: "inbound connector", SweepRule: "sweep rule", TransportRule: "mail flow rule", AutoReply: "automatic reply", Forwarding: "mailbox forwarding", Delegate: "mailbox delegate",
	OAuthGrant: "app consent", AuthMethod: "sign-in method", Device: "device", Message: "message",
}

// Words is the kind as people read it.
func (k ItemKind) Words() string { return kindWords[k] }

// Blocks reports whether an unsettled item of the kind keeps the password reset shut:
// what is left alive there survives a new password.
func (k ItemKind) Blocks() bool {
	switch k {
	case InboxRule, SweepRule, TransportRule, ServicePrincipal, AppRegistration, InboundConnector:
		return true
	}
	return false
}

var effects = map[ItemKind]string{
	InboxRule:        "Disabling keeps the rule but it touches no more mail; deleting removes it.",
	SweepRule:        "Disabling keeps the rule but it moves no more mail; deleting removes it, which cannot be undone.",
	TransportRule:    "Disabling keeps the rule but it acts on no more mail of the organisation; deleting removes it, which cannot be undone.",
	ServicePrincipal: "Disabling stops every sign-in to the app in this tenant, by anybody; tokens already out live on for up to an hour.",
	AppRegistration:  "Disabling takes the owners off and stops new tokens for the app everywhere; tokens already out live on for up to an hour.",
	InboundConnector: "Disabling stops mail from coming in by the connector; removing deletes it.",
	Forwarding:       "Disabling ends the forwarding; mail stays in the mailbox.",
	Delegate:         "Disabling takes this right to the mailbox away from the delegate.",
	AutoReply:        "Disabling switches the automatic replies off; their text is kept.",
	OAuthGrant:       "Disabling deletes the user's consent; tokens already out live on for up to an hour.",
	AuthMethod:       "Disabling deletes the method, which cannot be undone: whoever uses it has to register it again.",
	Device:           "Disabling keeps the device registered, but nobody signs in from it.",
}

// Effect says in a sentence what disabling an item of the kind does.
func (k ItemKind) Effect() string { return effects[k] }

// Effect says in a sentence what disabling the item does, and what of it cannot be undone.
func (i *Item) Effect() string {
	if i.Kind == InboxRule && i.Hidden {
		return i.Kind.Effect() + " A hidden rule that was deleted cannot be made anew."
	}
	return i.Kind.Effect()
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
	Why      string          `json:"why,omitempty"`      // why it is suspected, or why it could not be settled
	MadeAt   time.Time       `json:"made_at,omitzero"`   // when it was made or last changed, where Microsoft tells
	MadeBy   string          `json:"made_by,omitempty"`  // who made it, where Microsoft tells
	Returned int             `json:"returned,omitempty"` // how many times it was there again after it had been disabled
	Action   Action          `json:"action,omitempty"`   // what was done to it
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
