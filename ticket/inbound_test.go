package ticket_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"responsehub"
	"responsehub/ticket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inbox takes an Event as JSON with the signature "good".
type inbox struct{}

func (inbox) ParseEvent(r *http.Request, body []byte) (ticket.Event, error) {
	switch r.Header.Get("Signature") {
	case "good":
	case "later":
		return ticket.Event{}, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The key cannot be read."}
	default:
		return ticket.Event{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "Forged."}
	}
	var ev ticket.Event
	if err := json.Unmarshal(body, &ev); err != nil {
		return ev, &responsehub.Error{Kind: responsehub.Invalid, Message: "No JSON."}
	}
	return ev, nil
}

// once counts names until their period ends.
type once struct {
	mu    sync.Mutex
	until map[string]time.Time
	err   error
}

func (o *once) Once(_ context.Context, list, name string, period time.Duration) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return false, o.err
	}
	if o.until == nil {
		o.until = map[string]time.Time{}
	}
	if time.Now().Before(o.until[list+"|"+name]) {
		return false, nil
	}
	o.until[list+"|"+name] = time.Now().Add(period)
	return true, nil
}

func (o *once) Again(_ context.Context, list, name string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.until, list+"|"+name)
	return nil
}

// hub passes edits on to incidents.
type hub struct {
	incidents map[string]*responsehub.Incident
	edits     int
	err       error
}

func (h *hub) Amend(_ context.Context, id string, edit responsehub.Edit) error {
	if h.err != nil {
		return h.err
	}
	h.edits++
	inc := h.incidents[id]
	if inc == nil {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such incident."}
	}
	return edit(inc)
}

func incident(id, ticketID string) *responsehub.Incident {
	return &responsehub.Incident{ID: id, State: responsehub.Active, Tickets: map[string]responsehub.TicketRef{"cw": {ID: ticketID, Status: "New", Number: "#" + ticketID}}}
}

func TestEventsAreHints(t *testing.T) {
	event := func(ev ticket.Event) string { b, _ := json.Marshal(ev); return string(b) }
	mine := event(ticket.Event{ID: "m1", Ticket: "101"})
	tests := map[string]struct {
		connection, token, signature, body string
		times                              int
		prepare                            func(*hub, *once)
		status                             int
		hints                              int64
	}{
		"a change":                {"cw", "t", "good", mine, 1, nil, 204, 1},
		"replayed":                {"cw", "t", "good", mine, 5, nil, 204, 1},
		"by the hub's own user":   {"cw", "t", "good", event(ticket.Event{ID: "m1", Ticket: "101", Own: true}), 1, nil, 204, 0},
		"a ticket of somebody":    {"cw", "t", "good", event(ticket.Event{ID: "m1", Ticket: "999"}), 1, nil, 204, 0},
		"forged":                  {"cw", "t", "bad", mine, 1, nil, 401, 0},
		"key out of reach":        {"cw", "t", "later", mine, 1, nil, 429, 0},
		"no json":                 {"cw", "t", "good", "{", 1, nil, 400, 0},
		"without the token":       {"cw", "x", "good", mine, 1, nil, 401, 0},
		"an unknown connection":   {"nope", "t", "good", mine, 1, nil, 404, 0},
		"too large":               {"cw", "t", "good", strings.Repeat(" ", 2<<20), 1, nil, 413, 0},
		"redis away":              {"cw", "t", "good", mine, 1, func(_ *hub, o *once) { o.err = fmt.Errorf("away") }, 429, 0},
		"the store is away":       {"cw", "t", "good", mine, 1, func(h *hub, _ *once) { h.err = &responsehub.Error{Kind: responsehub.Unavailable} }, 429, 0},
		"the incident is removed": {"cw", "t", "good", mine, 1, func(h *hub, _ *once) { delete(h.incidents, "inc1") }, 204, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inc := incident("inc1", "101")
			h, o, x := &hub{incidents: map[string]*responsehub.Incident{"inc1": inc}}, &once{}, &index{}
			if err := x.PutTicket(t.Context(), "cw", "101", "inc1"); err != nil {
				t.Fatal(err)
			}
			if tt.prepare != nil {
				tt.prepare(h, o)
			}
			in := &ticket.Inbound{Doors: map[string]ticket.Door{"cw": {Inbox: inbox{}, Token: "t"}}, Index: x, Once: o, Hub: h, Log: slog.New(slog.DiscardHandler)}
			for range tt.times {
				r := httptest.NewRequest(http.MethodPost, "/psa/"+tt.connection+"/events?token="+tt.token+"&recordId=101", strings.NewReader(tt.body))
				r.Header.Set("Signature", tt.signature)
				w := httptest.NewRecorder()
				in.Serve(w, r, tt.connection)
				if w.Code != tt.status {
					t.Errorf("status %d, want %d", w.Code, tt.status)
				}
			}
			if got := inc.Tickets["cw"].Hints; got != tt.hints {
				t.Errorf("%d hints, want %d", got, tt.hints)
			}
			if tt.status == 429 && len(o.until) != 0 {
				t.Error("the event would not be taken when it comes again")
			}
		})
	}
}

