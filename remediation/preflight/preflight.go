package preflight

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"responsehub"
)

// Rights is what a token says that the hub's app may do in a tenant.
type Rights struct {
	Known       bool     // the token could be read
	Permissions []string // such as Mail.ReadWrite
	Roles       []string // directory roles by name
}

// Microsoft is what a preflight reads in a tenant, named by its Microsoft tenant id.
// Errors are *responsehub.Error with the sentence for people.
type Microsoft interface {
	// Rights are those of a token for Microsoft Graph made just now.
	Rights(ctx context.Context, tenant string) (Rights, error)
	// ExchangeRights are those of one for Exchange Online; NotFound where there is none.
	ExchangeRights(ctx context.Context, tenant string) (Rights, error)
	// Exchange runs the smallest cmdlet there.
	Exchange(ctx context.Context, tenant string) error
	// Trace makes the smallest message trace.
	Trace(ctx context.Context, tenant string) error
	// SignIns reads one sign-in, for which the tenant needs a licence.
	SignIns(ctx context.Context, tenant string) error
	// Hybrid reports whether the directory is synchronised from on-premises AD.
	Hybrid(ctx context.Context, tenant string) (bool, error)
	// ConsentLink is where an administrator of the tenant consents to the hub's app.
	ConsentLink(tenant string) string
	// ConsentMissing reports whether a refused token is for want of that consent.
	ConsentMissing(err error) bool
}

// SignIn is what a preflight knows of a person's sign-in to a tenant.
type SignIn struct {
	Who    string
	At     time.Time
	Rights Rights // of the person
}

// Directory is the list of tenants and of the channels in which the bot was seen.
type Directory interface {
	Tenants() []responsehub.Tenant
	Tenant(id string) (responsehub.Tenant, bool)
	Channel(id string) (responsehub.Channel, bool)
}

// Keeper keeps what was found, by the hub's id of the tenant.
type Keeper interface {
	KeepReadiness(ctx context.Context, r responsehub.Readiness) error
	Readiness(ctx context.Context) (map[string]responsehub.Readiness, error)
}

// Config says how preflights are made.
type Config struct {
	Microsoft Microsoft
	Directory Directory
	Keeper    Keeper        // nil keeps nothing
	Teams     bool          // the hub has a bot
	Fallback  []string      // channels that are told when a tenant has none
	Every     time.Duration // how old a result may get before the hub looks again; 0 is 6 h
	First     time.Duration // how long after its start the hub begins to look; 0 is 3 min
	// SignIn asks Microsoft whether the sign-in that password writeback needs still stands in
	// a tenant of that mode, and says whose it is; nil: the hub holds none.
	SignIn func(ctx context.Context, tenant string) (SignIn, error)
	// More looks at what else the tenant's incidents need, such as a company for tickets; nil: nothing.
	More func(ctx context.Context, t responsehub.Tenant) []responsehub.Check
	Busy func() bool  // work for incidents is under way, which looking must not disturb; nil: never
	Log  *slog.Logger // nil discards
}

const (
	// lookWithin bounds one preflight: whoever waits for it waits at a terminal.
	lookWithin = 45 * time.Second
	// beat is how often the hub asks itself whether a result is too old, and reads what
	// its replicas found.
	beat = time.Minute
	// hintFor is how long a result is good enough to be shown at a step.
	hintFor = 24 * time.Hour
)

// Preflight looks at tenants. It is safe for concurrent use.
type Preflight struct {
	cfg  Config
	log  *slog.Logger
	kept atomic.Pointer[map[string]responsehub.Readiness]
}

