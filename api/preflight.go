package api

import (
	"context"
	"fmt"
	"time"

	"responsehub"
)

// Preflight looks at tenants before an incident and rehearses steps. It changes nothing
// at Microsoft.
type Preflight interface {
	Run(ctx context.Context, t responsehub.Tenant) (responsehub.Readiness, error)
	Kept(ctx context.Context, tenant string) (responsehub.Readiness, bool, error)
	Known(tenant string) (responsehub.Readiness, bool) // from memory
	Lacks(tenant string, step responsehub.StepID) string
	Rehearse(ctx context.Context, inc *responsehub.Incident) (responsehub.Plan, error)
}

// Readiness is what the last look at a tenant found.
type Readiness struct {
	responsehub.Readiness
	Age     string `json:"age" doc:"how long ago that was, for people"`
	Ready   bool   `json:"ready" doc:"nothing is missing that a step needs"`
	Missing int    `json:"missing" doc:"how many checks keep a step from working"`
}

// Summary is a tenant's readiness in the list of tenants.
type Summary struct {
	At      time.Time `json:"at"`
	Ready   bool      `json:"ready"`
	Missing int       `json:"missing"`
	Text    string    `json:"text" doc:"for people, with its age"`
}

// RehearseBody says for whom the steps are rehearsed.
type RehearseBody struct {
	User string `json:"user" need:"true" doc:"principal name or object id"`
}

func readinessView(r responsehub.Readiness) Readiness {
	return Readiness{Readiness: r, Age: responsehub.Age(time.Since(r.At)), Ready: r.Missing() == 0, Missing: r.Missing()}
}

// ready is a tenant as the list shows it, with what is known of its readiness.
func (a *API) ready(t *responsehub.Tenant) Tenant {
	v := tenantView(t)
	if a.preflight == nil {
		return v
	}
	if r, ok := a.preflight.Known(t.ID); ok {
		v.Readiness = &Summary{At: r.At, Ready: r.Missing() == 0, Missing: r.Missing(), Text: r.Words(time.Now())}
	}
	return v
}

// viewOf is the incident with what is known to keep its waiting steps from working.
func (a *API) viewOf(inc *responsehub.Incident) Incident {
	v := ViewOf(inc)
	if a.preflight == nil || inc.Tenant.ID == "" || inc.State.Closed() {
		return v
	}
	for i := range v.Steps {
		if s := &v.Steps[i]; s.State == responsehub.Waiting || s.State == responsehub.Queued {
			s.Lacks = a.preflight.Lacks(inc.Tenant.ID, s.ID)
		}
	}
	return v
}

// looks returns the tenant of the path for whoever may do the verb there.
func (a *API) looks(r call, verb responsehub.Verb) (responsehub.Tenant, error) {
	id, err := r.id("id")
	if err != nil {
		return responsehub.Tenant{}, err
	}
	t, ok := a.dir.Tenant(id)
	// To somebody who may not see the tenant it does not exist.
	if !ok || !r.actor.Sees(t.Ref()) {
		return responsehub.Tenant{}, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.40q among yours.", id)}
	}
	if a.preflight == nil {
		return responsehub.Tenant{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "This hub does not look at tenants."}
	}
	return t, r.actor.May(verb, t.Ref())
}

func (a *API) keptPreflight(r call, _ none) (Readiness, error) {
	t, err := a.looks(r, responsehub.See)
	if err != nil {
		return Readiness{}, err
	}
	kept, ok, err := a.preflight.Kept(r, t.ID)
	if err == nil && !ok {
		err = &responsehub.Error{Kind: responsehub.NotFound, Message: t.Name + " has not been looked at yet. Ask with POST to look now."}
	}
	if err != nil {
		return Readiness{}, err
	}
	return readinessView(kept), nil
}

func (a *API) runPreflight(r call, _ none) (Readiness, error) {
	t, err := a.looks(r, responsehub.Act)
	if err != nil {
		return Readiness{}, err
	}
	found, err := a.preflight.Run(r, t)
	if err != nil {
		return Readiness{}, err
	}
	return readinessView(found), nil
}

// rehearseWithin bounds a rehearsal: whoever waits for it waits at a terminal.
const rehearseWithin = 50 * time.Second

func (a *API) rehearse(r call, inc *responsehub.Incident) (responsehub.Plan, error) {
	ctx, cancel := context.WithTimeout(r, rehearseWithin)
	defer cancel()
	plan, err := a.preflight.Rehearse(ctx, inc)
	if err != nil && r.Err() == nil {
		return plan, &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft did not answer in time for a rehearsal. Try again in a moment."}
	}
	return plan, err
}

func (a *API) rehearseIncident(r call, _ none) (responsehub.Plan, error) {
	id, err := r.id("id")
	if err != nil {
		return responsehub.Plan{}, err
	}
	inc, err := a.engine.Incident(r, r.actor, id)
	if err != nil {
		return responsehub.Plan{}, err
	}
	if err := r.actor.May(responsehub.Act, inc.Tenant); err != nil {
		return responsehub.Plan{}, err
	}
	switch {
	case a.preflight == nil:
		return responsehub.Plan{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "This hub does not rehearse."}
	case inc.Tenant.ID == "":
		return responsehub.Plan{}, responsehub.Refuse("The tenant of this incident is not known to the hub, so there is nobody to ask. Add the tenant first.")
	}
	return a.rehearse(r, inc)
}

// rehearseUser rehearses an incident that does not exist, for an account of the tenant.
func (a *API) rehearseUser(r call, in RehearseBody) (responsehub.Plan, error) {
	t, err := a.looks(r, responsehub.Act)
	if err != nil {
		return responsehub.Plan{}, err
	}
	if in.User == "" || len(in.User) > 320 {
		return responsehub.Plan{}, invalid("/user", "Give the principal name or the object id of the account.")
	}
	now := time.Now()
	alert := &responsehub.Alert{DetectedAt: now, Account: responsehub.Account{UserPrincipalName: in.User}}
	inc := responsehub.NewIncident("", "", now, "rehearsal", alert, t.Ref(), false)
	return a.rehearse(r, inc)
}