func TestEventsThatWereSwitchedOff(t *testing.T) {
	var off, heard []string
	hear := func(_ context.Context, c string) error { heard = append(heard, c); return nil }
	in := &ticket.Inbound{Heard: hear, Doors: map[string]ticket.Door{"cw": {Inbox: inbox{}}}, Index: &index{}, Once: &once{}, Hub: &hub{}, Off: func(c string) { off = append(off, c) }, Log: slog.New(slog.DiscardHandler)}
	r := httptest.NewRequest(http.MethodPost, "/psa/cw/events", strings.NewReader(`{"Off":true}`))
	r.Header.Set("Signature", "good")
	w := httptest.NewRecorder()
	in.Serve(w, r, "cw")
	if w.Code != 204 || len(off) != 1 {
		t.Errorf("status %d, off %v", w.Code, off)
	}
	if len(heard) != 0 {
		t.Error("what may come unsigned counts as a verified event")
	}
	r = httptest.NewRequest(http.MethodPost, "/psa/cw/events", strings.NewReader(`{"ID":"m1","Ticket":"101"}`))
	r.Header.Set("Signature", "good")
	if in.Serve(httptest.NewRecorder(), r, "cw"); len(heard) != 1 {
		t.Errorf("a verified event was heard %d times", len(heard))
	}
	w = httptest.NewRecorder()
	in.Serve(w, httptest.NewRequest(http.MethodGet, "/psa/cw/events", nil), "cw")
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered %d", w.Code)
	}
}

func FuzzInbound(f *testing.F) {
	f.Add("good", `{"ID":"m1","Ticket":"101"}`)
	f.Add("bad", ``)
	f.Add("good", `{"Ticket":"../../x","Off":true}`)
	f.Fuzz(func(t *testing.T, signature, body string) {
		inc := incident("inc1", "101")
		h := &hub{incidents: map[string]*responsehub.Incident{"inc1": inc}}
		x := &index{ids: map[string]string{"cw|101": "inc1"}}
		in := &ticket.Inbound{Doors: map[string]ticket.Door{"cw": {Inbox: inbox{}}}, Index: x, Once: &once{}, Hub: h, Log: slog.New(slog.DiscardHandler)}
		r := httptest.NewRequest(http.MethodPost, "/psa/cw/events", strings.NewReader(body))
		r.Header["Signature"] = []string{signature}
		w := httptest.NewRecorder()
		in.Serve(w, r, "cw")
		want := incident("inc1", "101")
		if ref := inc.Tickets["cw"]; ref.Hints > 0 {
			if signature != "good" || ref.Hints != 1 {
				t.Errorf("%q %q: %d hints", signature, body, ref.Hints)
			}
			ref.Hints = 0
			inc.Tickets["cw"] = ref
		}
		if diff := cmp.Diff(want, inc, cmp.AllowUnexported(responsehub.Incident{})); diff != "" {
			t.Errorf("an event changed the incident: %s", diff)
		}
	})
}

