package autotask

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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
	log *wire.Log
}

func newSite(t *testing.T, change ...func(*Config)) *site {
	t.Helper()
	log := wire.NewLog()
	out := &site{t: t, log: log}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { out.Handler().ServeHTTP(w, r) }))
	cfg := Config{
		URL: ts.URL, Username: "api@desk.example", Secret: "s", Code: "c", Log: log, Speed: 10000, Timeout: 2 * time.Second,
		Customers: []desk.Customer{{Name: "Contoso", Contacts: []desk.Contact{{First: "Pat", Last: "Doe", Mail: "pat@contoso.example"}}}},
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out.Service = s
	t.Cleanup(func() { ts.Close(); s.Stop() })
	return out
}

func (s *site) ask(method, path, body string, change ...func(*http.Request)) (int, string) {
	s.t.Helper()
	return s.at(method, s.cfg.URL+"/ATServicesRest/v1.0/"+path, body, change...)
}

func (s *site) at(method, url, body string, change ...func(*http.Request)) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("UserName", s.cfg.Username)
	r.Header.Set("Secret", "s")
	r.Header.Set("ApiIntegrationCode", "c")
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
	return resp.StatusCode, string(raw)
}

const minimum = `"companyID":29680001,"title":"t","status":1,"priority":1,"queueID":29682833`

// create posts and returns the id.
func (s *site) create(path, body string) int {
	s.t.Helper()
	status, raw := s.ask("POST", path, body)
	var out desk.Record
	if status != 200 || json.Unmarshal([]byte(raw), &out) != nil || len(out) != 1 || out.Int("itemId") == 0 {
		s.t.Fatalf("POST %s: %d %s", path, status, raw)
	}
	return out.Int("itemId")
}

func TestZone(t *testing.T) {
	s := newSite(t)
	bare := func(r *http.Request) { r.Header = http.Header{} }
	if status, raw := s.ask("GET", "zoneInformation?user=api%40desk.example", "", bare); status != 200 || !strings.Contains(raw, `"url":"`+s.cfg.URL+`/ATServicesRest/"`) {
		t.Errorf("%d %s", status, raw)
	}
	if status, raw := s.ask("GET", "zoneInformation?user=nobody", "", bare); status != 500 || !strings.Contains(raw, `"errors":[`) {
		t.Errorf("unknown user: %d %s", status, raw)
	}
	for _, header := range []string{"UserName", "Secret", "ApiIntegrationCode"} {
		if status, _ := s.ask("GET", "Tickets/1", "", func(r *http.Request) { r.Header.Del(header) }); status != 401 {
			t.Errorf("without %s: %d", header, status)
		}
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "desk_zone", Value: "z2"}); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.ask("GET", "Tickets/1", ""); status != 401 {
		t.Errorf("the old zone answers %d", status)
	}
	if _, raw := s.ask("GET", "zoneInformation?user=api%40desk.example", ""); !strings.Contains(raw, "/z2/ATServicesRest/") {
		t.Error(raw)
	}
}

func TestRefusals(t *testing.T) {
	cases := []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"no title", "POST", "Tickets", `{"companyID":29680001,"status":1,"priority":1,"queueID":29682833}`, 500, "Missing Required Field: title"},
		{"no queue", "POST", "Tickets", `{"companyID":29680001,"title":"t","status":1,"priority":1}`, 500, "AssignedResourceID, AssignedResourceRoleID, and QueueID cannot all be empty."},
		{"resource without role", "POST", "Tickets", `{` + minimum + `,"assignedResourceID":4}`, 500, "you must assign both"},
		{"unknown company", "POST", "Tickets", `{"companyID":1,"title":"t","status":1,"priority":1,"queueID":29682833}`, 500, "Value does not reference an existing entity for companyID . "},
		{"status that is off", "POST", "Tickets", `{"companyID":29680001,"title":"t","status":20,"priority":1,"queueID":29682833}`, 500, "picklist field status"},
		{"status as text", "POST", "Tickets", `{"companyID":29680001,"title":"t","status":"1","priority":1,"queueID":29682833}`, 500, "Error converting"},
		{"sub-issue of another issue", "POST", "Tickets", `{` + minimum + `,"issueType":11,"subIssueType":136}`, 500, "subIssueType"},
		{"unknown field", "POST", "Tickets", `{` + minimum + `,"colour":1}`, 500, "Could not find member 'colour'"},
		{"title too long", "PATCH", "Tickets", `{"id":128901,"title":"` + strings.Repeat("ä", 256) + `"}`, 500, "exceeds the maximum of 255"},
		{"PATCH of one ticket", "PATCH", "Tickets/128901", `{"status":5}`, 405, "does not support"},
		{"PATCH of nothing", "PATCH", "Tickets", `{"id":5,"status":5}`, 500, "No matching records found."},
		{"note without title", "POST", "Tickets/128901/Notes", `{"description":"d","noteType":1,"publish":2}`, 500, "Missing Required Field: title"},
		{"note on nothing", "POST", "Tickets/5/Notes", `{"title":"t","description":"d","noteType":1,"publish":2}`, 500, "ticketID"},
		{"query without filter", "POST", "Tickets/query", `{}`, 500, "filter"},
		{"query too large", "POST", "Tickets/query", `{"filter":[{"op":"exist","field":"id"}],"maxRecords":501}`, 500, "500"},
		{"no JSON", "POST", "Tickets", `{`, 500, "JSON"},
		{"no entity", "GET", "Thickets/1", "", 404, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.create("Tickets", `{`+minimum+`}`)
			if status, raw := s.ask(c.method, c.path, c.body); status != c.status || !strings.Contains(raw, c.want) || (status == 500 && !strings.HasPrefix(raw, `{"errors":[`)) {
				t.Errorf("%d %s", status, raw)
			}
		})
	}
}

