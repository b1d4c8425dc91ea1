package api

import (
	"fmt"

	"responsehub"
)

func (a *API) tenants(r call, _ none) (List[Tenant], error) {
	list := List[Tenant]{Items: []Tenant{}}
	for _, t := range a.dir.Tenants() {
		if r.actor.May(responsehub.See, t.Ref()) == nil {
			list.Items = append(list.Items, a.ready(&t))
		}
	}
	return list, nil
}

func (a *API) changeTenant(r call, in TenantChange) (Tenant, error) {
	id, err := r.id("id")
	if err != nil {
		return Tenant{}, err
	}
	t, ok := a.dir.Tenant(id)
	// To somebody who may not see the tenant it does not exist.
	if !ok || !r.actor.Sees(t.Ref()) {
		return Tenant{}, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("There is no tenant %.40q among yours.", id)}
	}
	if err := r.actor.May(responsehub.Manage, t.Ref()); err != nil {
		return Tenant{}, err
	}
	changed, err := a.dir.SetResponse(r, r.actor.By(), t.ID, in.Response)
	if err != nil {
		return Tenant{}, err
	}
	a.log.Info("response switched", "tenant", changed.ID, "on", changed.Response, "actor", r.actor.ID, "name", r.actor.Name)
	return tenantView(&changed), nil
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
