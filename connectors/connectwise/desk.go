package connectwise

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

// summaryMost is the longest summary. [connectwise-rest ManageTypes, Ticket.summary]
const summaryMost = 100

// fields are what the hub reads of a ticket.
const fields = "id,board,status,company,owner,externalXRef,closedFlag,closedDate,closedBy,mergedParentTicket,_info"

// quote makes a text part of a condition. There is no way to escape a quote.
func quote(s string) (string, error) {
	if strings.ContainsAny(s, "\"\\\r\n") {
		return "", &responsehub.Error{Kind: responsehub.NotFound, Message: fmt.Sprintf("%q cannot be looked up in ConnectWise: it holds a quote.", ticket.Short(s, 60))}
	}
	return `"` + s + `"`, nil
}

// Find returns the tickets, open and closed, that carry the reference, lowest id first.
func (d *Desk) Find(ctx context.Context, reference string) ([]ticket.Ticket, error) {
	q, err := quote(reference)
	if err != nil {
		return nil, err
	}
	return d.tickets(ctx, "look for the ticket", "externalXRef="+q)
}

func (d *Desk) tickets(ctx context.Context, what, conditions string) ([]ticket.Ticket, error) {
	rows, err := pages[record](ctx, d, what, "/service/tickets", url.Values{"conditions": {conditions}, "orderBy": {"id asc"}, "fields": {fields}}, 2000)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b record) int { return a.ID - b.ID })
	var out []ticket.Ticket
	for i := range rows {
		out = append(out, d.read(&rows[i]))
	}
	return out, nil
}

// List reads many tickets; those that are gone are left out.
func (d *Desk) List(ctx context.Context, ids []string) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	for len(ids) > 0 {
		some := ids[:min(len(ids), 100)] // the address has to stay below 2,000 characters
		ids = ids[len(some):]
		var known []string
		for _, id := range some {
			if _, err := strconv.Atoi(id); err == nil {
				known = append(known, id)
			}
		}
		if len(known) == 0 {
			continue
		}
		got, err := d.tickets(ctx, "compare tickets", "id in ("+strings.Join(known, ",")+")")
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

// Get reads a ticket.
func (d *Desk) Get(ctx context.Context, id string) (ticket.Ticket, error) {
	r, err := d.get(ctx, id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return d.read(r), nil
}

func (d *Desk) get(ctx context.Context, id string) (*record, error) {
	var r record
	err := d.call(ctx, "read the ticket", http.MethodGet, "/service/tickets/"+url.PathEscape(id), nil, nil, &r)
	return &r, err
}

// Create makes a ticket on the connection's board.
func (d *Desk) Create(ctx context.Context, t ticket.Draft) (ticket.Ticket, error) {
	board, err := d.board(ctx)
	if err != nil {
		return ticket.Ticket{}, err
	}
	in := draft{Summary: ticket.Cut(t.Title, summaryMost), Board: ref(board), XRef: t.Ref}
	company := t.Company
	if company == "" {
		company = d.cfg.CatchAll
	}
	id, err := d.company(ctx, company)
	if err != nil {
		return ticket.Ticket{}, err
	}
	in.Company = ref(id)
	// What only dresses the ticket must not keep it from being made.
	in.Priority = ref(d.optional(d.named(ctx, "priority", "/service/priorities", d.cfg.Priorities[t.Severity])))
	in.Source = ref(d.optional(d.named(ctx, "source", "/service/sources", d.cfg.Source)))
	in.Type = ref(d.optional(d.named(ctx, "type", fmt.Sprintf("/service/boards/%d/types", board), d.cfg.Type)))
	if name := d.cfg.Statuses[ticket.New]; name != "" {
		if all, err := d.statuses(ctx, board); err == nil {
			s, _ := statusNamed(all, name)
			in.Status = ref(s.ID)
		}
	}
	in.Contact = ref(d.optional(d.contact(ctx, id, t.Contact)))
	in.Description, in.Internal = t.Description, t.Internal
	if !d.cfg.Public {
		in.Description = "Details are in the internal notes. Reference: " + t.Ref
		in.Internal = strings.TrimSpace(t.Description + "\n" + t.Internal)
	}
	var r record
	if err := d.call(ctx, "make the ticket", http.MethodPost, "/service/tickets", nil, in, &r); err != nil {
		return ticket.Ticket{}, err
	}
	if r.ID == 0 {
		return ticket.Ticket{}, &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "ConnectWise says that it made a ticket but not which; the hub looks for it."}
	}
	d.learn(&r)
	return d.read(&r), nil
}

// optional drops a part that could not be found out; Check tells of it.
func (d *Desk) optional(id int, err error) int {
	if err != nil {
		return 0
	}
	return id
}

// learn remembers the hub's own API member, as ConnectWise names it.
func (d *Desk) learn(r *record) {
	name := r.Info.UpdatedBy
	if name == "" {
		name = r.Info.EnteredBy
	}
	if name != "" {
		d.member.Store(&name)
	}
}

// Move sets the ticket to the status of a stage, on the board on which it is now.
func (d *Desk) Move(ctx context.Context, id string, s ticket.Stage, _ string) (ticket.Ticket, bool, error) {
	r, err := d.get(ctx, id)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	name := d.cfg.Statuses[s]
	if t := d.read(r); name == "" || r.Board.id() == 0 || t.Closed && !s.ForClosed() {
		return t, false, nil
	}
	all, err := d.statuses(ctx, r.Board.ID)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	want, ok := statusNamed(all, name)
	if !ok {
		ours, err := d.board(ctx)
		if err == nil && ours != r.Board.ID {
			return d.read(r), false, nil // moved to a board that does not know the word
		}
		d.forget()
		return ticket.Ticket{}, false, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("The board %q has no active status named %q.", r.Board.Name, name)}
	}
	if r.Status.id() == want.ID {
		return d.read(r), true, nil
	}
	got, err := d.patch(ctx, "set the ticket's status", id, "status", want.ID)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	if got.Status.id() != want.ID {
		return ticket.Ticket{}, false, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("ConnectWise accepted the status %q and did not set it. A workflow rule of the board may forbid it.", name)}
	}
	d.learn(got)
	return d.read(got), true, nil
}

