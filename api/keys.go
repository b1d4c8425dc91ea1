package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

func keyView(k *responsehub.APIKey) Key {
	return Key{ID: k.ID, Name: k.Name, Role: k.Role, Tenants: orEmpty(k.Tenants), Created: k.Created}
}

func (a *API) keys(r call, _ none) (List[Key], error) {
	if err := whole(r.actor); err != nil {
		return List[Key]{}, err
	}
	return page(r, a.dir.Keys(), func(k *responsehub.APIKey) string { return k.ID }, keyView)
}

func (a *API) makeKey(r call, in KeyBody) (MadeKey, error) {
	if err := whole(r.actor); err != nil {
		return MadeKey{}, err
	}
	for i, name := range in.Tenants {
		sees := func(t responsehub.Tenant) bool { return (responsehub.Actor{Tenants: []string{name}}).Sees(t.Ref()) }
		if name != "*" && !slices.ContainsFunc(a.dir.Tenants(), sees) {
			return MadeKey{}, invalid(fmt.Sprintf("/tenants/%d", i), fmt.Sprintf("There is no tenant %.60q; a key's tenants are named by name or id.", name))
		}
	}
	plain, key, err := NewKey(a.hashKey, strings.TrimSpace(in.Name), in.Role, in.Tenants, time.Now())
	if err != nil {
		return MadeKey{}, err
	}
	if err := a.dir.PutKey(r, r.actor.By(), key); err != nil {
		return MadeKey{}, err
	}
	a.log.Warn("api key made", "key", key.ID, "role", key.Role, "actor", r.actor.ID, "name", r.actor.Name)
	return MadeKey{Key: keyView(&key), Plain: string(plain)}, nil
}

func (a *API) removeKey(r call, _ none) (Removed, error) {
	id, err := r.id("id")
	if err != nil {
		return Removed{}, err
	}
	if err := whole(r.actor); err != nil {
		return Removed{}, err
	}
	if err := a.dir.DeleteKey(r, r.actor.By(), id); err != nil {
		return Removed{}, err
	}
	a.log.Warn("api key removed", "key", id, "actor", r.actor.ID, "name", r.actor.Name)
	return Removed{ID: id, Sentence: "The key is removed. Whoever uses it is refused from now on."}, nil
}
