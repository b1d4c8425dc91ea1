package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/remediation"
)

const (
	perPage       = 100  // of tenants or people
	tenantsToPick = 200  // more are not listed to pick from
	openMost      = 2000 // open incidents that the first page counts
)

// tenantRow is a tenant in the list.
type tenantRow struct {
	responsehub.Tenant
	Open      []*responsehub.Incident
	Ready     string // readiness in words
	Missing   int
	Ways      []way  // how people are told
	Unheard   bool   // Response is off and nobody can be reached at once
	LastLock  string // time to lock of the latest open incident
	Trial     string
	MayManage bool
}

// home is the list of tenants, those with open incidents first.
func (c *Console) home(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	open, err := c.open(r.Context(), actor)
	if err != nil {
		return err
	}
	query := strings.ToLower(strings.TrimSpace(r.FormValue("q")))
	listed := slices.DeleteFunc(c.visible(actor), func(t responsehub.Tenant) bool { return query != "" && !found(&t, query) })
	slices.SortStableFunc(listed, func(a, b responsehub.Tenant) int { return cmp.Compare(len(open[b.ID]), len(open[a.ID])) })
	shown, p, pages := pageOf(listed, r)
	offers := c.offers(listed, open, actor)
	var rows []tenantRow // of this page only: there may be thousands
	all := c.contacts()
	for _, t := range shown {
		rows = append(rows, c.row(t, open[t.ID], actor, all))
	}
	var list []*responsehub.Incident
	for _, incs := range open {
		list = append(list, incs...)
	}
	slices.SortFunc(list, worse)
	c.show(w, r, http.StatusOK, "home", actor, map[string]any{
		"Rows": rows, "Query": r.FormValue("q"), "Page": p, "Pages": pages, "Total": len(listed), "Open": list, "Shown": list[:min(len(list), 20)],
		"Offers": offers[:min(len(offers), offersAtOnce)], "MoreOffers": max(0, len(offers)-offersAtOnce),
	})
	return nil
}

// worse orders incidents as people should look at them: the severe first, then the old.
func worse(a, b *responsehub.Incident) int {
	return cmp.Or(
		cmp.Compare(slices.Index(responsehub.Severities, a.Severity), slices.Index(responsehub.Severities, b.Severity)),
		a.OpenedAt.Compare(b.OpenedAt),
	)
}

func found(t *responsehub.Tenant, query string) bool {
	return strings.Contains(strings.ToLower(t.Name), query) || strings.Contains(strings.ToLower(t.MicrosoftTenantID), query)
}

// open are the open incidents by tenant that the actor may see.
func (c *Console) open(ctx context.Context, actor responsehub.Actor) (map[string][]*responsehub.Incident, error) {
	open := map[string][]*responsehub.Incident{}
	n := 0
	for _, state := range []responsehub.IncidentState{responsehub.Active, responsehub.Unpublished} {
		for cursor := ""; n < openMost; {
			page, err := c.engine.Incidents(ctx, actor, remediation.Query{State: state, Cursor: cursor, Limit: 200})
			if err != nil {
				return nil, err
			}
			for _, inc := range page.Incidents {
				open[inc.Tenant.ID] = append(open[inc.Tenant.ID], inc)
				n++
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	return open, nil
}

func (c *Console) row(t responsehub.Tenant, open []*responsehub.Incident, actor responsehub.Actor, all contacts) tenantRow {
	slices.SortFunc(open, worse)
	row := tenantRow{Tenant: t, Open: open, Ready: "not looked at yet", Ways: all.ways(t.Notify), MayManage: actor.May(responsehub.Manage, t.Ref()) == nil}
	if c.cfg.Readiness != nil {
		if kept, ok := c.cfg.Readiness.Known(t.ID); ok {
			row.Ready, row.Missing = kept.Words(time.Now()), kept.Missing()
		}
	}
	row.Unheard = !t.Response && !slices.ContainsFunc(row.Ways, func(w way) bool { return w.Now })
	if len(open) > 0 {
		row.LastLock = timeToLock(open[0])
	}
	row.Trial = trialOf(t, time.Now())
	return row
}

// timeToLock is from the alert to the lock that was read back.
func timeToLock(inc *responsehub.Incident) string {
	if s := inc.Step(responsehub.Lock); s != nil && !s.VerifiedAt.IsZero() && !s.Undo {
		return responsehub.Span(s.VerifiedAt.Sub(inc.ReceivedAt))
	}
	return ""
}

// setResponse turns a tenant's Response on or off.
func (c *Console) setResponse(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	t, ok := c.dir.Tenant(r.PathValue("id"))
	if !ok || !actor.Sees(t.Ref()) {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such tenant."}
	}
	if err := actor.May(responsehub.Manage, t.Ref()); err != nil {
		return err
	}
	on := r.PostFormValue("on") == "true"
	t, err := c.dir.SetResponse(r.Context(), actor.By(), t.ID, on)
	switch {
	case responsehub.KindOf(err) == responsehub.Refused: // another product: a later try changes nothing
		return err
	case err != nil:
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The switch could not be turned. Try again in a moment.", Err: err}
	}
	c.log.Info("console: Response switched", "tenant", t.ID, "on", on, "actor", actor.ID)
	if on {
		c.tell(r, "Response is on for "+t.Name+": incidents from now on are locked, retracted and cleaned by themselves. Open incidents stay as they are until somebody runs their steps.")
	} else {
		c.tell(r, "Response is off for "+t.Name+": from now on nothing runs by itself there. Somebody has to publish each incident.")
	}
	http.Redirect(w, r, inside(pathOf(r.Referer())), http.StatusSeeOther) //nolint:gosec // inside lets through pages of ours only
	return nil
}

// incidents is the list of incidents, newest first.
func (c *Console) incidents(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error {
	q := remediation.Query{Tenant: r.FormValue("tenant"), State: responsehub.IncidentState(r.FormValue("status")), Cursor: r.FormValue("cursor"), Limit: 50}
	if ref := strings.TrimSpace(r.FormValue("ref")); ref != "" {
		inc, err := c.engine.Incident(r.Context(), actor, ref)
		if err != nil {
			return err
		}
		http.Redirect(w, r, "/incidents/"+inc.ID, http.StatusSeeOther) //nolint:gosec // a stored id
		return nil
	}
	if q.State != "" && !slices.Contains(responsehub.IncidentStates, q.State) {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "There is no such state of an incident. Choose one from the list."}
	}
	tenants, name, which := c.visible(actor), q.Tenant, ""
	if q.Tenant != "" {
		t, err := pick(tenants, q.Tenant)
		switch {
		case err == nil:
			q.Tenant, name = t.ID, t.Name
		case responsehub.KindOf(err) == responsehub.Conflict: // what is of no tenant at all, the engine judges
			which = responsehub.Sentence(err)
		}
	}
	var page remediation.IncidentPage
	if which == "" {
		var err error
		if page, err = c.engine.Incidents(r.Context(), actor, q); err != nil {
			return err
		}
	}
	c.show(w, r, http.StatusOK, "incidents", actor, map[string]any{
		"Incidents": page.Incidents, "Next": page.Next, "Query": q, "States": responsehub.IncidentStates, "Tenants": toPick(tenants), "Tenant": name, "Which": which,
	})
	return nil
}

// visible are the tenants within the actor's reach, by name, as the directory has them.
func (c *Console) visible(actor responsehub.Actor) []responsehub.Tenant {
	return slices.DeleteFunc(c.dir.Tenants(), func(t responsehub.Tenant) bool { return !actor.Sees(t.Ref()) })
}
