package api

import (
	"crypto/hmac"
	"crypto/sha256"
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
	command, err := commandID(r.actor, "make key", in.CommandID)
	if err != nil {
		return MadeKey{}, err
	}
	id := random(10)
	if command != "" {
		id = keyIDOf(a.hashKey, command)
	}
	plain, key, err := newKey(a.hashKey, id, strings.TrimSpace(in.Name), in.Role, in.Tenants, time.Now())
	if err != nil {
		return MadeKey{}, err
	}
	switch err := a.dir.PutKey(r, r.actor.By(), key); {
	case responsehub.KindOf(err) == responsehub.Conflict && command != "":
		return MadeKey{}, &responsehub.Error{
			Kind: responsehub.Conflict, Pointer: "/command_id", Err: err,
			Message: "This command made the key " + id + " already, which was shown then and is not shown again. If it was lost, remove it and make another with another command_id.",
		}
	case err != nil:
		return MadeKey{}, err
	}
	a.log.Warn("api key made", "key", key.ID, "role", key.Role, "actor", r.actor.ID, "name", r.actor.Name)
	return MadeKey{Key: keyView(&key), Plain: string(plain)}, nil
}

// keyIDOf is the id of the key that a command makes: the same command cannot make two. The
// key itself is random and kept nowhere, so a repeat can be told no more than the id.
func keyIDOf(hashKey []byte, command string) string {
	m := hmac.New(sha256.New, hashKey)
	m.Write([]byte("responsehub id of an api key v1\x00" + command))
	return strings.ToLower(letters.EncodeToString(m.Sum(nil)[:10]))
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
