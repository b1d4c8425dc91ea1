package main

import (
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"responsehub"
	"responsehub/api"
	"responsehub/config"
)

// readRoster reads the tenants and people of a configuration file. Faults elsewhere in
// it do not matter: whoever applies tenants need not have the hub's secrets.
func readRoster(file string) (api.Roster, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return api.Roster{}, err
	}
	cfg, faults, _ := config.Parse(file, b, os.LookupEnv)
	faults = slices.DeleteFunc(faults, func(f config.Fault) bool {
		ours := f.Path == "" || strings.HasPrefix(f.Path, "tenants") || strings.HasPrefix(f.Path, "people") || strings.HasPrefix(f.Path, "schedules")
		return !ours || f.Warning
	})
	if len(faults) > 0 {
		return api.Roster{}, &responsehub.Error{Kind: responsehub.Invalid, Message: faults[0].Error()}
	}
	said := tenantsSay(b)
	tenants, people := cfg.TenantsAndPeople()
	var r api.Roster
	for i := range tenants {
		t := rosterTenant(&tenants[i])
		if i < len(said) && !said[i]["response"] {
			t.Response = nil
		}
		if i < len(said) && said[i]["product"] {
			t.Product = new(tenants[i].Bought())
		}
		r.Tenants = append(r.Tenants, t)
	}
	for _, p := range people {
		r.People = append(r.People, api.Person{
			ID: p.ID, Name: p.Name, EntraObjectID: p.EntraObjectID, Phone: p.Phone, Email: p.Email, Role: p.Role, Tenants: slices.Concat([]string{}, p.Tenants), TimeZone: p.TimeZone, Language: p.Language,
		})
	}
	return r, nil
}

// tenantsSay tells for each tenant of the file which of its keys stand there with a value:
// what a file does not say is left as it is.
func tenantsSay(b []byte) []map[string]bool {
	var file struct {
		Tenants []map[string]yaml.Node `yaml:"tenants"`
	}
	if yaml.Unmarshal(b, &file) != nil {
		return nil
	}
	said := make([]map[string]bool, len(file.Tenants))
	for i, t := range file.Tenants {
		said[i] = map[string]bool{}
		for key, value := range t {
			said[i][key] = value.Tag != "!!null"
		}
	}
	return said
}

func rosterTenant(t *responsehub.Tenant) api.RosterTenant {
	out := api.RosterTenant{
		Name: t.Name, MicrosoftTenantID: t.MicrosoftTenantID, SourceIDs: t.SourceIDs, Response: &t.Response, LockGroup: t.LockGroup,
		Guards: api.Guards{PasswordMode: t.PasswordMode, LocksPerHour: t.Limits.AutomaticLocksPerHour, BreakGlass: t.BreakGlass, SecondPersonFor: t.SecondPersonFor},
		Notify: api.Notify{Teams: t.Notify.Teams, Mail: t.Notify.Mail, PSA: t.Notify.PSA, Slack: t.Notify.Slack, Webhooks: t.Notify.Webhooks},
	}
	out.Notify.Phone = api.PhoneOf(t.Notify.Phone)
	if !t.TrialEnds.IsZero() {
		out.Trial = &api.Trial{Ends: t.TrialEnds}
	}
	return out
}
