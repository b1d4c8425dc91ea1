// Package tenant is the state of the simulated Microsoft world: tenants, people, mailboxes, apps,
// consents and connectors. The vendors' simulators (login, graph, exchange) read and change it; tests
// build it and look at it.
//
// Everything stands behind one mutex. The rule for callers: methods lock by themselves and are for
// tests, demos and played people; package functions (Find, FindUser, SetEnabled, ...) and exported
// fields are for the simulators, which hold World.Lock while they serve one call. Ids are derived from
// a counter, so that the same story gives the same ids in every run.
//
// What may go wrong: calling a method while holding the lock deadlocks.
package tenant

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// World is all tenants and all registered client applications.
type World struct {
	mu     sync.Mutex
	serial int

	Tenants []*Tenant `json:"tenants"`
	Clients []*Client `json:"clients"`
	// Lag is how long a read of accountEnabled still shows the old value after a change.
	Lag time.Duration `json:"lag_ns"`
}

// Domain is one verified domain of a tenant; AuthenticationType is "Managed" or "Federated".
type Domain struct {
	Name               string `json:"name"`
	AuthenticationType string `json:"authentication_type"`
}

// Tenant is one customer's directory with everything in it.
type Tenant struct {
	w *World

	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Domains []Domain `json:"domains"`
	// OnPremisesSyncEnabled says that some users come from an Active Directory.
	OnPremisesSyncEnabled bool `json:"on_premises_sync_enabled"`
	// NoExchange: no Exchange Online here, so no service principal of it either (AADSTS500011).
	NoExchange bool `json:"no_exchange"`
	// NoMessageTrace: the service principal that message traces need is missing (401).
	NoMessageTrace bool `json:"no_message_trace"`
	// NoP2: no Entra ID P2 licence, so no identity protection (403).
	NoP2 bool `json:"no_p2"`
	// NoP1: no Entra ID P1 licence, so no log of sign-ins (403).
	NoP1 bool `json:"no_p1,omitempty"`

	Consents          map[string]*Consent `json:"consents"` // by client id
	Users             []*User             `json:"users"`
	Applications      []*Application      `json:"applications"`
	ServicePrincipals []*ServicePrincipal `json:"service_principals"`
	Grants            []*Grant            `json:"oauth2_permission_grants"`
	Assignments       []*Assignment       `json:"app_role_assignments"`
	Connectors        []*Connector        `json:"inbound_connectors"`
	TransportRules    []map[string]any    `json:"transport_rules"`
	Traces            []Trace             `json:"message_traces"`
	RiskyUsers        map[string]string   `json:"risky_users"` // user id -> riskState
	Groups            []*Group            `json:"groups,omitempty"`
	Audits            []*Audit            `json:"directory_audits,omitempty"`
	SignIns           []*SignIn           `json:"sign_ins,omitempty"` // of people to clients
	Entries           []*Entry            `json:"sign_in_log,omitempty"`
	Operations        []*Operation        `json:"authentication_operations,omitempty"` // password resets under way
	Writeback         Writeback           `json:"password_writeback,omitzero"`

	users map[string]*User // by lower-case id, principal name and address
}

// Trace is one row of the message trace: one delivery to one final recipient.
type Trace struct {
	ID                string    `json:"id"`
	InternetMessageID string    `json:"internet_message_id"`
	Sender            string    `json:"sender"`
	Recipient         string    `json:"recipient"`
	Subject           string    `json:"subject"`
	Received          time.Time `json:"received"`
	FromIP            string    `json:"from_ip"`
	Status            string    `json:"status"`
}

// NewWorld returns a world without tenants.
func NewWorld() *World { return &World{} }

// Lock takes the one mutex; see the package comment for who may.
func (w *World) Lock() { w.mu.Lock() }

// Unlock releases the one mutex.
func (w *World) Unlock() { w.mu.Unlock() }

// SetLag makes reads of accountEnabled stay behind changes by d.
func (w *World) SetLag(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Lag = d
}

// Snapshot returns a deep copy of the whole state that marshals to JSON. Passwords are not in it.
func (w *World) Snapshot() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := json.Marshal(w)
	if err != nil {
		panic(fmt.Sprintf("snapshot of the world: %v", err)) // only plain values are stored
	}
	return json.RawMessage(b)
}

// AddTenant adds a tenant with the Microsoft service principals every tenant has. Only the exported
// settings of t count; an empty ID is made up, and without Domains it gets "<name>.example".
func (w *World) AddTenant(t Tenant) *Tenant {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := &t
	n.w, n.users = w, map[string]*User{}
	if n.ID == "" {
		n.ID = w.newID("tenant")
	}
	if len(n.Domains) == 0 {
		n.Domains = []Domain{{strings.ToLower(strings.ReplaceAll(n.Name, " ", "")) + ".example", "Managed"}}
	}
	n.Consents, n.RiskyUsers = map[string]*Consent{}, map[string]string{}
	n.addMicrosoft()
	w.Tenants = append(w.Tenants, n)
	return n
}

// Tenant returns the tenant with this id, or nil.
func (w *World) Tenant(id string) *Tenant {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Find(w, id)
}

// Find returns the tenant with this id or verified domain, or nil. The caller holds the lock.
func Find(w *World, key string) *Tenant {
	for _, t := range w.Tenants {
		if strings.EqualFold(t.ID, key) {
			return t
		}
		for _, d := range t.Domains {
			if strings.EqualFold(d.Name, key) {
				return t
			}
		}
	}
	return nil
}

// newID returns the next object id.
func (w *World) newID(kind string) string {
	w.serial++
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "sim:%s:%d", kind, w.serial)).String()
}

// NewID returns the next object id. The caller holds the lock.
func NewID(w *World, kind string) string { return w.newID(kind) }

// newItemID returns a mailbox item id as Exchange makes them: long, base64url, case-sensitive.
func (w *World) newItemID(prefix string) string {
	var raw []byte
	for range 5 {
		id := uuid.MustParse(w.newID("item"))
		raw = append(raw, id[:]...)
	}
	return prefix + base64.URLEncoding.EncodeToString(raw[:78])
}
