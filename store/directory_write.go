package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"responsehub"
)

// directoryHashes are the hashes of the directory, in the order of load.
var directoryHashes = [5]string{tenantsKey, peopleKey, apiKeysKey, channelsKey, settingsKey}

// The numbers of the hashes in the script change_directory.
const (
	hashTenants = iota + 1
	hashPeople
	hashKeys
	hashChannels
	hashSettings
)

// hubSettings is the only entry of the settings' hash.
const hubSettings = "hub"

// entryWrite is one entry to store; no JSON removes it.
type entryWrite struct {
	hash int
	id   string
	json []byte
}

// note is what the record says of a change; who did it and when is added.
type note struct {
	kind responsehub.EventKind
	item string
	text string
}

// directoryTries bounds how often a write is decided anew because somebody else wrote.
const directoryTries = 20

// change decides a write on the newest directory and stores it if nobody else wrote
// meanwhile; else it decides anew. Who asked for it goes on the record in the same write.
// Afterwards the memory holds what was written.
func (d *Directory) change(ctx context.Context, by responsehub.By, decide func(*directory) ([]entryWrite, []note, error)) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	keys := append([]string{directoryVersionKey, journalKey}, directoryHashes[:]...)
	for range directoryTries {
		now, err := d.load(ctx)
		if err != nil {
			return err
		}
		writes, notes, err := decide(now)
		if err != nil || len(writes) == 0 && len(notes) == 0 {
			return err
		}
		events, err := d.journalled(ctx, by, notes)
		if err != nil {
			return err
		}
		args := append([]any{now.version, len(events)}, events...)
		for _, w := range writes {
			args = append(args, w.hash, w.id, w.json)
		}
		version, err := changeDirectory.Run(ctx, d.rdb, keys, args...).Int64()
		if err != nil {
			return fmt.Errorf("directory: write: %w", err)
		}
		if version >= 0 {
			_, err = d.load(ctx)
			return err
		}
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: "Others are changing the directory right now. Try again in a moment."}
}

func put(hash int, id string, v any) (entryWrite, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return entryWrite{}, fmt.Errorf("directory: encode %s: %w", id, err)
	}
	return entryWrite{hash, id, b}, nil
}

// SetResponse turns a tenant's Response on or off and returns the tenant as it is then.
// Turning it to where it stands changes nothing.
func (d *Directory) SetResponse(ctx context.Context, by responsehub.By, id string, on bool) (responsehub.Tenant, error) {
	what := "Response turned off"
	if on {
		what = "Response turned on"
	}
	return d.ChangeTenant(ctx, by, what, id, func(t *responsehub.Tenant) error {
		if t.Response == on {
			return errUnchanged
		}
		if on && t.Bought() != responsehub.ProductResponse {
			return responsehub.Refuse("Response is not part of what " + t.Name + " has (product notify). Switch the product first.")
		}
		t.Response = on
		return nil
	})
}

// PutSettings stores the hub's switches. How webhooks are signed stays as it is.
func (d *Directory) PutSettings(ctx context.Context, by responsehub.By, s responsehub.Settings) error {
	s.V = max(s.V, 1)
	text := "Automatic action is on"
	if s.Stopped != nil {
		text = "All automatic action is stopped"
	}
	return d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		s.Signing = now.settings[hubSettings].Signing
		w, err := put(hashSettings, hubSettings, s)
		return []entryWrite{w}, []note{{responsehub.EventSettingsChanged, hubSettings, text}}, err
	})
}

// Sign changes how an address is signed and returns how it is then. id is its
// [responsehub.AddressID]; text says in the record what was done.
func (d *Directory) Sign(ctx context.Context, by responsehub.By, text, id string, edit func(responsehub.Signing) responsehub.Signing) (made responsehub.Signing, err error) {
	err = d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		s := now.settings[hubSettings]
		s.V, s.Signing = max(s.V, 1), maps.Clone(s.Signing)
		if s.Signing == nil {
			s.Signing = map[string]responsehub.Signing{}
		}
		made = edit(s.Signing[id])
		s.Signing[id] = made
		w, err := put(hashSettings, hubSettings, s)
		return []entryWrite{w}, []note{{responsehub.EventSettingsChanged, id, text}}, err
	})
	return made, err
}

// Apply stores tenants and people: those with a known Microsoft tenant id (a known
// person id) are replaced and keep their own id, the others are added. Those that are
// not named stay.
func (d *Directory) Apply(ctx context.Context, by responsehub.By, tenants []responsehub.Tenant, people []responsehub.Person) error {
	return d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) { return upserts(now, tenants, people) })
}

