package connectwise_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
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
	"responsehub/connectors/connectwise"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// site is as much of a ConnectWise site as the desk uses, and as strict as the real one.
type site struct {
	t        *testing.T
	srv      *httptest.Server
	mu       sync.Mutex
	codebase string
	tickets  map[int]map[string]any
	notes    map[int][]map[string]any
	calls    []string
	hooks    []map[string]any
	key      string
	keyAuth  bool // the key needs credentials
	keyReads int
	lies     bool                                              // 200 to a change that is not made
	override func(w http.ResponseWriter, r *http.Request) bool // answers instead
	teams    []map[string]any
	statuses map[int][]map[string]any
}

func newSite(t *testing.T) *site {
	s := &site{
		t: t, codebase: "v2025_1/", tickets: map[int]map[string]any{}, notes: map[int][]map[string]any{}, key: "signing-key-1",
		teams: []map[string]any{{"id": 1, "name": "Security", "defaultFlag": true}},
		statuses: map[int][]map[string]any{
			7: {{"id": 70, "name": "New"}, {"id": 71, "name": "In Progress"}, {"id": 72, "name": "Closed", "closedStatus": true}, {"id": 73, "name": "Old", "inactive": true}},
			8: {{"id": 80, "name": "New"}, {"id": 81, "name": "In Progress"}, {"id": 82, "name": "Done", "closedStatus": true}},
		},
	}
	s.srv = httptest.NewServer(s)
	t.Cleanup(s.srv.Close)
	return s
}

