package halopsa_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"responsehub"
	"responsehub/connectors/halopsa"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

const (
	clientSecret = "client-secret-1234"
	eventKey     = "event-key-5678"
	tenantID     = "11111111-1111-4111-8111-111111111111"
)

type row = map[string]any

// site is as much of a HaloPSA instance as the desk uses.
type site struct {
	t          *testing.T
	srv        *httptest.Server
	mu         sync.Mutex
	token      string
	tokens     int
	tickets    map[int]row
	actions    []row
	hooks      []row
	events     []row
	shy        bool // does not show the events of a webhook
	calls      []string
	bare       bool // lists leave fields out and ignore ids
	asArray    bool // answers to what was made are arrays
	lies       bool // 200 to a change that is not made
	noOutcomes bool
	override   func(w http.ResponseWriter, r *http.Request) bool // answers instead
}

func newSite(t *testing.T) *site {
	s := &site{t: t, token: "token-1-secret", tickets: map[int]row{}}
	s.srv = httptest.NewServer(s)
	t.Cleanup(s.srv.Close)
	return s
}

func (s *site) config() halopsa.Config {
	return halopsa.Config{
		URL: s.srv.URL, ClientID: "client", ClientSecret: clientSecret, Team: "Security", CatchAll: "CatchAll", Type: "Incident", EventKey: eventKey,
		Statuses:   map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Closed", ticket.Reopened: "In Progress"},
		Priorities: map[responsehub.Severity]string{responsehub.Critical: "Critical"},
	}
}

func (s *site) desk(change ...func(*halopsa.Config)) *halopsa.Desk {
	s.t.Helper()
	cfg := s.config()
	for _, f := range change {
		f(&cfg)
	}
	d, err := halopsa.New(cfg, transport.Client(transport.Over(http.DefaultTransport)))
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *site) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

var ticketPath = regexp.MustCompile(`^/Tickets/(\d+)$`)

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.override != nil && s.override(w, r) {
		return
	}
	if r.URL.Path == "/auth/token" {
		s.tokens++
		_ = r.ParseForm()
		if r.Form.Get("client_secret") != clientSecret || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("scope") == "" {
			s.answer(w, 400, row{"error": "invalid_client", "error_description": "The secret " + r.Form.Get("client_secret") + " is wrong"})
			return
		}
		s.answer(w, 200, row{"access_token": s.token, "expires_in": 3600, "token_type": "Bearer"})
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/api")
	if !ok {
		w.WriteHeader(404)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(401)
		return
	}
	s.calls = append(s.calls, r.Method+" "+path)
	s.api(w, r, path)
}

func (s *site) api(w http.ResponseWriter, r *http.Request, path string) {
	var in []row
	if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&in) != nil {
		s.answer(w, 400, "An array is wanted")
		return
	}
	switch m := ticketPath.FindStringSubmatch(path); {
	case path == "/Status":
		s.answer(w, 200, []row{{"id": 1, "name": "New", "type": 0}, {"id": 2, "name": "In Progress", "type": 0}, {"id": 9, "name": "Closed", "type": 0}, {"id": 40, "name": "In Progress", "type": 1}})
	case path == "/TicketType":
		s.answer(w, 200, []row{{"id": 21, "name": "Incident", "default_sla": 3}})
	case path == "/Priority":
		s.answer(w, 200, []row{{"priorityid": 10, "slaid": 1, "name": "Critical"}, {"priorityid": 31, "slaid": 3, "name": "Critical", "ishidden": true}, {"priorityid": 30, "slaid": 3, "name": "Critical"}})
	case path == "/Outcome" && s.noOutcomes:
		s.answer(w, 200, []row{})
	case path == "/Outcome":
		s.answer(w, 200, []row{{"id": 1, "outcome": "Email User"}, {"id": 70, "outcome": "Internal Note"}, {"id": 71, "outcome": "Public Note"}})
	case path == "/Team":
		s.answer(w, 200, []row{{"id": 1, "name": "Security"}})
	case path == "/Agent":
		s.answer(w, 200, []row{{"id": 1, "name": "Unassigned"}, {"id": 30, "name": "Jo Doe"}})
	case path == "/AzureADConnection":
		s.answer(w, 200, []row{{"id": 4}})
	case path == "/AzureADConnection/4":
		s.answer(w, 200, row{"mappings_client": []row{{"azure_tenant_id": strings.ToUpper(tenantID), "client_id": 20}}})
	case path == "/Client":
		s.answer(w, 200, row{"clients": s.clients(r.URL.Query().Get("search"))})
	case strings.HasPrefix(path, "/Webhook/"):
		s.answer(w, 200, s.detailed(strings.TrimPrefix(path, "/Webhook/")))
	case path == "/Notification" && r.Method == http.MethodPost:
		s.events = append(s.events, in[0])
		s.answer(w, 201, in[0])
	case path == "/Users":
		s.answer(w, 200, row{"users": s.users(r.URL.Query())})
	case path == "/Client/20":
		s.answer(w, 200, row{"id": 20, "name": "Fabrikam"})
	case path == "/Webhook" && r.Method == http.MethodPost:
		s.hook(in[0])
		s.answer(w, 201, in)
	case path == "/Webhook":
		s.answer(w, 200, slices.Concat([]row{}, s.hooks))
	case path == "/Tickets" && r.Method == http.MethodPost:
		s.post(w, in)
	case path == "/Tickets":
		s.list(w, r)
	case m != nil:
		id, _ := strconv.Atoi(m[1])
		if s.tickets[id] == nil {
			s.answer(w, 404, "not found")
			return
		}
		s.answer(w, 200, s.tickets[id])
	case path == "/Actions" && r.Method == http.MethodPost:
		if in[0]["outcome_id"] == nil || in[0]["outcome_id"] == 0. {
			s.answer(w, 400, "An Outcome must be entered for this Action")
			return
		}
		s.actions = append(s.actions, in[0])
		s.answer(w, 201, in[0])
	case path == "/Actions":
		out := []row{}
		for _, a := range s.actions {
			if fmt.Sprint(a["ticket_id"]) == r.URL.Query().Get("ticket_id") {
				out = append(out, row{"note_html": a["note_html"]})
			}
		}
		s.answer(w, 200, row{"actions": out})
	default:
		s.answer(w, 404, row{"message": "no such path"})
	}
}

