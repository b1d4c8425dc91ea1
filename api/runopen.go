package api

import (
	"responsehub"
)

// OpenRuns is what became of a tenant's open incidents when their steps 1 to 3 were run.
type OpenRuns struct {
	Tenant    string    `json:"tenant" doc:"the hub's id of it"`
	Sentence  string    `json:"sentence"`
	Incidents []OpenRun `json:"incidents" doc:"those that are open, the severe ones first"`
	More      int       `json:"more,omitempty" doc:"open incidents that were not looked at: ask again"`
}

// OpenRun is one of them.
type OpenRun struct {
	ID    string                    `json:"id"`
	Ref   string                    `json:"ref"`
	State responsehub.IncidentState `json:"state"`
	Asked []responsehub.StepID      `json:"asked" doc:"the steps that this call asked for"`
	Left  []LeftAlone               `json:"left" doc:"those that it left alone, and why"`
}

// LeftAlone is a step that was not asked for.
type LeftAlone struct {
	Step responsehub.StepID `json:"step"`
	Why  string             `json:"why"`
}

// runOpen runs steps 1 to 3 of the incidents that are open at a tenant. What was asked for
// before is left alone, so the same call twice has the effect of once.
func (a *API) runOpen(r call, _ none) (OpenRuns, error) {
	t, err := a.tenantOf(r, responsehub.Act)
	if err != nil {
		return OpenRuns{}, err
	}
	runs, err := a.engine.RunOpen(r, r.actor, t.ID)
	if err != nil {
		return OpenRuns{}, err
	}
	view := OpenRuns{Tenant: t.ID, Sentence: runs.Sentence, Incidents: []OpenRun{}, More: runs.More}
	for _, ran := range runs.Incidents {
		one := OpenRun{ID: ran.Incident.ID, Ref: ran.Incident.Ref, State: ran.Incident.State, Asked: orEmpty(ran.Asked), Left: []LeftAlone{}}
		for _, l := range ran.Left {
			one.Left = append(one.Left, LeftAlone{Step: l.Step, Why: l.Why})
		}
		view.Incidents = append(view.Incidents, one)
	}
	return view, nil
}

// offer names the incidents that were open when Response was turned on. The switch is
// turned by then: what cannot be found out is not offered.
func (a *API) offer(r call, t responsehub.Tenant) *Offer {
	open, err := a.engine.Offers(r, r.actor, t)
	if err != nil {
		a.log.Warn("whether incidents are open cannot be found out", "tenant", t.ID, "error", err)
		return nil
	}
	if len(open) == 0 {
		return nil
	}
	offer := &Offer{Sentence: responsehub.OfferSentence(t.Name, len(open))}
	for _, inc := range open {
		offer.Incidents = append(offer.Incidents, inc.Ref)
	}
	return offer
}
