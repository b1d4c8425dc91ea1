package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"responsehub/store"
)

// errUnusable says that Redis is there and must not be worked on.
var errUnusable = errors.New("unusable store")

// prepare checks Redis and seeds it at its first start.
func (a *App) prepare(ctx context.Context) error {
	findings := a.store.Check(ctx)
	a.health.findings.Store(&findings)
	for _, f := range findings {
		switch {
		case f.Grade == store.Good:
		case f.Name == "reachable":
			return errors.New(f.Sentence)
		case f.Name == "partitions" && f.Grade == store.Bad:
			return fmt.Errorf("%w: %s", errUnusable, f.Sentence)
		case f.Grade == store.Bad:
			a.log.Error("REDIS CAN LOSE INCIDENTS", "check", f.Name, "finding", f.Sentence)
		default:
			a.log.Warn("redis keeps less than promised", "check", f.Name, "grade", string(f.Grade), "finding", f.Sentence)
		}
	}
	tenants, people := a.cfg.TenantsAndPeople()
	seeded, err := a.directory.Seed(ctx, tenants, people)
	if err != nil {
		return fmt.Errorf("seed tenants and people: %w", err)
	}
	if seeded {
		a.log.Info("first start: tenants and people taken from the configuration", "tenants", len(tenants), "people", len(people))
	}
	return a.directory.Refresh(ctx)
}

// watchRedis keeps readiness true, and sweeps when another Redis answers: after a
// failover the last acknowledged writes may be missing.
func (a *App) watchRedis(ctx context.Context) {
	last := ""
	for pause(ctx, 2*time.Second) {
		findings := a.store.Check(ctx)
		if ctx.Err() != nil {
			return
		}
		a.health.findings.Store(&findings)
		id, err := a.store.RunID(ctx)
		if err != nil {
			continue
		}
		if last != "" && id != last {
			a.log.Warn("redis was restarted or failed over; lanes are swept", "run_id", id)
			a.engine.Sweep(ctx)
		}
		last = id
	}
}

// keepWarm holds a token for every tenant, so that a lock does not begin with a
// sign-in.
func (a *App) keepWarm(ctx context.Context) {
	if a.bot != nil {
		warm, cancel := context.WithTimeout(ctx, 10*time.Second)
		if err := a.bot.Warm(warm); err != nil {
			a.log.Warn("teams: the first click will take longer", "error", err)
		}
		cancel()
	}
	for {
		for _, t := range a.directory.Tenants() {
			if ctx.Err() != nil {
				return
			}
			warm, cancel := context.WithTimeout(ctx, 10*time.Second)
			if err := a.graph.Warm(warm, t.MicrosoftTenantID); err != nil {
				a.log.Warn("no token for the tenant: its steps would fail now", "tenant", t.ID, "error", err)
			}
			cancel()
		}
		if !pause(ctx, 10*time.Minute) {
			return
		}
	}
}