// patch replaces one reference of a ticket and reads it back.
func (d *Desk) patch(ctx context.Context, what, id, path string, value int) (*record, error) {
	if err := d.call(ctx, what, http.MethodPatch, "/service/tickets/"+url.PathEscape(id), nil, []patch{{Op: "replace", Path: path, Value: named{ID: value}}}, nil); err != nil {
		return nil, err
	}
	return d.get(ctx, id)
}

// Assign moves a ticket to another company.
func (d *Desk) Assign(ctx context.Context, id, company string) error {
	to, err := d.company(ctx, company)
	if err != nil {
		return err
	}
	got, err := d.patch(ctx, "move the ticket to its company", id, "company", to)
	if err != nil {
		return err
	}
	if got.Company.id() != to {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "ConnectWise accepted the ticket's company and did not set it."}
	}
	return nil
}

// Notes returns the text of the ticket's notes, those of time entries too.
func (d *Desk) Notes(ctx context.Context, id string) ([]string, error) {
	rows, err := pages[note](ctx, d, "read the ticket's notes", "/service/tickets/"+url.PathEscape(id)+"/allNotes", url.Values{}, 5000)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range rows {
		out = append(out, n.Text)
	}
	return out, nil
}

// Note adds a note.
func (d *Desk) Note(ctx context.Context, id string, n ticket.Note) error {
	in := note{Text: n.Text, Discussion: d.cfg.Public && !n.Resolution, Internal: !d.cfg.Public, Resolution: n.Resolution}
	return d.call(ctx, "add a note", http.MethodPost, "/service/tickets/"+url.PathEscape(id)+"/notes", nil, in, nil)
}
