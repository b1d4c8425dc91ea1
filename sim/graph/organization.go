package graph

import (
	"net/http"
	"strings"
	"time"

	"responsehub/sim/tenant"
)

// listOrganization: https://learn.microsoft.com/graph/api/organization-list
func (c *call) listOrganization() reply {
	var synced, last any
	if c.t.OnPremisesSyncEnabled {
		synced, last = true, stampOf(time.Now().Add(-12*time.Minute))
	}
	domains := []object{}
	for i, d := range c.t.Domains {
		domains = append(domains, object{"name": d.Name, "isDefault": i == 0, "isInitial": i == 0, "type": d.AuthenticationType, "capabilities": "Email, OfficeCommunicationsOnline"})
	}
	plans := []object{}
	if !c.t.NoExchange {
		plans = append(plans, object{"service": "exchange", "capabilityStatus": "Enabled", "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0", "assignedDateTime": "2024-01-01T00:00:00Z"})
	}
	if !c.t.NoP2 {
		plans = append(plans, object{"service": "AADPremiumService", "capabilityStatus": "Enabled", "servicePlanId": "eec0eb4f-6444-4f95-aba0-50c24d67f998", "assignedDateTime": "2024-01-01T00:00:00Z"})
	}
	return c.list(listing{entity: "organization", context: "organization", pageSize: 100, maxPage: 999}, each([]*tenant.Tenant{c.t}, func(t *tenant.Tenant) object {
		return object{
			"id": t.ID, "displayName": t.Name, "verifiedDomains": domains, "onPremisesSyncEnabled": synced, "onPremisesLastSyncDateTime": last,
			"assignedPlans": plans, "tenantType": "AAD", "countryLetterCode": "US", "createdDateTime": "2020-01-01T00:00:00Z", "deletedDateTime": nil, "defaultUsageLocation": nil,
		}
	}))
}

// listDomains: https://learn.microsoft.com/graph/api/domain-list
func (c *call) listDomains() reply {
	return c.list(listing{entity: "domain", context: "domains", pageSize: 100, maxPage: 999}, each(c.t.Domains, func(d tenant.Domain) object {
		return object{
			"id": d.Name, "authenticationType": d.AuthenticationType, "isVerified": true, "isDefault": d == c.t.Domains[0], "isInitial": d == c.t.Domains[0],
			"isAdminManaged": true, "isRoot": true, "supportedServices": []string{"Email"}, "availabilityStatus": nil,
		}
	}))
}

// confirmCompromised: https://learn.microsoft.com/graph/api/riskyuser-confirmcompromised
func (c *call) confirmCompromised() reply { return c.risk("confirmedCompromised", "risk.confirm") }

// dismissRisk: https://learn.microsoft.com/graph/api/riskyuser-dismiss
func (c *call) dismissRisk() reply { return c.risk("dismissed", "risk.dismiss") }

func (c *call) risk(state, kind string) reply {
	if c.t.NoP2 {
		return fail(http.StatusForbidden, "Forbidden", "Your tenant is not licensed for this feature.")
	}
	m, refused := c.decode("userIds")
	if refused != nil {
		return *refused
	}
	ids, _ := m["userIds"].([]any)
	if len(ids) == 0 || len(ids) > 60 {
		return badRequest("Between 1 and 60 user ids are needed.")
	}
	for _, raw := range ids {
		id, _ := raw.(string)
		u := tenant.FindUser(c.t, id)
		if u == nil || !strings.EqualFold(u.ID, id) {
			return notThere(id)
		}
		c.t.RiskyUsers[u.ID] = state
		c.effect(kind, u.ID, u.UPN)
	}
	return reply{status: http.StatusNoContent}
}

// getRisky: https://learn.microsoft.com/graph/api/riskyuser-get
func (c *call) getRisky() reply {
	if c.t.NoP2 {
		return fail(http.StatusForbidden, "Forbidden", "Your tenant is not licensed for this feature.")
	}
	u, state := tenant.FindUser(c.t, c.args[0]), c.t.RiskyUsers[c.args[0]]
	if u == nil || state == "" {
		return notThere(c.args[0])
	}
	level := "high"
	if state == "dismissed" {
		level = "none"
	}
	return c.one(listing{entity: "riskyUser", context: "riskyUsers"}, object{
		"id": u.ID, "userDisplayName": u.Name, "userPrincipalName": u.UPN, "riskState": state, "riskLevel": level, "riskDetail": "none", "isDeleted": false, "isProcessing": false,
	})
}
