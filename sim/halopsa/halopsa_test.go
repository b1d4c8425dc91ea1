package halopsa

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// site is a Service on a socket with a token.
type site struct {
	*Service
	t          *testing.T
	url, token string
	log        *wire.Log
}

func newSite(t *testing.T) *site {
	t.Helper()
	log := wire.NewLog()
	s, err := New(Config{URL: "http://127.0.0.1:1", ClientID: "id", ClientSecret: "secret", Log: log, Speed: 10000, Customers: []desk.Customer{{Name: "Contoso", TenantID: "guid", Contacts: []desk.Contact{{First: "Pat", Last: "Doe", Mail: "pat@contoso.example"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(func() { ts.Close(); s.Stop() })
	out := &site{Service: s, t: t, url: ts.URL, log: log}
	out.login()
	return out
}

func (s *site) login() {
	s.t.Helper()
	resp, err := http.PostForm(s.url+"/auth/token?tenant=x", url.Values{"grant_type": {"client_credentials"}, "client_id": {"id"}, "client_secret": {"secret"}, "scope": {"all"}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Token == "" {
		s.t.Fatalf("no token: %v", err)
	}
	s.token = out.Token
}

func (s *site) ask(method, path, body string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func (s *site) ticket() int {
	s.t.Helper()
	status, raw := s.ask("POST", "Tickets", `[{"summary":"s","details_html":"<p>a &amp; b</p>","client_id":13,"tickettype_id":21,"third_party_id_string":"RH-1"}]`)
	var t desk.Record
	if status != 201 || json.Unmarshal([]byte(raw), &t) != nil {
		s.t.Fatalf("%d %s", status, raw)
	}
	return t.Int("id")
}

func TestTokens(t *testing.T) {
	s := newSite(t)
	resp, err := http.PostForm(s.url+"/auth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"id"}, "client_secret": {"x"}, "scope": {"all"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("wrong secret: %d", resp.StatusCode)
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "desk_tokens"}); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.ask("GET", "Status", ""); status != 401 {
		t.Errorf("an ended token: %d", status)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, path, body, want string
	}{
		{"no array", "Tickets", `{"summary":"s"}`, "array"},
		{"no summary", "Tickets", `[{"client_id":13}]`, "Summary"},
		{"no client", "Tickets", `[{"summary":"s"}]`, "client"},
		{"no such status", "Tickets", `[{"summary":"s","client_id":13,"status_id":77}]`, "status"},
		{"no such ticket", "Tickets", `[{"id":5,"summary":"s"}]`, "not found"},
		{"unknown field", "Tickets", `[{"summary":"s","client_id":13,"colour":1}]`, "colour"},
		{"action without outcome", "Actions", `[{"ticket_id":2001,"note_html":"x"}]`, "An Outcome must be entered for this Action"},
		{"action with a foreign outcome", "Actions", `[{"ticket_id":2001,"outcome_id":99,"note_html":"x"}]`, "You do not have access to this Action at the moment"},
	} {
		s := newSite(t)
		s.ticket()
		if status, raw := s.ask("POST", c.path, c.body); status != 400 || !strings.Contains(raw, c.want) {
			t.Errorf("%s: %d %s", c.name, status, raw)
		}
	}
}

func TestTicketIsMadeFoundChangedAndNoted(t *testing.T) {
	s := newSite(t)
	id := s.ticket()
	if _, raw := s.ask("GET", "Tickets?search=rh-1&open_only=true", ""); !strings.Contains(raw, `"record_count":1`) {
		t.Error(raw)
	}
	at := strconv.Itoa(id)
	if status, raw := s.ask("POST", "Actions", `[{"ticket_id":`+at+`,"outcome_id":7,"note_html":"<b>noted</b>"}]`); status != 201 || !strings.Contains(raw, `"hiddenfromuser":true`) {
		t.Errorf("%d %s", status, raw)
	}
	if status, raw := s.ask("POST", "Tickets", `[{"id":`+at+`,"status_id":9}]`); status != 201 || !strings.Contains(raw, `"hasbeenclosed":true`) {
		t.Errorf("%d %s", status, raw)
	}
	if _, raw := s.ask("GET", "AzureADConnection/1?includetenants=true", ""); !strings.Contains(raw, `"azure_tenant_id":"guid"`) {
		t.Error(raw)
	}
	got := s.Snapshot().ByRef("RH-1")
	if len(got) != 1 || !got[0].Closed || got[0].Text != "a & b" || len(got[0].Notes) != 1 || got[0].Notes[0].Text != "noted" || !got[0].Notes[0].Internal {
		t.Errorf("%+v", got)
	}
	if bad := s.log.UnexpectedAll(); len(bad) > 0 {
		t.Errorf("unexpected: %q", bad)
	}
}

func TestTechnicianIsTold(t *testing.T) {
	s := newSite(t)
	heard := make(chan string, 9)
	ear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- r.Header.Get("Authorization") + " " + string(body)
	}))
	defer ear.Close()
	if status, raw := s.ask("POST", "Webhook", `[{"name":"hub","url":"`+ear.URL+`","authentication_type":2,"authentication_header":"k"}]`); status != 201 || strings.Contains(raw, "authentication_header") {
		t.Fatalf("%d %s", status, raw)
	}
	s.ticket()
	if len(s.Snapshot().Deliveries) != 0 {
		t.Error("a webhook without events tells")
	}
	for name := range numbers {
		if _, err := s.Play(t.Context(), desk.Act{Do: "desk_subscribe", Value: name}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := s.ticket(), s.ticket()
	next := func() string {
		t.Helper()
		select {
		case e := <-heard:
			return e
		case <-time.After(5 * time.Second):
			t.Fatal("no event")
			return ""
		}
	}
	if e := next(); !strings.HasPrefix(e, "Bearer k ") || !strings.Contains(e, "new ticket logged") {
		t.Error(e)
	}
	next()
	for _, a := range []desk.Act{{Do: "ticket_assign"}, {Do: "ticket_board", Value: "1st Line"}, {Do: "ticket_close"}, {Do: "ticket_reopen"}, {Do: "ticket_merge", Value: strconv.Itoa(second)}} {
		a.Ticket = first
		if _, err := s.Play(t.Context(), a); err != nil {
			t.Errorf("%s: %v", a.Do, err)
		}
		if e := next(); !strings.Contains(e, `"agent_id":11`) {
			t.Errorf("%s: %s", a.Do, e)
		}
		if a.Do == "ticket_close" || a.Do == "ticket_merge" {
			if e := next(); !strings.Contains(e, `"event":"closed"`) {
				t.Errorf("%s: %s", a.Do, e)
			}
		}
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "ticket_note", Ticket: first, Text: "seen"}); err != nil {
		t.Error(err)
	}
	if v := s.Snapshot().Tickets[1]; v.MergedInto != second || !v.Closed || v.Board != "1st Line" || v.Assignee != "Tess Klein" {
		t.Errorf("%+v", v)
	}
	if seen, err := s.Play(t.Context(), desk.Act{Do: "desk_event", Value: "forged", Ticket: first}); err != nil || seen != "The hub answered 200." || strings.HasPrefix(next(), "Bearer k ") {
		t.Errorf("%q %v", seen, err)
	}
}

// TestSignInsOfWebhooks: each kind of authentication puts into the request what it says.
func TestSignInsOfWebhooks(t *testing.T) {
	s := newSite(t)
	h := desk.Record{"authentication_header": "k", "basic_username": "u", "basic_password": "p"}
	for kind, want := range map[int]string{0: "", 1: "Basic dTpw", 2: "Bearer k"} {
		h["authentication_type"] = kind
		if got := s.event(h, "Closed", desk.Record{"id": 1}, 11).Header.Get("Authorization"); got != want {
			t.Errorf("type %d: %q", kind, got)
		}
	}
}

// TestEventsAreAddedToAWebhook: an event is a notification with the webhook's id.
func TestEventsAreAddedToAWebhook(t *testing.T) {
	s := newSite(t)
	_, raw := s.ask("POST", "Webhook", `[{"name":"hub","url":"http://127.0.0.1:1/x","authentication_type":0}]`)
	var h desk.Record
	if err := json.Unmarshal([]byte(raw), &h); err != nil {
		t.Fatal(err)
	}
	id := h.Text("id")
	for body, want := range map[string]int{
		`[{"webhook_id":"` + id + `","type":-2,"delivery_method":6,"eventno":"76"}]`:    201,
		`[{"webhook_id":"` + id + `","type":-2,"delivery_method":6,"eventno":"77777"}]`: 400,
		`[{"webhook_id":"` + id + `","type":1,"delivery_method":6,"eventno":"76"}]`:     400,
		`[{"webhook_id":"nobody","type":-2,"delivery_method":6,"eventno":"76"}]`:        400,
	} {
		if status, raw := s.ask("POST", "Notification", body); status != want {
			t.Errorf("%s: %d %s", body, status, raw)
		}
	}
	if _, raw := s.ask("GET", "Webhook/"+id+"?includedetails=true", ""); strings.Count(raw, `"eventno":76`) != 1 {
		t.Error(raw)
	}
	if _, raw := s.ask("GET", "Webhook/"+id, ""); strings.Contains(raw, "events") {
		t.Error(raw)
	}
}

// TestUsersBelongToAClient: a user is found by part of the address, and taken with the site only.
func TestUsersBelongToAClient(t *testing.T) {
	s := newSite(t)
	if _, raw := s.ask("GET", "Users?client_id=13&search=PAT@", ""); !strings.Contains(raw, `"record_count":1`) || !strings.Contains(raw, `"site_id":51`) {
		t.Error(raw)
	}
	for body, want := range map[string]int{
		`[{"summary":"s","client_id":13,"user_id":400,"site_id":51}]`: 201,
		`[{"summary":"s","client_id":13,"user_id":400}]`:              400,
		`[{"summary":"s","client_id":12,"user_id":400,"site_id":51}]`: 400,
	} {
		if status, raw := s.ask("POST", "Tickets", body); status != want {
			t.Errorf("%s: %d %s", body, status, raw)
		}
	}
}

func TestSaveAndRestore(t *testing.T) {
	s := newSite(t)
	s.ticket()
	raw, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(s.cfg, raw)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	if second, err := again.Save(); err != nil || !bytes.Equal(raw, second) || len(again.Snapshot().ByRef("RH-1")) != 1 {
		t.Errorf("not the same: %v", err)
	}
}
