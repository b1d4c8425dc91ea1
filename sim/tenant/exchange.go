package tenant

import (
	"slices"
	"strings"
	"time"
)

// Connector is one inbound connector of Exchange Online.
type Connector struct {
	GUID                         string    `json:"guid"`
	Name                         string    `json:"name"`
	Enabled                      bool      `json:"enabled"`
	ConnectorType                string    `json:"connector_type"` // Partner or OnPremises
	SenderDomains                []string  `json:"sender_domains"`
	SenderIPAddresses            []string  `json:"sender_ip_addresses"`
	TLSSenderCertificateName     string    `json:"tls_sender_certificate_name"`
	RequireTLS                   bool      `json:"require_tls"`
	RestrictDomainsToIPAddresses bool      `json:"restrict_domains_to_ip_addresses"`
	CloudServicesMailEnabled     bool      `json:"cloud_services_mail_enabled"` // hybrid mail flow
	Comment                      string    `json:"comment"`
	Created                      time.Time `json:"created"`
}

// AddConnector adds an enabled inbound connector.
func (t *Tenant) AddConnector(c Connector) *Connector {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	return AddConnector(t, c)
}

// AddConnector is Tenant.AddConnector for callers that hold the lock.
func AddConnector(t *Tenant, c Connector) *Connector {
	if c.GUID == "" {
		c.GUID = t.w.newID("connector")
	}
	if c.ConnectorType == "" {
		c.ConnectorType = "Partner"
	}
	if len(c.SenderDomains) == 0 {
		c.SenderDomains = []string{"smtp:*;1"}
	}
	if c.Created.IsZero() {
		c.Created = time.Now().UTC()
	}
	c.Enabled = true
	t.Connectors = append(t.Connectors, &c)
	return &c
}

// FindConnector returns a connector by GUID or name, or nil. The caller holds the lock.
func FindConnector(t *Tenant, key string) *Connector {
	i := slices.IndexFunc(t.Connectors, func(c *Connector) bool {
		return strings.EqualFold(c.GUID, key) || strings.EqualFold(c.Name, key)
	})
	if i < 0 {
		return nil
	}
	return t.Connectors[i]
}

// RemoveConnector deletes a connector. The caller holds the lock.
func RemoveConnector(t *Tenant, c *Connector) {
	t.Connectors = slices.DeleteFunc(t.Connectors, func(x *Connector) bool { return x == c })
}

// Forward makes the user's mailbox forward to an address, as an attacker with Exchange rights would.
func (u *User) Forward(address string, keepCopy bool) {
	u.t.w.mu.Lock()
	defer u.t.w.mu.Unlock()
	u.ForwardingSMTPAddress, u.DeliverAndForward = address, keepCopy
}
