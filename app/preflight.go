package app

import (
	"context"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/exchange"
	"responsehub/connectors/graph"
	"responsehub/remediation/preflight"
	"responsehub/remediation/steps"
)

// probe is Microsoft as a preflight asks it.
type probe struct {
	login *entra.Login
	graph *graph.Client
	mail  *exchange.Client
}

var _ preflight.Microsoft = probe{}

func rightsOf(r entra.Rights, err error) (preflight.Rights, error) {
	return preflight.Rights{Known: r.Known, Permissions: r.Roles, Roles: r.DirectoryRoles()}, err
}

func (p probe) Rights(ctx context.Context, tenant string) (preflight.Rights, error) {
	return rightsOf(p.graph.FreshRights(ctx, tenant))
}

func (p probe) ExchangeRights(ctx context.Context, tenant string) (preflight.Rights, error) {
	return rightsOf(p.mail.FreshRights(ctx, tenant))
}

func (p probe) Exchange(ctx context.Context, tenant string) error { return p.mail.Answers(ctx, tenant) }

func (p probe) Trace(ctx context.Context, tenant string) error {
	return p.graph.TraceAnswers(ctx, tenant)
}

func (p probe) SignIns(ctx context.Context, tenant string) error {
	return p.graph.SignInsAnswer(ctx, tenant)
}

func (p probe) Hybrid(ctx context.Context, tenant string) (bool, error) {
	return p.graph.Hybrid(ctx, tenant)
}

func (p probe) ConsentLink(tenant string) string { return p.login.ConsentLink(tenant) }

func (p probe) ConsentMissing(err error) bool { return entra.ClassOf(err) == entra.ConsentMissing }

// signIn asks whether a person's sign-in to a tenant still stands.
func (a *App) signIn(ctx context.Context, tenant string) (preflight.SignIn, error) {
	token, s, err := a.signIns.Check(ctx, tenant)
	rights, err := rightsOf(token.Rights, err)
	return preflight.SignIn{Who: s.Who, At: s.At, Rights: rights}, err
}

// rehearsal is what the API asks before a step runs: what is missing in a tenant, and
// what the steps would do.
type rehearsal struct {
	*preflight.Preflight
	steps *steps.Rehearsal
}

// Rehearse tells what the steps of the incident would do now.
func (r rehearsal) Rehearse(ctx context.Context, inc *responsehub.Incident) (responsehub.Plan, error) {
	return r.steps.Plan(ctx, inc, func(id responsehub.StepID) string { return r.Lacks(inc.Tenant.ID, id) })
}

// buildPreflight makes what looks at tenants, on the parts that do the steps.
func (a *App) buildPreflight(p probe, persistence *steps.DisablePersistence, account *steps.AccountLane) {
	a.rehearsal = rehearsal{
		Preflight: preflight.New(preflight.Config{
			Microsoft: p, Directory: a.directory, Keeper: a.store, Teams: a.cfg.Teams != nil, Fallback: a.cfg.Fallback.Teams,
			SignIn: a.signIn, More: a.checkTicketsOf, Busy: a.engine.Busy, Log: a.log.With("part", "preflight"),
		}),
		steps: &steps.Rehearsal{
			Directory: a.graph, Roles: a.graph, Mail: a.graph, Persistence: persistence, Account: account,
			LockGroup: a.lockGroup, NeedsRole: a.graph.NeedsRole, Trace: a.graph.TraceAnswers,
		},
	}
}
