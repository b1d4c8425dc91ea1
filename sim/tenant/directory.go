package tenant

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Application is an app registration of this tenant.
type Application struct {
	ID          string       `json:"id"`
	AppID       string       `json:"app_id"`
	DisplayName string       `json:"display_name"`
	IsDisabled  bool         `json:"is_disabled"`
	Created     time.Time    `json:"created"`
	Owners      []string     `json:"owners"` // user ids
	Passwords   []Credential `json:"password_credentials"`
	Keys        []Credential `json:"key_credentials"`
}

// ServicePrincipal is an app's presence in this tenant.
type ServicePrincipal struct {
	ID                  string       `json:"id"`
	AppID               string       `json:"app_id"`
	DisplayName         string       `json:"display_name"`
	AccountEnabled      bool         `json:"account_enabled"`
	OwnerOrganizationID string       `json:"app_owner_organization_id"`
	Passwords           []Credential `json:"password_credentials"`
	Keys                []Credential `json:"key_credentials"`
	ReplyURLs           []string     `json:"reply_urls"`
	Created             time.Time    `json:"created"`
}

// Credential is a secret or certificate of an app.
type Credential struct {
	KeyID string    `json:"key_id"`
	Name  string    `json:"display_name"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Grant is a delegated permission grant (a user's or an admin's consent).
type Grant struct {
	ID          string `json:"id"`
	ClientID    string `json:"client_id"`    // service principal that got it
	ConsentType string `json:"consent_type"` // Principal or AllPrincipals
	PrincipalID string `json:"principal_id"`
	ResourceID  string `json:"resource_id"`
	Scope       string `json:"scope"`
}

// Assignment is an app role given to a user or a service principal.
type Assignment struct {
	ID            string    `json:"id"`
	AppRoleID     string    `json:"app_role_id"`
	PrincipalID   string    `json:"principal_id"`
	PrincipalType string    `json:"principal_type"` // User or ServicePrincipal
	ResourceID    string    `json:"resource_id"`
	Created       time.Time `json:"created"`
}

// addMicrosoft puts the first-party service principals of every tenant in; the caller holds the lock.
func (t *Tenant) addMicrosoft() {
	first := []ServicePrincipal{
		{AppID: GraphAppID, DisplayName: "Microsoft Graph"},
		{AppID: "00000002-0000-0000-c000-000000000000", DisplayName: "Windows Azure Active Directory"},
		{AppID: "00000003-0000-0ff1-ce00-000000000000", DisplayName: "Office 365 SharePoint Online"},
	}
	if !t.NoExchange {
		first = append(first, ServicePrincipal{AppID: ExchangeAppID, DisplayName: "Office 365 Exchange Online"})
	}
	if !t.NoExchange && !t.NoMessageTrace {
		first = append(first, ServicePrincipal{AppID: TraceAppID, DisplayName: "Microsoft Exchange Message Trace"})
	}
	for _, sp := range first {
		sp.OwnerOrganizationID = MicrosoftOrg
		t.addServicePrincipal(&sp)
	}
}

func (t *Tenant) addServicePrincipal(sp *ServicePrincipal) *ServicePrincipal {
	if sp.ID == "" {
		sp.ID = t.w.newID("sp")
	}
	if sp.AppID == "" {
		sp.AppID = t.w.newID("app")
	}
	if sp.OwnerOrganizationID == "" {
		sp.OwnerOrganizationID = t.ID
	}
	if sp.Created.IsZero() {
		sp.Created = time.Now().UTC()
	}
	sp.AccountEnabled = true
	t.ServicePrincipals = append(t.ServicePrincipals, sp)
	return sp
}

// AddServicePrincipal adds an enabled service principal.
func (t *Tenant) AddServicePrincipal(sp ServicePrincipal) *ServicePrincipal {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	return t.addServicePrincipal(&sp)
}

// AddApplication adds an app registration, enabled, together with its service principal here.
func (t *Tenant) AddApplication(a Application) *Application {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if a.ID == "" {
		a.ID = t.w.newID("application")
	}
	if a.AppID == "" {
		a.AppID = t.w.newID("app")
	}
	if a.Created.IsZero() {
		a.Created = time.Now().UTC()
	}
	a.IsDisabled = false
	t.Applications = append(t.Applications, &a)
	t.addServicePrincipal(&ServicePrincipal{AppID: a.AppID, DisplayName: a.DisplayName})
	return &a
}

// AddGrant adds a delegated permission grant. ConsentType is Principal when PrincipalID is set.
func (t *Tenant) AddGrant(g Grant) *Grant {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	return AddGrant(t, g)
}

// AddGrant is Tenant.AddGrant for callers that hold the lock.
func AddGrant(t *Tenant, g Grant) *Grant {
	if g.ID == "" {
		g.ID = strings.TrimRight(t.w.newItemID(""), "=")[:64]
	}
	if g.ConsentType == "" {
		g.ConsentType = "AllPrincipals"
		if g.PrincipalID != "" {
			g.ConsentType = "Principal"
		}
	}
	t.Grants = append(t.Grants, &g)
	return &g
}

// AddAssignment adds an app role assignment.
func (t *Tenant) AddAssignment(a Assignment) *Assignment {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if a.ID == "" {
		a.ID = strings.TrimRight(t.w.newItemID(""), "=")[:43]
	}
	if a.AppRoleID == "" {
		a.AppRoleID = uuid.Nil.String() // default access
	}
	a.Created = time.Now().UTC()
	t.Assignments = append(t.Assignments, &a)
	return &a
}

// FindServicePrincipal returns a service principal by object id or app id, or nil. The caller holds the lock.
func FindServicePrincipal(t *Tenant, key string) *ServicePrincipal {
	i := slices.IndexFunc(t.ServicePrincipals, func(sp *ServicePrincipal) bool {
		return strings.EqualFold(sp.ID, key) || strings.EqualFold(sp.AppID, key)
	})
	if i < 0 {
		return nil
	}
	return t.ServicePrincipals[i]
}

// FindApplication returns an app registration by object id or app id, or nil. The caller holds the lock.
func FindApplication(t *Tenant, key string) *Application {
	i := slices.IndexFunc(t.Applications, func(a *Application) bool {
		return strings.EqualFold(a.ID, key) || strings.EqualFold(a.AppID, key)
	})
	if i < 0 {
		return nil
	}
	return t.Applications[i]
}
