package remediation

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"responsehub"
)

// Config says how an engine works. The zero value is usable but for Key.
type Config struct {
	Key       []byte        // 32 bytes; seals one-time passwords
	Lease     time.Duration // how long a worker holds a lane without a sign of life; 0 is 10 s
	InFlight  int           // lanes worked on at once by this process; 0 is 256. Urgent lanes do not count
	Grace     time.Duration // how long turns under way may go on when the hub stops; 0 is 8 s
	Tenants   Tenants       // finds an alert's tenant
	Followers []responsehub.Follower
	Settings  func() responsehub.Settings // the hub's switches as they are now; nil: nothing is switched off
	Counts    Counts                      // across all processes; nil: no tenant's limit is kept
	Roles     Roles                       // nil: whether an account is an administrator's is not known
	Around    Around                      // put around each turn, for tracing; nil: nothing is
}

// Around calls follow once and returns what it returned.
type Around func(ctx context.Context, lane responsehub.Lane, t *responsehub.Turn, follow func(context.Context) responsehub.Outcome) responsehub.Outcome

// Engine is the one door. Make it with New; Run works the lanes.
type Engine struct {
	store     Store
	archive   Archive
	vault     *Vault
	lease     time.Duration
	inFlight  int
	grace     time.Duration
	tenants   Tenants
	followers map[responsehub.Lane]responsehub.Follower
	lanes     []responsehub.Lane // of the followers, sorted
	log       *slog.Logger
	metrics   *metrics
	working   atomic.Int64
	settings  func() responsehub.Settings
	counts    Counts
	roles     Roles
	around    Around
}

// New returns an engine on a store. Followers may be added until Run is called.
func New(store Store, archive Archive, cfg Config, log *slog.Logger) (*Engine, error) {
	vault, err := NewVault(cfg.Key)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		store: store, archive: archive, vault: vault,
		lease: cmp.Or(cfg.Lease, 10*time.Second), inFlight: cmp.Or(cfg.InFlight, 256),
		grace: cmp.Or(cfg.Grace, 8*time.Second), tenants: cfg.Tenants,
		followers: map[responsehub.Lane]responsehub.Follower{}, log: log, metrics: newMetrics(),
	}
	e.settings, e.counts, e.roles, e.around = cfg.Settings, cfg.Counts, cfg.Roles, cfg.Around
	if e.settings == nil {
		e.settings = func() responsehub.Settings { return responsehub.Settings{} }
	}
	e.Follow(cfg.Followers...)
	return e, nil
}

// Follow adds followers. It must not be called after Run or the first write.
func (e *Engine) Follow(fs ...responsehub.Follower) {
	for _, f := range fs {
		e.followers[f.Lane()] = f
	}
	e.lanes = slices.Sorted(maps.Keys(e.followers))
}

// Vault returns the vault that seals one-time passwords.
func (e *Engine) Vault() *Vault { return e.vault }

// Incident returns an incident by its id or its ref, if the actor may see it.
func (e *Engine) Incident(ctx context.Context, actor responsehub.Actor, idOrRef string) (*responsehub.Incident, error) {
	id, err := e.resolve(ctx, idOrRef)
	if err != nil {
		return nil, err
	}
	inc, _, err := e.load(ctx, id, "")
	if err != nil {
		return nil, err
	}
	// To somebody who may not see the tenant the incident does not exist.
	if err := actor.May(responsehub.See, inc.Tenant); err != nil {
		if actor.Role == "" {
			return nil, err
		}
		return nil, notFound(idOrRef)
	}
	return inc, nil
}

// Request asks for a step. It is the only way to one. The answer is a sentence for
// the person; a shut gate is a Refused error, a missing right a Forbidden one. The
// second asker joins the first.
func (e *Engine) Request(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error) {
	id, err := e.resolve(ctx, idOrRef)
	if err != nil {
		return responsehub.Answer{}, err
	}
	admin := e.adminOf(ctx, actor, id, step, func(inc *responsehub.Incident) bool { return inc.Blocked(step) == "" })
	return e.command(ctx, actor, id, r.CommandID, responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		r.TwoPeople = e.needsTwo(inc, actor, admin)
		return inc.Ask(step, actor, r, time.Now())
	})
}

// Acknowledge notes that the actor takes the incident: paging stops everywhere.
func (e *Engine) Acknowledge(ctx context.Context, actor responsehub.Actor, idOrRef, command string) (responsehub.Answer, error) {
	id, err := e.resolve(ctx, idOrRef)
	if err != nil {
		return responsehub.Answer{}, err
	}
	verb := responsehub.See // whoever is called may answer, though a phone may run nothing
	switch actor.Via {
	case responsehub.ViaConsole, responsehub.ViaAPI, responsehub.ViaTeams:
		verb = responsehub.Act // it stops the paging: not for those who only look in, such as guests
	}
	return e.command(ctx, actor, id, command, verb, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.Acknowledge(actor, time.Now()), nil
	})
}

// Note records an event that changes nothing else, such as a refused click. It fails
// only when the store does.
func (e *Engine) Note(ctx context.Context, id string, ev responsehub.Event) error {
	_, err := e.update(ctx, id, func(inc *responsehub.Incident) error {
		inc.Record(ev)
		return nil
	})
	return err
}
