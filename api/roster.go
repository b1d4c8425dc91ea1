package api

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"responsehub"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

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
		switch {
		case p.ID == "":
			return nil, invalid(at+"/id", "A person needs an id.")
		case seen[p.ID]:
			return nil, invalid(at+"/id", fmt.Sprintf("The person %q is there twice.", p.ID))
		case p.Name == "":
			return nil, invalid(at+"/name", fmt.Sprintf("The person %q needs a name.", p.ID))
		case !slices.Contains(responsehub.Roles, p.Role):
			return nil, invalid(at+"/role", fmt.Sprintf("The role of %q must be admin, responder, reader or guest.", p.ID))
		case p.EntraObjectID != "" && !guid.MatchString(p.EntraObjectID):
			return nil, invalid(at+"/entra_object_id", "An Entra object id is a GUID.")
		case p.Phone != "" && !strings.HasPrefix(p.Phone, "+"):
			return nil, invalid(at+"/phone", "A phone number starts with + and the country code.")
		case p.Role == responsehub.Guest && slices.Contains(p.Tenants, "*"):
			return nil, invalid(at+"/tenants", "A guest sees named tenants only.")
		}
		seen[p.ID] = true
		out = append(out, responsehub.Person{
			V: 1, ID: p.ID, Name: p.Name, EntraObjectID: strings.ToLower(p.EntraObjectID), Phone: p.Phone, Email: p.Email, Role: p.Role, Tenants: orEmpty(p.Tenants), TimeZone: p.TimeZone, Language: p.Language,
		})
	}
	return out, nil
}

func (a *API) rosterTenants(in []RosterTenant, people map[string]bool) ([]responsehub.Tenant, error) {
	var out []responsehub.Tenant
	seen := map[string]bool{}
	for i, t := range in {
		at := fmt.Sprintf("/tenants/%d", i)
		id := strings.ToLower(t.MicrosoftTenantID)
		switch {
		case t.Name == "":
			return nil, invalid(at+"/name", "A tenant needs a name.")
		case !guid.MatchString(id):
			return nil, invalid(at+"/microsoft_tenant_id", "Microsoft's tenant id is a GUID.")
		case seen[id]:
			return nil, invalid(at+"/microsoft_tenant_id", "This Microsoft tenant is there twice.")
		case t.LockGroup != "" && !guid.MatchString(t.LockGroup):
			return nil, invalid(at+"/lock_group", "The object id of a group is a GUID.")
		}
		seen[id] = true
		if err := t.Guards.check(at); err != nil {
			return nil, err
		}
		notify, err := rosterNotify(t.Notify, at+"/notify", people)
		if err != nil {
			return nil, err
		}
		tenant := responsehub.Tenant{V: 1, Name: t.Name, MicrosoftTenantID: id, SourceIDs: maps.Clone(t.SourceIDs), Notify: notify, LockGroup: strings.ToLower(t.LockGroup)}
		t.Guards.apply(&tenant)
		was, ok := a.dir.Tenant(id)
		if ok {
			tenant.ID, tenant.Response, tenant.Product, tenant.Paused = was.ID, was.Response, was.Product, was.Paused
		} else if err := a.bought.MayOnboard(time.Now()); err != nil {
			return nil, err
		}
		if t.Response != nil {
			tenant.Response = *t.Response
		}
		if tenant.Response && !tenant.Automatic() {
			return nil, invalid(at+"/response", "Response is not part of the product notify. Switch the product first.")
		}
		if t.Trial != nil {
			tenant.TrialEnds = t.Trial.Ends.UTC()
		}
		out = append(out, tenant)
	}
	return out, nil
}

func rosterNotify(n Notify, at string, people map[string]bool) (responsehub.Notify, error) {
	out := responsehub.Notify{Teams: n.Teams, Mail: n.Mail, PSA: n.PSA, Slack: n.Slack, Webhooks: n.Webhooks}
	if n.Phone == nil {
		return out, nil
	}
	for i, id := range n.Phone.Sequence {
		if !people[id] {
			return out, invalid(fmt.Sprintf("%s/phone/sequence/%d", at, i), fmt.Sprintf("There is no person %.40q.", id))
		}
	}
	phone := responsehub.OnCall{Sequence: n.Phone.Sequence, Wait: 3 * time.Minute, Rounds: cmp.Or(n.Phone.Rounds, 3)}
	if n.Phone.Wait != "" {
		wait, err := time.ParseDuration(n.Phone.Wait)
		if err != nil || wait <= 0 {
			return out, invalid(at+"/phone/wait", "The wait must be a time such as 3m or 90s.")
		}
		phone.Wait = wait
	}
	out.Phone = &phone
	return out, nil
}
