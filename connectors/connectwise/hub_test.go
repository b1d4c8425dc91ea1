package connectwise_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/connectors/connectwise"
	"responsehub/connectors/transport"
	simulated "responsehub/sim/connectwise"
	"responsehub/sim/desk"
	"responsehub/sim/wire"
	"responsehub/store"
	"responsehub/store/storetest"
	"responsehub/ticket"
)

// through calls a handler in process, so that a story needs no sockets and runs in a
// bubble, where an hour takes no time.
type through struct{ handler http.Handler }

func (c through) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	defer func() {
		if gone := recover(); gone != nil {
			resp, err = nil, fmt.Errorf("connection reset: %v", gone)
		}
	}()
	var body []byte
	if req.Body != nil {
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	in := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.RequestURI(), bytes.NewReader(body))
	in.Header, in.Host = req.Header.Clone(), req.URL.Host
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, in)
	resp = w.Result()
	resp.Request = req
	return resp, req.Context().Err()
}

// hub is one incident and its ticket lane. The engine itself looks into Redis every second,
// which over hours of a bubble is long.
type hub struct {
	mu   sync.Mutex
	inc  *responsehub.Incident
	wake chan struct{}
}

// now is a copy of the incident, through the form in which it is stored.
func (h *hub) now() *responsehub.Incident {
	raw, err := json.Marshal(h.inc)
	if err != nil {
		panic(err)
	}
	var out responsehub.Incident
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	return &out
}

func (h *hub) write(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := h.now()
	if err := edit(next); err != nil {
		return nil, err
	}
	h.inc = next
	return h.now(), nil
}

func (h *hub) Amend(ctx context.Context, _ string, edit responsehub.Edit) error {
	_, err := h.write(ctx, edit)
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return err
}

func (h *hub) run(ctx context.Context, f responsehub.Follower) {
	for ctx.Err() == nil {
		h.mu.Lock()
		inc := h.now()
		h.mu.Unlock()
		out := f.Follow(ctx, responsehub.NewTurn(inc, 0, h.write))
		var again <-chan time.Time
		if out.Err != nil {
			out.After = time.Second
		}
		if out.After > 0 {
			again = time.After(out.After)
		}
		select {
		case <-ctx.Done():
		case <-again:
		case <-h.wake:
		}
	}
}

// office is the ticket lane of a hub, its keeper and its door for events, on a Redis and a
// ConnectWise in process.
type office struct {
	*testing.T
	log  *wire.Log
	site *simulated.Service
	hub  *hub

	mu     sync.Mutex
	alarms []string
}