// Seed stores tenants and people in a store that has none yet, and reports whether it did.
func (d *Directory) Seed(ctx context.Context, tenants []responsehub.Tenant, people []responsehub.Person) (seeded bool, err error) {
	err = d.change(ctx, responsehub.Hub.By(), func(now *directory) ([]entryWrite, []note, error) {
		seeded = len(now.tenants) == 0 && len(now.people) == 0
		if !seeded {
			return nil, nil, nil
		}
		writes, notes, err := upserts(now, tenants, people)
		seeded = len(writes) > 0
		return writes, notes, err
	})
	return seeded && err == nil, err
}

func upserts(now *directory, tenants []responsehub.Tenant, people []responsehub.Person) ([]entryWrite, []note, error) {
	var writes []entryWrite
	var notes []note
	given := map[string]string{} // hub id by Microsoft tenant id, within this call
	for _, t := range tenants {
		microsoft := strings.ToLower(t.MicrosoftTenantID)
		if was, ok := now.byMicrosoft(t.MicrosoftTenantID); ok {
			t.ID = was.ID
		}
		t.ID = cmp.Or(t.ID, given[microsoft], microsoft)
		if t.ID == "" {
			return nil, nil, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "/tenants", Message: fmt.Sprintf("The tenant %.60q has no Microsoft tenant id.", t.Name)}
		}
		if other, ok := now.tenants[t.ID]; ok && !strings.EqualFold(other.MicrosoftTenantID, t.MicrosoftTenantID) {
			return nil, nil, &responsehub.Error{Kind: responsehub.Conflict, Message: fmt.Sprintf("The id %.60q belongs to another tenant, %s.", t.ID, other.Name)}
		}
		given[microsoft] = t.ID
		t.V = max(t.V, 1)
		w, err := put(hashTenants, t.ID, t)
		if err != nil {
			return nil, nil, err
		}
		writes = append(writes, w)
		notes = append(notes, note{responsehub.EventTenantChanged, t.ID, "Tenant " + t.Name + " taken over from a list"})
	}
	for _, p := range people {
		if p.ID == "" {
			return nil, nil, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "/people", Message: fmt.Sprintf("The person %.60q has no id.", p.Name)}
		}
		p.V = max(p.V, 1)
		w, err := put(hashPeople, p.ID, p)
		if err != nil {
			return nil, nil, err
		}
		writes = append(writes, w)
		notes = append(notes, note{responsehub.EventPersonChanged, p.ID, "Person " + p.Name + " (" + string(p.Role) + ") taken over from a list"})
	}
	return writes, notes, nil
}

// PutChannel stores a Teams channel.
func (d *Directory) PutChannel(ctx context.Context, c responsehub.Channel) error {
	c.V = max(c.V, 1)
	return d.putOne(ctx, responsehub.Hub.By(), hashChannels, c.ID, c) // learnt, nobody's decision
}

// PutKey stores a new API key; it is a Conflict error when there is one with its id.
func (d *Directory) PutKey(ctx context.Context, by responsehub.By, k responsehub.APIKey) error {
	k.V = max(k.V, 1)
	w, err := put(hashKeys, k.ID, k)
	if err != nil {
		return err
	}
	return d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		switch _, there := now.keys[k.ID]; {
		case k.ID == "":
			return nil, nil, &responsehub.Error{Kind: responsehub.Invalid, Message: "An API key needs an id."}
		case there:
			return nil, nil, &responsehub.Error{Kind: responsehub.Conflict, Message: fmt.Sprintf("There is an API key %.60q already.", k.ID)}
		}
		return []entryWrite{w}, []note{{responsehub.EventKeyMade, k.ID, "API key " + k.Name + " (" + string(k.Role) + ") made"}}, nil
	})
}

// DeleteKey removes an API key; it is a NotFound error when there is none.
func (d *Directory) DeleteKey(ctx context.Context, by responsehub.By, id string) error {
	return d.change(ctx, by, func(now *directory) ([]entryWrite, []note, error) {
		k, ok := now.keys[id]
		if !ok {
			return nil, nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no API key %.60q.", id)}
		}
		return []entryWrite{{hash: hashKeys, id: id}}, []note{{responsehub.EventKeyRemoved, id, "API key " + k.Name + " removed"}}, nil
	})
}

func (d *Directory) putOne(ctx context.Context, by responsehub.By, hash int, id string, v any, notes ...note) error {
	if id == "" {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "An entry of the directory needs an id."}
	}
	w, err := put(hash, id, v)
	if err != nil {
		return err
	}
	return d.change(ctx, by, func(*directory) ([]entryWrite, []note, error) { return []entryWrite{w}, notes, nil })
}
