package responsehub

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a person or key may do.
type Role string

// The roles. A guest reads like a reader and is always limited to named tenants.
const (
	Admin     Role = "admin"
	Responder Role = "responder"
	Reader    Role = "reader"
	Guest     Role = "guest"
)

// Roles lists the roles, strongest first.
var Roles = []Role{Admin, Responder, Reader, Guest}

// Surface is the way by which somebody asked.
type Surface string

// The surfaces.
const (
	ViaTeams   Surface = "teams"
	ViaAPI     Surface = "api"
	ViaConsole Surface = "console"
	ViaPhone   Surface = "phone"
	ViaText    Surface = "text"
	ViaPSA     Surface = "psa"
	ViaAlert   Surface = "alert"
	ViaPolicy  Surface = "policy"
	ViaHub     Surface = "hub"
)

// Actor is who asks for something: a person, an API key, the tenant's policy or the
// hub itself. It is verified by the surface and passed on as an argument, never kept
// in a context.
type Actor struct {
	ID      string   // "person:ann", "key:01H...", "policy", "hub", "source:petra"
	Name    string   // as shown to others
	Role    Role     // empty: a stranger
	Via     Surface  //
	Tenants []string // tenant names or ids; "*" is all
}

// By is what is stored of an actor: enough to say who it was.
type By struct {
	ID   string  `json:"id,omitempty"`
	Name string  `json:"name,omitempty"`
	Via  Surface `json:"via,omitempty"`
}

// By returns what is stored of the actor.
func (a Actor) By() By { return By{ID: a.ID, Name: a.Name, Via: a.Via} }

// Policy asks for the automatic steps where a tenant's Response is on.
var Policy = Actor{ID: "policy", Name: "Response (automatic)", Role: Responder, Via: ViaPolicy, Tenants: []string{"*"}}

// Hub is the hub itself: re-checks, erasure, housekeeping.
var Hub = Actor{ID: "hub", Name: "responsehub", Role: Admin, Via: ViaHub, Tenants: []string{"*"}}

// Verb is what somebody wants to do.
type Verb string

// The verbs.
const (
	See    Verb = "see"    // read incidents, reports, lists
	Act    Verb = "act"    // ask for steps, acknowledge
	Manage Verb = "manage" // switches, tenants, people, keys, dead lanes
)

// Sees reports whether the tenant is within the actor's reach. A tenant that the hub
// does not know is named by a stranger's alert, so only "*" reaches it.
func (a Actor) Sees(t TenantRef) bool {
	return slices.ContainsFunc(a.Tenants, func(s string) bool {
		named := s != "" && (s == t.ID || strings.EqualFold(s, t.Name) || strings.EqualFold(s, t.MicrosoftTenantID))
		return s == "*" || t.ID != "" && named
	})
}

// May returns nil when the actor may do the verb for the tenant, and otherwise an
// Unauthorized or Forbidden error with a sentence for the person. A phone never runs
// remediation, since numbers can be spoofed.
func (a Actor) May(verb Verb, t TenantRef) error {
	if a.Role == "" {
		return &Error{Kind: Forbidden, Message: "You are not on this hub's list of people. Ask your administrator to add you."}
	}
	if !a.Sees(t) {
		return &Error{Kind: Forbidden, Message: fmt.Sprintf("%s is not among your tenants. Ask your administrator for access.", t.Name)}
	}
	switch verb {
	case See:
		return nil
	case Act:
		if a.Via == ViaPhone || a.Via == ViaText {
			return &Error{Kind: Forbidden, Message: "Steps cannot be run by phone. Use the card in Teams or the console."}
		}
		if a.Role == Admin || a.Role == Responder {
			return nil
		}
	case Manage:
		if a.Role == Admin {
			return nil
		}
	}
	return &Error{Kind: Forbidden, Message: fmt.Sprintf("Your role (%s) may look but not do this. Ask a responder or your administrator.", a.Role)}
}
