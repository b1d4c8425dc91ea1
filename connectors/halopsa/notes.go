package halopsa

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

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

// sealed holds the details of tickets that are being made until they are in a note.
type sealed struct {
	mu      sync.Mutex
	details map[string]string // by reference
}

const sealedMost = 10000

func (d *Desk) seal(ref, details string) {
	d.sealed.mu.Lock()
	defer d.sealed.mu.Unlock()
	if d.sealed.details == nil || len(d.sealed.details) >= sealedMost {
		d.sealed.details = map[string]string{}
	}
	d.sealed.details[ref] = details
}

// unseal adds the details that are not yet in a note of the ticket, once.
func (d *Desk) unseal(ctx context.Context, ref string, found []ticket.Ticket) error {
	d.sealed.mu.Lock()
	details, ok := d.sealed.details[ref]
	d.sealed.mu.Unlock()
	if !ok || len(found) == 0 {
		return nil
	}
	mark := "[" + ref + " details]"
	have, err := d.Notes(ctx, found[0].ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(have, func(s string) bool { return strings.Contains(s, mark) }) {
		if err := d.Note(ctx, found[0].ID, ticket.Note{Text: details + "\n" + mark}); err != nil {
			return err
		}
	}
	d.sealed.mu.Lock()
	defer d.sealed.mu.Unlock()
	delete(d.sealed.details, ref)
	return nil
}