func newOffice(t *testing.T) *office {
	o := &office{T: t, log: wire.NewLog()}
	in := &ticket.Inbound{Log: slog.New(slog.DiscardHandler)}
	var err error
	o.site, err = simulated.New(simulated.Config{
		URL: "https://cw.example", Company: "msp", PublicKey: "pub", PrivateKey: "priv-secret-1234", ClientID: "client-guid", Log: o.log,
		Customers: []desk.Customer{{Identifier: "FAB", Name: "Fabrikam"}},
		Client:    &http.Client{Transport: through{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { in.Serve(w, r, "cw") })}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.site.Stop)
	d, err := connectwise.New(connectwise.Config{
		Site: "https://cw.example", Company: "msp", PublicKey: "pub", PrivateKey: "priv-secret-1234", ClientID: "client-guid", Board: simulated.Board, CatchAll: simulated.CatchAll,
		Statuses: map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Closed", ticket.Reopened: "Re-opened"},
	}, transport.Client(transport.Over(through{o.site.Handler()})))
	if err != nil {
		t.Fatal(err)
	}
	rdb, _ := storetest.Mini(t)
	shared, quiet := store.NewTickets(rdb), slog.New(slog.DiscardHandler)
	fab := responsehub.Tenant{V: 1, ID: "fab", Name: "Fabrikam", Notify: responsehub.Notify{PSA: responsehub.Desks{{Connection: "cw", Company: "FAB"}}}}
	o.hub = &hub{wake: make(chan struct{}, 1), inc: responsehub.NewIncident("inc1", "RH-7K2M", time.Now(), "petra", &responsehub.Alert{
		Version: "1", ID: "a1", DetectedAt: time.Now(), Severity: responsehub.High, Title: "Account takeover", Account: responsehub.Account{UserPrincipalName: "pat@fabrikam.example"},
	}, responsehub.TenantRef{ID: "fab", Name: "Fabrikam"}, false)}
	connections := map[string]ticket.Connection{"cw": {Desk: d, Product: "ConnectWise", ReopenDays: 7}}
	follower := ticket.NewFollower(ticket.Config{
		Connections: connections, Tenant: func(id string) (responsehub.Tenant, bool) { return fab, id == fab.ID }, Queue: shared, Index: shared, Log: quiet,
		Link: func(*responsehub.Incident) string { return "" },
		Alarm: func(_ context.Context, a responsehub.Alarm) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if !a.Over && !slices.Contains(o.alarms, a.Words) {
				o.alarms = append(o.alarms, a.Words)
			}
		},
	})
	*in = ticket.Inbound{Doors: map[string]ticket.Door{"cw": {Inbox: d}}, Index: shared, Once: shared, Hub: o.hub, Log: quiet}
	keeper := &ticket.Keeper{
		Connections: connections, Hub: o.hub, Queue: shared, Once: shared, Moves: follower.Moves, Log: quiet,
		Address: func(string) string { return "https://hub.example/psa/cw/events" },
		Open: func(context.Context, string) ([]*responsehub.Incident, string, error) {
			o.hub.mu.Lock()
			defer o.hub.mu.Unlock()
			return []*responsehub.Incident{o.hub.now()}, "", nil
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { o.hub.run(ctx, follower) })
	wg.Go(func() { keeper.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	time.Sleep(5 * time.Second)
	return o
}

func (o *office) ref() responsehub.TicketRef {
	o.hub.mu.Lock()
	defer o.hub.mu.Unlock()
	return o.hub.now().Tickets["cw"]
}

// one is the incident's only ticket.
func (o *office) one() desk.Ticket {
	o.Helper()
	all := o.site.Snapshot().Tickets
	if len(all) != 1 {
		o.Fatalf("%d tickets: %+v", len(all), all)
	}
	return all[0]
}

func (o *office) amend(edit responsehub.Edit) {
	o.Helper()
	if err := o.hub.Amend(o.Context(), "inc1", edit); err != nil {
		o.Fatal(err)
	}
}

func (o *office) play(do string) {
	o.Helper()
	if _, err := o.site.Play(o.Context(), desk.Act{Do: do, Ticket: o.one().ID, Value: "off"}); err != nil {
		o.Fatal(err)
	}
}

// TestAnHourOfRefusedKeys: ConnectWise answers 401 for an hour while things go on. It is
// asked every five minutes, the operators are told once, and then one note tells all of
// what was missed.
func TestAnHourOfRefusedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		notes := len(o.one().Notes)
		o.log.AddFault(wire.Fault{Vendor: "connectwise", Status: http.StatusUnauthorized, Answer: `{"code":"Unauthorized","message":"No.","errors":null}`})
		before := len(o.log.Requests())
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
			o.amend(func(inc *responsehub.Incident) error {
				s := inc.Step(id)
				s.State, s.Round, s.VerifiedAt = responsehub.Done, 1, time.Now().UTC()
				inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventDone, Step: id})
				return nil
			})
			time.Sleep(20 * time.Minute)
		}
		if n := len(o.log.Requests()) - before; n < 8 || n > 20 {
			t.Errorf("%d requests within an hour of refused keys", n)
		}
		if o.mu.Lock(); len(o.alarms) != 1 || !strings.Contains(o.alarms[0], "Check psa company, public_key, private_key") || strings.Contains(o.alarms[0], "priv-secret") {
			t.Errorf("the operators were told %q", o.alarms)
		}
		o.mu.Unlock()
		if f := o.ref().Failure; !strings.Contains(f, "refuses the hub's API keys") {
			t.Errorf("the incident says %q", f)
		}
		o.log.ClearFaults()
		time.Sleep(10 * time.Minute)
		tk := o.one()
		if len(tk.Notes) != notes+1 {
			t.Fatalf("%d notes tell what was missed: %+v", len(tk.Notes)-notes, tk.Notes)
		}
		text := tk.Notes[notes].Text
		for _, want := range []string{"While the ticket could not be reached", " lock.1.done]", " retract.1.done]", " persistence.1.done]"} {
			if strings.Count(text, want) != 1 {
				t.Errorf("the note has %q %d times:\n%s", want, strings.Count(text, want), text)
			}
		}
		if ref := o.ref(); ref.Failure != "" || ref.Tries != 0 {
			t.Errorf("the failure stays: %+v", ref)
		}
	})
}

// TestCallbackThatIsSwitchedOff: ConnectWise switches the callback off and tells nobody.
// What a person does then is found by the comparison, within ten minutes, and the hub
// sets the callback up again, so that the next change is heard at once.
func TestCallbackThatIsSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		active := func() (n int) {
			for _, h := range o.site.Snapshot().Hooks {
				if h.Active {
					n++
				}
			}
			return n
		}
		heard := func(within time.Duration, closed bool) {
			t.Helper()
			for end := time.Now().Add(within); o.ref().Closed != closed; time.Sleep(time.Second) {
				if time.Now().After(end) {
					t.Fatalf("after %s the hub takes the ticket for closed: %t", within, !closed)
				}
			}
		}
		if active() != 1 {
			t.Fatalf("the callbacks are %+v", o.site.Snapshot().Hooks)
		}
		for range 2 {
			time.Sleep(time.Hour)
			o.play("desk_hooks")
			o.play("ticket_close")
			time.Sleep(5 * time.Second)
			if o.ref().Closed {
				t.Fatal("an event came although the callback is off")
			}
			heard(11*time.Minute, true)
			time.Sleep(11 * time.Minute)
			if n := len(o.site.Snapshot().Hooks); n != 1 || active() != 1 {
				t.Fatalf("the callback is not set up again: %+v", o.site.Snapshot().Hooks)
			}
			o.play("ticket_reopen")
			heard(5*time.Second, false)
		}
	})
}
