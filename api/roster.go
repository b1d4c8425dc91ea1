package api

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// apply takes over a roster. People's reach and roles are in it, so only an
// administrator of the whole hub may.
func (a *API) apply(r call, in Roster) (Applied, error) {
	if err := r.actor.May(responsehub.Manage, responsehub.TenantRef{}); err != nil || !slices.Contains(r.actor.Tenants, "*") {
		return Applied{}, &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only an administrator of the whole hub may apply tenants and people."}
	}
	people, err := rosterPeople(in.People)
	if err != nil {
		return Applied{}, err
	}
	known := map[string]bool{}
	for _, p := range append(a.dir.People(), people...) {
		known[p.ID] = true
	}
	tenants, err := a.rosterTenants(in.Tenants, known)
	if err != nil {
		return Applied{}, err
	}
	if err := a.dir.Apply(r, r.actor.By(), tenants, people); err != nil {
		return Applied{}, err
	}
	a.log.Info("roster applied", "tenants", len(tenants), "people", len(people), "actor", r.actor.ID, "name", r.actor.Name)
	return Applied{Tenants: len(tenants), People: len(people)}, nil
}

func rosterPeople(in []Person) ([]responsehub.Person, error) {
	var out []responsehub.Person
	seen := map[string]bool{}
	for i, p := range in {
		at := fmt.Sprintf("/people/%d", i)
		made := responsehub.Person{
			V: 1, ID: p.ID, Name: p.Name, EntraObjectID: strings.ToLower(p.EntraObjectID), Phone: p.Phone, Email: p.Email, Role: p.Role, Tenants: orEmpty(p.Tenants),
			TimeZone: p.TimeZone, Language: p.Language,
		}
		if err := made.Check(); err != nil {
			return nil, below(at, err)
		}
		if seen[p.ID] {
			return nil, invalid(at+"/id", fmt.Sprintf("The person %q is there twice.", p.ID))
		}
		seen[p.ID] = true
		out = append(out, made)
	}
	return out, nil
}

func (a *API) rosterTenants(in []RosterTenant, people map[string]bool) ([]responsehub.Tenant, error) {
	var out []responsehub.Tenant
	seen := map[string]bool{}
	for i, t := range in {
		at := fmt.Sprintf("/tenants/%d", i)
		tenant, err := t.tenant(at)
		if err != nil {
			return nil, err
		}
		if err := tenant.Check(func(id string) bool { return people[id] }); err != nil {
			return nil, below(at, err)
		}
		id := tenant.MicrosoftTenantID
		if seen[id] {
			return nil, invalid(at+"/microsoft_tenant_id", "This Microsoft tenant is there twice.")
		}
		seen[id] = true
		was, ok := a.dir.Tenant(id)
		if ok {
			tenant.ID, tenant.Response, tenant.Product, tenant.Paused = was.ID, was.Response, was.Product, was.Paused
		} else if err := a.bought.MayOnboard(time.Now()); err != nil {
			return nil, err
		}
		if t.Product != nil {
			if ok { // a new tenant begins with a product, which is no switch
				was.TrialEnds = tenant.TrialEnds // the file may say that the trial became a subscription
				if err := a.bought.MaySwitch(&was, *t.Product, time.Now()); err != nil {
					return nil, err
				}
			}
			if tenant.Bought() != cmp.Or(*t.Product, responsehub.ProductResponse) {
				tenant.Switch(*t.Product)
			}
		}
		if t.Response != nil {
			tenant.Response = *t.Response
		}
		if tenant.Response && !tenant.Automatic() {
			return nil, invalid(at+"/response", "Response is not part of the product notify. Switch the product first.")
		}
		out = append(out, tenant)
	}
	return out, nil
}

// tenant is the entry as it is stored, but for the id and the switches.
func (t *RosterTenant) tenant(at string) (responsehub.Tenant, error) {
	n := t.Notify
	out := responsehub.Tenant{
		V: 1, Name: t.Name, MicrosoftTenantID: strings.ToLower(t.MicrosoftTenantID), SourceIDs: maps.Clone(t.SourceIDs), LockGroup: strings.ToLower(t.LockGroup),
		PasswordMode: t.PasswordMode, Limits: responsehub.Limits{AutomaticLocksPerHour: t.LocksPerHour}, BreakGlass: t.BreakGlass, SecondPersonFor: t.SecondPersonFor,
		Notify: responsehub.Notify{Teams: n.Teams, Mail: n.Mail, PSA: n.PSA, Slack: n.Slack, Webhooks: n.Webhooks},
	}
	if t.Trial != nil {
		out.TrialEnds = t.Trial.Ends.UTC()
	}
	if n.Phone == nil {
		return out, nil
	}
	var err error
	out.Notify.Phone, err = n.Phone.onCall(at + "/notify/phone")
	return out, err
}

// below puts a fault of a part at its place in the whole.
func below(at string, err error) error {
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		return invalid(at+e.Pointer, e.Message)
	}
	return err
}
