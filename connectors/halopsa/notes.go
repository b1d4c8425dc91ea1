package halopsa

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"responsehub/ticket"
)

// Notes returns the text of the ticket's notes.
func (d *Desk) Notes(ctx context.Context, id string) ([]string, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	var got struct {
		Actions []struct {
			Note string `json:"note"`
			HTML string `json:"note_html"`
		} `json:"actions"`
	}
	q := url.Values{"ticket_id": {strconv.Itoa(n)}, "includehtmlnote": {"true"}, "excludesys": {"true"}, "count": {"5000"}}
	if err := d.call(ctx, request{what: "read the ticket's notes", method: http.MethodGet, path: "/Actions", query: q}, &got); err != nil {
		return nil, err
	}
	var out []string
	for _, a := range got.Actions {
		text := a.Note
		if text == "" {
			text = html.UnescapeString(strings.ReplaceAll(a.HTML, "<br>", "\n"))
		}
		out = append(out, text)
	}
	return out, nil
}

// Note adds a note. Nobody is mailed.
func (d *Desk) Note(ctx context.Context, id string, n ticket.Note) error {
	key, err := number(id)
	if err != nil {
		return err
	}
	in := action{Ticket: key, Note: markup(n.Text), Hidden: !d.cfg.Public}
	if in.Outcome, err = d.outcome(ctx); err != nil {
		return err
	}
	return d.call(ctx, request{what: "add a note", method: http.MethodPost, path: "/Actions", in: []action{in}}, nil)
}

// Finish adds the details of a new ticket in a note, if they are to be internal and are
// not there yet. What a ticket was opened with is read by the customer.
func (d *Desk) Finish(ctx context.Context, id string, t ticket.Draft) error {
	if d.cfg.Public {
		return nil
	}
	r, err := d.get(ctx, id)
	if err != nil {
		return err
	}
	who, err := d.contact(ctx, r.Client, t.Contact)
	t.Internal += unknown(who, t.Contact, err)
	return d.finish(ctx, id, t)
}

// finish is Finish with a draft that says whose ticket it is.
func (d *Desk) finish(ctx context.Context, id string, t ticket.Draft) error {
	if d.cfg.Public {
		return nil
	}
	mark := "[" + t.Ref + " details]"
	have, err := d.Notes(ctx, id)
	if err != nil || slices.ContainsFunc(have, func(s string) bool { return strings.Contains(s, mark) }) {
		return err
	}
	return d.Note(ctx, id, ticket.Note{Text: join(t.Description, t.Internal) + "\n" + mark})
}

func join(a, b string) string { return strings.TrimSpace(a + "\n" + b) }
