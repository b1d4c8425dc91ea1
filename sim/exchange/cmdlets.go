package exchange

import (
	"fmt"
	"net/http"
	"strings"

	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// call is one running cmdlet; the world's lock is held.
type call struct {
	s      *Server
	t      *tenant.Tenant
	name   string
	params map[string]any
}

type cmdlet struct {
	params    []string
	recipient bool // Exchange Recipient Administrators may run it too
	run       func(*call) ([]object, *refusal)
}

// common parameters that every cmdlet takes.
var common = []string{"Confirm", "ErrorAction", "WarningAction", "WhatIf", "ResultSize"}

var cmdlets = table()

// table is every cmdlet by its name in lower case: PowerShell does not mind case.
func table() map[string]cmdlet {
	out := map[string]cmdlet{}
	connectorParams := []string{"Identity", "Enabled", "Name", "ConnectorType", "SenderDomains", "SenderIPAddresses", "TlsSenderCertificateName", "RequireTls", "RestrictDomainsToIPAddresses", "CloudServicesMailEnabled", "Comment", "ConnectorSource"}
	for name, c := range map[string]cmdlet{
		"Get-InboundConnector":    {[]string{"Identity"}, false, (*call).getConnectors},
		"Set-InboundConnector":    {connectorParams, false, (*call).setConnector},
		"New-InboundConnector":    {connectorParams, false, (*call).newConnector},
		"Remove-InboundConnector": {[]string{"Identity"}, false, (*call).removeConnector},
		"Get-InboxRule":           {[]string{"Mailbox", "Identity", "IncludeHidden"}, true, (*call).getRules},
		"Disable-InboxRule":       {[]string{"Mailbox", "Identity", "Force", "AlwaysDeleteOutlookRulesBlob"}, true, (*call).disableRule},
		"Enable-InboxRule":        {[]string{"Mailbox", "Identity", "Force", "AlwaysDeleteOutlookRulesBlob"}, true, (*call).enableRule},
		"Remove-InboxRule":        {[]string{"Mailbox", "Identity", "Force", "AlwaysDeleteOutlookRulesBlob"}, true, (*call).removeRule},
		"Get-Mailbox":             {[]string{"Identity"}, true, (*call).getMailboxes},
		"Set-Mailbox":             {[]string{"Identity", "ForwardingSmtpAddress", "ForwardingAddress", "DeliverToMailboxAndForward"}, true, (*call).setMailbox},
		"Get-MailboxPermission":   {[]string{"Identity", "User"}, true, (*call).getPermissions},
		"Get-OrganizationConfig":  {nil, false, (*call).getOrganization},
		"Get-TransportRule":       {[]string{"Identity", "State", "Filter", "DlpPolicy", "ExcludeConditionActionDetails"}, false, (*call).getTransportRules},
		"Enable-TransportRule":    {[]string{"Identity", "Mode"}, false, (*call).enableTransportRule},
		"Disable-TransportRule":   {[]string{"Identity"}, false, (*call).disableTransportRule},
		"Remove-TransportRule":    {[]string{"Identity"}, false, (*call).removeTransportRule},

		"Get-SweepRule":                  {[]string{"Identity", "Mailbox", "Provider", "BypassScopeCheck", "SkipCount"}, true, (*call).getSweeps},
		"Enable-SweepRule":               {[]string{"Identity", "Mailbox"}, true, (*call).enableSweep},
		"Disable-SweepRule":              {[]string{"Identity", "Mailbox"}, true, (*call).disableSweep},
		"Remove-SweepRule":               {[]string{"Identity", "Mailbox"}, true, (*call).removeSweep},
		"Add-MailboxPermission":          {[]string{"Identity", "User", "AccessRights", "InheritanceType", "AutoMapping"}, true, (*call).addPermission},
		"Remove-MailboxPermission":       {[]string{"Identity", "User", "AccessRights", "InheritanceType", "Deny"}, true, (*call).removePermission},
		"Get-RecipientPermission":        {[]string{"Identity", "AccessRights", "Trustee"}, true, (*call).getTrustees},
		"Add-RecipientPermission":        {[]string{"Identity", "AccessRights", "Trustee"}, true, (*call).addTrustee},
		"Remove-RecipientPermission":     {[]string{"Identity", "AccessRights", "Trustee", "Deny"}, true, (*call).removeTrustee},
		"Get-MailboxFolderPermission":    {[]string{"Identity", "User", "GroupMailbox", "SkipCount", "UseCustomRouting"}, true, (*call).getShares},
		"Add-MailboxFolderPermission":    {[]string{"Identity", "User", "AccessRights", "SendNotificationToUser", "SharingPermissionFlags"}, true, (*call).addShare},
		"Remove-MailboxFolderPermission": {[]string{"Identity", "User", "SendNotificationToUser", "ResetDelegateUserCollection"}, true, (*call).removeShare},
	} {
		c.params = append(c.params, common...)
		out[strings.ToLower(name)] = c
	}
	return out
}

// value returns a parameter whatever its case.
func (c *call) value(name string) (any, bool) {
	for k, v := range c.params {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

func (c *call) text(name string) string {
	v, _ := c.value(name)
	s, _ := v.(string)
	return s
}

// needs reads a text parameter that has to be there.
func (c *call) needs(name string) (string, *refusal) {
	s := c.text(name)
	if s == "" {
		return "", &refusal{http.StatusBadRequest, "BadRequest", "System.Management.Automation.ParameterBindingException", fmt.Sprintf("Cannot process command because of one or more missing mandatory parameters: %s.", name)}
	}
	return s, nil
}

// boolean reads a switch or a true/false parameter.
func (c *call) boolean(name string) (value, present bool, refused *refusal) {
	v, present := c.value(name)
	if !present {
		return false, false, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, true, badParameter(name)
	}
	return b, true, nil
}

func (c *call) effect(kind, target, detail string) {
	c.s.log.Effect(wire.Effect{Vendor: vendor, Tenant: c.t.ID, Kind: kind, Target: target, Detail: detail})
}

// getOrganization: https://learn.microsoft.com/powershell/module/exchangepowershell/get-organizationconfig
func (c *call) getOrganization() ([]object, *refusal) {
	return []object{{"Name": c.t.Domains[0].Name, "DisplayName": c.t.Name, "Guid": c.t.ID, "Identity": c.t.Domains[0].Name, "IsDehydrated": false, "AuditDisabled": false}}, nil
}
