package config

import (
	"slices"
	"strings"
	"time"

	"responsehub"
)

// TenantsAndPeople returns what the file says of tenants and people, to seed or change
// the store. A tenant's id is made of its name; where two names give the same, the
// later one gets a part of its Microsoft tenant id. Call it on a checked config only.
func (c *Config) TenantsAndPeople() ([]responsehub.Tenant, []responsehub.Person) {
	tenants := make([]responsehub.Tenant, 0, len(c.Tenants))
	taken := make(map[string]bool, len(c.Tenants))
	for _, t := range c.Tenants {
		id := slug(t.Name)
		if id == "" || taken[id] {
			id = strings.Trim(id+"-"+strings.ToLower(t.MicrosoftTenantID), "-")
		}
		taken[id] = true
		made := t.tenant(id)
		c.schedulesOf(made.Notify.Phone)
		tenants = append(tenants, made)
	}
	people := make([]responsehub.Person, 0, len(c.People))
	for _, p := range c.People {
		people = append(people, responsehub.Person{
			V: 1, ID: p.ID, Name: p.Name, EntraObjectID: strings.ToLower(p.EntraObjectID), Phone: p.Phone, Email: p.Email,
			Role: responsehub.Role(p.Role), Tenants: slices.Clone(p.Tenants), TimeZone: p.TimeZone, Language: p.Language,
		})
	}
	return tenants, people
}

func (t Tenant) tenant(id string) responsehub.Tenant {
	out := responsehub.Tenant{
		V: 1, ID: id, Name: t.Name, MicrosoftTenantID: strings.ToLower(t.MicrosoftTenantID), SourceIDs: t.SourceIDs, Response: t.Response, LockGroup: strings.ToLower(t.LockGroup),
		BreakGlass: slices.Clone(t.BreakGlass), SecondPersonFor: slices.Clone(t.SecondPersonFor),
		Notify: responsehub.Notify{Teams: slices.Clone(t.Notify.Teams), Mail: slices.Clone(t.Notify.Mail), Slack: plain(t.Notify.Slack), Webhooks: plain(t.Notify.Webhooks)},
	}
	// What is as it would be anyway is left out, so that a later version may change it.
	if mode := responsehub.PasswordMode(t.PasswordMode); mode != responsehub.PasswordCloud {
		out.PasswordMode = mode
	}
	if n := t.Limits.AutomaticLocksPerHour; n != responsehub.DefaultLocksPerHour {
		out.Limits.AutomaticLocksPerHour = &n
	}
	if p := responsehub.Product(t.Product); p != responsehub.ProductResponse {
		out.Product = p
	}
	if t.Trial != nil {
		out.TrialEnds = t.Trial.Ends.Truncate(time.Second)
	}
	if p := t.Notify.Phone; p != nil {
		out.Notify.Phone = p.onCall()
	}
	for _, d := range t.Notify.PSA {
		out.Notify.PSA = append(out.Notify.PSA, responsehub.Desk{Connection: d.Connection, Company: d.Company, CloseOnTicketClose: d.CloseOnTicketClose})
	}
	return out
}

func plain(secrets []responsehub.Secret) []string {
	var out []string
	for _, s := range secrets {
		out = append(out, string(s))
	}
	return out
}

// slug is the name in lower case with dashes for everything but letters and digits.
func slug(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			b.WriteRune(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}