func TestTicketIsMadeFoundChangedAndNoted(t *testing.T) {
	s := newSite(t)
	id := s.create("Tickets", `{`+minimum+`,"externalID":"RH-1","description":"text"}`)
	found := func() desk.Record {
		t.Helper()
		_, raw := s.ask("POST", "Tickets/query", `{"filter":[{"op":"eq","field":"externalID","value":"RH-1"}],"maxRecords":5}`)
		var out struct{ Items []desk.Record }
		if err := json.Unmarshal([]byte(raw), &out); err != nil || len(out.Items) != 1 {
			t.Fatalf("%s %v", raw, err)
		}
		return out.Items[0]
	}
	if got := found(); got.Int("id") != id || !strings.HasPrefix(got.Text("ticketNumber"), "T20") {
		t.Errorf("%v", got)
	}
	s.create2("PATCH", "Tickets", `{"id":`+strconv.Itoa(id)+`,"status":5,"resolution":"done"}`)
	if got := found(); got["completedDate"] == nil || got.Text("description") != "text" {
		t.Errorf("closed: %v", got)
	}
	s.create("Tickets/"+strconv.Itoa(id)+"/Notes", `{"title":"n","description":"d","noteType":1,"publish":2}`)
	s.create2("PUT", "Tickets", `{"id":`+strconv.Itoa(id)+`,`+minimum+`}`)
	if got := found2(s, id); got["description"] != nil || got["externalID"] != nil || got["completedDate"] != nil {
		t.Errorf("PUT left %v", got)
	}
	if got := s.Snapshot().Tickets; len(got) != 1 || len(got[0].Notes) != 1 || !got[0].Notes[0].Internal || got[0].CreatedBy != "Response Hub" {
		t.Errorf("%+v", got)
	}
	if status, raw := s.ask("GET", "Tickets/7", ""); status != 200 || raw != `{"item":null}` {
		t.Errorf("nothing: %d %s", status, raw)
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "desk_missing", Value: "404"}); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.ask("GET", "Tickets/7", ""); status != 404 {
		t.Errorf("nothing: %d", status)
	}
	if got := s.log.UnexpectedAll(); len(got) > 0 {
		t.Errorf("unexpected: %q", got)
	}
}

func (s *site) create2(method, path, body string) {
	s.t.Helper()
	if status, raw := s.ask(method, path, body); status != 200 {
		s.t.Fatalf("%s: %d %s", method, status, raw)
	}
}

func found2(s *site, id int) desk.Record {
	_, raw := s.ask("GET", "tickets/"+strconv.Itoa(id), "")
	var out struct{ Item desk.Record }
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.Item
}

