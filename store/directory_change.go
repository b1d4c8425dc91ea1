package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"responsehub"
)

// ChangeTenant stores a tenant as edit leaves it and returns it. The tenant may be named
// by either of its ids; its own id cannot be changed. edit may run several times when
// others write meanwhile, each time on the newest copy; its error abandons the change. An
// edit that leaves everything as it was writes nothing.
// what says in a few words, for the record, what is changed.
func (d *Directory) ChangeTenant(ctx context.Context, by responsehub.By, what, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error) {
	var t responsehub.Tenant
	err := d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		var ok bool
		if t, ok = now.tenant(id); !ok {
			return nil, nil, noTenant(id)
		}
		own := t.ID
		before, err := put(hashTenants, own, t)
		if err != nil {
			return nil, nil, err
		}
		if err := edit(&t); err != nil {
			return nil, nil, err
		}
		t.ID, t.V = own, max(t.V, 1)
		w, err := put(hashTenants, t.ID, t)
		if err == nil && bytes.Equal(w.json, before.json) {
			return nil, nil, errUnchanged
		}
		return []entryWrite{w}, []note{{responsehub.EventTenantChanged, t.ID, t.Name + ": " + what}}, err
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return t, err
}

// AddTenant takes a tenant in that is not on the list yet; one with the same Microsoft
// tenant id or the same name is a Conflict error. A tenant without an id of its own gets
// the Microsoft tenant id as one. what says for the record how it came in.
func (d *Directory) AddTenant(ctx context.Context, by responsehub.By, what string, t responsehub.Tenant) (responsehub.Tenant, error) {
	t.MicrosoftTenantID = strings.ToLower(t.MicrosoftTenantID)
	t.ID, t.V = cmp.Or(t.ID, t.MicrosoftTenantID), max(t.V, 1)
	err := d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		if was, ok := now.byMicrosoft(t.MicrosoftTenantID); ok {
			return nil, nil, &responsehub.Error{Kind: responsehub.Conflict, Message: fmt.Sprintf("This Microsoft tenant is on the list already, as %.60q.", was.Name)}
		}
		for _, other := range now.tenants {
			if other.ID == t.ID || strings.EqualFold(other.Name, t.Name) {
				return nil, nil, &responsehub.Error{Kind: responsehub.Conflict, Message: fmt.Sprintf("There is a tenant %.60q already. Choose another name.", other.Name)}
			}
		}
		w, err := put(hashTenants, t.ID, t)
		return []entryWrite{w}, []note{{responsehub.EventTenantAdded, t.ID, "Tenant " + t.Name + " added: " + what}}, err
	})
	return t, err
}

// Note puts on the hub's record what changes nothing in the directory.
func (d *Directory) Note(ctx context.Context, by responsehub.By, kind responsehub.EventKind, item, text string) error {
	return d.change(ctx, by, func(*directory) ([]entryWrite, []note, error) {
		return nil, []note{{kind, item, text}}, nil
	})
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