// listening counts how often events were set up.
type listening struct {
	*desk
	down  bool // the first comparison fails
	own   sync.Mutex
	times []time.Duration
	start time.Time
	fails int
}

func (l *listening) Listen(_ context.Context, address string) (string, error) {
	l.own.Lock()
	defer l.own.Unlock()
	l.times = append(l.times, time.Since(l.start))
	if len(l.times) <= l.fails {
		return "", &responsehub.Error{Kind: responsehub.Unavailable, Message: "Away."}
	}
	return "The callback is at " + address, nil
}

func (l *listening) List(ctx context.Context, ids []string) ([]ticket.Ticket, error) {
	l.own.Lock()
	down := l.down
	l.down = false
	l.own.Unlock()
	if down {
		return nil, &responsehub.Error{Kind: responsehub.Unavailable, Message: "Away."}
	}
	return l.desk.List(ctx, ids)
}

// at is when events were set up.
func (l *listening) at() []time.Duration {
	l.own.Lock()
	defer l.own.Unlock()
	return slices.Clone(l.times)
}

func TestKeeper(t *testing.T) {
	start := func(t *testing.T, fails int, incs ...*responsehub.Incident) (*ticket.Keeper, *listening, func()) {
		d := &listening{desk: newDesk(), start: time.Now(), fails: fails}
		d.down = len(incs) > 0 // the poll of the start fails
		h := &hub{incidents: map[string]*responsehub.Incident{}}
		for _, inc := range incs {
			h.incidents[inc.ID] = inc
		}
		k := &ticket.Keeper{
			Connections: map[string]ticket.Connection{"cw": {Desk: d, Product: "ConnectWise"}}, Address: func(string) string { return "https://hub.example/psa/cw/events" },
			Open: func(_ context.Context, cursor string) ([]*responsehub.Incident, string, error) {
				if cursor == "" {
					return incs[:len(incs)/2], "more", nil
				}
				return incs[len(incs)/2:], "", nil
			},
			Hub: h, Queue: &queue{}, Once: &once{}, Log: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { k.Run(ctx) })
		stop := func() { cancel(); wg.Wait() }
		t.Cleanup(stop)
		return k, d, stop
	}
	t.Run("lost events are found within ten minutes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			incs := []*responsehub.Incident{incident("a", "1"), incident("b", "2"), incident("c", "3"), incident("d", "4"), incident("e", "")}
			_, d, stop := start(t, 0, incs...)
			d.mu.Lock()
			for _, id := range []string{"1", "2", "3"} {
				d.tickets[id] = &held{Ticket: ticket.Ticket{ID: id, Status: "New"}}
			}
			d.tickets["2"].Owner = "Jane"
			d.tickets["3"].MergedInto = "1"
			d.mu.Unlock()
			time.Sleep(11 * time.Minute)
			stop()
			got := map[string]int64{}
			for _, inc := range incs {
				got[inc.ID] = inc.Tickets["cw"].Hints
			}
			if diff := cmp.Diff(map[string]int64{"a": 0, "b": 1, "c": 1, "d": 1, "e": 0}, got); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("events are set up at the start, daily, and again when off or failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k, d, _ := start(t, 1)
			time.Sleep(time.Hour)
			synctest.Wait()
			if at := d.at(); len(at) != 2 || at[1] > 11*time.Minute {
				t.Errorf("set up at %v, want at once and, as that failed, ten minutes later", at)
			}
			k.Off("cw")
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(d.at()) != 3 {
				t.Errorf("switched off, set up at %v", d.at())
			}
			time.Sleep(49 * time.Hour)
			synctest.Wait()
			if len(d.at()) != 5 {
				t.Errorf("within two days set up at %v", d.at())
			}
		})
	})
}
