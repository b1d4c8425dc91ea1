package ticket_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/store/storetest"
	"responsehub/ticket"
)

// slow is a desk that takes its time and refuses a fourth call at once, as Autotask does.
type slow struct {
	*desk
	busy, most atomic.Int32
	hang       atomic.Bool // until the context ends
}

func (s *slow) take(ctx context.Context) error {
	if s.hang.Load() {
		<-ctx.Done()
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "No answer."}
	}
	defer s.busy.Add(-1)
	if n := s.busy.Add(1); n > 3 {
		s.most.Store(n)
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "The thread threshold was exceeded."}
	}
	time.Sleep(300 * time.Millisecond)
	return nil
}

func (s *slow) Find(ctx context.Context, ref string) ([]ticket.Ticket, error) {
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	return s.desk.Find(ctx, ref)
}

func (s *slow) Create(ctx context.Context, d ticket.Draft) (ticket.Ticket, error) {
	if err := s.take(ctx); err != nil {
		return ticket.Ticket{}, err
	}
	return s.desk.Create(ctx, d)
}

// list is the tenants of a hub.
type list []responsehub.Tenant

func (l list) Tenant(id string) (responsehub.Tenant, bool) {
	for _, t := range l {
		if t.Known(id) {
			return t, true
		}
	}
	return responsehub.Tenant{}, false
}

func (list) Version() int64 { return 0 }

func (l list) TenantOf(_ context.Context, _ int64, _ string, a responsehub.AlertTenant) (responsehub.Tenant, bool, error) {
	t, ok := l.Tenant(a.MicrosoftTenantID)
	return t, ok, nil
}

