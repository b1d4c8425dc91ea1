package autotask_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

const (
	secret   = "api-secret-1234"
	tracking = "tracking-code-5678"
	hookKey  = "hook-key-90"
)

type row = map[string]any

// site is as much of an Autotask database as the desk uses, and as strict as the real one.
type site struct {
	t         *testing.T
	srv       *httptest.Server
	mu        sync.Mutex
	prefix    string // of the zone; others answer 401
	zoneURL   string // answered instead of the site's own
	tickets   map[int]row
	notes     []row
	hooks     map[int]row
	hookParts map[int][]string
	calls     []string
	missing   int // status of what is not there: 404, or 200 without an item
	inFlight  map[string]int
	most      int
	used      int // calls of the last hour
	statuses  []row
	publish   []row
	noteTypes []row
	lies      bool                                              // 200 to a change that is not made
	override  func(w http.ResponseWriter, r *http.Request) bool // answers instead
}

func pick(value int, label string, more ...row) row {
	out := row{"value": strconv.Itoa(value), "label": label, "isActive": true, "isDefaultValue": false, "sortOrder": value}
	for _, m := range more {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

func newSite(t *testing.T) *site {
	s := &site{
		t: t, prefix: "/zone1", tickets: map[int]row{}, hooks: map[int]row{}, hookParts: map[int][]string{}, missing: 404, inFlight: map[string]int{},
		statuses:  []row{pick(1, "New", row{"isDefaultValue": true}), pick(8, "In Progress"), pick(5, "Complete"), pick(9, "Old", row{"isActive": false})},
		noteTypes: []row{pick(1, "Task Summary"), pick(3, "Task Notes", row{"isDefaultValue": true})},
		publish:   []row{pick(1, "All Autotask Users"), pick(2, "Internal Project Team"), pick(4, "Internal & Co-Managed")},
	}
	s.srv = httptest.NewServer(s)
	t.Cleanup(s.srv.Close)
	return s
}

func (s *site) config() autotask.Config {
	return autotask.Config{
		Name: "at", ZoneURL: s.srv.URL, Username: "api@msp.example", Secret: secret, IntegrationCode: tracking, Queue: "Security", CatchAll: "CatchAll", EventKey: hookKey,
		Statuses:   map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Complete", ticket.Reopened: "In Progress"},
		Priorities: map[responsehub.Severity]string{responsehub.Critical: "Critical"},
	}
}

func (s *site) desk(change ...func(*autotask.Config)) *autotask.Desk {
	s.t.Helper()
	cfg := s.config()
	for _, f := range change {
		f(&cfg)
	}
	d, err := autotask.New(cfg, transport.Client(transport.Over(http.DefaultTransport)))
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

func (s *site) refuse(w http.ResponseWriter, text string) {
	s.answer(w, 500, row{"errors": []string{text}})
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.override != nil && s.override(w, r) {
		s.mu.Unlock()
		return
	}
	if strings.EqualFold(r.URL.Path, "/ATServicesRest/v1.0/zoneInformation") {
		defer s.mu.Unlock()
		s.calls = append(s.calls, "zone")
		if r.Header.Get("Secret") != "" {
			s.t.Error("the zone was asked for with credentials")
		}
		if r.URL.Query().Get("user") != "api@msp.example" {
			s.refuse(w, "The user does not exist.")
			return
		}
		zone := s.zoneURL
		if zone == "" {
			zone = s.srv.URL + s.prefix + "/ATServicesRest/"
		}
		s.answer(w, 200, row{"zoneName": "Test", "url": zone, "webUrl": "https://ww1.autotask.net/", "ci": 1})
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, s.prefix+"/ATServicesRest/V1.0/")
	if !ok || r.Header.Get("UserName") != "api@msp.example" || r.Header.Get("Secret") != secret || r.Header.Get("ApiIntegrationCode") != tracking {
		s.mu.Unlock()
		w.WriteHeader(401)
		return
	}
	entity, _, _ := strings.Cut(path, "/")
	s.calls = append(s.calls, r.Method+" "+path)
	s.inFlight[entity]++
	s.most = max(s.most, s.inFlight[entity])
	defer func() {
		s.mu.Lock()
		s.inFlight[entity]--
		s.mu.Unlock()
	}()
	body, _ := io.ReadAll(r.Body)
	s.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.api(w, r, path, body)
}

var (
	ticketPath = regexp.MustCompile(`^Tickets/(\d+)(/Notes)?$`)
	hookPath   = regexp.MustCompile(`^TicketWebhooks/(\d+)(/Fields|/ExcludedResources)?$`)
)

func (s *site) api(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	var in row
	_ = json.Unmarshal(body, &in)
	switch m, h := ticketPath.FindStringSubmatch(path), hookPath.FindStringSubmatch(path); {
	case path == "ThresholdInformation":
		s.answer(w, 200, row{"externalRequestThreshold": 10000, "requestThresholdTimeframe": 60, "currentTimeframeRequestCount": s.used})
	case path == "Tickets/entityInformation/fields":
		s.answer(w, 200, row{"fields": []row{
			{"name": "title", "length": 255}, {"name": "description", "length": 8000}, {"name": "resolution", "length": 200}, {"name": "externalID", "length": 50},
			{"name": "status", "isRequired": true, "isPickList": true, "picklistValues": s.statuses},
			{"name": "priority", "isRequired": true, "picklistValues": []row{pick(1, "High"), pick(2, "Medium", row{"isDefaultValue": true}), pick(4, "Critical")}},
			{"name": "queueID", "picklistValues": []row{pick(29682833, "Security"), pick(8, "Monitoring")}},
			{"name": "ticketCategory", "picklistValues": []row{pick(3, "Standard")}}, {"name": "source", "picklistValues": []row{pick(11, "Monitoring Alert")}},
		}})
	case path == "TicketNotes/entityInformation/fields":
		s.answer(w, 200, row{"fields": []row{{"name": "title", "length": 250}, {"name": "description", "length": 32000}, {"name": "publish", "picklistValues": s.publish}, {"name": "noteType", "picklistValues": s.noteTypes}}})
	case path == "TicketWebhookFields/entityInformation/fields":
		s.answer(w, 200, row{"fields": []row{{"name": "fieldID", "picklistValues": []row{pick(90, "Status"), pick(91, "Primary Resource"), pick(92, "Queue"), pick(93, "Title")}}}})
	case strings.HasSuffix(path, "/query") && r.Method == http.MethodPost:
		s.query(w, strings.TrimSuffix(path, "/query"), in)
	case path == "Tickets" && r.Method == http.MethodPost:
		s.create(w, in)
	case path == "Tickets" && r.Method == http.MethodPatch:
		s.patch(w, in)
	case m != nil && m[2] == "" && r.Method == http.MethodGet:
		id, _ := strconv.Atoi(m[1])
		switch t, ok := s.tickets[id]; {
		case ok:
			s.answer(w, 200, row{"item": t})
		case s.missing == 404:
			w.WriteHeader(404)
		default:
			s.answer(w, 200, row{"item": nil})
		}
	case m != nil && m[2] != "" && r.Method == http.MethodPost:
		if text, _ := in["title"].(string); text == "" || in["publish"] == nil || in["noteType"] == nil {
			s.refuse(w, "Missing Required Field: title")
			return
		}
		in["ticketID"], _ = strconv.Atoi(m[1])
		s.notes = append(s.notes, in)
		s.answer(w, 200, row{"itemId": len(s.notes)})
	case path == "TicketWebhooks" && r.Method == http.MethodPost:
		id := 500 + len(s.hooks)
		in["id"], in["isReady"] = id, false
		s.hooks[id] = in
		s.answer(w, 200, row{"itemId": id})
	case h != nil:
		s.hook(w, r, h, in)
	default:
		w.WriteHeader(404)
	}
}

func (s *site) hook(w http.ResponseWriter, r *http.Request, h []string, in row) {
	id, _ := strconv.Atoi(h[1])
	switch {
	case s.hooks[id] == nil:
		w.WriteHeader(404)
	case r.Method == http.MethodDelete:
		delete(s.hooks, id)
		s.answer(w, 200, row{"itemId": id})
	case h[2] != "":
		if in["isSubscribedField"] == true {
			s.hooks[id]["isReady"] = true
		}
		s.hookParts[id] = append(s.hookParts[id], fmt.Sprint(h[2], in["fieldID"], in["resourceID"]))
		s.answer(w, 200, row{"itemId": 1})
	default:
		s.answer(w, 200, row{"item": s.hooks[id]})
	}
}

func (s *site) create(w http.ResponseWriter, in row) {
	title, _ := in["title"].(string)
	switch {
	case in["queueID"] == nil && in["assignedResourceID"] == nil:
		s.refuse(w, "AssignedResourceID, AssignedResourceRoleID, and QueueID cannot all be empty")
		return
	case title == "" || len([]rune(title)) > 255 || in["status"] == nil || in["priority"] == nil || in["companyID"] == nil:
		s.refuse(w, "Missing Required Field")
		return
	}
	id := 128926 + len(s.tickets)
	in["id"], in["ticketNumber"], in["creatorResourceID"], in["lastActivityResourceID"] = id, fmt.Sprintf("T20261123.%04d", len(s.tickets)+1), 77, 77
	s.tickets[id] = in
	s.answer(w, 200, row{"itemId": id})
}

func (s *site) patch(w http.ResponseWriter, in row) {
	n, _ := in["id"].(float64)
	t, ok := s.tickets[int(n)]
	if !ok {
		s.refuse(w, "No matching records found. The logged in Resource may not have the required permissions to edit the data.")
		return
	}
	for k, v := range in {
		if k != "id" && !s.lies {
			t[k] = v
		}
	}
	if t["status"] == 5. && !s.lies {
		t["completedDate"], t["completedByResourceID"] = "2026-11-23T10:00:00.123", 77
	}
	s.answer(w, 200, row{"itemId": n})
}

func (s *site) query(w http.ResponseWriter, entity string, in row) {
	all := map[string][]row{
		"Companies": {{"id": 0, "companyName": "MSP", "isActive": true}, {"id": 19, "companyName": "CatchAll", "isActive": true}, {"id": 20, "companyName": "Fabrikam", "isActive": true}, {"id": 21, "companyName": "Gone", "isActive": false}, {"id": 22, "companyName": "Twin", "isActive": true}, {"id": 23, "companyName": "Twin", "isActive": true}},
		"Contacts":  {{"id": 9, "companyID": 20, "emailAddress": "pat@fab.example", "isActive": 1}},
		"Resources": {{"id": 77, "firstName": "Response", "lastName": "Hub", "userName": "api@msp.example"}, {"id": 30, "firstName": "Jo", "lastName": "Doe", "userName": "jo"}},
	}
	for _, t := range s.tickets {
		all["Tickets"] = append(all["Tickets"], t)
	}
	all["TicketNotes"] = s.notes
	for _, h := range s.hooks {
		all["TicketWebhooks"] = append(all["TicketWebhooks"], h)
	}
	most, _ := in["maxRecords"].(float64)
	if most < 1 || most > 500 {
		s.refuse(w, "maxRecords must be between 1 and 500")
		return
	}
	out := []row{}
	for _, r := range all[entity] {
		if matches(r, in["filter"].([]any)) && len(out) < int(most) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b row) int { return strings.Compare(fmt.Sprint(a["id"]), fmt.Sprint(b["id"])) })
	s.answer(w, 200, row{"items": out, "pageDetails": row{"count": len(out), "nextPageUrl": nil}})
}

func matches(r row, filters []any) bool {
	for _, f := range filters {
		f := f.(row)
		have, want := fmt.Sprint(r[f["field"].(string)]), fmt.Sprint(f["value"])
		ok := false
		switch f["op"] {
		case "eq":
			ok = have == want
		case "contains":
			ok = strings.Contains(have, want)
		case "beginsWith":
			ok = strings.HasPrefix(have, want)
		case "gt":
			ok = true
		case "in":
			for _, v := range f["value"].([]any) {
				ok = ok || fmt.Sprint(v) == have || fmt.Sprintf("%.0f", v) == have
			}
		}
		if !ok {
			return false
		}
	}
	return true
}
