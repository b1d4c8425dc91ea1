package halopsa_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/halopsa"
	"responsehub/ticket"
)

func request(body []byte, user, password string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/psa/halo/events?token=abc", bytes.NewReader(body))
	if user != "" || password != "" {
		r.SetBasicAuth(user, password)
	}
	return r
}

func TestEvents(t *testing.T) {
	d := newSite(t).desk()
	tests := map[string]struct {
		body, user, password string
		want                 ticket.Event
		kind                 responsehub.Kind
	}{
		"ticket":       {`{"event":"Ticket Updated","ticket":{"id":4711}}`, "responsehub", eventKey, ticket.Event{Ticket: "4711"}, ""},
		"object":       {`{"id":"e1","event":"Ticket Deleted","object_id":"4711"}`, "responsehub", eventKey, ticket.Event{ID: "e1", Ticket: "4711", Deleted: true}, ""},
		"number as id": {`{"id":7,"ticket_id":4711}`, "responsehub", eventKey, ticket.Event{Ticket: "4711"}, ""},
		"collected":    {`[{"ticket_id":4711},{"ticket_id":4712}]`, "responsehub", eventKey, ticket.Event{Ticket: "4711"}, ""},
		"nothing":      {`{"event":"User Updated"}`, "responsehub", eventKey, ticket.Event{}, ""},
		"no json":      {`{"event"`, "responsehub", eventKey, ticket.Event{}, responsehub.Invalid},
		"empty list":   {`[]`, "responsehub", eventKey, ticket.Event{}, responsehub.Invalid},
		"no sign-in":   {`{"ticket":{"id":4711}}`, "", "", ticket.Event{}, responsehub.Unauthorized},
		"password":     {`{"ticket":{"id":4711}}`, "responsehub", eventKey + "x", ticket.Event{}, responsehub.Unauthorized},
		"empty":        {`{"ticket":{"id":4711}}`, "responsehub", "", ticket.Event{}, responsehub.Unauthorized},
		"another name": {`{"ticket":{"id":4711}}`, "halo", eventKey, ticket.Event{}, responsehub.Unauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ev, err := d.ParseEvent(request([]byte(tt.body), tt.user, tt.password), []byte(tt.body))
			if tt.kind != "" && (err == nil || responsehub.KindOf(err) != tt.kind) || tt.kind == "" && err != nil {
				t.Fatalf("got %v, want %q", err, tt.kind)
			}
			if diff := cmp.Diff(tt.want, ev); diff != "" {
				t.Error(diff)
			}
		})
	}
	body := []byte(`{"ticket_id":4711}`)
	r := request(body, "", "")
	r.Header.Set("Authorization", "Bearer "+eventKey)
	if ev, err := d.ParseEvent(r, body); responsehub.KindOf(err) != responsehub.Unauthorized || err == nil {
		t.Errorf("a kind of sign-in that was not set up: %+v, %v", ev, err)
	}
	keyless := newSite(t).desk(func(c *halopsa.Config) { c.EventKey = "" })
	if _, err := keyless.ParseEvent(request([]byte(`{}`), "responsehub", ""), []byte(`{}`)); responsehub.KindOf(err) != responsehub.Unauthorized || err == nil {
		t.Errorf("without a key: %v", err)
	}
}

func TestListen(t *testing.T) {
	s := newSite(t)
	d := s.desk()
	const at = "https://hub.example/psa/halo/events?token=abc"
	const tells = "It tells of these events now: Ticket Status Changed, Closed, Ticket Deleted."
	if got := must[string](t)(d.Listen(t.Context(), at)); !strings.Contains(got, "was set up. "+tells) || !strings.Contains(got, "Events: Ticket Reassigned.") {
		t.Errorf("got %q", got)
	}
	if got := must[string](t)(d.Listen(t.Context(), at)); !strings.HasPrefix(got, "The webhook is there and active. Add by hand") || len(s.events) != 3 {
		t.Errorf("got %q, events %v", got, s.events)
	}
	for i, e := range s.events {
		if e["webhook_id"] != "0000-0" || e["type"] != -2. || e["delivery_method"] != 6. || e["filter_type"] != 2. || e["eventno"] != []string{"76", "39", "1072"}[i] {
			t.Errorf("event %v", e)
		}
	}
	s.events = append(s.events, row{"webhook_id": "0000-0", "eventno": 4.}) // somebody adds what only people can
	if got := must[string](t)(d.Listen(t.Context(), at)); got != "The webhook is there and active." {
		t.Errorf("got %q", got)
	}
	s.events = s.events[1:] // and somebody takes one away
	if got := must[string](t)(d.Listen(t.Context(), at)); got != "The webhook is there and active. It tells of these events now: Ticket Status Changed." || len(s.events) != 4 {
		t.Errorf("got %q, events %v", got, s.events)
	}
	h := s.hooks[0]
	if h["url"] != at || h["authentication_type"] != 1. || h["basic_username"] != "responsehub" || h["basic_password"] != eventKey || strings.Contains(h["name"].(string), eventKey) {
		t.Errorf("webhook %v", h)
	}
	for name, change := range map[string]func(row){
		"switched off":  func(h row) { h["active"] = false },
		"disabled":      func(h row) { h["disabled"] = true },
		"another key":   func(h row) { h["name"] = "responsehub 00000000" },
		"another token": func(h row) { h["url"] = "https://hub.example/psa/halo/events?token=old" },
	} {
		id := s.hooks[0]["id"]
		change(s.hooks[0])
		if got := must[string](t)(d.Listen(t.Context(), at)); !strings.Contains(got, "set right") || len(s.hooks) != 1 || s.hooks[0]["id"] != id || s.hooks[0]["active"] != true {
			t.Errorf("%s: %q, hooks %v", name, got, s.hooks)
		}
	}
}

// TestListenWhereEventsAreRefused: the webhook stands, and a person is told what to do.
func TestListenWhereEventsAreRefused(t *testing.T) {
	s := newSite(t)
	s.override = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/Notification") {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	}
	if got := must[string](t)(s.desk().Listen(t.Context(), "https://hub.example/psa/halo/events")); !strings.Contains(got, "under Configuration, Integrations, Webhooks") || !strings.Contains(got, "Ticket Status Changed, Closed, Ticket Deleted, Ticket Reassigned") {
		t.Error(got)
	}
	hidden := newSite(t)
	hidden.shy = true
	d := hidden.desk()
	for range 2 {
		must[string](t)(d.Listen(t.Context(), "https://hub.example/psa/halo/events"))
	}
	if len(hidden.events) != 3 {
		t.Errorf("events that are not shown are added each time: %v", hidden.events)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"event":"x","ticket":{"id":1}}`), eventKey)
	f.Add([]byte(`[{"object_id":"1"}]`), "x")
	f.Add([]byte(`{"id":[],"ticket":1}`), eventKey)
	d, err := halopsa.New(halopsa.Config{URL: "https://halo.example", EventKey: eventKey}, http.DefaultClient)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, password string) {
		ev, err := d.ParseEvent(request(body, "responsehub", password), body)
		if err != nil && responsehub.Sentence(err) == "" {
			t.Error("no sentence")
		}
		if password != eventKey && err == nil {
			t.Errorf("%q passes with %q: %+v", body, password, ev)
		}
	})
}
