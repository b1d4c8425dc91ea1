package autotask

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"responsehub"
	"responsehub/ticket"
)

// Longest texts where Autotask does not say otherwise.
const (
	titleMost       = 255
	descriptionMost = 8000
	resolutionMost  = 32000
	noteTitleMost   = 250
	noteMost        = 32000
)

// many is how many tickets are asked for in one query.
const many = 100

// Find returns the tickets, open and closed, that carry the reference, lowest id first.
func (d *Desk) Find(ctx context.Context, reference string) ([]ticket.Ticket, error) {
	if err := d.begin(ctx, opening, false); err != nil {
		return nil, err
	}
	return d.tickets(ctx, "look for the ticket", filter{Op: "eq", Field: "externalID", Value: reference})
}

func (d *Desk) tickets(ctx context.Context, what string, f filter) ([]ticket.Ticket, error) {
	rs, err := rows[record](ctx, d, what, "Tickets", query{Filter: []filter{f}, Fields: ticketFields}, 2000)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rs, func(a, b record) int { return int(a.ID - b.ID) })
	out, err := d.read(ctx, rs...)
	if err != nil {
		return nil, err
	}
	return out, d.merged(ctx, out)
}

// List reads many tickets; those that are gone are left out.
func (d *Desk) List(ctx context.Context, ids []string) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	for some := range slices.Chunk(ids, many) {
		var known []int64
		for _, id := range some {
			if n, err := number(id); err == nil {
				known = append(known, n)
			}
		}
		if len(known) == 0 {
			continue
		}
		if err := d.begin(ctx, polling, true); err != nil {
			return nil, err
		}
		got, err := d.tickets(ctx, "compare tickets", filter{Op: "in", Field: "id", Value: known})
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

func number(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("%q is no ticket of Autotask.", ticket.Short(id, 40))}
	}
	return n, nil
}

// Get reads a ticket.
func (d *Desk) Get(ctx context.Context, id string) (ticket.Ticket, error) {
	if err := d.begin(ctx, visit, false); err != nil {
		return ticket.Ticket{}, err
	}
	r, err := d.get(ctx, id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	t, err := d.one(ctx, r)
	if err != nil {
		return ticket.Ticket{}, err
	}
	one := []ticket.Ticket{t}
	err = d.merged(ctx, one)
	return one[0], err
}

func (d *Desk) one(ctx context.Context, r *record) (ticket.Ticket, error) {
	out, err := d.read(ctx, *r)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return out[0], nil
}

// get reads a ticket. One that is not there is answered 404, or 200 without an item. A 404
// may also be about the address, so the ticket is gone only if a query misses it too.
func (d *Desk) get(ctx context.Context, id string) (*record, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	var got struct {
		Item *record `json:"item"`
	}
	err = d.call(ctx, request{what: "read the ticket", method: http.MethodGet, path: "Tickets/" + strconv.FormatInt(n, 10)}, &got)
	switch {
	case err == nil && got.Item != nil && got.Item.ID != 0:
		return got.Item, nil
	case err != nil && responsehub.KindOf(err) != responsehub.NotFound:
		return nil, err
	case err != nil:
		rs, qerr := rows[record](ctx, d, "look whether the ticket is there", "Tickets", query{Filter: []filter{{Op: "eq", Field: "id", Value: n}}, Fields: ticketFields}, 2)
		if responsehub.KindOf(qerr) == responsehub.NotFound && qerr != nil {
			return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: "Autotask does not know the address of its tickets. Check psa zone_url.", Err: qerr}
		}
		if qerr != nil {
			return nil, qerr
		}
		if len(rs) == 1 {
			return &rs[0], nil
		}
	}
	return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "Autotask has no such ticket any more.", Err: err}
}