func (s *site) desk(change ...func(*connectwise.Config)) *connectwise.Desk {
	s.t.Helper()
	cfg := connectwise.Config{
		Site: s.srv.URL, Company: "msp", PublicKey: "pub", PrivateKey: "priv-secret-1234", ClientID: "client-guid", Board: "Security", CatchAll: "CatchAll",
		Statuses:   map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Closed"},
		Priorities: map[responsehub.Severity]string{responsehub.Critical: "Priority 1"},
	}
	for _, f := range change {
		f(&cfg)
	}
	d, err := connectwise.New(cfg, transport.Client(transport.Over(http.DefaultTransport)))
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

func (s *site) refuse(w http.ResponseWriter, status int, code, message string, errs ...map[string]string) {
	v := map[string]any{"code": code, "message": message}
	if errs != nil {
		v["errors"] = errs
	}
	s.answer(w, status, v)
}

var ticketPath = regexp.MustCompile(`^/service/tickets/(\d+)(/notes|/allNotes)?$`)

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.override != nil && s.override(w, r) {
		return
	}
	if company, ok := strings.CutPrefix(r.URL.Path, "/login/companyinfo/"); ok {
		s.calls = append(s.calls, "companyinfo")
		if company != "msp" {
			_, _ = io.WriteString(w, "null")
			return
		}
		s.answer(w, 200, map[string]any{"CompanyName": "MSP", "Codebase": s.codebase, "IsCloud": true})
		return
	}
	if strings.HasSuffix(r.URL.Path, "/system/callbackkey/index.rails") {
		s.keyReads++
		if _, _, ok := r.BasicAuth(); s.keyAuth && !ok {
			s.refuse(w, 401, "Unauthorized", "Credentials, please.")
			return
		}
		s.answer(w, 200, map[string]string{"signing_key": s.key})
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/"+s.codebase+"apis/3.0")
	if !ok {
		s.refuse(w, 404, "ConnectWiseApi", "The endpoint does not exist.")
		return
	}
	user, password, _ := r.BasicAuth()
	if user != "msp+pub" || password != "priv-secret-1234" || r.Header.Get("clientId") != "client-guid" || !strings.Contains(r.Header.Get("Accept"), "version=2025.1") {
		s.refuse(w, 401, "Unauthorized", "Not authorized.")
		return
	}
	s.calls = append(s.calls, r.Method+" "+path)
	s.api(w, r, path)
}

func (s *site) api(w http.ResponseWriter, r *http.Request, path string) {
	q := r.URL.Query()
	switch m := ticketPath.FindStringSubmatch(path); {
	case path == "/system/info":
		s.answer(w, 200, map[string]any{"version": "v2025.1.1", "isCloud": true})
	case path == "/service/boards":
		s.answer(w, 200, []map[string]any{{"id": 7, "name": "Security"}, {"id": 8, "name": "Projects"}})
	case strings.HasSuffix(path, "/statuses"):
		id, _ := strconv.Atoi(strings.Split(path, "/")[3])
		s.answer(w, 200, s.statuses[id])
	case strings.HasSuffix(path, "/teams"):
		s.answer(w, 200, s.teams)
	case strings.HasSuffix(path, "/types"):
		s.answer(w, 200, []map[string]any{{"id": 31, "name": "Incident"}})
	case path == "/service/priorities":
		s.answer(w, 200, []map[string]any{{"id": 4, "name": "Priority 1", "color": "Red"}})
	case path == "/service/sources":
		s.answer(w, 200, []map[string]any{{"id": 5, "name": "Monitoring"}})
	case path == "/company/companies":
		var out []map[string]any
		for id, name := range map[int]string{19: "CatchAll", 20: "FAB"} {
			if q.Get("conditions") == `` || strings.HasPrefix(q.Get("conditions"), `identifier="`+name+`"`) || strings.HasPrefix(q.Get("conditions"), `name like`) {
				out = append(out, map[string]any{"id": id, "identifier": name, "name": name + " Ltd"})
			}
		}
		slices.SortFunc(out, func(a, b map[string]any) int { return a["id"].(int) - b["id"].(int) })
		s.answer(w, 200, slices.Concat([]map[string]any{}, out))
	case path == "/company/contacts":
		if strings.Contains(q.Get("childConditions"), `communicationItems/value="pat@fab.example"`) {
			s.answer(w, 200, []map[string]any{{"id": 9}})
			return
		}
		s.answer(w, 200, []map[string]any{})
	case path == "/system/callbacks" || strings.HasPrefix(path, "/system/callbacks/"):
		s.callbacks(w, r, path)
	case path == "/service/tickets" && r.Method == http.MethodPost:
		s.create(w, r)
	case path == "/service/tickets":
		s.search(w, q.Get("conditions"))
	case m != nil:
		id, _ := strconv.Atoi(m[1])
		t, ok := s.tickets[id]
		if !ok {
			s.refuse(w, 404, "NotFound", fmt.Sprintf("Ticket %d not found", id))
			return
		}
		s.one(w, r, id, t, m[2])
	default:
		s.refuse(w, 404, "ConnectWiseApi", "The endpoint does not exist.")
	}
}

func (s *site) create(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	_ = json.NewDecoder(r.Body).Decode(&in)
	summary, _ := in["summary"].(string)
	if in["company"] == nil || in["board"] == nil || len([]rune(summary)) > 100 || summary == "" {
		s.refuse(w, 400, "InvalidObject", "ticket object is invalid", map[string]string{"code": "MissingRequiredField", "message": "company is required", "resource": "ticket", "field": "company"})
		return
	}
	if len(s.teams) == 0 {
		s.refuse(w, 400, "InvalidObject", "ticket object is invalid", map[string]string{"code": "InvalidField", "message": "Cannot find default team for board specified", "field": "board"})
		return
	}
	id := 4711 + len(s.tickets)
	in["id"], in["_info"] = id, map[string]any{"enteredBy": "hubapi", "updatedBy": "hubapi"}
	in["board"] = map[string]any{"id": 7, "name": "Security"}
	in["status"] = map[string]any{"id": 70, "name": "New"}
	s.tickets[id] = in
	s.answer(w, 201, in)
}

func (s *site) search(w http.ResponseWriter, conditions string) {
	out := []map[string]any{}
	for id, t := range s.tickets {
		if conditions == fmt.Sprintf("externalXRef=%q", t["externalXRef"]) || strings.HasPrefix(conditions, "id in (") && strings.Contains(strings.NewReplacer("(", ",", ")", ",").Replace(conditions), fmt.Sprintf(",%d,", id)) {
			out = append(out, t)
		}
	}
	s.answer(w, 200, out)
}

func (s *site) one(w http.ResponseWriter, r *http.Request, id int, t map[string]any, part string) {
	switch {
	case part == "/allNotes":
		s.answer(w, 200, slices.Concat([]map[string]any{}, s.notes[id]))
	case part == "/notes":
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in["detailDescriptionFlag"] != true && in["internalAnalysisFlag"] != true && in["resolutionFlag"] != true {
			s.refuse(w, 400, "InvalidObject", "note object is invalid", map[string]string{"code": "InvalidField", "message": "Please choose where to display the notes in order to save this record."})
			return
		}
		s.notes[id] = append(s.notes[id], in)
		s.answer(w, 201, in)
	case r.Method == http.MethodPatch:
		var ops []struct {
			Op, Path string
			Value    map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&ops); err != nil {
			s.refuse(w, 400, "InvalidObject", "not an array of operations")
			return
		}
		for _, op := range ops {
			if strings.Contains(op.Path, "/") || s.lies {
				continue // a false 200
			}
			t[op.Path] = op.Value
			if op.Path == "status" {
				board := t["board"].(map[string]any)["id"].(int)
				for _, st := range s.statuses[board] {
					if fmt.Sprint(st["id"]) == fmt.Sprint(op.Value["id"]) {
						t["status"], t["closedFlag"] = st, st["closedStatus"] == true
					}
				}
			}
		}
		s.answer(w, 200, t)
	default:
		s.answer(w, 200, t)
	}
}

func (s *site) callbacks(w http.ResponseWriter, r *http.Request, path string) {
	switch r.Method {
	case http.MethodGet:
		s.answer(w, 200, slices.Concat([]map[string]any{}, s.hooks))
	case http.MethodDelete:
		s.hooks = slices.DeleteFunc(s.hooks, func(h map[string]any) bool { return path == fmt.Sprintf("/system/callbacks/%v", h["id"]) })
		w.WriteHeader(204)
	default:
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		if !strings.HasSuffix(in["url"].(string), "recordId=") || in["level"] != "board" {
			s.refuse(w, 400, "InvalidObject", "callbackEntry object is invalid", map[string]string{"code": "InvalidField", "message": "Invalid URL", "field": "url"})
			return
		}
		for _, h := range s.hooks {
			if h["url"] == in["url"] {
				s.refuse(w, 400, "InvalidObject", "callbackEntry object is invalid", map[string]string{"code": "ObjectExists", "message": "A matching callback entry already exists", "field": "objectId"})
				return
			}
		}
		in["id"] = len(s.hooks) + 1
		s.hooks = append(s.hooks, in)
		s.answer(w, 201, in)
	}
}

// event is a callback as ConnectWise sends it, and its signature.
func (s *site) event(change func(map[string]any)) (body []byte, signature string) {
	v := map[string]any{
		"Action": "updated", "CallbackObjectRecId": 1, "CompanyId": "msp", "Entity": `{"id":4711}`, "FromUrl": "na.myconnectwise.net", "ID": 4711,
		"MemberId": "jdoe", "MessageId": "11111111-1111-4111-8111-111111111111", "Metadata": map[string]any{"key_url": s.srv.URL + "/v2025_1//system/callbackkey/index.rails?companyName=msp&id=1"}, "Type": "ticket",
	}
	if change != nil {
		change(v)
	}
	body, _ = json.Marshal(v)
	return body, sign(s.key, body)
}

func sign(key string, body []byte) string {
	derived := sha256.Sum256([]byte(key))
	mac := hmac.New(sha256.New, derived[:])
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