func TestPicklistValuesAreStrings(t *testing.T) {
	s := newSite(t)
	_, raw := s.ask("GET", "Tickets/entityInformation/fields", "")
	for _, want := range []string{`"value":"5","label":"Complete"`, `"name":"description","picklistParentValueField":"","picklistValues":null`, `"length":8000`, `"isActive":false`, `"parentValue":"10"`} {
		if !strings.Contains(raw, want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
}

func TestPagesAreFollowed(t *testing.T) {
	s := newSite(t)
	for range 5 {
		s.create("Tickets", `{`+minimum+`}`)
	}
	status, raw := s.ask("POST", "Tickets/query", `{"filter":[{"op":"gte","field":"id","value":"0"}],"includeFields":["id"],"maxRecords":2}`)
	seen := 0
	for pages := 0; ; pages++ {
		var out struct {
			Items       []desk.Record
			PageDetails struct{ NextPageURL *string }
		}
		if err := json.Unmarshal([]byte(raw), &out); err != nil || status != 200 || pages > 3 {
			t.Fatalf("%d %s %v", status, raw, err)
		}
		seen += len(out.Items)
		if out.PageDetails.NextPageURL == nil {
			break
		}
		status, raw = s.at("GET", *out.PageDetails.NextPageURL, "")
	}
	if seen != 5 {
		t.Errorf("%d of 5", seen)
	}
	if _, raw := s.ask("POST", "Tickets/query/count", `{"filter":[{"op":"exist","field":"id"}]}`); raw != `{"queryCount":5}` {
		t.Error(raw)
	}
}

func TestFourthCallAtOnceIsRefused(t *testing.T) {
	s := newSite(t)
	s.log.AddFault(wire.Fault{Vendor: vendor, DelayMS: 300})
	out := make(chan int, 4)
	for range 4 {
		go func() {
			r, _ := http.NewRequest("GET", s.cfg.URL+"/ATServicesRest/v1.0/Tickets/1", nil)
			r.Header = http.Header{"Username": {s.cfg.Username}, "Secret": {"s"}, "Apiintegrationcode": {"c"}}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				out <- 0
				return
			}
			resp.Body.Close()
			out <- resp.StatusCode
		}()
	}
	count := map[int]int{}
	for range 4 {
		count[<-out]++
	}
	if count[200] != 3 || count[429] != 1 {
		t.Errorf("%v", count)
	}
}

func TestThresholdSlowsAndThenSuspends(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Threshold = 20 })
	if _, err := s.Play(t.Context(), desk.Act{Do: "desk_used", Value: "9"}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, raw := s.ask("GET", "ThresholdInformation", ""); !strings.Contains(raw, `"currentTimeframeRequestCount":10`) || time.Since(began) < 500*time.Millisecond {
		t.Errorf("%s after %v", raw, time.Since(began))
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "desk_used", Value: "10"}); err != nil {
		t.Fatal(err)
	}
	if status, raw := s.ask("GET", "Tickets/1", ""); status != 429 || !strings.Contains(raw, "threshold") {
		t.Errorf("%d %s", status, raw)
	}
}

func TestSaveAndRestore(t *testing.T) {
	s := newSite(t)
	s.create("Tickets", `{`+minimum+`,"externalID":"RH-1"}`)
	raw, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(s.cfg, raw)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	second, err := again.Save()
	if got := again.Snapshot().ByRef("RH-1"); err != nil || len(got) != 1 || !bytes.Equal(raw, second) {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := Restore(s.cfg, []byte("{")); err == nil {
		t.Error("half a file was taken")
	}
}

// TestMergeLeavesNotesAndCompletes: no field names the other ticket; notes of Autotask's own do.
func TestMergeLeavesNotesAndCompletes(t *testing.T) {
	s := newSite(t)
	make := func(company int, kind string) int {
		return s.create("Tickets", `{"companyID":`+strconv.Itoa(company)+`,"title":"t","description":"what was seen","status":1,"priority":4,"queueID":29682833`+kind+`}`)
	}
	source, into := make(29680001, ""), make(29680001, "")
	elsewhere, problem := make(29680000, ""), make(29680001, `,"ticketType":3`)
	for _, other := range []int{source, elsewhere, problem, 7} {
		if _, err := s.Play(t.Context(), desk.Act{Do: "ticket_merge", Ticket: source, Value: strconv.Itoa(other)}); err == nil {
			t.Errorf("merged into %d", other)
		}
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "ticket_merge", Ticket: source, Value: strconv.Itoa(into)}); err != nil {
		t.Fatal(err)
	}
	was, is := found2(s, source), found2(s, into)
	if was.Int("status") != complete || is.Int("status") != 1 || was["problemTicketId"] != nil {
		t.Errorf("the source is %v, the other %v", was, is)
	}
	_, answer := s.ask("POST", "TicketNotes/query", `{"filter":[{"op":"in","field":"ticketID","value":[`+strconv.Itoa(source)+`,`+strconv.Itoa(into)+`]}]}`)
	for _, want := range []string{is.Text("ticketNumber"), `"noteType":93`, `"noteType":94`, "Absorbed Ticket Description " + was.Text("ticketNumber"), "what was seen"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the notes lack %q: %s", want, answer)
		}
	}
	shown := func() int {
		for _, v := range s.Snapshot().Tickets {
			if v.ID == source {
				return v.MergedInto
			}
		}
		return -1
	}
	if got := shown(); got != into {
		t.Errorf("the page shows %d, want %d", got, into)
	}
	if _, err := s.Play(t.Context(), desk.Act{Do: "ticket_reopen", Ticket: source}); err != nil || shown() != 0 {
		t.Errorf("opened again it still shows %d: %v", shown(), err)
	}
}
