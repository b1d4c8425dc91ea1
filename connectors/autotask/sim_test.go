package autotask_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/connectors/transport"
	simulated "responsehub/sim/autotask"
	"responsehub/sim/desk"
	"responsehub/sim/wire"
	"responsehub/ticket"
)

// world is the simulated Autotask and a hub's door for its events.
type world struct {
	*simulated.Service
	log    *wire.Log
	desk   *autotask.Desk
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
		URL: srv.URL, Username: "api@msp.example", Secret: secret, Code: tracking, Log: w.log, Speed: 10000, Timeout: 2 * time.Second,
		Customers: []desk.Customer{{Name: "O'Brien & Söhne", Contacts: []desk.Contact{{First: "Pat", Last: "Doe", Mail: "pat@fab.example"}}}},
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
	w.door = door.URL + "/psa/at/events?token=abc"
	t.Cleanup(func() { srv.Close(); w.Stop(); door.Close() })
	w.desk, err = autotask.New(autotask.Config{
		Name: "at", ZoneURL: srv.URL, Username: "api@msp.example", Secret: secret, IntegrationCode: tracking, Queue: "Security", CatchAll: simulated.CatchAll, EventKey: hookKey,
		Category: "Security Incident", Source: "Monitoring Alert",
		Statuses:   map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Complete", ticket.Reopened: "Re-opened"},
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
	if got := must[string](t)(d.Listen(ctx, w.door)); !strings.Contains(got, "set up") {
		t.Error(got)
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
	if notes := must[[]string](t)(d.Notes(ctx, made.ID)); len(notes) != 2 {
		t.Errorf("notes %q", notes)
	}
	if _, ok, err := d.Move(ctx, made.ID, ticket.Working, ""); err != nil || !ok {
		t.Fatal(err)
	}
	id := w.number(t)
	if _, err := w.Play(ctx, desk.Act{Do: "ticket_close", Ticket: id, Person: "tess"}); err != nil {
		t.Fatal(err)
	}
	w.heard(t, func(e ticket.Event) bool { return e.Ticket == made.ID && !e.Own })
	if got := must[[]ticket.Ticket](t)(d.List(ctx, []string{made.ID, "1"})); len(got) != 1 || !got[0].Closed || got[0].UpdatedBy != "Tess Klein" {
		t.Errorf("closed by hand: %+v", got)
	}
	if got, ok, err := d.Move(ctx, made.ID, ticket.Reopened, ""); err != nil || !ok || got.Closed {
		t.Errorf("%+v %v", got, err)
	}
	if got, ok, err := d.Move(ctx, made.ID, ticket.Closed, "All is well."); err != nil || !ok || !got.Closed {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := w.Play(ctx, desk.Act{Do: "desk_zone", Value: "zone9"}); err != nil {
		t.Fatal(err)
	}
	if found := must[[]ticket.Ticket](t)(d.Find(ctx, "RH-7K2M")); len(found) != 1 || found[0].ID != made.ID {
		t.Errorf("after the database moved: %+v", found)
	}
	if err := d.Assign(ctx, made.ID, simulated.CatchAll); err != nil {
		t.Error(err)
	}
	if cs := must[[]ticket.Company](t)(d.Companies(ctx, "Brien")); len(cs) != 1 {
		t.Errorf("companies %+v", cs)
	}
	other := draft()
	other.Ref, other.Company = "RH-OTHER", simulated.CatchAll
	parent := must[ticket.Ticket](t)(d.Create(ctx, other))
	if _, err := w.Play(ctx, desk.Act{Do: "ticket_merge", Ticket: id, Value: parent.ID}); err != nil {
		t.Fatal(err)
	}
	if got := must[ticket.Ticket](t)(d.Get(ctx, made.ID)); got.MergedInto != parent.ID || !got.Closed {
		t.Errorf("after the merge: %+v", got)
	}
	for _, missing := range []string{"404", "null"} {
		if _, err := w.Play(ctx, desk.Act{Do: "desk_missing", Value: missing}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Get(ctx, "12"); responsehub.KindOf(err) != responsehub.NotFound || err == nil {
			t.Errorf("%s: %v", missing, err)
		}
	}
	if _, err := w.Play(ctx, desk.Act{Do: "desk_hooks"}); err != nil {
		t.Fatal(err)
	}
	w.heard(t, func(e ticket.Event) bool { return e.Off })
	if got := must[string](t)(d.Listen(ctx, w.door)); !strings.Contains(got, "set up again") {
		t.Error(got)
	}
	if un := w.log.UnexpectedAll(); len(un) > 0 {
		t.Errorf("Autotask would not know: %v", un)
	}
}

func (w *world) number(t *testing.T) int {
	t.Helper()
	for _, tk := range w.Snapshot().ByRef("RH-7K2M") {
		return tk.ID
	}
	t.Fatal("no ticket at the desk")
	return 0
}

// TestDroppedAnswers loses the answer of each write, once after it was done and once
// before: none is repeated blindly, and each leaves one ticket and one note in the end.
func TestDroppedAnswers(t *testing.T) {
	for _, after := range []bool{true, false} {
		w := newWorld(t)
		d, ctx := w.desk, t.Context()
		in := draft()
		in.Company = "O'Brien & Söhne"
		w.log.AddFault(wire.Fault{Vendor: "autotask", Method: "POST", Match: "/Tickets", Body: `"externalID":`, Times: 1, After: after, Drop: true})
		w.log.AddFault(wire.Fault{Vendor: "autotask", Method: "POST", Match: "/Notes", Times: 1, After: after, Drop: true})
		for try := 0; ; try++ {
			found := must[[]ticket.Ticket](t)(d.Find(ctx, in.Ref))
			if len(found) == 1 {
				if err := d.Finish(ctx, found[0].ID, in); err == nil {
					break
				} else if responsehub.KindOf(err) != responsehub.UnknownOutcome {
					t.Fatal(err)
				}
				continue
			}
			if len(found) > 1 || try > 3 {
				t.Fatalf("after %t: %d tickets on try %d", after, len(found), try)
			}
			if _, err := d.Create(ctx, in); err == nil && try == 0 || err != nil && responsehub.KindOf(err) != responsehub.UnknownOutcome {
				t.Fatalf("after %t, try %d: %v", after, try, err)
			}
		}
		if notes := must[[]string](t)(d.Notes(ctx, must[[]ticket.Ticket](t)(d.Find(ctx, in.Ref))[0].ID)); len(notes) != 1 {
			t.Errorf("after %t: notes %q", after, notes)
		}
		if un := w.log.UnexpectedAll(); len(un) > 0 {
			t.Errorf("Autotask would not know: %v", un)
		}
	}
}
