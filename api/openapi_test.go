package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"responsehub"
	"responsehub/api"
)

// spec loads the document as a client would and validates it.
func (h *hub) spec() *openapi3.T {
	h.t.Helper()
	got := h.ask("", "GET", "/openapi.json", "")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" {
		h.t.Fatalf("GET /openapi.json = %d %s", got.status, got.header.Get("Content-Type"))
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := doc.Validate(h.t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		h.t.Fatalf("the document is not valid: %v", err)
	}
	return doc
}

// TestEveryRouteIsDescribed compares what is mounted with what is described.
func TestEveryRouteIsDescribed(t *testing.T) {
	h := newHub(t, api.Config{})
	var mounted, described []string
	for _, r := range h.echo.Routes() {
		if r.Path == "/openapi.json" || strings.HasSuffix(r.Path, "*") {
			continue
		}
		var parts []string
		for part := range strings.SplitSeq(r.Path, "/") {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				part = "{" + name + "}"
			}
			parts = append(parts, part)
		}
		mounted = append(mounted, r.Method+" "+strings.Join(parts, "/"))
	}
	for path, item := range h.spec().Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(mounted)
	slices.Sort(described)
	if !slices.Equal(mounted, described) || len(mounted) < 11 {
		t.Errorf("mounted:\n%s\ndescribed:\n%s", strings.Join(mounted, "\n"), strings.Join(described, "\n"))
	}
}

