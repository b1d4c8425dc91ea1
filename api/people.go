package api

import (
	"fmt"
	"slices"
	"strings"

	"responsehub"
)

// whole lets only administrators of the whole hub on: people and keys reach every tenant.
func whole(actor responsehub.Actor) error {
	if actor.May(responsehub.Manage, responsehub.TenantRef{}) != nil || !slices.Contains(actor.Tenants, "*") {
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: "Only an administrator of the whole hub may do this."}
	}
	return nil
}

func personView(p *responsehub.Person) Person {
	return Person{
		ID: p.ID, Name: p.Name, EntraObjectID: p.EntraObjectID, Phone: p.Phone, Email: p.Email, Role: p.Role, Tenants: orEmpty(p.Tenants), TimeZone: p.TimeZone, Language: p.Language,
	}
}

func (a *API) people(r call, _ none) (List[Person], error) {
	if err := whole(r.actor); err != nil {
		return List[Person]{}, err
	}
	return page(r, a.dir.People(), func(p *responsehub.Person) string { return p.ID }, personView)
}

func (a *API) person(r call, _ none) (Person, error) {
	id, err := r.id("id")
	if err != nil {
		return Person{}, err
	}
	if err := whole(r.actor); err != nil {
		return Person{}, err
	}
	all := a.dir.People()
	i := slices.IndexFunc(all, func(p responsehub.Person) bool { return p.ID == id })
	if i < 0 {
		return Person{}, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no person %.60q.", id)}
	}
	return personView(&all[i]), nil
}

func (a *API) putPerson(r call, in PersonBody) (Person, error) {
	id, err := r.id("id")
	if err != nil {
		return Person{}, err
	}
	if err := whole(r.actor); err != nil {
		return Person{}, err
	}
	p := responsehub.Person{
		V: 1, ID: id, Name: strings.TrimSpace(in.Name), EntraObjectID: strings.ToLower(in.EntraObjectID), Phone: in.Phone, Email: in.Email,
		Role: in.Role, Tenants: in.Tenants, TimeZone: in.TimeZone, Language: in.Language,
	}
	if err := p.Check(); err != nil {
		return Person{}, err
	}
	if err := a.dir.PutPerson(r, r.actor.By(), p); err != nil {
		return Person{}, err
	}
	a.log.Info("person changed", "person", p.ID, "role", p.Role, "actor", r.actor.ID, "name", r.actor.Name)
	return personView(&p), nil
}

// removePerson takes a person off the list, unless a tenant would call them.
func (a *API) removePerson(r call, _ none) (Removed, error) {
	id, err := r.id("id")
	if err != nil {
		return Removed{}, err
	}
	if err := whole(r.actor); err != nil {
		return Removed{}, err
	}
	for _, t := range a.dir.Tenants() {
		if t.Notify.Phone != nil && t.Notify.Phone.Names(id) {
			return Removed{}, responsehub.Refuse(t.Name + " would call this person. Change its phone sequence first.")
		}
	}
	if err := a.dir.RemovePerson(r, r.actor.By(), id); err != nil {
		return Removed{}, err
	}
	a.log.Info("person removed", "person", id, "actor", r.actor.ID, "name", r.actor.Name)
	return Removed{ID: id, Sentence: "Removed. Their sessions are over."}, nil
}