func (s *site) clients(search string) []row {
	out := []row{}
	for _, c := range []row{{"id": 19, "name": "CatchAll"}, {"id": 20, "name": "Fabrikam"}, {"id": 24, "name": "Fabrikam Fibres"}, {"id": 21, "name": "Gone", "inactive": true}, {"id": 22, "name": "Twin"}, {"id": 23, "name": "Twin"}} {
		if strings.Contains(strings.ToLower(c["name"].(string)), strings.ToLower(search)) {
			out = append(out, c)
		}
	}
	return out
}

// users are found by any part of what they are called.
func (s *site) users(q url.Values) []row {
	out := []row{}
	for _, u := range []row{
		{"id": 500, "site_id": 60, "client_id": 20, "name": "pat@fab.example.org", "emailaddress": "other@fab.example"},
		{"id": 501, "site_id": 61, "client_id": 20, "emailaddress": "Pat@Fab.example", "inactive": true},
		{"id": 502, "site_id": 62, "client_id": 20, "emailaddress": "p.doe@fab.example", "networklogin": "Pat@Fab.example"},
		{"id": 503, "site_id": 63, "client_id": 24, "emailaddress": "pat@fab.example"},
	} {
		if strings.Contains(strings.ToLower(fmt.Sprint(u)), strings.ToLower(q.Get("search"))) {
			out = append(out, u) // an instance that does not heed client_id
		}
	}
	return out
}

func (s *site) detailed(id string) row {
	for _, h := range s.hooks {
		if h["id"] != id {
			continue
		}
		out, events := maps.Clone(h), []row{}
		for _, e := range s.events {
			if e["webhook_id"] == id {
				events = append(events, e)
			}
		}
		if !s.shy {
			out["events"] = events
		}
		return out
	}
	return row{}
}

func (s *site) hook(in row) {
	for i, h := range s.hooks {
		if h["id"] == in["id"] {
			s.hooks[i] = in
			return
		}
	}
	in["id"] = fmt.Sprintf("0000-%d", len(s.hooks))
	s.hooks = append(s.hooks, in)
}

func (s *site) post(w http.ResponseWriter, in []row) {
	t := in[0]
	if id, ok := t["id"].(float64); ok {
		old := s.tickets[int(id)]
		if old == nil {
			s.answer(w, 404, "not found")
			return
		}
		for k, v := range t {
			if !s.lies {
				old[k] = v
			}
		}
		if old["status_id"] == 9. {
			old["hasbeenclosed"], old["dateclosed"] = true, "2026-11-23T10:00:00.5"
		}
		t = old
	} else {
		if t["client_id"] == nil || t["summary"] == "" {
			s.answer(w, 400, row{"message": "A client is wanted"})
			return
		}
		n := 4711 + len(s.tickets)
		t["id"], t["agent_id"] = n, 1
		s.tickets[n] = t
	}
	if s.asArray {
		s.answer(w, 201, []row{t})
		return
	}
	s.answer(w, 201, t)
}

func (s *site) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	out := []row{}
	for _, t := range s.tickets {
		switch ids := strings.Split(q.Get("ticketids"), ","); {
		case q.Has("search") && !strings.Contains(t["summary"].(string), q.Get("search")),
			q.Has("third_party_id_string") && !s.bare && t["third_party_id_string"] != q.Get("third_party_id_string"),
			q.Has("ticketids") && (s.bare || !slices.Contains(ids, fmt.Sprint(t["id"]))):
			continue
		}
		if s.bare {
			t = row{"id": t["id"], "summary": t["summary"], "status_id": t["status_id"], "client_id": t["client_id"]}
		}
		out = append(out, t)
	}
	s.answer(w, 200, row{"record_count": len(out), "tickets": out})
}
