package store

import (
	"context"
	"errors"
	"fmt"

	"responsehub"
)

// ChangeTenant stores a tenant as edit leaves it and returns it. The tenant may be named
// by either of its ids; its own id cannot be changed. edit may run several times when
// others write meanwhile, each time on the newest copy; its error abandons the change.
// what says in a few words, for the record, what is changed.
func (d *Directory) ChangeTenant(ctx context.Context, by responsehub.By, what, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error) {
	var t responsehub.Tenant
	err := d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		var ok bool
		if t, ok = now.tenant(id); !ok {
			return nil, nil, noTenant(id)
		}
		own := t.ID
		if err := edit(&t); err != nil {
			return nil, nil, err
		}
		t.ID, t.V = own, max(t.V, 1)
		w, err := put(hashTenants, t.ID, t)
		return []entryWrite{w}, []note{{responsehub.EventTenantChanged, t.ID, t.Name + ": " + what}}, err
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return t, err
}

// RemoveTenant takes a tenant off the list. Its incidents stay readable.
func (d *Directory) RemoveTenant(ctx context.Context, by responsehub.By, id string) error {
	return d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		t, ok := now.tenant(id)
		if !ok {
			return nil, nil, noTenant(id)
		}
		return []entryWrite{{hash: hashTenants, id: t.ID}}, []note{{responsehub.EventTenantRemoved, t.ID, "Tenant " + t.Name + " removed"}}, nil
	})
}

// PutPerson stores a person.
func (d *Directory) PutPerson(ctx context.Context, by responsehub.By, p responsehub.Person) error {
	p.V = max(p.V, 1)
	return d.putOne(ctx, by, hashPeople, p.ID, p, note{responsehub.EventPersonChanged, p.ID, "Person " + p.Name + " (" + string(p.Role) + ") changed"})
}

// RemovePerson takes a person off the list; it is a NotFound error when there is none.
func (d *Directory) RemovePerson(ctx context.Context, by responsehub.By, id string) error {
	return d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		p, ok := now.people[id]
		if !ok {
			return nil, nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no person %.60q.", id)}
		}
		return []entryWrite{{hash: hashPeople, id: id}}, []note{{responsehub.EventPersonRemoved, id, "Person " + p.Name + " removed"}}, nil
	})
}

func noTenant(id string) error {
	return &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.60q.", id)}
}
