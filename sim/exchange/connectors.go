package exchange

import (
	"net/http"
	"time"

	"responsehub/sim/tenant"
)

func connectorObject(c *tenant.Connector) object {
	list := func(xs []string) []string { return append([]string{}, xs...) }
	var cert, comment any
	if c.TLSSenderCertificateName != "" {
		cert = c.TLSSenderCertificateName
	}
	if c.Comment != "" {
		comment = c.Comment
	}
	return object{
		"Identity": c.Name, "Guid": c.GUID, "Name": c.Name, "Enabled": c.Enabled, "ConnectorType": c.ConnectorType, "ConnectorSource": "Default",
		"SenderDomains": list(c.SenderDomains), "SenderIPAddresses": list(c.SenderIPAddresses), "TlsSenderCertificateName": cert, "RequireTls": c.RequireTLS,
		"RestrictDomainsToIPAddresses": c.RestrictDomainsToIPAddresses, "CloudServicesMailEnabled": c.CloudServicesMailEnabled, "Comment": comment,
		"WhenCreatedUTC": c.Created.UTC().Format(time.RFC3339), "WhenCreated": c.Created.UTC().Format(time.RFC3339), "IsValid": true, "ObjectState": "Unchanged",
	}
}

func (c *call) connector() (*tenant.Connector, *refusal) {
	id, refused := c.needs("Identity")
	if refused != nil {
		return nil, refused
	}
	found := tenant.FindConnector(c.t, id)
	if found == nil {
		return nil, notFound("The operation couldn't be performed because object '%s' couldn't be found on 'SIM0001.PROD.OUTLOOK.COM'.", id)
	}
	return found, nil
}

// getConnectors: https://learn.microsoft.com/powershell/module/exchangepowershell/get-inboundconnector
func (c *call) getConnectors() ([]object, *refusal) {
	if c.text("Identity") != "" {
		found, refused := c.connector()
		if refused != nil {
			return nil, refused
		}
		return []object{connectorObject(found)}, nil
	}
	var out []object
	for _, x := range c.t.Connectors {
		out = append(out, connectorObject(x))
	}
	return out, nil
}

// setConnector: https://learn.microsoft.com/powershell/module/exchangepowershell/set-inboundconnector
func (c *call) setConnector() ([]object, *refusal) {
	found, refused := c.connector()
	if refused != nil {
		return nil, refused
	}
	fresh := *found
	if refused := c.apply(&fresh); refused != nil {
		return nil, refused
	}
	was := found.Enabled
	*found = fresh
	switch {
	case was && !found.Enabled:
		c.effect("connector.disable", found.GUID, found.Name)
	case !was && found.Enabled:
		c.effect("connector.enable", found.GUID, found.Name)
	}
	return nil, nil
}

// newConnector: https://learn.microsoft.com/powershell/module/exchangepowershell/new-inboundconnector
func (c *call) newConnector() ([]object, *refusal) {
	name, refused := c.needs("Name")
	if refused != nil {
		return nil, refused
	}
	if _, ok := c.value("SenderDomains"); !ok {
		_, refused := c.needs("SenderDomains")
		return nil, refused
	}
	if tenant.FindConnector(c.t, name) != nil {
		return nil, &refusal{http.StatusBadRequest, "BadRequest", "Microsoft.Exchange.Management.SystemConfigurationTasks.ConnectorAlreadyExistsException", "The connector '" + name + "' already exists."}
	}
	fresh := tenant.Connector{Name: name, Enabled: true}
	if refused := c.apply(&fresh); refused != nil {
		return nil, refused
	}
	made := tenant.AddConnector(c.t, fresh)
	made.Enabled = fresh.Enabled
	c.effect("connector.create", made.GUID, made.Name)
	return []object{connectorObject(made)}, nil
}

// removeConnector: https://learn.microsoft.com/powershell/module/exchangepowershell/remove-inboundconnector
func (c *call) removeConnector() ([]object, *refusal) {
	found, refused := c.connector()
	if refused != nil {
		return nil, refused
	}
	tenant.RemoveConnector(c.t, found)
	c.effect("connector.remove", found.GUID, found.Name)
	return nil, nil
}

// apply puts the parameters into a connector.
func (c *call) apply(x *tenant.Connector) *refusal {
	for name, to := range map[string]*bool{
		"Enabled": &x.Enabled, "RequireTls": &x.RequireTLS, "RestrictDomainsToIPAddresses": &x.RestrictDomainsToIPAddresses, "CloudServicesMailEnabled": &x.CloudServicesMailEnabled,
	} {
		v, present, refused := c.boolean(name)
		if refused != nil {
			return refused
		}
		if present {
			*to = v
		}
	}
	for name, to := range map[string]*string{"Name": &x.Name, "ConnectorType": &x.ConnectorType, "TlsSenderCertificateName": &x.TLSSenderCertificateName, "Comment": &x.Comment} {
		v, present := c.value(name)
		if !present || v == nil {
			continue
		}
		s, ok := v.(string)
		if !ok {
			return badParameter(name)
		}
		*to = s
	}
	for name, to := range map[string]*[]string{"SenderDomains": &x.SenderDomains, "SenderIPAddresses": &x.SenderIPAddresses} {
		v, present := c.value(name)
		if !present || v == nil {
			continue
		}
		list, ok := texts(v)
		if !ok {
			return badParameter(name)
		}
		*to = list
	}
	if x.ConnectorType != "" && x.ConnectorType != "Partner" && x.ConnectorType != "OnPremises" {
		return badParameter("ConnectorType")
	}
	return nil
}

// texts reads a multi-valued parameter: one text or a list of them.
func texts(v any) ([]string, bool) {
	if s, ok := v.(string); ok {
		return []string{s}, true
	}
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := []string{}
	for _, x := range list {
		s, ok := x.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}