// TestAnswersAreAsDescribed holds a run's answers to the document's schemas.
func TestAnswersAreAsDescribed(t *testing.T) {
	h := newHub(t, api.Config{Preflight: &looker{}, OnCall: caller(), Documents: clerk{}, Onboarding: newcomers(t), Destinations: destinations(t), Sources: petra, Mapper: reads{}, Companies: halo{}, Channels: general{}})
	moved := h.engine.inc.Step(responsehub.Retract)
	moved.State, moved.Progress = responsehub.Done, &responsehub.Progress{Found: 1, Moved: 1}
	doc := h.spec()
	runs := []struct {
		key, method, path, template, body string
		status                            int
	}{
		{"reader", "GET", "/v1/incidents", "/v1/incidents", "", 200},
		{"reader", "GET", "/v1/incidents?limit=x", "/v1/incidents", "", 400},
		{"", "GET", "/v1/incidents", "/v1/incidents", "", 401},
		{"reader", "GET", "/v1/incidents/i1", "/v1/incidents/{id}", "", 200},
		{"admin", "GET", "/v1/sources", "/v1/sources", "", 200},
		{"reader", "GET", "/v1/sources", "/v1/sources", "", 403},
		{"admin", "POST", "/v1/sources/petra/try", "/v1/sources/{source}/try", `{"sample":{"any":["thing",1.5,null]}}`, 200},
		{"admin", "POST", "/v1/sources/nobody/try", "/v1/sources/{source}/try", `{"sample":1}`, 404},
		{"admin", "GET", "/v1/channels", "/v1/channels", "", 200},
		{"admin", "GET", "/v1/tenants/t1/companies?connection=halo&name=con", "/v1/tenants/{id}/companies", "", 200},
		{"reader", "GET", "/v1/tenants/t1/companies?connection=halo&name=con", "/v1/tenants/{id}/companies", "", 403},
		{"reader", "GET", "/v1/incidents/zz", "/v1/incidents/{id}", "", 404},
		{"reader", "GET", "/v1/incidents/i1/events", "/v1/incidents/{id}/events", "", 200},
		{"reader", "GET", "/v1/incidents/i1/letters?limit=3", "/v1/incidents/{id}/letters", "", 200},
		{"reader", "GET", "/v1/incidents/i1/letters?limit=0", "/v1/incidents/{id}/letters", "", 400},
		{"responder", "POST", "/v1/incidents/i1/acknowledge", "/v1/incidents/{id}/acknowledge", "{}", 200},
		{"responder", "POST", "/v1/incidents/i1/todos/ad-disable", "/v1/incidents/{id}/todos/{todo}", "{}", 200},
		{"responder", "POST", "/v1/incidents/i1/steps/lock", "/v1/incidents/{id}/steps/{step}", "{}", 202},
		{"responder", "POST", "/v1/incidents/i1/steps/close", "/v1/incidents/{id}/steps/{step}", "{}", 409},
		{"reader", "POST", "/v1/incidents/i1/steps/lock", "/v1/incidents/{id}/steps/{step}", "{}", 403},
		{"responder", "POST", "/v1/incidents/i1/steps/password/reveal", "/v1/incidents/{id}/steps/password/reveal", "", 200},
		{"responder", "POST", "/v1/incidents/i1/steps/password/reveal", "/v1/incidents/{id}/steps/password/reveal", "", 410},
		{"responder", "POST", "/v1/incidents/i1/steps/password/undo", "/v1/incidents/{id}/steps/{step}/undo", `{"reason":"r"}`, 409},
		{"responder", "POST", "/v1/incidents/i1/steps/retract/undo", "/v1/incidents/{id}/steps/{step}/undo", `{"reason":"r"}`, 202},
		{"reader", "POST", "/v1/incidents/i1/false-alarm", "/v1/incidents/{id}/false-alarm", `{"reason":"r"}`, 403},
		{"responder", "POST", "/v1/incidents/i1/false-alarm", "/v1/incidents/{id}/false-alarm", `{"reason":"r"}`, 202},
		{"reader", "GET", "/v1/tenants", "/v1/tenants", "", 200},
		{"reader", "GET", "/v1/tenants/t1/preflight", "/v1/tenants/{id}/preflight", "", 200},
		{"reader", "GET", "/v1/tenants/t1/oncall", "/v1/tenants/{id}/oncall", "", 200},
		{"responder", "POST", "/v1/tenants/t1/preflight", "/v1/tenants/{id}/preflight", "", 200},
		{"responder", "POST", "/v1/tenants/t1/rehearse", "/v1/tenants/{id}/rehearse", `{"user":"pat@contoso.example"}`, 200},
		{"responder", "POST", "/v1/incidents/i1/rehearse", "/v1/incidents/{id}/rehearse", "", 200},
		{"admin", "PATCH", "/v1/tenants/t1", "/v1/tenants/{id}", `{"response":true,"paused":true,"notify":{"teams":["19:a@thread.tacv2"],"phone":{"sequence":["ann"]},"slack":["https://hooks.slack.test/..."]}}`, 200},
		{"admin", "PATCH", "/v1/tenants/t1", "/v1/tenants/{id}", `{"product":"gold"}`, 400},
		{"reader", "POST", "/v1/tenants/t1/run-open", "/v1/tenants/{id}/run-open", "", 403},
		{"responder", "POST", "/v1/tenants/t1/run-open", "/v1/tenants/{id}/run-open", "", 202},
		{"reader", "POST", "/v1/tenants/onboard", "/v1/tenants/onboard", `{"name":"Northwind"}`, 403},
		{"admin", "POST", "/v1/tenants/onboard", "/v1/tenants/onboard", `{"name":"Contoso"}`, 409},
		{"admin", "POST", "/v1/tenants/onboard", "/v1/tenants/onboard", `{"name":"Northwind","microsoft_tenant_id":"x"}`, 400},
		{"admin", "POST", "/v1/tenants/onboard", "/v1/tenants/onboard", `{"name":"Northwind"}`, 201},
		{"reader", "GET", "/v1/tenants/t1", "/v1/tenants/{id}", "", 200},
		{"contoso admin", "GET", "/v1/tenants/t2", "/v1/tenants/{id}", "", 404},
		{"admin", "DELETE", "/v1/tenants/t1", "/v1/tenants/{id}", "", 409},
		{"admin", "GET", "/v1/people?limit=1", "/v1/people", "", 200},
		{"contoso admin", "GET", "/v1/people", "/v1/people", "", 403},
		{"admin", "PUT", "/v1/people/zoe", "/v1/people/{id}", `{"name":"Zoe","role":"reader","tenants":["*"],"time_zone":"Europe/Berlin"}`, 200},
		{"admin", "PUT", "/v1/people/zoe", "/v1/people/{id}", `{"name":"Zoe","role":"guest","tenants":["*"]}`, 400},
		{"admin", "GET", "/v1/people/zoe", "/v1/people/{id}", "", 200},
		{"admin", "DELETE", "/v1/people/ann", "/v1/people/{id}", "", 409},
		{"admin", "DELETE", "/v1/people/zoe", "/v1/people/{id}", "", 200},
		{"admin", "DELETE", "/v1/people/zoe", "/v1/people/{id}", "", 404},
		{"admin", "GET", "/v1/keys", "/v1/keys", "", 200},
		{"responder", "POST", "/v1/keys", "/v1/keys", `{"name":"robot","role":"reader"}`, 403},
		{"admin", "POST", "/v1/keys", "/v1/keys", `{"name":"robot","role":"reader","tenants":["Contoso"]}`, 201},
		{"admin", "POST", "/v1/keys", "/v1/keys", `{"name":"robot","role":"guest"}`, 400},
		{"admin", "DELETE", "/v1/keys/nothing", "/v1/keys/{id}", "", 404},
		{"admin", "DELETE", "/v1/keys/" + h.dir.keys[len(h.dir.keys)-1].ID, "/v1/keys/{id}", "", 200},
		{"admin", "PUT", "/v1/tenants", "/v1/tenants", `{}`, 200},
		{"reader", "GET", "/v1/settings", "/v1/settings", "", 200},
		{"reader", "PATCH", "/v1/settings", "/v1/settings", `{"automatic":false}`, 403},
		{"admin", "PATCH", "/v1/settings", "/v1/settings", `{"automatic":false}`, 200},
		{"reader", "GET", "/v1/incidents/i1/report?form=csv", "/v1/incidents/{id}/report", "", 200},
		{"reader", "GET", "/v1/incidents/i1/report?form=doc", "/v1/incidents/{id}/report", "", 400},
		{"reader", "GET", "/v1/incidents/i1/evidence", "/v1/incidents/{id}/evidence", "", 200},
		{"reader", "GET", "/v1/reports?form=html&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z", "/v1/reports", "", 200},
		{"reader", "GET", "/v1/reports?from=yesterday", "/v1/reports", "", 400},
		{"reader", "GET", "/v1/audit", "/v1/audit", "", 403},
		{"admin", "GET", "/v1/audit?after=0", "/v1/audit", "", 200},
		{"reader", "GET", "/v1/audit/key", "/v1/audit/key", "", 200},
		{"admin", "GET", "/v1/lanes?state=dead", "/v1/lanes", "", 200},
		{"reader", "GET", "/v1/tenants/t1/destinations", "/v1/tenants/{id}/destinations", "", 200},
		{"reader", "POST", "/v1/tenants/t1/destinations", "/v1/tenants/{id}/destinations", `{"address":"https://new.test/x"}`, 403},
		{"admin", "POST", "/v1/tenants/t1/destinations", "/v1/tenants/{id}/destinations", `{"address":"http://new.test/x"}`, 400},
		{"admin", "POST", "/v1/tenants/t1/destinations", "/v1/tenants/{id}/destinations", `{"address":"https://new.test/x"}`, 201},
		{"admin", "POST", "/v1/tenants/t1/destinations/" + sunk + "/rotate", "/v1/tenants/{id}/destinations/{destination}/rotate", "", 200},
		{"admin", "POST", "/v1/tenants/t1/destinations/" + sunk + "/test", "/v1/tenants/{id}/destinations/{destination}/test", "", 200},
		{"admin", "POST", "/v1/tenants/t1/destinations/" + sunk + "/retry", "/v1/tenants/{id}/destinations/{destination}/retry", "", 202},
		{"admin", "DELETE", "/v1/tenants/t1/destinations/" + sunk, "/v1/tenants/{id}/destinations/{destination}", "", 200},
		{"admin", "DELETE", "/v1/tenants/t1/destinations/" + sunk, "/v1/tenants/{id}/destinations/{destination}", "", 404},
		{"admin", "POST", "/v1/lanes/i1%7Cteams/retry", "/v1/lanes/{id}/retry", "", 202},
	}
	covered := map[string]bool{}
	for _, r := range runs {
		got := h.ask(r.key, r.method, r.path, r.body)
		if got.status != r.status {
			t.Errorf("%s %s = %d, want %d: %s", r.method, r.path, got.status, r.status, got.body)
			continue
		}
		response := doc.Paths.Value(r.template).GetOperation(r.method).Responses.Value(strconv.Itoa(got.status))
		if response == nil {
			t.Errorf("%s %s: %d is not described", r.method, r.template, got.status)
			continue
		}
		media := response.Value.Content.Get(got.header.Get("Content-Type"))
		if media == nil {
			t.Errorf("%s %s: %s is not described", r.method, r.path, got.header.Get("Content-Type"))
			continue
		}
		covered[r.method+" "+r.template] = true
		if strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
			continue // a file: what is in it is the documents' business
		}
		var v any
		if err := json.Unmarshal([]byte(got.body), &v); err != nil {
			t.Fatal(err)
		}
		if err := media.Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
			t.Errorf("%s %s: %v", r.method, r.path, err)
		}
		if unknown := undescribed(media.Schema.Value, v, ""); unknown != "" {
			t.Errorf("%s %s: %s is in the answer and not in the document", r.method, r.path, unknown)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if !covered[method+" "+path] {
				t.Errorf("%s %s is not in the test run", method, path)
			}
		}
	}
}

// undescribed names the first field of v that the schema does not have. Answers are
// open so that they may grow; a field that grew without the document is a fault.
func undescribed(s *openapi3.Schema, v any, at string) string {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			p := s.Properties[name]
			if p == nil && s.AdditionalProperties.Schema != nil {
				p = s.AdditionalProperties.Schema
			}
			if p == nil {
				return at + "/" + name
			}
			if deeper := undescribed(p.Value, value, at+"/"+name); deeper != "" {
				return deeper
			}
		}
	case []any:
		for i, value := range v {
			if deeper := undescribed(s.Items.Value, value, at+"/"+strconv.Itoa(i)); deeper != "" {
				return deeper
			}
		}
	}
	return ""
}
