package autotask

import (
	"context"
	"fmt"
	"net/http"
	"slices"
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
	var u usage
	header, err := d.send(ctx, request{what: "sign in", method: http.MethodGet, path: "ThresholdInformation"}, &u)
	if err != nil {
		c.Failed("sign in", err)
		return c.All
	}
	d.budget.note(u)
	c.Add("sign in", responsehub.CheckOK, "The API user can sign in to Autotask.")
	c.Clock("Autotask", header)
	c.usage(u)
	all, err := d.of(ctx, ofTickets)
	if err != nil {
		c.Failed("right tickets", err)
		return c.All
	}
	c.label(all, "queue", "queueID", d.cfg.Queue)
	c.statuses(all)
	c.label(all, "type", "ticketCategory", d.cfg.Category)
	c.label(all, "source", "source", d.cfg.Source)
	for _, s := range responsehub.Severities {
		c.label(all, "priority", "priority", d.cfg.Priorities[s])
	}
	c.required(all)
	c.notes(ctx)
	c.rights(ctx)
	c.webhook(ctx)
	return c.All
}

func (c *checks) usage(u usage) {
	if p := u.percent(); p > busyAt {
		c.Add("calls", responsehub.CheckWarning, "%d %% of the calls that Autotask allows all integrations are used up; tickets will be late. Find out which integration calls so often.", p)
		return
	}
	c.Add("calls", responsehub.CheckOK, "%d %% of the calls that Autotask allows all integrations are used up.", u.percent())
}

// label checks a label of the configuration.
func (c *checks) label(all []field, what, name, label string) {
	if label == "" {
		return
	}
	if _, ok := named(all, name).labelled(label); !ok {
		c.Add(what, responsehub.CheckMissing, "Autotask has no active %s %q.", words[name], label)
		return
	}
	c.Add(what, responsehub.CheckOK, "The %s %q is there.", words[name], label)
}

func (c *checks) statuses(all []field) {
	good, f := true, named(all, "status")
	for _, stage := range ticket.Stages {
		name := c.d.cfg.Statuses[stage]
		if name == "" {
			continue
		}
		s, ok := f.labelled(name)
		switch {
		case !ok:
			good = false
			c.Add("status "+string(stage), responsehub.CheckMissing, "Autotask has no active status %q (psa statuses.%s).", name, stage)
		case stage == ticket.Closed && s.number() != complete:
			good = false
			c.Add("status closed", responsehub.CheckWarning, "The status %q (psa statuses.closed) is not Autotask's own %q: it does not complete a ticket.", name, f.label(complete))
		case stage != ticket.Closed && s.number() == complete:
			good = false
			c.Add("status "+string(stage), responsehub.CheckWarning, "The status %q (psa statuses.%s) completes a ticket.", name, stage)
		}
	}
	if c.d.cfg.Statuses[ticket.Closed] == "" {
		good = false
		c.Add("status closed", responsehub.CheckWarning, "psa statuses.closed is empty: the hub writes no resolution and leaves tickets open.")
	}
	if good {
		c.Add("statuses", responsehub.CheckOK, "The statuses are there.")
	}
}

// filled are the fields that the hub gives a ticket, or that Autotask fills in.
var filled = []string{"id", "companyid", "title", "description", "status", "priority", "queueid", "ticketcategory", "source", "externalid", "duedatetime", "tickettype", "createdate", "ticketnumber"}

// required finds fields that this database wants and the hub does not know.
func (c *checks) required(all []field) {
	var missing []string
	for _, f := range all {
		if f.Required && !f.ReadOnly && !slices.Contains(filled, strings.ToLower(f.Name)) {
			missing = append(missing, f.Name)
		}
	}
	if len(missing) > 0 {
		c.Add("fields", responsehub.CheckWarning, "Autotask wants fields that the hub does not fill in: %s. Give the ticket category a default for them.", strings.Join(missing, ", "))
	}
}

func (c *checks) notes(ctx context.Context) {
	all, err := c.d.of(ctx, ofNotes)
	if err != nil {
		c.Failed("notes", err)
		return
	}
	if _, err := c.d.publish(all); err != nil {
		c.Failed("notes", err)
		return
	}
	c.Add("notes", responsehub.CheckOK, "Notes can be published as configured.")
}

// rights tries the reads that a ticket needs. Writes are tried by a test ticket.
func (c *checks) rights(ctx context.Context) {
	type row struct {
		ID int64 `json:"id"`
	}
	for _, r := range []struct{ name, entity, right string }{
		{"tickets", "Tickets", "tickets: add, edit and view all"},
		{"companies", "Companies", "companies: view all"},
		{"contacts", "Contacts", "contacts: view all"},
	} {
		if _, err := rows[row](ctx, c.d, "read "+r.name, r.entity, query{Filter: []filter{{Op: "gt", Field: "id", Value: 0}}, Fields: []string{"id"}}, 1); err != nil {
			c.Failed("right "+r.name, fmt.Errorf("%w (%s)", err, r.right))
			continue
		}
		c.Add("right "+r.name, responsehub.CheckOK, "The API user reads %s.", r.name)
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

// webhook tells whether events come back.
func (c *checks) webhook(ctx context.Context) {
	all, err := c.d.hooks(ctx)
	if err != nil {
		c.Add("events", responsehub.CheckWarning, "Webhooks cannot be read: what people do to tickets is seen within ten minutes instead of at once. %s", responsehub.Sentence(err))
		return
	}
	for _, h := range all {
		if h.Active && h.Ready {
			c.Add("events", responsehub.CheckOK, "The webhook is there and active.")
			return
		}
	}
	if len(all) > 0 {
		c.Add("events", responsehub.CheckWarning, "Autotask has switched the hub's webhook off. A running hub sets it up again within a day, and doctor does at once.")
		return
	}
	c.Add("events", responsehub.CheckWarning, "There is no webhook yet. A running hub sets it up, and so does doctor.")
}
