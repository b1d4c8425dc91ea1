package responsehub

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Tenant is a customer: one Microsoft 365 tenant that the MSP looks after.
type Tenant struct {
	V                 int               `json:"v"`
	ID                string            `json:"id"` // the hub's own, stable id
	Name              string            `json:"name"`
	MicrosoftTenantID string            `json:"microsoft_tenant_id"`
	SourceIDs         map[string]string `json:"source_ids,omitempty"` // its id at each detector
	Response          bool              `json:"response"`             // steps 1-3 run by themselves
	Notify            Notify            `json:"notify"`
	TrialEnds         time.Time         `json:"trial_ends,omitzero"`
	Product           Product           `json:"product,omitempty"`    // empty is the full one
	Paused            *Stop             `json:"paused,omitempty"`     // nothing runs by itself at this tenant since then; nil: it is not paused
	LockGroup         string            `json:"lock_group,omitempty"` // object id of a cloud-only group whose members a Conditional Access policy shuts out
	PasswordMode      PasswordMode      `json:"password_mode,omitempty"`
	Limits            Limits            `json:"limits,omitzero"`
	BreakGlass        []string          `json:"break_glass,omitempty"`       // principal names or object ids that are never locked by themselves
	SecondPersonFor   []string          `json:"second_person_for,omitempty"` // principal names or object ids, or "admins": two people have to ask
}

// Notify says who is told about the tenant's incidents, and by what ways.
type Notify struct {
	Teams    []string `json:"teams,omitempty"` // channel ids, 19:...@thread.tacv2
	Phone    *OnCall  `json:"phone,omitempty"`
	Mail     []string `json:"mail,omitempty"`
	PSA      Desks    `json:"psa,omitempty"`
	Slack    []string `json:"slack,omitempty"`
	Webhooks []string `json:"webhooks,omitempty"`
}

// OnCall is a tenant's phone sequence.
type OnCall struct {
	Sequence  []string      `json:"sequence"` // ids of people and schedules, in order
	Wait      time.Duration `json:"wait"`     // until the next person is called
	Rounds    int           `json:"rounds"`
	Ring      time.Duration `json:"ring,omitempty"`      // how long a phone rings; 0 is 25 s
	Redial    time.Duration `json:"redial,omitempty"`    // after the turn began; 0 is 75 s
	Nobody    time.Duration `json:"nobody,omitempty"`    // until the fallback contacts hear that nobody was reached; 0 is 15 min
	Start     time.Duration `json:"start,omitempty"`     // until people are called again when nothing was started; 0 is 10 min
	Schedules []Schedule    `json:"schedules,omitempty"` // those that the sequence names
}

// Desk says where a tenant's tickets go.
type Desk struct {
	Connection         string `json:"connection"`
	Company            string `json:"company"`
	CloseOnTicketClose bool   `json:"close_on_ticket_close,omitempty"` // a ticket closed by hand marks the incident as remediated, once its steps are settled
}

// Desks are where a tenant's tickets go: one ticket for an incident at each connection. One
// desk is written as an object, as it was before there could be several.
type Desks []Desk

// At returns the desk of a connection.
func (d Desks) At(connection string) (Desk, bool) {
	for _, one := range d {
		if one.Connection == connection {
			return one, true
		}
	}
	return Desk{}, false
}

// With returns the desks with the one of the same connection replaced, or added.
func (d Desks) With(desk Desk) Desks {
	out := slices.Clone(d)
	for i := range out {
		if out[i].Connection == desk.Connection {
			out[i] = desk
			return out
		}
	}
	return append(out, desk)
}

// MarshalJSON writes an object, or a list of several.
func (d Desks) MarshalJSON() ([]byte, error) {
	if len(d) == 1 {
		return json.Marshal(d[0])
	}
	return json.Marshal([]Desk(d))
}

// UnmarshalJSON reads an object or a list.
func (d *Desks) UnmarshalJSON(b []byte) error {
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '{' {
		var one Desk
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		*d = Desks{one}
		return nil
	}
	return json.Unmarshal(b, (*[]Desk)(d))
}

// Known reports whether id is one of the tenant's own or its Microsoft tenant id.
func (t *Tenant) Known(id string) bool {
	return id != "" && (t.ID == id || strings.EqualFold(t.MicrosoftTenantID, id))
}

// Ref is what an incident keeps of its tenant.
func (t *Tenant) Ref() TenantRef {
	return TenantRef{ID: t.ID, Name: t.Name, MicrosoftTenantID: t.MicrosoftTenantID}
}

// TenantRef names a tenant inside an incident, so that the incident stays readable
// when the tenant is renamed or removed.
type TenantRef struct {
	ID                string `json:"id"` // empty while the hub does not know the tenant
	Name              string `json:"name"`
	MicrosoftTenantID string `json:"microsoft_tenant_id"`
}

// Person is somebody who may be told or may act.
type Person struct {
	V             int      `json:"v"`
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	EntraObjectID string   `json:"entra_object_id,omitempty"`
	Phone         string   `json:"phone,omitempty"` // E.164
	Email         string   `json:"email,omitempty"`
	Role          Role     `json:"role"`
	Tenants       []string `json:"tenants"`             // names, or "*"
	TimeZone      string   `json:"time_zone,omitempty"` // IANA name
	Language      string   `json:"language,omitempty"`  // BCP 47; empty is English
}

// Actor is the person as one who asks by the given way.
func (p *Person) Actor(via Surface) Actor {
	return Actor{ID: "person:" + p.ID, Name: p.Name, Role: p.Role, Via: via, Tenants: slices.Clone(p.Tenants)}
}

// APIKey lets a program act. Only a hash of the key is kept.
type APIKey struct {
	V       int       `json:"v"`
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Hash    string    `json:"hash"` // keyed hash of the secret part
	Role    Role      `json:"role"`
	Tenants []string  `json:"tenants"`
	Created time.Time `json:"created"`
}

// Actor is the key as one who asks over the API.
func (k *APIKey) Actor() Actor {
	return Actor{ID: "key:" + k.ID, Name: "API key " + k.Name, Role: k.Role, Via: ViaAPI, Tenants: slices.Clone(k.Tenants)}
}
