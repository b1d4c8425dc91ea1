package halopsa_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/halopsa"
	"responsehub/connectors/transport"
	"responsehub/sim/desk"
	simulated "responsehub/sim/halopsa"
	"responsehub/sim/wire"
	"responsehub/ticket"
)

// world is the simulated HaloPSA and a hub's door for its events.
type world struct {
	*simulated.Service
	log    *wire.Log
	desk   *halopsa.Desk
	door   string
	mu     sync.Mutex
	events []ticket.Event
	refuse int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{log: wire.NewLog()}
	var err error
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.Handler().ServeHTTP(rw, r) }))
	w.Service, err = simulated.New(simulated.Config{
		URL: srv.URL, ClientID: "client", ClientSecret: clientSecret, Log: w.log, Speed: 10000, Timeout: 2 * time.Second,
		Customers: []desk.Customer{{Name: "O'Brien & Söhne", TenantID: tenantID}},
	})
	if err != nil {
		t.Fatal(err)
	}
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		ev, err := w.desk.ParseEvent(r, body)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			w.refuse++
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.events = append(w.events, ev)
		rw.WriteHeader(http.StatusNoContent)
	}))
	w.door = door.URL + "/psa/halo/events?token=abc"
	t.Cleanup(func() { srv.Close(); w.Stop(); door.Close() })
	w.desk, err = halopsa.New(halopsa.Config{
		URL: srv.URL, ClientID: "client", ClientSecret: clientSecret, Team: simulated.Team, CatchAll: simulated.CatchAll, Type: simulated.Type, EventKey: eventKey,
		Statuses:   map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Closed", ticket.Reopened: "Re-opened"},
		Priorities: map[responsehub.Severity]string{responsehub.Critical: "Critical"},
	}, transport.Client(transport.Over(http.DefaultTransport)))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) heard(t *testing.T, is func(ticket.Event) bool) {
	t.Helper()
	for range 500 {
		w.mu.Lock()
		for _, e := range w.events {
			if is(e) {
				w.mu.Unlock()
				return
			}
		}
		w.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Errorf("not heard; events %+v, %d refused, %v", w.events, w.refuse, w.log.UnexpectedAll())
}

// TestAgainstTheSimulator lives a ticket's life at a desk that was written without this
// package in view.
func TestAgainstTheSimulator(t *testing.T) {
	w := newWorld(t)
	d, ctx := w.desk, t.Context()
	in := draft()
	in.Company = "O'Brien & Söhne"
	made := must[ticket.Ticket](t)(d.Create(ctx, in))
	if got := must[string](t)(d.Listen(ctx, w.door)); !strings.Contains(got, "Events: Ticket Reassigned.") {
		t.Error(got)
	}
	if _, err := w.Play(ctx, desk.Act{Do: "desk_subscribe", Value: "Ticket Reassigned"}); err != nil {
		t.Fatal(err)
	}
	if got := must[string](t)(d.Listen(ctx, w.door)); got != "The webhook is there and active." {
		t.Error(got)
	}
	for _, c := range d.Check(ctx) {
		if c.Grade != responsehub.CheckOK {
			t.Errorf("%s: %s %s", c.Name, c.Grade, c.Sentence)
		}
	}
	if err := d.Note(ctx, made.ID, ticket.Note{Title: "Locked", Text: "locked [RH-7K2M lock.1.done]"}); err != nil {
		t.Fatal(err)
	}
	if notes := must[[]string](t)(d.Notes(ctx, made.ID)); len(notes) != 2 || !strings.Contains(strings.Join(notes, " "), "<script>") {
		t.Errorf("notes %q", notes)
	}
	if _, ok, err := d.Move(ctx, made.ID, ticket.Working, ""); err != nil || !ok {
		t.Fatal(err)
	}
	at := w.Snapshot().ByRef("RH-7K2M")
	if len(at) != 1 {
		t.Fatalf("%d tickets", len(at))
	}
	if _, err := w.Play(ctx, desk.Act{Do: "ticket_close", Ticket: at[0].ID, Person: "tess"}); err != nil {
		t.Fatal(err)
	}
	w.heard(t, func(e ticket.Event) bool { return e.Ticket == made.ID })
	if got := must[[]ticket.Ticket](t)(d.List(ctx, []string{made.ID, "1"})); len(got) != 1 || !got[0].Closed {
		t.Errorf("closed by hand: %+v", got)
	}
	if got, ok, err := d.Move(ctx, made.ID, ticket.Reopened, ""); err != nil || !ok || got.Closed {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := w.Play(ctx, desk.Act{Do: "ticket_assign", Ticket: at[0].ID, Person: "tess"}); err != nil {
		t.Fatal(err)
	}
	if got := must[ticket.Ticket](t)(d.Get(ctx, made.ID)); got.Owner != "Tess Klein" {
		t.Errorf("taken: %+v", got)
	}
	if _, err := w.Play(ctx, desk.Act{Do: "desk_tokens"}); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := d.Move(ctx, made.ID, ticket.Closed, ""); err != nil || !ok || !got.Closed {
		t.Errorf("%+v %v", got, err)
	}
	if found := must[[]ticket.Ticket](t)(d.Find(ctx, "RH-7K2M")); len(found) != 1 || found[0].ID != made.ID {
		t.Errorf("found %+v", found)
	}
	if err := d.Assign(ctx, made.ID, simulated.CatchAll); err != nil {
		t.Error(err)
	}
	if _, err := w.Play(ctx, desk.Act{Do: "ticket_delete", Ticket: at[0].ID, Person: "tess"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(ctx, made.ID); responsehub.KindOf(err) != responsehub.NotFound || err == nil {
		t.Errorf("deleted: %v", err)
	}
	if un := w.log.UnexpectedAll(); len(un) > 0 {
		t.Errorf("HaloPSA would not know: %v", un)
	}
}

// TestDroppedAnswers loses the answer of each write, once after it was done and once
// before: none is repeated blindly, and each leaves one ticket and one note in the end.
func TestDroppedAnswers(t *testing.T) {
	for _, after := range []bool{true, false} {
		w := newWorld(t)
		d, ctx := w.desk, t.Context()
		in := draft()
		in.Company = "O'Brien & Söhne"
		w.log.AddFault(wire.Fault{Vendor: "halopsa", Method: "POST", Match: "/Tickets", Times: 1, After: after, Drop: true})
		w.log.AddFault(wire.Fault{Vendor: "halopsa", Method: "POST", Match: "/Actions", Times: 1, After: after, Drop: true})
		var found []ticket.Ticket
		for try := 0; len(found) == 0 && try < 4; try++ {
			if _, err := d.Create(ctx, in); err == nil && try == 0 || err != nil && responsehub.KindOf(err) != responsehub.UnknownOutcome {
				t.Fatalf("after %t, try %d: %v", after, try, err)
			}
			var err error
			if found, err = d.Find(ctx, in.Ref); err == nil && len(found) == 1 {
				if err = d.Finish(ctx, found[0].ID, in); responsehub.KindOf(err) == responsehub.UnknownOutcome && err != nil {
					err = d.Finish(ctx, found[0].ID, in)
				}
			}
			if err != nil || len(found) > 1 {
				t.Fatalf("after %t: %d tickets, %v", after, len(found), err)
			}
		}
		if notes := must[[]string](t)(d.Notes(ctx, found[0].ID)); len(notes) != 1 {
			t.Errorf("after %t: notes %q", after, notes)
		}
		if un := w.log.UnexpectedAll(); len(un) > 0 {
			t.Errorf("HaloPSA would not know: %v", un)
		}
	}
}
