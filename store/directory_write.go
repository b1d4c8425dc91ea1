package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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

// directoryTries bounds how often a write is decided anew because somebody else wrote.
const directoryTries = 20

// change decides a write on the newest directory and stores it if nobody else wrote
// meanwhile; else it decides anew. Afterwards the memory holds what was written.
func (d *Directory) change(ctx context.Context, decide func(*directory) ([]entryWrite, error)) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	keys := append([]string{directoryVersionKey}, directoryHashes[:]...)
	for range directoryTries {
		now, err := d.load(ctx)
		if err != nil {
			return err
		}
		writes, err := decide(now)
		if err != nil || len(writes) == 0 {
			return err
		}
		args := []any{now.version}
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
func (d *Directory) SetResponse(ctx context.Context, id string, on bool) (responsehub.Tenant, error) {
	var t responsehub.Tenant
	err := d.change(ctx, func(now *directory) ([]entryWrite, error) {
		var ok bool
		if t, ok = now.tenant(id); !ok {
			return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.60q.", id)}
		}
		if t.Response == on {
			return nil, nil
		}
		t.Response = on
		w, err := put(hashTenants, t.ID, t)
		return []entryWrite{w}, err
	})
	return t, err
}

// PutSettings stores the hub's switches.
func (d *Directory) PutSettings(ctx context.Context, s responsehub.Settings) error {
	s.V = max(s.V, 1)
	return d.putOne(ctx, hashSettings, hubSettings, s)
}

// Apply stores tenants and people: those with a known Microsoft tenant id (a known
// person id) are replaced and keep their own id, the others are added. Those that are
// not named stay.
func (d *Directory) Apply(ctx context.Context, tenants []responsehub.Tenant, people []responsehub.Person) error {
	return d.change(ctx, func(now *directory) ([]entryWrite, error) { return upserts(now, tenants, people) })
}

// Seed stores tenants and people in a store that has none yet, and reports whether it did.
func (d *Directory) Seed(ctx context.Context, tenants []responsehub.Tenant, people []responsehub.Person) (seeded bool, err error) {
	err = d.change(ctx, func(now *directory) ([]entryWrite, error) {
		seeded = len(now.tenants) == 0 && len(now.people) == 0
		if !seeded {
			return nil, nil
		}
		writes, err := upserts(now, tenants, people)
		seeded = len(writes) > 0
		return writes, err
	})
	return seeded && err == nil, err
}

func upserts(now *directory, tenants []responsehub.Tenant, people []responsehub.Person) ([]entryWrite, error) {
	var writes []entryWrite
	given := map[string]string{} // hub id by Microsoft tenant id, within this call
	for _, t := range tenants {
		microsoft := strings.ToLower(t.MicrosoftTenantID)
		if was, ok := now.byMicrosoft(t.MicrosoftTenantID); ok {
			t.ID = was.ID
		}
		t.ID = cmp.Or(t.ID, given[microsoft], microsoft)
		if t.ID == "" {
			return nil, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "/tenants", Message: fmt.Sprintf("The tenant %.60q has no Microsoft tenant id.", t.Name)}
		}
		if other, ok := now.tenants[t.ID]; ok && !strings.EqualFold(other.MicrosoftTenantID, t.MicrosoftTenantID) {
			return nil, &responsehub.Error{Kind: responsehub.Conflict, Message: fmt.Sprintf("The id %.60q belongs to another tenant, %s.", t.ID, other.Name)}
		}
		given[microsoft] = t.ID
		t.V = max(t.V, 1)
		w, err := put(hashTenants, t.ID, t)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	for _, p := range people {
		if p.ID == "" {
			return nil, &responsehub.Error{Kind: responsehub.Invalid, Pointer: "/people", Message: fmt.Sprintf("The person %.60q has no id.", p.Name)}
		}
		p.V = max(p.V, 1)
		w, err := put(hashPeople, p.ID, p)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// PutChannel stores a Teams channel.
func (d *Directory) PutChannel(ctx context.Context, c responsehub.Channel) error {
	c.V = max(c.V, 1)
	return d.putOne(ctx, hashChannels, c.ID, c)
}

// PutKey stores an API key.
func (d *Directory) PutKey(ctx context.Context, k responsehub.APIKey) error {
	k.V = max(k.V, 1)
	return d.putOne(ctx, hashKeys, k.ID, k)
}

// DeleteKey removes an API key; it is a NotFound error when there is none.
func (d *Directory) DeleteKey(ctx context.Context, id string) error {
	return d.change(ctx, func(now *directory) ([]entryWrite, error) {
		if _, ok := now.keys[id]; !ok {
			return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no API key %.60q.", id)}
		}
		return []entryWrite{{hash: hashKeys, id: id}}, nil
	})
}

func (d *Directory) putOne(ctx context.Context, hash int, id string, v any) error {
	if id == "" {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "An entry of the directory needs an id."}
	}
	w, err := put(hash, id, v)
	if err != nil {
		return err
	}
	return d.change(ctx, func(*directory) ([]entryWrite, error) { return []entryWrite{w}, nil })
}
