package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
)

// directoryEvery is how often the directory looks whether another process wrote.
const directoryEvery = time.Second

// Directory is the list of tenants, people, API keys and Teams channels, and the hub's
// switches. Reads come
// from memory and are at most about a second old while Run runs; TenantOf can be told
// to be exact. What it returns must not be changed.
type Directory struct {
	rdb     redis.UniversalClient
	log     *slog.Logger
	loading sync.Mutex // one reload at a time, or a crowd of alerts would all read everything
	cache   atomic.Pointer[directory]
}

// directory is one version of everything, never changed once it is made.
type directory struct {
	version  int64
	tenants  map[string]responsehub.Tenant
	people   map[string]responsehub.Person
	keys     map[string]responsehub.APIKey
	channels map[string]responsehub.Channel
	settings map[string]responsehub.Settings
}

// NewDirectory returns an empty directory on a client, which the caller closes. Refresh
// or Run fills it.
func NewDirectory(rdb redis.UniversalClient, log *slog.Logger) *Directory {
	d := &Directory{rdb: rdb, log: log}
	d.cache.Store(&directory{})
	return d
}

// Run keeps the directory fresh until ctx ends, which is no error.
func (d *Directory) Run(ctx context.Context) error {
	failures := 0
	for {
		if err := d.catchUp(ctx); err != nil && ctx.Err() == nil {
			if failures++; failures == 1 {
				d.log.Warn("directory cannot be read, the last known one is used", "error", err)
			}
		} else {
			failures = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(directoryEvery):
		}
	}
}

// catchUp reloads when the stored version is another one.
func (d *Directory) catchUp(ctx context.Context) error {
	version, err := d.rdb.Get(ctx, directoryVersionKey).Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("directory: read version: %w", err)
	}
	if version == d.cache.Load().version {
		return nil
	}
	return d.Refresh(ctx)
}

// Refresh reads everything anew.
func (d *Directory) Refresh(ctx context.Context) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	_, err := d.load(ctx)
	return err
}

// load reads everything at one moment. The caller holds the lock.
func (d *Directory) load(ctx context.Context) (*directory, error) {
	var version *redis.StringCmd
	var hashes [len(directoryHashes)]*redis.MapStringStringCmd
	_, err := d.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		version = pipe.Get(ctx, directoryVersionKey)
		for i, key := range directoryHashes {
			hashes[i] = pipe.HGetAll(ctx, key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("directory: read: %w", err)
	}
	next := &directory{}
	if next.version, err = version.Int64(); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("directory: read version: %w", err)
	}
	if next.tenants, err = entries[responsehub.Tenant](hashes[0].Val()); err != nil {
		return nil, fmt.Errorf("directory: tenant %w", err)
	}
	if next.people, err = entries[responsehub.Person](hashes[1].Val()); err != nil {
		return nil, fmt.Errorf("directory: person %w", err)
	}
	if next.keys, err = entries[responsehub.APIKey](hashes[2].Val()); err != nil {
		return nil, fmt.Errorf("directory: API key %w", err)
	}
	if next.channels, err = entries[responsehub.Channel](hashes[3].Val()); err != nil {
		return nil, fmt.Errorf("directory: channel %w", err)
	}
	if next.settings, err = entries[responsehub.Settings](hashes[4].Val()); err != nil {
		return nil, fmt.Errorf("directory: settings %w", err)
	}
	d.cache.Store(next)
	return next, nil
}

func entries[T any](stored map[string]string) (map[string]T, error) {
	all := make(map[string]T, len(stored))
	for id, s := range stored {
		var v T
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", id, err)
		}
		all[id] = v
	}
	return all, nil
}

// Tenants returns all tenants by name.
func (d *Directory) Tenants() []responsehub.Tenant {
	type entry struct {
		key    string
		tenant responsehub.Tenant
	}
	kept := d.cache.Load().tenants
	all := make([]entry, 0, len(kept))
	for _, t := range kept {
		all = append(all, entry{strings.ToLower(t.Name) + "|" + t.ID, t})
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	tenants := make([]responsehub.Tenant, len(all))
	for i := range all {
		tenants[i] = all[i].tenant
	}
	return tenants
}

// Tenant returns a tenant by the hub's id or by the Microsoft tenant id.
func (d *Directory) Tenant(id string) (responsehub.Tenant, bool) { return d.cache.Load().tenant(id) }

func (d *directory) tenant(id string) (responsehub.Tenant, bool) {
	if t, ok := d.tenants[id]; ok {
		return t, true
	}
	for _, t := range d.tenants {
		if t.Known(id) {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}

// TenantOf finds the tenant an alert is about: by the Microsoft tenant id, else by the
// source's own id for it. It reads the list anew first when version is newer than what
// it has. The answer is false for a tenant the hub does not know.
func (d *Directory) TenantOf(ctx context.Context, version int64, source string, t responsehub.AlertTenant) (responsehub.Tenant, bool, error) {
	now := d.cache.Load()
	if version > now.version {
		if err := d.reload(ctx, version); err != nil {
			return responsehub.Tenant{}, false, err
		}
		now = d.cache.Load()
	}
	if t.MicrosoftTenantID != "" {
		// Never by the other id then: an alert must not reach a tenant it does not name.
		found, ok := now.byMicrosoft(t.MicrosoftTenantID)
		return found, ok, nil
	}
	for _, k := range now.tenants {
		if t.SourceTenantID != "" && k.SourceIDs[source] == t.SourceTenantID {
			return k, true, nil
		}
	}
	return responsehub.Tenant{}, false, nil
}

// reload reads everything unless somebody did while this call waited its turn.
func (d *Directory) reload(ctx context.Context, version int64) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	if d.cache.Load().version >= version {
		return nil
	}
	_, err := d.load(ctx)
	return err
}

func (d *directory) byMicrosoft(id string) (responsehub.Tenant, bool) {
	for _, t := range d.tenants {
		if id != "" && strings.EqualFold(t.MicrosoftTenantID, id) {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}

// Settings returns the hub's switches.
func (d *Directory) Settings() responsehub.Settings { return d.cache.Load().settings[hubSettings] }

// People returns all people by id.
func (d *Directory) People() []responsehub.Person { return sorted(d.cache.Load().people) }

// PersonByEntra returns the person with the Entra object id.
func (d *Directory) PersonByEntra(objectID string) (responsehub.Person, bool) {
	for _, p := range d.cache.Load().people {
		if objectID != "" && strings.EqualFold(p.EntraObjectID, objectID) {
			return p, true
		}
	}
	return responsehub.Person{}, false
}

// Channel returns a Teams channel by its id.
func (d *Directory) Channel(id string) (responsehub.Channel, bool) {
	c, ok := d.cache.Load().channels[id]
	return c, ok
}

// Channels returns all Teams channels by id.
func (d *Directory) Channels() []responsehub.Channel { return sorted(d.cache.Load().channels) }

// Keys returns all API keys by id.
func (d *Directory) Keys() []responsehub.APIKey { return sorted(d.cache.Load().keys) }

func sorted[T any](all map[string]T) []T {
	list := make([]T, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[id])
	}
	return list
}

// Version is the version of the list as it is in memory.
func (d *Directory) Version() int64 { return d.cache.Load().version }
