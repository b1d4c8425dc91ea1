package store

import (
	"context"
	"fmt"

	"responsehub"
)

// ChangeTenant stores a tenant as edit leaves it and returns it. The tenant may be named
// by either of its ids; its own id cannot be changed. edit may run several times when
// others write meanwhile, each time on the newest copy; its error abandons the change.
func (d *Directory) ChangeTenant(ctx context.Context, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error) {
	var t responsehub.Tenant
	err := d.change(ctx, func(now *directory) ([]entryWrite, error) {
		var ok bool
		if t, ok = now.tenant(id); !ok {
			return nil, noTenant(id)
		}
		own := t.ID
		if err := edit(&t); err != nil {
			return nil, err
		}
		t.ID, t.V = own, max(t.V, 1)
		w, err := put(hashTenants, t.ID, t)
		return []entryWrite{w}, err
	})
	return t, err
}

// RemoveTenant takes a tenant off the list. Its incidents stay readable.
func (d *Directory) RemoveTenant(ctx context.Context, id string) error {
	return d.change(ctx, func(now *directory) ([]entryWrite, error) {
		t, ok := now.tenant(id)
		if !ok {
			return nil, noTenant(id)
		}
		return []entryWrite{{hash: hashTenants, id: t.ID}}, nil
	})
}

// PutPerson stores a person.
func (d *Directory) PutPerson(ctx context.Context, p responsehub.Person) error {
	p.V = max(p.V, 1)
	return d.putOne(ctx, hashPeople, p.ID, p)
}

// RemovePerson takes a person off the list; it is a NotFound error when there is none.
func (d *Directory) RemovePerson(ctx context.Context, id string) error {
	return d.change(ctx, func(now *directory) ([]entryWrite, error) {
		if _, ok := now.people[id]; !ok {
			return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no person %.60q.", id)}
		}
		return []entryWrite{{hash: hashPeople, id: id}}, nil
	})
}

func noTenant(id string) error {
	return &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.60q.", id)}
}
