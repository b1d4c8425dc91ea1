package tenant

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Person says what kind of user AddUser makes. The zero value of everything is an ordinary, enabled,
// cloud-only member with a mailbox.
type Person struct {
	UPN  string // principal name
	Name string // display name; UPN's first part when empty
	Mail string // address; the principal name when empty and there is a mailbox

	Disabled   bool     // sign-in blocked before the story starts
	Synced     bool     // comes from Active Directory
	Guest      bool     // lives in another tenant; no mailbox here
	Shared     bool     // shared mailbox: disabled user with a mailbox
	NoMailbox  bool     // no Exchange licence
	OnPremMail bool     // mailbox still in the company's own Exchange: an address, but no cloud mailbox
	Restricted bool     // member of a restricted management administrative unit
	Excluded   bool     // mailbox taken out of the app's reach by RBAC for Applications
	Roles      []string // directory roles by name
}

// User is one user object.
type User struct {
	t *Tenant

	ID                     string    `json:"id"`
	UPN                    string    `json:"user_principal_name"`
	Name                   string    `json:"display_name"`
	Mail                   string    `json:"mail"`
	AccountEnabled         bool      `json:"account_enabled"`
	OnPremEnabled          bool      `json:"on_premises_enabled"` // what Active Directory says, for synced users
	Synced                 bool      `json:"on_premises_sync_enabled"`
	UserType               string    `json:"user_type"` // Member or Guest
	Restricted             bool      `json:"is_management_restricted"`
	Roles                  []string  `json:"roles"`
	Created                time.Time `json:"created"`
	SessionsValidFrom      time.Time `json:"sign_in_sessions_valid_from"`
	LastPasswordChange     time.Time `json:"last_password_change"`
	PasswordHash           string    `json:"password_hash"`
	ForceChangeNextSignIn  bool      `json:"force_change_password_next_sign_in"`
	PasswordResets         int       `json:"password_resets"`
	Mailbox                *Mailbox  `json:"mailbox"`
	Methods                []Method  `json:"authentication_methods"`
	Devices                []*Device `json:"registered_devices"`
	ForwardingSMTPAddress  string    `json:"forwarding_smtp_address"`
	DeliverAndForward      bool      `json:"deliver_to_mailbox_and_forward"`
	AutomaticRepliesStatus string    `json:"automatic_replies_status"`
	AutomaticReply         string    `json:"automatic_reply"`
	Delegates              []string  `json:"full_access_delegates"`
	SendAs                 []string  `json:"send_as_trustees,omitempty"`
	Shared                 bool      `json:"shared_mailbox"`

	password   string    // plain text, for assertions only
	staleUntil time.Time // reads show staleValue of accountEnabled until then
	staleValue bool
}

// Method is one registered authentication method. Type is the OData type without its namespace, such
// as "phoneAuthenticationMethod".
type Method struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Detail  string    `json:"detail"` // phone number, display name
	Created time.Time `json:"created"`
	Default bool      `json:"default"` // the default method has to be deleted last
}

// Device is one registered device.
type Device struct {
	ID             string    `json:"id"`
	Name           string    `json:"display_name"`
	AccountEnabled bool      `json:"account_enabled"`
	IsManaged      bool      `json:"is_managed"`
	Registered     time.Time `json:"registered"`
	OS             string    `json:"operating_system"`
}

// AddUser adds a user.
func (t *Tenant) AddUser(p Person) *User {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	first, _, _ := strings.Cut(p.UPN, "@")
	if p.Name == "" {
		p.Name = first
	}
	now := time.Now().UTC()
	u := &User{
		t: t, ID: t.w.newID("user"), UPN: p.UPN, Name: p.Name, Mail: p.Mail, UserType: "Member",
		AccountEnabled: !p.Disabled && !p.Shared, Synced: p.Synced, Restricted: p.Restricted, Roles: p.Roles, Shared: p.Shared,
		Created: now.AddDate(-1, 0, 0), SessionsValidFrom: now.AddDate(0, -1, 0), LastPasswordChange: now.AddDate(0, -1, 0),
		AutomaticRepliesStatus: "disabled",
	}
	u.OnPremEnabled = u.AccountEnabled
	if p.Guest {
		u.UserType = "Guest"
	}
	if !p.Guest && !p.NoMailbox {
		if u.Mail == "" {
			u.Mail = p.UPN
		}
		if !p.OnPremMail && !t.NoExchange {
			u.Mailbox = newMailbox(t.w)
			u.Mailbox.Excluded = p.Excluded
		}
	}
	u.Methods = []Method{{ID: "28c10230-6103-485e-b985-444c60001490", Type: "passwordAuthenticationMethod", Created: u.LastPasswordChange}}
	setPassword(u, t.w.newID("password"))
	t.Users = append(t.Users, u)
	t.index(u)
	return u
}

func (t *Tenant) index(u *User) {
	for _, k := range []string{u.ID, u.UPN, u.Mail} {
		if k != "" {
			t.users[strings.ToLower(k)] = u
		}
	}
}

// FindUser returns the user with this object id or principal name (or address), or nil. The caller
// holds the lock.
func FindUser(t *Tenant, key string) *User { return t.users[strings.ToLower(key)] }

// User returns the user with this object id or principal name, or nil.
func (t *Tenant) User(key string) *User {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	return FindUser(t, key)
}

// SetEnabled changes accountEnabled; reads follow after the world's lag. The caller holds the lock.
func SetEnabled(u *User, on bool) (changed bool) {
	if u.AccountEnabled == on {
		return false
	}
	u.staleValue, u.staleUntil = u.AccountEnabled, time.Now().Add(u.t.w.Lag)
	u.AccountEnabled = on
	return true
}

// ShownEnabled is accountEnabled as a directory read shows it now. The caller holds the lock.
func ShownEnabled(u *User) bool {
	if time.Now().Before(u.staleUntil) {
		return u.staleValue
	}
	return u.AccountEnabled
}

// SetPassword changes the password; sessions die with it. The caller holds the lock.
func SetPassword(u *User, plain string, forceChange bool) {
	setPassword(u, plain)
	u.PasswordResets++
	u.ForceChangeNextSignIn = forceChange
	u.LastPasswordChange = time.Now().UTC().Truncate(time.Second)
	u.SessionsValidFrom = u.LastPasswordChange
}

func setPassword(u *User, plain string) {
	sum := sha256.Sum256([]byte(u.ID + plain))
	u.password, u.PasswordHash = plain, hex.EncodeToString(sum[:])
}

// Password returns the plain password, for assertions only.
func (u *User) Password() string {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	return u.password
}

// Enabled says whether sign-in is allowed in truth, whatever reads still show.
func (u *User) Enabled() bool {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	return u.AccountEnabled
}

// AddMethod registers an authentication method and returns its id.
func (u *User) AddMethod(m Method) string {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	if m.ID == "" {
		m.ID = u.t.w.newID("method")
	}
	if m.Created.IsZero() {
		m.Created = time.Now().UTC()
	}
	u.Methods = append(u.Methods, m)
	return m.ID
}

// AddDevice registers an enabled device and returns it.
func (u *User) AddDevice(d Device) *Device {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	if d.ID == "" {
		d.ID = u.t.w.newID("device")
	}
	if d.Registered.IsZero() {
		d.Registered = time.Now().UTC()
	}
	d.AccountEnabled = true
	u.Devices = append(u.Devices, &d)
	return &d
}
