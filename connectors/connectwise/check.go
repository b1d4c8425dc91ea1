package connectwise

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

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
	var info struct {
		Version string `json:"version"`
	}
	header, err := d.send(ctx, "sign in", http.MethodGet, "/system/info", nil, nil, &info)
	if err != nil {
		c.Failed("sign in", err)
		return c.All
	}
	c.Add("sign in", responsehub.CheckOK, "The API member can sign in to ConnectWise %s.", ticket.Short(info.Version, 40))
	c.Clock("ConnectWise", header)
	board, err := d.board(ctx)
	if err != nil {
		c.Failed("board", err)
	} else {
		c.Add("board", responsehub.CheckOK, "The board %q is there.", d.cfg.Board)
		c.team(ctx, board)
		c.statuses(ctx, board)
		c.name(ctx, "type", fmt.Sprintf("/service/boards/%d/types", board), d.cfg.Type)
	}
	for _, s := range responsehub.Severities {
		c.name(ctx, "priority", "/service/priorities", d.cfg.Priorities[s])
	}
	c.name(ctx, "source", "/service/sources", d.cfg.Source)
	c.rights(ctx)
	c.callback(ctx)
	return c.All
}

// team finds the trap of a board without a default team: nothing can be created there.
func (c *checks) team(ctx context.Context, board int) {
	teams, err := list[team](ctx, c.d, "read the board's teams", fmt.Sprintf("/service/boards/%d/teams", board))
	if err != nil {
		c.Failed("team", err)
		return
	}
	for _, t := range teams {
		if t.Default {
			c.Add("team", responsehub.CheckOK, "The board has the default team %q.", t.Name)
			return
		}
	}
	c.Add("team", responsehub.CheckMissing, "The board %q has no default team, so no ticket can be made on it. Give it one under Setup Tables, Service Board, Teams.", c.d.cfg.Board)
}

func (c *checks) statuses(ctx context.Context, board int) {
	all, err := c.d.statuses(ctx, board)
	if err != nil {
		c.Failed("statuses", err)
		return
	}
	good := true
	for _, stage := range ticket.Stages {
		name := c.d.cfg.Statuses[stage]
		if name == "" {
			continue
		}
		s, ok := statusNamed(all, name)
		switch {
		case !ok:
			good = false
			c.Add("status "+string(stage), responsehub.CheckMissing, "The board %q has no active status %q (psa statuses.%s).", c.d.cfg.Board, name, stage)
		case (stage == ticket.Closed) != s.Closed:
			good = false
			word := "is a closed one"
			if stage == ticket.Closed {
				word = "does not close a ticket"
			}
			c.Add("status "+string(stage), responsehub.CheckWarning, "The status %q (psa statuses.%s) %s.", name, stage, word)
		}
	}
	if c.d.cfg.Statuses[ticket.Closed] == "" {
		good = false
		c.Add("status closed", responsehub.CheckWarning, "psa statuses.closed is empty: the hub writes the resolution and leaves tickets open.")
	}
	if good {
		c.Add("statuses", responsehub.CheckOK, "The statuses are on the board.")
	}
}

// name checks an optional name of the configuration.
func (c *checks) name(ctx context.Context, what, path, name string) {
	if name == "" {
		return
	}
	if _, err := c.d.named(ctx, what, path, name); err != nil {
		c.Failed(what, err)
	}
}

// rights tries the reads that a ticket needs. Writes are tried by a test ticket.
func (c *checks) rights(ctx context.Context) {
	one := func() url.Values { return url.Values{"pageSize": {"1"}, "page": {"1"}} }
	for _, r := range []struct{ name, path, role string }{
		{"tickets", "/service/tickets", "Service Desk, Service Tickets: Add, Edit and Inquire"},
		{"companies", "/company/companies", "Companies, Company Maintenance: Inquire"},
		{"contacts", "/company/contacts", "Companies, Contacts: Inquire"},
	} {
		var rows []named
		if err := c.d.call(ctx, "read "+r.name, http.MethodGet, r.path, one(), nil, &rows); err != nil {
			c.Failed("right "+r.name, fmt.Errorf("%w (%s)", err, r.role))
			continue
		}
		c.Add("right "+r.name, responsehub.CheckOK, "The API member reads %s.", r.name)
	}
	if c.d.cfg.CatchAll == "" {
		c.Add("catch-all company", responsehub.CheckWarning, "psa catch_all_company is empty: alerts of unknown tenants get no ticket.")
		return
	}
	if _, err := c.d.company(ctx, c.d.cfg.CatchAll); err != nil {
		c.Failed("catch-all company", err)
		return
	}
	c.Add("catch-all company", responsehub.CheckOK, "The company %q is there.", c.d.cfg.CatchAll)
}

// callback tells whether events come back.
func (c *checks) callback(ctx context.Context) {
	all, err := c.d.callbacks(ctx)
	if err != nil {
		c.Add("events", responsehub.CheckWarning, "Callbacks cannot be read: what people do to tickets is seen within ten minutes instead of at once. %s", responsehub.Sentence(err))
		return
	}
	for _, e := range all {
		if e.Description != "responsehub" {
			continue
		}
		if e.Inactive {
			c.Add("events", responsehub.CheckWarning, "ConnectWise has switched the hub's callback off. A running hub sets it up again within a day, and doctor does at once.")
			return
		}
		c.Add("events", responsehub.CheckOK, "The callback is there and active.")
		return
	}
	c.Add("events", responsehub.CheckWarning, "There is no callback yet. A running hub sets it up, and so does doctor.")
}