// New returns a Preflight; it makes no request.
func New(cfg Config) *Preflight {
	p := &Preflight{cfg: cfg, log: cfg.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.kept.Store(&map[string]responsehub.Readiness{})
	return p
}

// Run looks at a tenant now and keeps what it found.
func (p *Preflight) Run(ctx context.Context, t responsehub.Tenant) (responsehub.Readiness, error) {
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	r := responsehub.Readiness{V: 1, Tenant: t.Ref(), At: time.Now().UTC(), Checks: p.look(within, t)}
	if err := ctx.Err(); err != nil {
		return responsehub.Readiness{}, err
	}
	if p.cfg.Keeper == nil || t.ID == "" {
		return r, nil
	}
	if err := p.cfg.Keeper.KeepReadiness(ctx, r); err != nil {
		return r, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The tenant was looked at, but the result could not be kept. Try again in a moment.", Err: err}
	}
	return r, p.refresh(ctx)
}

// Kept returns what was found last, by any replica.
func (p *Preflight) Kept(ctx context.Context, tenant string) (responsehub.Readiness, bool, error) {
	if err := p.refresh(ctx); err != nil {
		return responsehub.Readiness{}, false, err
	}
	r, ok := p.Known(tenant)
	return r, ok, nil
}

// Known is what was found last as far as this process knows, from memory.
func (p *Preflight) Known(tenant string) (responsehub.Readiness, bool) {
	r, ok := (*p.kept.Load())[tenant]
	if ok {
		r = p.present(r)
	}
	return r, ok
}

// present takes what is said of the channels from the directory as it is now: a bot that
// was removed shows at once, not with the next look.
func (p *Preflight) present(r responsehub.Readiness) responsehub.Readiness {
	if p.cfg.Directory == nil {
		return r
	}
	t, ok := p.cfg.Directory.Tenant(r.Tenant.ID)
	isTeams := func(c responsehub.Check) bool { return c.Name == checkTeams }
	first := slices.IndexFunc(r.Checks, isTeams)
	if !ok || first < 0 {
		return r
	}
	r.Checks = slices.Insert(slices.DeleteFunc(slices.Clone(r.Checks), isTeams), first, p.channels(t)...)
	return r
}

// Lacks is one sentence on what keeps a step from working in a tenant, "" when nothing
// is known to or the last look is over for a day. It comes from memory.
func (p *Preflight) Lacks(tenant string, step responsehub.StepID) string {
	r, ok := p.Known(tenant)
	if !ok || time.Since(r.At) > hintFor {
		return ""
	}
	return r.Lacks(step)
}

func (p *Preflight) refresh(ctx context.Context) error {
	if p.cfg.Keeper == nil {
		return nil
	}
	kept, err := p.cfg.Keeper.Readiness(ctx)
	if err != nil {
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "What is known of the tenants cannot be read now. Try again in a moment.", Err: err}
	}
	p.kept.Store(&kept)
	return nil
}

// Keep looks at each tenant when its result has grown old, one tenant at a time and not
// while incidents are worked on, until ctx ends.
func (p *Preflight) Keep(ctx context.Context) {
	every, last := cmp.Or(p.cfg.Every, 6*time.Hour), time.Now().Add(cmp.Or(p.cfg.First, 3*time.Minute))
	for {
		if err := p.refresh(ctx); err != nil && ctx.Err() == nil {
			p.log.Debug("readiness of the tenants cannot be read", "error", errors.Unwrap(err))
		}
		if !time.Now().Before(last) {
			p.renew(ctx, every)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(beat):
		}
	}
}

// renew looks at those tenants whose result is too old.
func (p *Preflight) renew(ctx context.Context, every time.Duration) {
	for _, t := range p.cfg.Directory.Tenants() {
		r, known := p.Known(t.ID)
		age := time.Since(r.At)
		switch {
		case ctx.Err() != nil:
			return
		case known && age < every+jitter(t.ID, every):
			continue
		case p.cfg.Busy != nil && p.cfg.Busy() && (!known || age < 4*every):
			return // an incident comes first
		}
		if r, err := p.Run(ctx, t); err == nil && r.Missing() > 0 {
			p.log.Warn("steps would fail in a tenant: see its preflight", "tenant", t.ID, "missing", r.Missing())
		} else if err != nil && ctx.Err() == nil {
			p.log.Warn("tenant could not be looked at", "tenant", t.ID, "error", err)
		}
	}
}

// jitter spreads the tenants over a tenth of the period.
func jitter(id string, every time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return every / 1000 * time.Duration(h.Sum32()%100)
}

// All is what this process knows of all tenants.
func (p *Preflight) All() map[string]responsehub.Readiness {
	all := maps.Clone(*p.kept.Load())
	for id, r := range all {
		all[id] = p.present(r)
	}
	return all
}
