package halopsa

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"responsehub"
	"responsehub/ticket"
)

// summaryMost is the longest title that every instance takes.
const summaryMost = 255

// page is one page of tickets.
type page struct {
	Tickets []record `json:"tickets"`
}

func mark(ref string) string { return "[" + ref + "]" }

// Find returns the tickets, open and closed, that carry the reference, lowest id first.
// What the search covers differs between instances, and so does which fields of a list are
// filled in: a ticket is known by its title or by its reference.
func (d *Desk) Find(ctx context.Context, ref string) ([]ticket.Ticket, error) {
	var rs []record
	for _, by := range []string{"search", "third_party_id_string"} {
		var got page
		if err := d.call(ctx, request{what: "look for the ticket", method: http.MethodGet, path: "/Tickets", query: first(100, url.Values{by: {ref}})}, &got); err != nil {
			return nil, err
		}
		for _, r := range got.Tickets {
			if r.ID != 0 && (r.Ref == ref || strings.Contains(r.Summary, mark(ref))) {
				r.Ref = ref
				rs = append(rs, r)
			}
		}
		if len(rs) > 0 {
			break
		}
	}
	slices.SortFunc(rs, func(a, b record) int { return a.ID - b.ID })
	var out []ticket.Ticket
	for i := range rs {
		t, err := d.read(ctx, &rs[i])
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// List reads many tickets; those that are gone are left out. An instance that does not
// take the list of ids is asked for each.
func (d *Desk) List(ctx context.Context, ids []string) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	for some := range slices.Chunk(ids, 100) {
		var known []string
		for _, id := range some {
			if _, err := number(id); err == nil {
				known = append(known, id)
			}
		}
		if len(known) == 0 {
			continue
		}
		var got page
		if err := d.call(ctx, request{what: "compare tickets", method: http.MethodGet, path: "/Tickets", query: first(len(known), url.Values{"ticketids": {strings.Join(known, ",")}})}, &got); err != nil {
			return nil, err
		}
		there := map[string]*record{}
		for i, r := range got.Tickets {
			there[strconv.Itoa(r.ID)] = &got.Tickets[i]
		}
		for _, id := range known {
			r := there[id]
			if r == nil {
				var err error
				if r, err = d.get(ctx, id); responsehub.KindOf(err) == responsehub.NotFound && err != nil {
					continue
				} else if err != nil {
					return nil, err
				}
			}
			t, err := d.read(ctx, r)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// Get reads a ticket.
func (d *Desk) Get(ctx context.Context, id string) (ticket.Ticket, error) {
	r, err := d.get(ctx, id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return d.read(ctx, r)
}

// get reads a ticket. A 404 may also be about the address, so the ticket is gone only if
// tickets can be read there.
func (d *Desk) get(ctx context.Context, id string) (*record, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	var got *record
	err = d.call(ctx, request{what: "read the ticket", method: http.MethodGet, path: "/Tickets/" + strconv.Itoa(n), query: url.Values{"includedetails": {"true"}}}, &got)
	switch {
	case err == nil && got != nil && got.ID == n:
		return got, nil
	case err != nil && responsehub.KindOf(err) != responsehub.NotFound:
		return nil, err
	case err != nil:
		var some page
		lerr := d.call(ctx, request{what: "look whether tickets are there", method: http.MethodGet, path: "/Tickets", query: first(1, nil)}, &some)
		if responsehub.KindOf(lerr) == responsehub.NotFound && lerr != nil {
			return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: "HaloPSA does not know the address of its tickets. Check psa url.", Err: lerr}
		}
		if lerr != nil {
			return nil, lerr
		}
	}
	return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "HaloPSA has no such ticket any more.", Err: err}
}

// Create makes a ticket.
func (d *Desk) Create(ctx context.Context, t ticket.Draft) (ticket.Ticket, error) {
	tail := " " + mark(t.Ref)
	in := draft{Summary: ticket.Cut(t.Title, summaryMost-len(tail)) + tail, Team: d.cfg.Team, Ref: t.Ref, Plain: true}
	company := t.Company
	if company == "" {
		company = d.cfg.CatchAll
	}
	var err error
	if in.Client, err = d.client(ctx, company); err != nil {
		return ticket.Ticket{}, err
	}
	// What only dresses the ticket must not keep it from being made.
	who, werr := d.contact(ctx, in.Client, t.Contact)
	in.User, in.Site = who.ID, who.Site
	t.Internal += unknown(who, t.Contact, werr)
	var k kind
	if d.cfg.Type != "" {
		k, _ = d.kind(ctx, d.cfg.Type)
		in.Type = k.ID
	}
	if name := d.cfg.Priorities[t.Severity]; name != "" {
		in.Priority, _ = d.priority(ctx, name, k.SLA)
	}
	if name := d.cfg.Statuses[ticket.New]; name != "" {
		s, _ := d.status(ctx, name)
		in.Status = s.ID
	}
	if in.Details = markup(join(t.Description, t.Internal)); !d.cfg.Public {
		in.Details = markup("Details are in the internal notes. Reference: " + t.Ref)
	}
	var got one[record]
	if err := d.call(ctx, request{what: "make the ticket", method: http.MethodPost, path: "/Tickets", in: []draft{in}}, &got); err != nil {
		return ticket.Ticket{}, err
	}
	if got.v.ID <= 0 {
		return ticket.Ticket{}, lost("HaloPSA says that it made a ticket but not which; the hub looks for it.", nil)
	}
	out, err := d.Get(ctx, strconv.Itoa(got.v.ID))
	if err == nil {
		err = d.finish(ctx, out.ID, t)
	}
	if err != nil {
		return ticket.Ticket{}, lost("HaloPSA made a ticket that could not be read back or given its details; the hub looks for it.", err)
	}
	out.Ref = t.Ref
	return out, nil
}

// lost is an error after something was made: it is looked for before anything else.
func lost(sentence string, err error) error {
	return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: sentence, Err: err}
}

// Move sets the ticket to the status of a stage. The resolution is a note.
func (d *Desk) Move(ctx context.Context, id string, s ticket.Stage, _ string) (ticket.Ticket, bool, error) {
	r, err := d.get(ctx, id)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	name := d.cfg.Statuses[s]
	if t, err := d.read(ctx, r); err != nil || name == "" || t.Closed && !s.ForClosed() {
		return t, false, err
	}
	want, err := d.status(ctx, name)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	if r.Status != want.ID {
		if r, err = d.change(ctx, "set the ticket's status", change{ID: r.ID, Status: want.ID}); err != nil {
			return ticket.Ticket{}, false, err
		}
		if r.Status != want.ID {
			return ticket.Ticket{}, false, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("HaloPSA accepted the status %q and did not set it. A workflow of the ticket type may forbid it.", name)}
		}
	}
	t, err := d.read(ctx, r)
	return t, err == nil, err
}

// change changes what is given of a ticket and reads it back.
func (d *Desk) change(ctx context.Context, what string, in change) (*record, error) {
	if err := d.call(ctx, request{what: what, method: http.MethodPost, path: "/Tickets", in: []change{in}}, nil); err != nil {
		return nil, err
	}
	return d.get(ctx, strconv.Itoa(in.ID))
}

// Assign moves a ticket to another client.
func (d *Desk) Assign(ctx context.Context, id, company string) error {
	to, err := d.client(ctx, company)
	if err != nil {
		return err
	}
	n, err := number(id)
	if err != nil {
		return err
	}
	got, err := d.change(ctx, "move the ticket to its client", change{ID: n, Client: to})
	if err != nil {
		return err
	}
	if got.Client != to {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "HaloPSA accepted the ticket's client and did not set it."}
	}
	return nil
}
