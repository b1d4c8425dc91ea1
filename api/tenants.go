package api

import (
	"fmt"
	"slices"
	"strings"

	"responsehub"
	"responsehub/remediation"
)

func (a *API) tenants(r call, _ none) (List[Tenant], error) {
	var mine []responsehub.Tenant
	for _, t := range a.dir.Tenants() {
		if r.actor.May(responsehub.See, t.Ref()) == nil {
			mine = append(mine, t)
		}
	}
	return page(r, mine, func(t *responsehub.Tenant) string { return strings.ToLower(t.Name) + "|" + t.ID }, a.ready)
}

// tenantOf finds the path's tenant. To somebody who may not see it it does not exist.
func (a *API) tenantOf(r call, verb responsehub.Verb) (responsehub.Tenant, error) {
	id, err := r.id("id")
	if err != nil {
		return responsehub.Tenant{}, err
	}
	t, ok := a.dir.Tenant(id)
	if !ok || !r.actor.Sees(t.Ref()) {
		return responsehub.Tenant{}, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.40q among yours.", id)}
	}
	return t, r.actor.May(verb, t.Ref())
}

func (a *API) tenant(r call, _ none) (Tenant, error) {
	t, err := a.tenantOf(r, responsehub.See)
	if err != nil {
		return Tenant{}, err
	}
	return a.ready(&t), nil
}

func (a *API) changeTenant(r call, in TenantChange) (Tenant, error) {
	t, err := a.tenantOf(r, responsehub.Manage)
	if err != nil {
		return Tenant{}, err
	}
	what := in.names()
	if what == "" {
		return Tenant{}, invalid("/response", "Say what is to be changed, such as response.")
	}
	changed, err := a.dir.ChangeTenant(r, r.actor.By(), what, t.ID, func(t *responsehub.Tenant) error {
		if err := a.edit(t, &in, r.actor); err != nil {
			return err
		}
		return t.Check(a.isPerson)
	})
	if err != nil {
		return Tenant{}, err
	}
	a.log.Info("tenant changed", "tenant", changed.ID, "what", what, "response", changed.Response, "actor", r.actor.ID, "name", r.actor.Name)
	view := a.ready(&changed)
	if in.Response != nil && *in.Response {
		view.Offer = a.offer(r, changed)
	}
	return view, nil
}

func (a *API) isPerson(id string) bool {
	return slices.ContainsFunc(a.dir.People(), func(p responsehub.Person) bool { return p.ID == id })
}

// removeTenant takes a tenant off the list, unless somebody may still have to act there.
func (a *API) removeTenant(r call, _ none) (Removed, error) {
	t, err := a.tenantOf(r, responsehub.Manage)
	if err != nil {
		return Removed{}, err
	}
	for _, state := range []responsehub.IncidentState{responsehub.Active, responsehub.Unpublished} {
		open, err := a.engine.Incidents(r, r.actor, remediation.Query{Tenant: t.ID, State: state, Limit: 1})
		if err != nil {
			return Removed{}, err
		}
		if len(open.Incidents) > 0 {
			return Removed{}, responsehub.Refuse("An incident is open at " + t.Name + " (" + open.Incidents[0].Ref + "). Mark it as remediated first.")
		}
	}
	if err := a.dir.RemoveTenant(r, r.actor.By(), t.ID); err != nil {
		return Removed{}, err
	}
	return Removed{ID: t.ID, Sentence: t.Name + " was removed. Its incidents stay readable."}, nil
}

// lanes lists the dead lanes; the query's only other value is refused at the door.
func (a *API) lanes(r call, _ none) (List[DeadLane], error) {
	dead, err := a.engine.DeadLanes(r, r.actor)
	list := List[DeadLane]{Items: []DeadLane{}}
	for _, d := range dead {
		list.Items = append(list.Items, DeadLane{
			ID: d.ID + "|" + string(d.Lane), Incident: d.ID, Lane: d.Lane, State: "dead", Error: d.Error, Attempts: d.Attempts, DiedAt: d.DiedAt,
		})
	}
	return list, err
}

func (a *API) retry(r call, _ none) (Retried, error) {
	id, err := r.id("id")
	if err != nil {
		return Retried{}, err
	}
	if err := a.engine.Revive(r, r.actor, id); err != nil {
		return Retried{}, err
	}
	return Retried{ID: id, Sentence: "Started again."}, nil
}
