package ticket_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/ticket"
)

// fatal is what the tests and the generated ones have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// desk is a service desk in memory that can lose answers and refuse.
type desk struct {
	mu      sync.Mutex
	tickets map[string]*held
	next    int
	calls   []string
	// fault is asked before each call; after says that the call takes effect first.
	fault  func(call string) (err error, after bool)
	around func(point string) // before and after each effect; may panic
	// statuses are those of the stages; closed ones end in "!".
	statuses map[ticket.Stage]string
}

type held struct {
	ticket.Ticket
	draft      ticket.Draft
	notes      []ticket.Note
	deleted    bool
	resolution string
	made       time.Time
}

func newDesk() *desk {
	return &desk{tickets: map[string]*held{}, next: 100, statuses: map[ticket.Stage]string{
		ticket.New: "New", ticket.Working: "In Progress", ticket.Contained: "Contained", ticket.Waiting: "Waiting", ticket.Closed: "Closed!", ticket.Reopened: "Re-opened",
	}}
}

func (d *desk) do(call string, effect func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, call)
	if d.fault != nil {
		if err, after := d.fault(call); err != nil {
			if after {
				_ = effect()
			}
			return err
		}
	}
	if d.around != nil {
		d.around(call)
		defer d.around(call)
	}
	return effect()
}

var errGone = &responsehub.Error{Kind: responsehub.NotFound, Message: "The ticket is not there."}

func (d *desk) get(id string) (*held, error) {
	if h := d.tickets[id]; h != nil && !h.deleted {
		return h, nil
	}
	return nil, errGone
}

func (d *desk) Find(_ context.Context, ref string) (ts []ticket.Ticket, err error) {
	err = d.do("find", func() error {
		for _, h := range d.tickets {
			// A search may miss what was made a moment ago.
			if h.Ref == ref && !h.deleted && time.Since(h.made) > 5*time.Second {
				ts = append(ts, h.Ticket)
			}
		}
		slices.SortFunc(ts, func(a, b ticket.Ticket) int { return cmp.Compare(a.ID, b.ID) })
		return nil
	})
	return ts, err
}

func (d *desk) Create(_ context.Context, draft ticket.Draft) (t ticket.Ticket, err error) {
	err = d.do("create", func() error {
		if draft.Company == "Ghost" {
			return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no company Ghost."}
		}
		d.next++
		id := fmt.Sprint(d.next)
		d.tickets[id] = &held{Ticket: ticket.Ticket{ID: id, Number: "#" + id, Ref: draft.Ref, Company: draft.Company, Status: d.statuses[ticket.New]}, draft: draft, made: time.Now()}
		t = d.tickets[id].Ticket
		return nil
	})
	return t, err
}

func (d *desk) Get(_ context.Context, id string) (t ticket.Ticket, err error) {
	err = d.do("get", func() error {
		h, err := d.get(id)
		if err == nil {
			t = h.Ticket
		}
		return err
	})
	return t, err
}

func (d *desk) List(_ context.Context, ids []string) (ts []ticket.Ticket, err error) {
	err = d.do("list", func() error {
		for _, id := range ids {
			if h, err := d.get(id); err == nil {
				ts = append(ts, h.Ticket)
			}
		}
		return nil
	})
	return ts, err
}

func (d *desk) Notes(_ context.Context, id string) (texts []string, err error) {
	err = d.do("notes", func() error {
		h, err := d.get(id)
		if err != nil {
			return err
		}
		for _, n := range h.notes {
			texts = append(texts, n.Text)
		}
		return nil
	})
	return texts, err
}

func (d *desk) Note(_ context.Context, id string, n ticket.Note) error {
	return d.do("note", func() error {
		h, err := d.get(id)
		if err == nil {
			h.notes = append(h.notes, n)
		}
		return err
	})
}

func (d *desk) Move(_ context.Context, id string, s ticket.Stage, resolution string) (t ticket.Ticket, moved bool, err error) {
	err = d.do("move "+string(s), func() error {
		h, err := d.get(id)
		if err != nil {
			return err
		}
		if name := d.statuses[s]; name != "" {
			h.Status, h.Closed, moved = name, strings.HasSuffix(name, "!"), true
			h.resolution = resolution
		}
		t = h.Ticket
		return nil
	})
	return t, moved, err
}

