package connectwise

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// site is a Service on a socket.
type site struct {
	*Service
	t   *testing.T
	url string
	log *wire.Log
}

func newSite(t *testing.T) *site {
	t.Helper()
	log := wire.NewLog()
	s, err := New(Config{
		URL: "https://127.0.0.1:1", Company: "desk", PublicKey: "pub", PrivateKey: "priv", ClientID: "client", Log: log, Speed: 1000, Timeout: 2 * time.Second,
		Customers: []desk.Customer{{Identifier: "CONTOSO", Name: "Contoso", Contacts: []desk.Contact{{First: "Pat", Last: "Doe", Mail: "pat@contoso.example"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(func() { ts.Close(); s.Stop() })
	return &site{s, t, ts.URL, log}
}

// ask calls the API and returns status and body.
func (s *site) ask(method, path, body string, change ...func(*http.Request)) (int, string) {
	s.t.Helper()
	status, raw, _ := s.full(method, "/v4_6_release/apis/3.0/"+path, body, change...)
	return status, raw
}

func (s *site) full(method, path, body string, change ...func(*http.Request)) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.SetBasicAuth("desk+pub", "priv")
	r.Header.Set("clientId", "client")
	r.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(raw), resp.Header
}

// ticket makes one and returns its id.
func (s *site) ticket(ref string) int {
	s.t.Helper()
	status, raw := s.ask("POST", "service/tickets", `{"summary":"s","company":{"identifier":"CONTOSO"},"board":{"name":"Security"},"externalXRef":"`+ref+`","initialDescription":"text"}`)
	var t desk.Record
	if status != 201 || json.Unmarshal([]byte(raw), &t) != nil {
		s.t.Fatalf("create: %d %s", status, raw)
	}
	return t.Int("id")
}

func TestRefusals(t *testing.T) {
	cases := []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"no summary", "POST", "service/tickets", `{"company":{"id":19300},"board":{"id":1}}`, 400, `"field":"summary"`},
		{"summary too long", "POST", "service/tickets", `{"summary":"` + strings.Repeat("ä", 101) + `","company":{"id":19300},"board":{"id":1}}`, 400, "longer than 100"},
		{"no company", "POST", "service/tickets", `{"summary":"s","board":{"id":1}}`, 400, `"field":"company"`},
		{"unknown company", "POST", "service/tickets", `{"summary":"s","company":{"identifier":"NOBODY"},"board":{"id":1}}`, 400, `"field":"company"`},
		{"board without team", "POST", "service/tickets", `{"summary":"s","company":{"id":19300},"board":{"id":3}}`, 400, "Cannot find default team for board specified"},
		{"status of another board", "POST", "service/tickets", `{"summary":"s","company":{"id":19300},"board":{"id":1},"status":{"id":201}}`, 400, `"field":"status"`},
		{"unknown field", "POST", "service/tickets", `{"summary":"s","company":{"id":19300},"board":{"id":1},"colour":"red"}`, 400, `"field":"colour"`},
		{"no JSON", "POST", "service/tickets", `{`, 400, "not valid JSON"},
		{"no ticket", "GET", "service/tickets/1", "", 404, `{"code":"NotFound","message":"Ticket 1 not found"}`},
		{"no path", "GET", "service/thickets", "", 404, `{"code":"ConnectWiseApi","message":"The endpoint does not exist."}`},
		{"no such field in conditions", "GET", "service/tickets?conditions=colour%3D1", "", 400, "colour"},
		{"callback without url", "POST", "system/callbacks", `{"type":"ticket","level":"x","objectId":1}`, 400, `{"code":"InvalidObject","message":"callbackEntry object is invalid","errors":[{"code":"InvalidField","message":"Invalid URL","resource":"callbackEntry","field":"url"},{"code":"InvalidObject","message":"Unrecognized level for type, see documentation for supported levels for each type","resource":"callbackEntry","field":"level"}]}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if status, raw := s.ask(c.method, c.path, c.body); status != c.status || !strings.Contains(raw, c.want) {
				t.Errorf("%d %s", status, raw)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	s := newSite(t)
	for name, change := range map[string]func(*http.Request){
		"password":  func(r *http.Request) { r.SetBasicAuth("desk+pub", "x") },
		"company":   func(r *http.Request) { r.SetBasicAuth("other+pub", "priv") },
		"none":      func(r *http.Request) { r.Header.Del("Authorization") },
		"client id": func(r *http.Request) { r.Header.Del("clientId") },
	} {
		if status, raw := s.ask("GET", "service/boards", "", change); status != 401 {
			t.Errorf("%s: %d %s", name, status, raw)
		}
	}
}

func TestCodebaseMoves(t *testing.T) {
	s := newSite(t)
	if _, raw, _ := s.full("GET", "/login/companyinfo/nobody", ""); raw != "null" {
		t.Errorf("unknown company: %s", raw)
	}
	if status, _, h := s.full("GET", "/v2025_1/apis/3.0/service/boards", "", func(r *http.Request) {
		r.Header.Set("Accept", "application/vnd.connectwise.com+json; version=2025.1, application/json")
	}); status != 200 || h.Get("Content-Type") != "application/vnd.connectwise.com+json; version=2025.1" {
		t.Errorf("%d %s", status, h.Get("Content-Type"))
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "desk_codebase", Value: "v2025_2"}); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := s.full("GET", "/v2025_1/apis/3.0/service/boards", ""); status != 404 {
		t.Errorf("the old codebase answers %d", status)
	}
	if _, raw, _ := s.full("GET", "/login/companyinfo/desk", ""); !strings.Contains(raw, `"Codebase":"v2025_2/"`) {
		t.Error(raw)
	}
}

func TestTicketIsMadeFoundChangedAndNoted(t *testing.T) {
	s := newSite(t)
	id := s.ticket("RH-1")
	at := "service/tickets/" + itoa(id)
	if _, raw := s.ask("GET", `service/tickets?conditions=externalXRef%3D%22rh-1%22+and+closedFlag%3DFalse&fields=id,status/name`, ""); raw != `[{"id":`+itoa(id)+`,"status":{"name":"New"}}]` {
		t.Errorf("found %s", raw)
	}
	if status, raw := s.ask("PATCH", at, `[{"op":"replace","path":"status/id","value":105}]`); status != 200 || !strings.Contains(raw, `"name":"New"`) {
		t.Errorf("nested path: %d %s", status, raw)
	}
	if status, raw := s.ask("PATCH", at, `[{"op":"replace","path":"status","value":{"name":"Closed"}}]`); status != 200 || !strings.Contains(raw, `"closedFlag":true`) || !strings.Contains(raw, `"closedBy":"ResponseHub"`) {
		t.Errorf("closed: %d %s", status, raw)
	}
	if status, raw := s.ask("POST", at+"/notes", `{"text":"x"}`); status != 400 || !strings.Contains(raw, noFlag) {
		t.Errorf("note without flag: %d %s", status, raw)
	}
	if status, raw := s.ask("POST", at+"/notes", `{"text":"one\ntwo","internalAnalysisFlag":true}`); status != 201 {
		t.Errorf("note: %d %s", status, raw)
	}
	if got := s.Snapshot().ByRef("RH-1"); len(got) != 1 || len(got[0].Notes) != 2 || !got[0].Closed || !got[0].Notes[1].Internal || got[0].Notes[0].Internal {
		t.Errorf("%+v", got)
	}
	if got := s.log.UnexpectedAll(); len(got) != 1 || !strings.Contains(got[0], "status/id") {
		t.Errorf("unexpected: %q", got)
	}
}

func TestTechnician(t *testing.T) {
	s := newSite(t)
	first, second := s.ticket("RH-1"), s.ticket("RH-2")
	play := func(a desk.Act) {
		t.Helper()
		if _, err := s.Play(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	view := func(ref string) desk.Ticket { return s.Snapshot().ByRef(ref)[0] }
	play(desk.Act{Do: "ticket_close", Ticket: first})
	if !view("RH-1").Closed {
		t.Error("not closed")
	}
	play(desk.Act{Do: "ticket_reopen", Ticket: first})
	play(desk.Act{Do: "ticket_assign", Ticket: first, Person: "omar"})
	play(desk.Act{Do: "ticket_board", Ticket: first, Value: "Help Desk"})
	if v := view("RH-1"); v.Closed || v.Assignee != "Omar Reyes" || v.Status != "New (portal)" || v.Board != "Help Desk" {
		t.Errorf("%+v", v)
	}
	play(desk.Act{Do: "ticket_merge", Ticket: first, Value: itoa(second)})
	if v := view("RH-1"); v.MergedInto != second || !v.Closed {
		t.Errorf("%+v", v)
	}
	play(desk.Act{Do: "ticket_delete", Ticket: second})
	if status, _ := s.ask("GET", "service/tickets/"+itoa(second), ""); status != 404 {
		t.Errorf("a deleted ticket answers %d", status)
	}
	play(desk.Act{Do: "desk_rename", Value: "New=Fresh"})
	if _, raw := s.ask("GET", "service/boards/1/statuses?conditions=defaultFlag%3DTrue&fields=name", ""); raw != `[{"name":"Fresh"}]` {
		t.Error(raw)
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "ticket_close", Ticket: 1}); err == nil {
		t.Error("a ticket that is not there was closed")
	}
}

func TestPages(t *testing.T) {
	s := newSite(t)
	for range 5 {
		s.ticket("RH-P")
	}
	_, raw, h := s.full("GET", "/v4_6_release/apis/3.0/service/tickets?pageSize=2&page=2&orderBy=id+desc&fields=id", "")
	if raw != `[{"id":4705},{"id":4703}]` || !strings.Contains(h.Get("Link"), `page=3&pageSize=2>; rel="next"`) {
		t.Errorf("%s %s", raw, h.Get("Link"))
	}
	forward := func(r *http.Request) { r.Header.Set("pagination-type", "forward-only") }
	_, raw, h = s.full("GET", "/v4_6_release/apis/3.0/service/tickets?pageSize=2&pageId=4703&fields=id", "", forward)
	if raw != `[{"id":4705},{"id":4707}]` || !strings.Contains(h.Get("Link"), "pageId=4707") {
		t.Errorf("%s %s", raw, h.Get("Link"))
	}
}

func TestSaveAndRestore(t *testing.T) {
	s := newSite(t)
	id := s.ticket("RH-1")
	raw, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(s.cfg, raw)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	if got := again.Snapshot().ByRef("RH-1"); len(got) != 1 || got[0].ID != id || len(got[0].Notes) != 1 {
		t.Errorf("%+v", got)
	}
	if second, err := again.Save(); err != nil || !bytes.Equal(raw, second) {
		t.Errorf("kept twice is not the same: %v", err)
	}
	if _, err := Restore(s.cfg, []byte("{")); err == nil {
		t.Error("half a file was taken")
	}
}
