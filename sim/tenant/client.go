package tenant

import (
	"slices"
	"time"
)

// Client is an application registered at Entra that asks for tokens: the hub's, or the bot's.
type Client struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// HomeTenant is where it is registered; it needs no consent there.
	HomeTenant string `json:"home_tenant"`
	// Secret is its client secret; "" when it has none.
	Secret string `json:"-"`
	// SecretExpires is when the secret stops working (AADSTS7000222); zero for never.
	SecretExpires time.Time `json:"secret_expires,omitzero"`
	// Certificates are the DER certificates registered for client assertions.
	Certificates [][]byte `json:"-"`
	// NoPublicFlows: the app does not allow public client flows, so nobody signs in to it with a
	// device code (AADSTS7000218).
	NoPublicFlows bool `json:"no_public_flows,omitempty"`
}

// Consent is what one tenant has given one client.
type Consent struct {
	// Roles are the granted application permissions by the resource's app id.
	Roles map[string][]string `json:"roles"`
	// DirectoryRoles are the built-in roles (by name) its service principal holds.
	DirectoryRoles []string `json:"directory_roles"`
}

// AddClient registers a client application.
func (w *World) AddClient(c Client) *Client {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Clients = append(w.Clients, &c)
	return &c
}

// ExpireSecret makes the client's secret expired from now on.
func (w *World) ExpireSecret(clientID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := FindClient(w, clientID); c != nil {
		c.SecretExpires = time.Now().Add(-time.Second)
	}
}

// FindClient returns the client with this id, or nil. The caller holds the lock.
func FindClient(w *World, id string) *Client {
	for _, c := range w.Clients {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Consent grants a client exactly these permissions and directory roles, replacing earlier ones, and
// puts its service principal into the tenant. Tokens already issued keep what they carry.
func (t *Tenant) Consent(clientID string, c Consent) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.Consents[clientID] = &c
	if FindServicePrincipal(t, clientID) == nil {
		sp := &ServicePrincipal{AppID: clientID, DisplayName: "Response app"}
		if client := FindClient(t.w, clientID); client != nil {
			sp.DisplayName, sp.OwnerOrganizationID = client.Name, client.HomeTenant
		}
		t.addServicePrincipal(sp)
	}
}

// ConsentAll grants a client everything the hub can use: GraphRoles, ExchangeRoles, and the roles
// Exchange Administrator and Privileged Authentication Administrator.
func (t *Tenant) ConsentAll(clientID string) {
	t.Consent(clientID, Consent{
		Roles:          map[string][]string{GraphAppID: GraphRoles, ExchangeAppID: ExchangeRoles},
		DirectoryRoles: []string{ExchangeAdministrator, PrivilegedAuthAdmin},
	})
}

// RemoveRole takes one application permission or directory role away from a client; new tokens lack it.
func (t *Tenant) RemoveRole(clientID, role string) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	old := t.Consents[clientID]
	if old == nil {
		return
	}
	is := func(r string) bool { return r == role }
	fresh := &Consent{Roles: map[string][]string{}}
	for res, roles := range old.Roles {
		fresh.Roles[res] = slices.DeleteFunc(slices.Clone(roles), is)
	}
	fresh.DirectoryRoles = slices.DeleteFunc(slices.Clone(old.DirectoryRoles), is)
	t.Consents[clientID] = fresh
}

// WithdrawConsent removes a client from the tenant with its service principal: no new tokens
// (AADSTS700016), and the ones already out are no longer known to the resources.
func (t *Tenant) WithdrawConsent(clientID string) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	delete(t.Consents, clientID)
	t.ServicePrincipals = slices.DeleteFunc(t.ServicePrincipals, func(sp *ServicePrincipal) bool { return sp.AppID == clientID })
}

// Consented says whether the client is in the tenant: by consent, or because it is at home there.
// The caller holds the lock.
func Consented(t *Tenant, clientID string) bool {
	if t.Consents[clientID] != nil {
		return true
	}
	c := FindClient(t.w, clientID)
	return c != nil && c.HomeTenant == t.ID
}
