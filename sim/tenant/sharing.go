package tenant

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Sweep is one sweep rule of a mailbox: it runs a few times a day and moves mail away.
type Sweep struct {
	ID      string `json:"id"` // RuleId, base64 of a GUID
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Sender  string `json:"sender"`
	Folder  string `json:"destination_folder"`
	Days    int    `json:"keep_for_days"`
}

// Share is what somebody may do in the inbox of a mailbox.
type Share struct {
	User   string   `json:"user"` // principal name
	Rights []string `json:"rights"`
}

// AddSweep adds an enabled sweep rule to the user's mailbox.
func (u *User) AddSweep(s Sweep) *Sweep {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	id := uuid.MustParse(u.t.w.newID("sweep"))
	s.ID, s.Enabled = base64.StdEncoding.EncodeToString(id[:]), true
	if s.Folder == "" {
		s.Folder = "Deleted Items"
	}
	u.Mailbox.Sweeps = append(u.Mailbox.Sweeps, &s)
	return &s
}

// FindSweep returns a sweep rule by its RuleId or its name, or nil. The caller holds the lock.
func FindSweep(m *Mailbox, key string) *Sweep {
	i := slices.IndexFunc(m.Sweeps, func(s *Sweep) bool { return s.ID == key || strings.EqualFold(s.Name, key) })
	if i < 0 {
		return nil
	}
	return m.Sweeps[i]
}

// ShareInbox lets somebody into the inbox, with rights such as Editor.
func (u *User) ShareInbox(with string, rights ...string) {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	u.Mailbox.Shares = append(u.Mailbox.Shares, Share{User: with, Rights: rights})
}

// Delegate gives somebody full access to the mailbox, or the right to send in its name.
func (u *User) Delegate(to string, sendAs bool) {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	if sendAs {
		u.SendAs = append(u.SendAs, to)
		return
	}
	u.Delegates = append(u.Delegates, to)
}

// TransportRule is a mail flow rule of the tenant. More are its conditions and actions as the cmdlet
// names them, such as BlindCopyTo.
type TransportRule struct {
	Name    string
	By      string // who made it and changed it last
	Changed time.Time
	More    map[string]any
}

// AddTransportRule adds an enabled mail flow rule and returns its GUID.
func (t *Tenant) AddTransportRule(r TransportRule) string {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if r.Changed.IsZero() {
		r.Changed = time.Now()
	}
	guid := t.w.newID("transport")
	row := map[string]any{
		"Identity": r.Name, "Name": r.Name, "Guid": guid, "ImmutableId": guid, "State": "Enabled", "Mode": "Enforce", "Priority": len(t.TransportRules),
		"WhenChanged": r.Changed.UTC().Format(time.RFC3339), "CreatedBy": r.By, "LastModifiedBy": r.By, "Description": "", "IsValid": true,
	}
	for k, v := range r.More {
		row[k] = v
	}
	t.TransportRules = append(t.TransportRules, row)
	return guid
}

// FindTransportRule returns a mail flow rule by GUID or name, or nil. The caller holds the lock.
func FindTransportRule(t *Tenant, key string) map[string]any {
	i := slices.IndexFunc(t.TransportRules, func(r map[string]any) bool {
		guid, _ := r["Guid"].(string)
		name, _ := r["Name"].(string)
		return strings.EqualFold(guid, key) || strings.EqualFold(name, key)
	})
	if i < 0 {
		return nil
	}
	return t.TransportRules[i]
}
