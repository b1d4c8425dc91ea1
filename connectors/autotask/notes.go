package autotask

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"responsehub"
	"responsehub/ticket"
)

// Notes returns the text of the ticket's notes.
func (d *Desk) Notes(ctx context.Context, id string) ([]string, error) {
	if err := d.begin(ctx, 0, false); err != nil {
		return nil, err
	}
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	type text struct {
		Description string `json:"description"`
	}
	rs, err := rows[text](ctx, d, "read the ticket's notes", "TicketNotes", query{Filter: []filter{{Op: "eq", Field: "ticketID", Value: n}}, Fields: []string{"id", "description"}}, 5000)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rs {
		out = append(out, r.Description)
	}
	return out, nil
}

// Note adds a note.
func (d *Desk) Note(ctx context.Context, id string, n ticket.Note) error {
	if err := d.begin(ctx, 0, false); err != nil {
		return err
	}
	key, err := number(id)
	if err != nil {
		return err
	}
	all, err := d.of(ctx, ofNotes)
	if err != nil {
		return err
	}
	in := note{Title: ticket.Short(n.Title, named(all, "title").most(noteTitleMost)), Description: fit(n.Text, named(all, "description").most(noteMost))}
	if in.Title == "" {
		in.Title = "Response hub" // some ticket categories want one
	}
	if in.Publish, err = d.publish(all); err != nil {
		return err
	}
	in.Type = 1
	if c, ok := named(all, "noteType").usual(); ok {
		in.Type = c.number()
	}
	return d.call(ctx, request{what: "add a note", method: http.MethodPost, path: "Tickets/" + strconv.FormatInt(key, 10) + "/Notes", in: in, write: true}, nil)
}

// The values of publish that every database is delivered with.
const (
	everybody = 1
	inside    = 2
)

// publish is who reads a note. What the labels do not say for certain is refused: a note
// that was to be internal must not reach the customer.
func (d *Desk) publish(all []field) (int, error) {
	f := named(all, "publish")
	if len(f.Picks) == 0 {
		if d.cfg.Public {
			return everybody, nil
		}
		return inside, nil
	}
	has := func(ok func(choice) bool) (int, bool) {
		i := slices.IndexFunc(f.Picks, func(c choice) bool { return c.Active && ok(c) })
		if i < 0 {
			return 0, false
		}
		return f.Picks[i].number(), true
	}
	internal := func(c choice) bool { return strings.Contains(strings.ToLower(c.Label), "internal") }
	if d.cfg.Public {
		if n, ok := has(func(c choice) bool { return c.number() == everybody && !internal(c) }); ok {
			return n, nil
		}
		return 0, &responsehub.Error{Kind: responsehub.Permanent, Message: "Autotask has no way to publish notes to all its users. Set psa publish to internal."}
	}
	if n, ok := has(func(c choice) bool { return c.number() == inside && internal(c) }); ok {
		return n, nil
	}
	if n, ok := has(internal); ok {
		return n, nil
	}
	return 0, &responsehub.Error{Kind: responsehub.Permanent, Message: "Autotask has no active way to publish notes that is called internal, so the hub writes none."}
}

// Finish adds the details of a new ticket in a note, if they are to be internal and are
// not there yet. What a ticket was opened with is read by the customer.
func (d *Desk) Finish(ctx context.Context, id string, t ticket.Draft) error {
	if d.cfg.Public {
		return nil
	}
	have, err := d.Notes(ctx, id)
	if err != nil || slices.ContainsFunc(have, func(s string) bool { return strings.Contains(s, detailsMark(t)) }) {
		return err
	}
	return d.detail(ctx, id, t)
}

// detail adds the details to a ticket that has none.
func (d *Desk) detail(ctx context.Context, id string, t ticket.Draft) error {
	if d.cfg.Public {
		return nil
	}
	return d.Note(ctx, id, ticket.Note{Title: "Response hub: what happened", Text: join(t.Description, t.Internal) + "\n" + detailsMark(t)})
}

func detailsMark(t ticket.Draft) string { return "[" + t.Ref + " details]" }

func join(a, b string) string { return strings.TrimSpace(a + "\n" + b) }
