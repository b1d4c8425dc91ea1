package halopsa

import (
	"context"
	"net/http"
	"strings"

	"responsehub"
	"responsehub/ticket"
)

// checks collects what was found.
type checks struct {
	ticket.Checks
	d *Desk
}

// Check looks at what tickets need, by reading only.
func (d *Desk) Check(ctx context.Context) []responsehub.Check {
	d.forget()
	c := &checks{d: d}
	var some page
	header, err := d.send(ctx, request{what: "read tickets", method: http.MethodGet, path: "/Tickets", query: first(1, nil)}, &some)
	if err != nil {
		c.Failed("sign in", err)
		return c.All
	}
	c.Add("sign in", responsehub.CheckOK, "The application can sign in to HaloPSA and reads tickets.")
	c.Clock("HaloPSA", header)
	c.statuses(ctx)
	sla := c.kind(ctx)
	for _, s := range responsehub.Severities {
		name := d.cfg.Priorities[s]
		if name == "" {
			continue
		}
		if _, err := d.priority(ctx, name, sla); err != nil {
			c.Failed("priority", err)
		}
	}
	c.team(ctx)
	c.users(ctx)
	if _, err := d.outcome(ctx); err != nil {
		c.Failed("notes", err)
	}
	if d.cfg.CatchAll == "" {
		c.Add("catch-all company", responsehub.CheckWarning, "psa catch_all_company is empty: alerts of unknown tenants get no ticket.")
	} else if _, err := d.client(ctx, d.cfg.CatchAll); err != nil {
		c.Failed("catch-all company", err)
	} else {
		c.Add("catch-all company", responsehub.CheckOK, "The client %q is there.", d.cfg.CatchAll)
	}
	c.webhook(ctx)
	return c.All
}

func (c *checks) statuses(ctx context.Context) {
	good := true
	for _, stage := range ticket.Stages {
		name := c.d.cfg.Statuses[stage]
		if name == "" {
			continue
		}
		s, err := c.d.status(ctx, name)
		switch {
		case err != nil:
			good = false
			c.Failed("status "+string(stage), err)
		case stage != ticket.Closed && s.ID == closed:
			good = false
			c.Add("status "+string(stage), responsehub.CheckWarning, "The status %q (psa statuses.%s) closes a ticket.", name, stage)
		}
	}
	if c.d.cfg.Statuses[ticket.Closed] == "" {
		good = false
		c.Add("status closed", responsehub.CheckWarning, "psa statuses.closed is empty: the hub writes the resolution and leaves tickets open.")
	}
	if good {
		c.Add("statuses", responsehub.CheckOK, "The statuses are there.")
	}
}

// kind checks the ticket type and returns its service level.
func (c *checks) kind(ctx context.Context) int {
	if c.d.cfg.Type == "" {
		return 0
	}
	k, err := c.d.kind(ctx, c.d.cfg.Type)
	if err != nil {
		c.Failed("type", err)
		return 0
	}
	c.Add("type", responsehub.CheckOK, "The ticket type %q is there.", k.Name)
	return k.SLA
}

// team looks for the team, where the application may read teams.
func (c *checks) team(ctx context.Context) {
	if c.d.cfg.Team == "" {
		return
	}
	all, err := list[status](ctx, c.d, "teams", "/Team")
	if err != nil {
		c.Add("team", responsehub.CheckUnknown, "Teams cannot be read, so nobody knows whether there is %q. Make a test ticket.", c.d.cfg.Team)
		return
	}
	for _, t := range all {
		if same(t.Name, c.d.cfg.Team) {
			c.Add("team", responsehub.CheckOK, "The team %q is there.", c.d.cfg.Team)
			return
		}
	}
	c.Add("team", responsehub.CheckMissing, "HaloPSA has no team %q (psa team).", c.d.cfg.Team)
}

// users tells whether tickets can be put under the account's owner.
func (c *checks) users(ctx context.Context) {
	if _, err := c.d.contact(ctx, 1, "nobody@example.invalid"); err != nil {
		c.Add("users", responsehub.CheckWarning, "The clients' users cannot be read: tickets are put under each client's general user. %s", responsehub.Sentence(err))
		return
	}
	c.Add("users", responsehub.CheckOK, "The clients' users can be read: a ticket is put under the account's owner.")
}

// webhook tells whether events come back.
func (c *checks) webhook(ctx context.Context) {
	all, err := c.d.hooks(ctx)
	if err != nil {
		c.Add("events", responsehub.CheckWarning, "Webhooks cannot be read: what people do to tickets is seen within ten minutes instead of at once. %s", responsehub.Sentence(err))
		return
	}
	off := false
	for _, h := range all {
		if !strings.HasPrefix(h.Name, "responsehub ") {
			continue
		}
		if h.live() {
			c.events(ctx, h.ID)
			return
		}
		off = true
	}
	if off {
		c.Add("events", responsehub.CheckWarning, "HaloPSA has switched the hub's webhook off. A running hub sets it up again within a day, and doctor does at once.")
		return
	}
	c.Add("events", responsehub.CheckWarning, "There is no webhook yet. A running hub sets it up, and so does doctor.")
}

// events tells which events the webhook tells of.
func (c *checks) events(ctx context.Context, id string) {
	h, err := c.d.hook(ctx, id)
	switch left := missing(h.Events); {
	case err != nil:
		c.Failed("events", err)
	case h.Events == nil:
		c.Add("events", responsehub.CheckOK, "The webhook is there and active. This instance does not show its events; they should be %s and %s.", names(), reassigned)
	case len(left) > 0:
		c.Add("events", responsehub.CheckWarning, "The webhook is there and active, but does not tell of everything. %s", byHand(left))
	default:
		c.Add("events", responsehub.CheckOK, "The webhook is there, active, and tells of what people do to tickets.")
	}
}

// names are the events that the hub adds itself.
func names() string {
	var out []string
	for _, e := range events {
		out = append(out, e.name)
	}
	return strings.Join(out, ", ")
}