func (d *desk) Assign(_ context.Context, id, company string) error {
	return d.do("assign", func() error {
		h, err := d.get(id)
		if err == nil {
			h.Company = company
		}
		return err
	})
}

func (d *desk) Companies(context.Context, string) ([]ticket.Company, error) { return nil, nil }
func (d *desk) Check(context.Context) []responsehub.Check                   { return nil }
func (d *desk) Listen(context.Context, string) (string, error)              { return "", nil }

// one is the only ticket that is not deleted.
func (d *desk) one(t fatal) *held {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*held
	for _, h := range d.tickets {
		if !h.deleted {
			all = append(all, h)
		}
	}
	if len(all) != 1 {
		t.Fatalf("there are %d tickets, want one; calls %v", len(all), d.calls)
	}
	return all[0]
}

func (h *held) texts() string {
	var b strings.Builder
	for _, n := range h.notes {
		b.WriteString(n.Text + "\n--\n")
	}
	return b.String()
}

// queue lets everybody in, unless the connection is barred.
type queue struct {
	mu    sync.Mutex
	until time.Time
}

func (q *queue) Enter(context.Context, string, int, string, float64) (func(), time.Duration, error) {
	return func() {}, 0, nil
}

func (q *queue) Block(_ context.Context, _ string, d time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.until = time.Now().Add(d)
	return nil
}

func (q *queue) Blocked(context.Context, string) (time.Duration, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(time.Until(q.until), 0), nil
}

type index struct {
	mu  sync.Mutex
	ids map[string]string
}

func (x *index) PutTicket(_ context.Context, connection, id, incident string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ids == nil {
		x.ids = map[string]string{}
	}
	x.ids[connection+"|"+id] = incident
	return nil
}

func (x *index) TicketOf(_ context.Context, connection, id string) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ids[connection+"|"+id], nil
}

// bench is a hub with one incident, stored as JSON, and its ticket lane.
type bench struct {
	t      fatal
	desk   *desk
	queue  *queue
	index  *index
	tenant responsehub.Tenant
	conn   ticket.Connection
	f      *ticket.Follower
	stored []byte
	events []responsehub.Event
	fresh  int       // how many of them the last write added
	due    time.Time // of the lane; zero: it sleeps
	crash  func(point string) bool
	turns  int
}

type crashed struct{}

func newBench(t fatal) *bench {
	b := &bench{t: t, desk: newDesk(), queue: &queue{}, index: &index{}, tenant: responsehub.Tenant{
		ID: "fab", Name: "Fabrikam", MicrosoftTenantID: "22222222-2222-4222-8222-222222222222", Response: true,
		Notify: responsehub.Notify{PSA: &responsehub.Desk{Connection: "cw", Company: "FAB"}},
	}}
	b.conn = ticket.Connection{Desk: b.desk, Product: "ConnectWise", ReopenDays: 7}
	b.wire()
	return b
}

func (b *bench) wire() {
	b.f = ticket.NewFollower(ticket.Config{
		Connections: map[string]ticket.Connection{"cw": b.conn}, Unknown: "cw",
		Tenant: func(id string) (responsehub.Tenant, bool) { return b.tenant, id == b.tenant.ID },
		Queue:  b.queue, Index: b.index, Link: func(*responsehub.Incident) string { return "https://hub.example/incidents/RH-7K2M" },
		Record: func(context.Context, string) ([]responsehub.Event, error) { return b.events, nil },
		Log:    slog.New(slog.DiscardHandler),
	})
}

func (b *bench) open(response bool) {
	a := &responsehub.Alert{
		ID: "a1", DetectedAt: time.Now(), Severity: responsehub.Critical, Title: "Account takeover", Summary: "See https://evil.example/x\x1b[2J",
		Account:  responsehub.Account{UserPrincipalName: "pat@fabrikam.example", DisplayName: "Pat"},
		Evidence: []responsehub.Evidence{{Text: "Sign-in from http://bad.example", IP: "203.0.113.10", Country: "NL"}},
	}
	inc := responsehub.NewIncident("inc1", "RH-7K2M", time.Now(), "petra", a, b.tenant.Ref(), response)
	b.write(inc)
}