// hubs are replicas on one store, with nothing but the ticket lane.
func hubs(t *testing.T, n int, d ticket.Desk, others ...responsehub.Follower) []*remediation.Engine {
	rdb, _ := storetest.Mini(t)
	s, shared := store.New(rdb), store.NewTickets(rdb)
	tenants := list{{V: 1, ID: "fab", Name: "Fabrikam", MicrosoftTenantID: "22222222-2222-4222-8222-222222222222", Notify: responsehub.Notify{PSA: responsehub.Desks{{Connection: "at", Company: "FAB"}}}}}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var out []*remediation.Engine
	for range n {
		e, err := remediation.New(s, s, remediation.Config{Key: bytes.Repeat([]byte{1}, remediation.KeySize), Tenants: tenants, InFlight: 64}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		e.Follow(ticket.NewFollower(ticket.Config{
			Connections: map[string]ticket.Connection{"at": {Desk: d, Product: "Autotask", AtOnce: 2}}, Tenant: tenants.Tenant, Queue: shared, Index: shared,
			Link: func(*responsehub.Incident) string { return "" }, Alarm: func(context.Context, responsehub.Alarm) {}, Log: slog.New(slog.DiscardHandler),
		}))
		e.Follow(others...)
		wg.Go(func() { e.Run(ctx) })
		out = append(out, e)
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
	return out
}

func raise(t *testing.T, e *remediation.Engine, i int, s responsehub.Severity) *responsehub.Incident {
	t.Helper()
	inc, _, err := e.Open(t.Context(), responsehub.Delivery{Source: "petra", ID: fmt.Sprint("m", i)}, &responsehub.Alert{
		Version: "1", ID: fmt.Sprint("a", i), DetectedAt: time.Now(), Severity: s, Title: "Account takeover",
		Tenant: responsehub.AlertTenant{MicrosoftTenantID: "22222222-2222-4222-8222-222222222222"}, Account: responsehub.Account{UserPrincipalName: fmt.Sprintf("u%d@fab.example", i)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return inc
}

// TestBurst: 100 incidents within seconds, two replicas, a desk that bears three calls at
// once and loses some answers: each gets one ticket, the severe ones first.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 100
		d := &slow{desk: newDesk()}
		var order []responsehub.Severity
		n := 0
		d.fault = func(call string) (error, bool) {
			if n++; call == "create" && n%23 == 0 {
				return errLost, n%2 == 0
			}
			return nil, false
		}
		engines := hubs(t, 2, d)
		for i := range all {
			raise(t, engines[i%2], i, responsehub.Severities[3-i*4/all]) // the severe ones come last
			time.Sleep(50 * time.Millisecond)
		}
		for deadline := time.Now().Add(30 * time.Minute); ; time.Sleep(2 * time.Second) {
			d.mu.Lock()
			made := len(d.tickets)
			d.mu.Unlock()
			if made == all || time.Now().After(deadline) {
				break
			}
		}
		time.Sleep(15 * time.Second)
		d.mu.Lock()
		defer d.mu.Unlock()
		refs := map[string]int{}
		var made []*held
		for _, h := range d.tickets {
			refs[h.Ref]++
			made = append(made, h)
		}
		if len(refs) != all || len(d.tickets) != all {
			t.Fatalf("%d incidents have %d tickets, want %d", len(refs), len(d.tickets), all)
		}
		if most := d.most.Load(); most > 0 {
			t.Errorf("%d calls at once, the desk bears three", most)
		}
		slices.SortFunc(made, func(a, b *held) int { return a.made.Compare(b.made) })
		for _, h := range made {
			order = append(order, h.draft.Severity)
		}
		// The last of the critical ones came when most others had been waiting for long.
		lastCritical, waiting := 0, 0
		for i, s := range order {
			if s == responsehub.Critical {
				lastCritical = i
			}
		}
		for _, s := range order[lastCritical:] {
			if s != responsehub.Critical {
				waiting++
			}
		}
		t.Logf("all made within %s; %d less severe ones were made after the last critical one", made[all-1].made.Sub(made[0].made), waiting)
		if waiting < 20 {
			t.Errorf("only %d less severe tickets waited for the critical ones", waiting)
		}
	})
}

// cards is a follower of another lane that notes how long it had to wait.
type cards struct {
	mu   sync.Mutex
	seen map[string]time.Duration
}

func (*cards) Lane() responsehub.Lane { return responsehub.LaneTeams }

func (*cards) Wake(_ *responsehub.Incident, events []responsehub.Event) bool {
	return slices.ContainsFunc(events, func(e responsehub.Event) bool { return e.Kind == responsehub.EventOpened })
}

func (c *cards) Follow(_ context.Context, t *responsehub.Turn) responsehub.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[t.Incident.ID] = time.Since(t.Incident.OpenedAt)
	return responsehub.Settle(nil)
}

// TestAHangingDeskDelaysNobody: with a desk that never answers, other lanes of the same
// process are visited as if it were not there.
func TestAHangingDeskDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, c := &slow{desk: newDesk()}, &cards{seen: map[string]time.Duration{}}
		d.hang.Store(true)
		engines := hubs(t, 1, d, c)
		const all = 150 // more than the lanes that the process works on at once
		for i := range all {
			raise(t, engines[0], i, responsehub.High)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.seen) != all {
			t.Fatalf("%d of %d incidents were seen by the other lane", len(c.seen), all)
		}
		for id, waited := range c.seen {
			if waited > 100*time.Millisecond {
				t.Errorf("%s waited %s", id, waited)
			}
		}
	})
}

// TestAnEventReadsTheTicket: a hint wakes the lane of the right incident, in whichever
// replica.
func TestAnEventReadsTheTicket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		engines := hubs(t, 2, d)
		inc := raise(t, engines[0], 1, responsehub.High)
		time.Sleep(5 * time.Second)
		h := d.one(t)
		d.mu.Lock()
		h.Owner, h.Closed, h.Status, h.ClosedBy = "Jane", true, "Closed!", "jdoe"
		d.mu.Unlock()
		if err := engines[1].Amend(t.Context(), inc.ID, ticket.Hint("at", h.ID)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		now, err := engines[0].Incident(t.Context(), responsehub.Hub, inc.ID)
		if err != nil {
			t.Fatal(err)
		}
		if ref := now.Tickets["at"]; ref.ClosedBy != "jdoe" || ref.Owner != "Jane" || ref.Hints != ref.Heard {
			t.Errorf("after the event: %+v", ref)
		}
		if lock := now.Step(responsehub.Lock).State; lock != responsehub.Waiting || now.State != responsehub.Unpublished {
			t.Errorf("an event ran something: lock %s, incident %s", lock, now.State)
		}
	})
}