// Create makes a ticket in the connection's queue. Autotask answers nothing but its id, so
// it is read back.
func (d *Desk) Create(ctx context.Context, t ticket.Draft) (ticket.Ticket, error) {
	if err := d.begin(ctx, 0, false); err != nil {
		return ticket.Ticket{}, err
	}
	all, err := d.of(ctx, ofTickets)
	if err != nil {
		return ticket.Ticket{}, err
	}
	in := draft{Title: ticket.Cut(t.Title, named(all, "title").most(titleMost)), External: t.Ref}
	if in.Queue, err = d.pick(ctx, "queueID", d.cfg.Queue); err != nil {
		return ticket.Ticket{}, err
	}
	company := t.Company
	if company == "" {
		company = d.cfg.CatchAll
	}
	if in.Company, err = d.company(ctx, company); err != nil {
		return ticket.Ticket{}, err
	}
	// What only dresses the ticket must not keep it from being made; what Autotask wants
	// to have gets its usual value.
	in.Status = d.some(ctx, all, "status", d.cfg.Statuses[ticket.New], true)
	in.Priority = d.some(ctx, all, "priority", d.cfg.Priorities[t.Severity], true)
	in.Category = d.some(ctx, all, "ticketCategory", d.cfg.Category, false)
	in.Source = d.some(ctx, all, "source", d.cfg.Source, named(all, "source").Required)
	in.Contact, _ = d.contact(ctx, in.Company, t.Contact)
	if in.Description = fit(join(t.Description, t.Internal), named(all, "description").most(descriptionMost)); !d.cfg.Public {
		in.Description = "Details are in the internal notes. Reference: " + t.Ref
	}
	var got made
	if err := d.call(ctx, request{what: "make the ticket", method: http.MethodPost, path: "Tickets", in: in, write: true}, &got); err != nil {
		return ticket.Ticket{}, err
	}
	if got.ID == 0 {
		return ticket.Ticket{}, lost("Autotask says that it made a ticket but not which; the hub looks for it.", nil)
	}
	r, err := d.get(ctx, strconv.FormatInt(got.ID, 10))
	if err != nil {
		return ticket.Ticket{}, lost("Autotask made a ticket that could not be read back; the hub looks for it.", err)
	}
	d.learn(r.Creator)
	out, err := d.one(ctx, r)
	if err == nil {
		err = d.detail(ctx, out.ID, t)
	}
	if err != nil {
		return ticket.Ticket{}, lost("Autotask made a ticket whose details could not be added; the hub goes on with them.", err)
	}
	return out, nil
}

// lost is an error after something was made: it is looked for before anything else.
func lost(sentence string, err error) error {
	return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: sentence, Err: err}
}

// some is the number of a label, or of the usual value if there must be one.
func (d *Desk) some(ctx context.Context, all []field, name, label string, must bool) int {
	if label != "" {
		if n, err := d.pick(ctx, name, label); err == nil {
			return n
		}
	}
	if c, ok := named(all, name).usual(); ok && must {
		return c.number()
	}
	return 0
}

// Move sets the ticket to the status of a stage. A resolution goes with it, so that a rule
// that wants one finds it.
func (d *Desk) Move(ctx context.Context, id string, s ticket.Stage, resolution string) (ticket.Ticket, bool, error) {
	if err := d.begin(ctx, 0, false); err != nil {
		return ticket.Ticket{}, false, err
	}
	r, err := d.get(ctx, id)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	name := d.cfg.Statuses[s]
	if name == "" || r.Status == complete && !s.ForClosed() {
		t, err := d.one(ctx, r)
		return t, false, err
	}
	want, err := d.pick(ctx, "status", name)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	if r.Status != want {
		in := change{ID: r.ID, Status: want}
		if s == ticket.Closed && resolution != "" {
			all, err := d.of(ctx, ofTickets)
			if err != nil {
				return ticket.Ticket{}, false, err
			}
			in.Resolution = fit(resolution, named(all, "resolution").most(resolutionMost))
		}
		if r, err = d.patch(ctx, "set the ticket's status", in); err != nil {
			return ticket.Ticket{}, false, err
		}
		if r.Status != want {
			return ticket.Ticket{}, false, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("Autotask accepted the status %q and did not set it. A workflow rule may forbid it.", name)}
		}
	}
	t, err := d.one(ctx, r)
	return t, err == nil, err
}

// patch changes what is given of a ticket, and nothing else, and reads it back. It goes to
// the collection with the id in the body: a path with the id does not take it.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/API_Calls/REST_Updating_Data_PATCH.htm
func (d *Desk) patch(ctx context.Context, what string, in change) (*record, error) {
	if err := d.call(ctx, request{what: what, method: http.MethodPatch, path: "Tickets", in: in, write: true}, nil); err != nil {
		return nil, err
	}
	return d.get(ctx, strconv.FormatInt(in.ID, 10))
}

// Assign moves a ticket to another company.
func (d *Desk) Assign(ctx context.Context, id, company string) error {
	if err := d.begin(ctx, asking, false); err != nil {
		return err
	}
	to, err := d.company(ctx, company)
	if err != nil {
		return err
	}
	n, err := number(id)
	if err != nil {
		return err
	}
	got, err := d.patch(ctx, "move the ticket to its company", change{ID: n, Company: to})
	if err != nil {
		return err
	}
	if got.Company != to {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "Autotask accepted the ticket's company and did not set it."}
	}
	return nil
}