// inc is the stored incident.
func (b *bench) inc() *responsehub.Incident {
	var inc responsehub.Incident
	if err := json.Unmarshal(b.stored, &inc); err != nil {
		b.t.Fatal(err)
	}
	return &inc
}

func (b *bench) ref() responsehub.TicketRef { return b.inc().Tickets["cw"] }

// write stores an incident and wakes the lane as the engine does.
func (b *bench) write(inc *responsehub.Incident) {
	b.store(inc)
	if b.f.Wake(inc, b.events[len(b.events)-b.fresh:]) {
		b.due = time.Now()
	}
}

func (b *bench) store(inc *responsehub.Incident) {
	events := inc.TakeEvents()
	for _, e := range events {
		e.Seq = int64(len(b.events) + 1)
		b.events = append(b.events, e)
	}
	b.fresh = len(events)
	var err error
	if b.stored, err = json.Marshal(inc); err != nil {
		b.t.Fatal(err)
	}
}

// edit changes the incident from outside the lane.
func (b *bench) edit(f func(*responsehub.Incident)) {
	inc := b.inc()
	f(inc)
	b.write(inc)
}

func (b *bench) point(name string) {
	if b.crash != nil && b.crash(name) {
		panic(crashed{})
	}
}

// turn visits the lane once.
func (b *bench) turn() {
	b.turns++
	if b.turns > 2000 {
		b.t.Fatalf("the lane does not come to rest: %+v", b.ref())
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(crashed); !ok {
				panic(p)
			}
			b.due = time.Now().Add(10 * time.Second) // the lease runs out
		}
	}()
	save := func(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
		b.point("save")
		inc := b.inc()
		if err := edit(inc); err != nil {
			return nil, err
		}
		b.store(inc)
		b.point("saved")
		return b.inc(), nil
	}
	out := b.f.Follow(context.Background(), responsehub.NewTurn(b.inc(), 0, save))
	if out.Err != nil {
		b.t.Fatalf("turn: %v", out.Err)
	}
	b.due = time.Time{}
	if out.After > 0 {
		b.due = time.Now().Add(out.After)
	}
}

// run works the lane for a time.
func (b *bench) run(d time.Duration) {
	end := time.Now().Add(d)
	for !b.due.IsZero() && !b.due.After(end) {
		time.Sleep(time.Until(b.due))
		b.turn()
	}
	time.Sleep(time.Until(end))
}

// done ends a step as its follower would.
func (b *bench) done(ids ...responsehub.StepID) {
	b.edit(func(inc *responsehub.Incident) {
		for _, id := range ids {
			s := inc.Step(id)
			s.State, s.VerifiedAt = responsehub.Done, time.Now().UTC()
			s.Proof = &responsehub.Proof{Value: "accountEnabled is false", At: time.Now().UTC()}
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventDone, Step: id})
		}
	})
}

var ann = responsehub.Actor{ID: "person:ann", Name: "Ann", Role: responsehub.Responder, Via: responsehub.ViaTeams, Tenants: []string{"*"}}

func (b *bench) ask(id responsehub.StepID) {
	b.edit(func(inc *responsehub.Incident) {
		if _, err := inc.Ask(id, ann, responsehub.StepRequest{}, time.Now()); err != nil {
			b.t.Fatalf("ask %s: %v", id, err)
		}
	})
}

// hint is what an event of the PSA does.
func (b *bench) hint() {
	b.edit(func(inc *responsehub.Incident) {
		ref := inc.Tickets["cw"]
		ref.Hints++
		inc.Tickets["cw"] = ref
	})
}

func (b *bench) kinds(kind responsehub.EventKind) (texts []string) {
	for _, e := range b.events {
		if e.Kind == kind {
			texts = append(texts, e.Text)
		}
	}
	return texts
}

var errLost = &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "The answer was lost.", Err: errors.New("EOF")}
