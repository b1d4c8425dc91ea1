package remediation

import (
	"context"
	"time"

	"responsehub"
)

// Counts counts names within a sliding period, each once, across all processes.
type Counts interface {
	// Take counts a name among the n of a list; ok is false when the list is full. fresh
	// says that this call counted it.
	Take(ctx context.Context, list, name string, n int, period time.Duration) (ok, fresh bool, err error)
	// Drop takes a name off again.
	Drop(ctx context.Context, list, name string) error
}

// Roles names the directory roles of an account. tenant is the Microsoft tenant id.
type Roles func(ctx context.Context, tenant, user string) ([]string, error)

const (
	// locksWithin is the period of a tenant's limit of automatic locks.
	locksWithin = time.Hour
	// rolesWait bounds the question for an account's roles: somebody waits for the answer.
	rolesWait = 2 * time.Second
)

// rule is what the policy may do with an alert.
type rule struct {
	response bool
	holds    []responsehub.Hold
	giveBack func(context.Context) // when the alert opens nothing, so locks nothing
}

// decide says what of the policy's steps is held back. A limit that cannot be read must
// not stop a lock.
func (e *Engine) decide(ctx context.Context, t *responsehub.Tenant, response bool, source string, a *responsehub.Alert) rule {
	r := rule{response: response, giveBack: func(context.Context) {}}
	if !response {
		return r
	}
	if r.holds = t.HoldsFor(e.settings(), a.Account); len(r.holds) > 0 {
		return r
	}
	r.holds, r.giveBack = e.countLock(ctx, t, responsehub.AccountKey(t.Ref(), source, a))
	return r
}

// countLock counts an account among those that were locked by themselves within the hour,
// and holds the lock back where it is one too many. giveBack is for a lock that was counted
// and does not come about.
func (e *Engine) countLock(ctx context.Context, t *responsehub.Tenant, name string) (holds []responsehub.Hold, giveBack func(context.Context)) {
	giveBack = func(context.Context) {}
	if e.counts == nil {
		return nil, giveBack
	}
	list, most := "locks:"+t.ID, t.LocksPerHour()
	ok, fresh, err := e.counts.Take(ctx, list, name, most, locksWithin)
	switch {
	case err != nil:
		e.log.Error("the limit of automatic locks cannot be read, so it holds nothing back", "tenant", t.ID, "error", err)
	case !ok:
		e.log.Warn("limit of automatic locks reached", "tenant", t.ID, "limit", most)
		holds = []responsehub.Hold{responsehub.LimitHold(t.Name, most)}
	case fresh:
		giveBack = func(ctx context.Context) {
			if err := e.counts.Drop(ctx, list, name); err != nil {
				e.log.Warn("an account that was not locked is counted as a lock", "tenant", t.ID, "error", err)
			}
		}
	}
	return holds, giveBack
}

// holds is what is held back at a tenant now: by the hub's switch, or by a pause of the
// tenant.
func (e *Engine) holds(tenant string) []responsehub.Hold {
	holds := e.settings().Holds()
	if e.tenants == nil || tenant == "" {
		return holds
	}
	if t, ok := e.tenants.Tenant(tenant); ok {
		holds = append(holds, t.Holds()...)
	}
	return holds
}

// byPerson reports whether somebody outside the hub asks. A key counts as a person: who
// holds it cannot be told.
func byPerson(actor responsehub.Actor) bool {
	return actor.Via != responsehub.ViaPolicy && actor.Via != responsehub.ViaHub
}

// needsTwo reports whether a second person has to ask for the steps that lock or open
// the incident's account.
func (e *Engine) needsTwo(inc *responsehub.Incident, actor responsehub.Actor, admin bool) bool {
	if !byPerson(actor) || e.tenants == nil || inc.Tenant.ID == "" {
		return false
	}
	t, ok := e.tenants.Tenant(inc.Tenant.ID)
	return ok && t.NeedsSecondPerson(inc.Account, admin)
}

// adminOf reports whether the incident's account holds a directory role, where that
// matters to the step. When it cannot be read the account is taken for an
// administrator's: two people can still go on. Microsoft is not asked where open says
// that the request is refused or answered anyway.
func (e *Engine) adminOf(ctx context.Context, actor responsehub.Actor, id string, step responsehub.StepID, open func(*responsehub.Incident) bool) bool {
	if !byPerson(actor) || !step.Protected() || e.tenants == nil {
		return false
	}
	inc, _, err := e.load(ctx, id, "")
	if err != nil || actor.May(responsehub.Act, inc.Tenant) != nil {
		return false // the command says what is wrong
	}
	t, ok := e.tenants.Tenant(inc.Tenant.ID)
	if !ok || !t.AsksForAdmins() || t.NeedsSecondPerson(inc.Account, false) || !open(inc) {
		return false
	}
	if e.roles == nil {
		return true
	}
	user := inc.Account.ObjectID
	if user == "" {
		user = inc.Account.UserPrincipalName
	}
	ctx, cancel := context.WithTimeout(ctx, rolesWait)
	defer cancel()
	roles, err := e.roles(ctx, inc.Tenant.MicrosoftTenantID, user)
	if err != nil {
		e.log.Warn("the account's roles cannot be read: a second person is asked for", "incident", inc.ID, "error", err)
		return true
	}
	return len(roles) > 0
}
