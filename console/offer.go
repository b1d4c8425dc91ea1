package console

import (
	"net/http"

	"responsehub"
)

// offer is that steps 1 to 3 may be run on what was open at a tenant when its Response was
// turned on.
type offer struct {
	Tenant   responsehub.Tenant
	Sentence string
	Count    int
	Shown    []*responsehub.Incident // the worst of them
	More     int                     // and how many others
}

const (
	offeredAtOnce = 5  // incidents that an offer names
	offersAtOnce  = 10 // tenants with offers that the first page shows
)

// offers are those to the actor at the tenants. They stay until somebody takes them, the
// steps were asked for one by one, or Response is off again.
func (c *Console) offers(tenants []responsehub.Tenant, open map[string][]*responsehub.Incident, actor responsehub.Actor) []offer {
	var out []offer
	settings := c.dir.Settings()
	for _, t := range tenants {
		if len(open[t.ID]) == 0 {
			continue
		}
		incs := t.Offers(settings, actor, open[t.ID])
		if len(incs) == 0 {
			continue
		}
		out = append(out, offer{
			Tenant: t, Sentence: responsehub.OfferSentence(t.Name, len(incs)), Count: len(incs),
			Shown: incs[:min(len(incs), offeredAtOnce)], More: max(0, len(incs)-offeredAtOnce),
		})
	}
	return out
}

// runOpen takes the offer. What was left alone is told by incident, so that nobody
// believes an account locked that is not.
func (c *Console) runOpen(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, err := c.tenantOf(r, actor, responsehub.Act)
	if err != nil {
		return err
	}
	runs, err := c.engine.RunOpen(r.Context(), actor, t.ID)
	switch {
	case responsehub.KindOf(err) == responsehub.Refused:
		return c.toTenant(w, r, t.ID, responsehub.Sentence(err))
	case err != nil:
		return err
	}
	c.log.Info("console: open incidents run", "tenant", t.ID, "incidents", len(runs.Incidents), "actor", actor.ID)
	c.show(w, r, http.StatusOK, "ran", actor, map[string]any{"Tenant": t, "Runs": runs})
	return nil
}
