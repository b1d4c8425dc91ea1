package ticket_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"sync"
	"time"

	"responsehub"
	"responsehub/ticket"
)

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

func (q *queue) Free(context.Context, string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.until = time.Time{}
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
	before *responsehub.Former // what the account had before
	conn   ticket.Connection
	more   map[string]ticket.Connection // further ones
	f      *ticket.Follower
	stored []byte
	events []responsehub.Event
	alarms []string
	warned map[string]bool // subjects of alarms that go on
	fresh  int             // how many of them the last write added
	due    time.Time       // of the lane; zero: it sleeps
	crash  func(point string) bool
	turns  int
}

type crashed struct{}

func newBench(t fatal) *bench {
	b := &bench{t: t, desk: newDesk(), queue: &queue{}, index: &index{}, tenant: responsehub.Tenant{
		ID: "fab", Name: "Fabrikam", MicrosoftTenantID: "22222222-2222-4222-8222-222222222222", Response: true,
		Notify: responsehub.Notify{PSA: responsehub.Desks{{Connection: "cw", Company: "FAB"}}},
	}}
	b.conn = ticket.Connection{Desk: b.desk, Product: "ConnectWise", ReopenDays: 7}
	b.wire()
	return b
}

func (b *bench) wire() {
	all := map[string]ticket.Connection{"cw": b.conn}
	maps.Copy(all, b.more)
	b.f = ticket.NewFollower(ticket.Config{
		Connections: all, Unknown: "cw",
		Tenant: func(id string) (responsehub.Tenant, bool) { return b.tenant, id == b.tenant.ID },
		Queue:  b.queue, Index: b.index, Link: func(inc *responsehub.Incident) string { return "https://hub.example/incidents/" + inc.Ref },
		Before: func(context.Context, *responsehub.Incident) *responsehub.Former { return b.before },
		Record: func(context.Context, string) ([]responsehub.Event, error) { return b.events, nil },
		Alarm:  b.alarm,
		Log:    slog.New(slog.DiscardHandler),
	})
}

// alarm tells each subject once until it is over, as the operators' desk does.
func (b *bench) alarm(_ context.Context, a responsehub.Alarm) {
	if !a.Over && !b.warned[a.Subject] {
		b.alarms = append(b.alarms, a.Words)
	}
	if b.warned == nil {
		b.warned = map[string]bool{}
	}
	b.warned[a.Subject] = !a.Over
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
