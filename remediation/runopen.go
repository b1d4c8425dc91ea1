package remediation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"responsehub"
)

// OpenRuns is what became of a tenant's open incidents when steps 1 to 3 were run on them.
type OpenRuns struct {
	Incidents []RanOpen
	More      int // open incidents that were not looked at, since there are too many for one call
	Sentence  string
}

// RanOpen is one of them.
type RanOpen struct {
	Incident *responsehub.Incident
	responsehub.OpenRun
}

const (
	openAtOnce = 200              // incidents of one call
	runFor     = 15 * time.Second // how long one call goes on to the next: somebody waits for the answer
)

// RunOpen asks for steps 1 to 3 of the tenant's open incidents on behalf of the actor, the
// severe ones first: of those steps that nobody asked for, set aside or holds back. It may
// be called any number of times, and by several people at once: each step is asked for
// once. Where nothing runs by itself at the tenant, it is refused.
func (e *Engine) RunOpen(ctx context.Context, actor responsehub.Actor, tenant string) (OpenRuns, error) {
	t, ok := e.tenants.Tenant(tenant)
	if r, fresh := e.tenants.(refresher); fresh && ok && !t.Automatic() {
		// Another process may have turned it on a moment ago, for the same person.
		if err := r.Refresh(ctx); err != nil {
			return OpenRuns{}, unavailable(err)
		}
		t, ok = e.tenants.Tenant(tenant)
	}
	if !ok || actor.Role != "" && !actor.Sees(t.Ref()) {
		return OpenRuns{}, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such tenant among yours."}
	}
	if err := actor.May(responsehub.Act, t.Ref()); err != nil {
		return OpenRuns{}, err
	}
	if !t.Automatic() {
		return OpenRuns{}, responsehub.Refuse("Response is off for " + t.Name + ". Turn it on first, or run the steps on each incident.")
	}
	if holds := e.holds(t.ID); len(holds) > 0 {
		return OpenRuns{}, responsehub.Refuse(holds[0].Why + " Nothing was run. End that first, or run the steps on each incident.")
	}
	open, err := e.openOf(ctx, actor, t.ID)
	if err != nil {
		return OpenRuns{}, err
	}
	runs := OpenRuns{More: max(0, len(open)-openAtOnce)}
	until := time.Now().Add(runFor)
	for i, inc := range open[:len(open)-runs.More] {
		if time.Now().After(until) {
			runs.More += len(open) - runs.More - i
			break
		}
		ran, err := e.runOpen(ctx, actor, inc)
		if err != nil {
			if responsehub.KindOf(err) == responsehub.NotFound {
				continue // it was there a moment ago, and is another tenant's now
			}
			return runs, err
		}
		runs.Incidents = append(runs.Incidents, ran)
	}
	runs.Sentence = ranWords(t.Name, runs)
	return runs, nil
}

// refresher is a list of tenants that can be read anew before its time.
type refresher interface {
	Refresh(ctx context.Context) error
}

// Offers returns the open incidents of a tenant on which the actor is offered to run steps
// 1 to 3.
func (e *Engine) Offers(ctx context.Context, actor responsehub.Actor, t responsehub.Tenant) ([]*responsehub.Incident, error) {
	if !t.Automatic() || actor.May(responsehub.Act, t.Ref()) != nil {
		return nil, nil
	}
	open, err := e.openOf(ctx, actor, t.ID)
	return t.Offers(e.settings(), actor, open), err
}

// openOf lists a tenant's open incidents as people should look at them: the severe first,
// then the old.
func (e *Engine) openOf(ctx context.Context, actor responsehub.Actor, tenant string) ([]*responsehub.Incident, error) {
	var open []*responsehub.Incident
	for _, state := range []responsehub.IncidentState{responsehub.Active, responsehub.Unpublished} {
		for cursor := ""; ; {
			page, err := e.Incidents(ctx, actor, Query{Tenant: tenant, State: state, Cursor: cursor, Limit: 200})
			if err != nil {
				return nil, err
			}
			open = append(open, page.Incidents...)
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	slices.SortFunc(open, func(a, b *responsehub.Incident) int {
		return cmp.Or(cmp.Compare(slices.Index(responsehub.Severities, a.Severity), slices.Index(responsehub.Severities, b.Severity)), a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	// One that somebody published between the two lists is in both.
	return slices.CompactFunc(open, func(a, b *responsehub.Incident) bool { return a.ID == b.ID }), nil
}

// runOpen runs one incident, in one write.
func (e *Engine) runOpen(ctx context.Context, actor responsehub.Actor, listed *responsehub.Incident) (RanOpen, error) {
	offered := func(inc *responsehub.Incident) bool {
		return slices.Contains(inc.Offers(actor, e.heldFor(inc)...), responsehub.Lock)
	}
	var limit []responsehub.Hold
	giveBack := func(context.Context) {}
	if t, ok := e.tenants.Tenant(listed.Tenant.ID); ok && offered(listed) {
		limit, giveBack = e.countLock(ctx, &t, listed.Key)
	}
	admin := e.adminOf(ctx, actor, listed.ID, responsehub.Lock, offered)
	var run responsehub.OpenRun
	answer, err := e.command(ctx, actor, listed.ID, "", responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		holds := append(e.heldFor(inc), limit...)
		run = inc.RunOpen(actor, e.needsTwo(inc, actor, admin), time.Now(), holds...)
		return responsehub.Answer{}, nil
	})
	if err != nil || !slices.Contains(run.Asked, responsehub.Lock) && !answer.Incident.Step(responsehub.Lock).State.Busy() {
		giveBack(ctx)
	}
	return RanOpen{Incident: answer.Incident, OpenRun: run}, err
}

// heldFor is what is held back for an incident's account now, but for what is counted.
func (e *Engine) heldFor(inc *responsehub.Incident) []responsehub.Hold {
	t, ok := e.tenants.Tenant(inc.Tenant.ID)
	if !ok {
		return e.settings().Holds()
	}
	if !t.Automatic() { // it was turned off a moment ago
		return []responsehub.Hold{{Steps: []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence}, Why: "Response is off for " + t.Name + "."}}
	}
	return t.HoldsFor(e.settings(), inc.Account)
}

// ranWords says in one sentence what was asked for.
func ranWords(tenant string, runs OpenRuns) string {
	steps, incidents, left := 0, 0, 0
	for _, r := range runs.Incidents {
		steps += len(r.Asked)
		if len(r.Asked) > 0 {
			incidents++
		}
		if len(r.Asked) < 3 {
			left++
		}
	}
	var s string
	switch {
	case len(runs.Incidents) == 0 && runs.More == 0:
		return "No incident is open at " + tenant + "."
	case steps == 0:
		s = "Nothing was started at " + tenant + ": nothing was left that may be run for all at once."
	default:
		s = fmt.Sprintf("%s started in %s at %s.", counted(steps, "step"), counted(incidents, "incident"), tenant)
		if left > 0 {
			s += " Some steps were left as they are."
		}
	}
	if runs.More > 0 {
		s += fmt.Sprintf(" %s more wait: ask again.", counted(runs.More, "incident"))
	}
	return s
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return responsehub.Grouped(n) + " " + what + "s"
}
