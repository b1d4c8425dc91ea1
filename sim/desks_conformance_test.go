//go:build conformance

package sim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"

	"responsehub/sim"
)

// vendorDescription reads a vendor's description from the folder that RESPONSEHUB_VENDOR names.
func vendorDescription(t *testing.T, name string, swagger bool) *openapi3.T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(os.Getenv("RESPONSEHUB_VENDOR"), name))
	if err != nil {
		t.Fatalf("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: %v", err)
	}
	if swagger {
		var old openapi2.T
		if err := json.Unmarshal(raw, &old); err != nil {
			t.Fatal(err)
		}
		doc, err := openapi2conv.ToV3(&old)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// asker calls one desk as its clients do and checks each answer.
type asker struct {
	t      *testing.T
	doc    *openapi3.T
	base   string
	header http.Header
	schema map[string]string // for answers that the description leaves open
}

// ask calls path, which stands as described in the description, and returns the decoded answer.
func (a asker) ask(method, path, described, body string) any {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header = a.header
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode > 299 {
		a.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, raw)
	}
	item := a.doc.Paths.Find(described)
	if item == nil || item.GetOperation(method) == nil {
		a.t.Fatalf("%s %s is not described", method, described)
	}
	op := item.GetOperation(method)
	if body != "" {
		a.judge(described+" request", content(op.RequestBody.Value.Content), []byte(body))
	}
	if resp.StatusCode == http.StatusNoContent {
		return nil
	}
	want := op.Responses.Value(fmt.Sprint(resp.StatusCode))
	if want == nil && a.schema == nil {
		a.t.Fatalf("%s %s: %d is not described", method, described, resp.StatusCode)
	}
	var schema *openapi3.SchemaRef
	if want != nil {
		schema = content(want.Value.Content)
	}
	if schema == nil && a.schema[method+" "+described] != "" {
		schema = a.doc.Components.Schemas[a.schema[method+" "+described]]
	}
	return a.judge(method+" "+described, schema, raw)
}

func content(c openapi3.Content) *openapi3.SchemaRef {
	for _, m := range c {
		return m.Schema
	}
	return nil
}

// judge checks a body. Nothing is null where a field is simply not there, which the descriptions do not say.
func (a asker) judge(what string, schema *openapi3.SchemaRef, raw []byte) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		a.t.Fatalf("%s: %v: %s", what, err, raw)
	}
	if schema == nil {
		return v
	}
	full := v
	if err := schema.Value.VisitJSON(withoutNull(v), openapi3.MultiErrors()); err != nil {
		a.t.Errorf("%s: %.2000v\n%s", what, err, raw)
	}
	a.undeclared(what, schema.Value, full)
	return full
}

// undeclared complains of properties that the description does not have.
func (a asker) undeclared(what string, s *openapi3.Schema, v any) {
	a.t.Helper()
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			if s.Items != nil {
				a.undeclared(what, s.Items.Value, e)
			}
		}
	case map[string]any:
		if len(s.Properties) == 0 {
			return
		}
		for k, e := range x {
			p := s.Properties[k]
			if p == nil && k == "ci" {
				p = s.Properties["cI"] // the description's letters, not the service's
			}
			if p == nil {
				a.t.Errorf("%s: %q is not declared", what, k)
				continue
			}
			a.undeclared(what, p.Value, e)
		}
	}
}

func withoutNull(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			if e != nil {
				out[k] = withoutNull(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = withoutNull(e)
		}
		return out
	}
	return v
}

// deskOf is a world whose desks are asked.
func deskOf(t *testing.T) *sim.World {
	t.Helper()
	world, err := sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: "http://127.0.0.1:1", NoInstall: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Stop)
	if err := world.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return world
}

func id(v any, key string) string {
	n, _ := v.(map[string]any)[key].(float64)
	return fmt.Sprintf("%.0f", n)
}

func TestConnectWiseAnswersFollowTheDescription(t *testing.T) {
	world := deskOf(t)
	r, _ := http.NewRequest(http.MethodGet, "http://x", nil)
	r.SetBasicAuth(sim.ConnectWiseCompany+"+"+sim.ConnectWiseKey, world.DeskSecret("connectwise"))
	r.Header.Set("clientId", sim.ConnectWiseClientID)
	r.Header.Set("Content-Type", "application/json")
	a := asker{t: t, doc: vendorDescription(t, "connectwise-openapi-trim.json", false), base: world.URL() + "/connectwise/v4_6_release/apis/3.0", header: r.Header}
	one := id(a.ask("POST", "/service/tickets", "/service/tickets", `{"summary":"s","board":{"name":"Security"},"company":{"identifier":"CONTOSO"},"externalXRef":"RH-1","initialDescription":"d","source":{"name":"Monitoring"},"type":{"name":"Incident"}}`), "id")
	two := id(a.ask("POST", "/service/tickets", "/service/tickets", `{"summary":"t","board":{"id":1},"company":{"id":19301}}`), "id")
	a.ask("POST", "/system/callbacks", "/system/callbacks", `{"url":"http://127.0.0.1:1/?recordId=","objectId":1,"type":"ticket","level":"owner","description":"hub","payloadVersion":"3.0.0","inactiveFlag":false,"isSelfSuppressedFlag":true}`)
	a.ask("POST", "/service/tickets/"+one+"/notes", "/service/tickets/{parentId}/notes", `{"text":"n","internalAnalysisFlag":true}`)
	a.ask("PATCH", "/service/tickets/"+one, "/service/tickets/{id}", `[{"op":"replace","path":"status","value":{"name":"Closed"}},{"op":"replace","path":"owner","value":{"id":201}}]`)
	a.ask("POST", "/service/tickets/search", "/service/tickets/search", `{"conditions":"id>0"}`)
	a.ask("POST", "/service/tickets/"+two+"/merge", "/service/tickets/{parentId}/merge", `{"mergeTicketIds":[`+one+`],"status":{"id":105}}`)
	for path, described := range map[string]string{
		"/service/tickets": "/service/tickets", "/service/tickets/" + one: "/service/tickets/{id}", "/service/tickets/count": "/service/tickets/count",
		"/service/tickets/" + one + "/notes": "/service/tickets/{parentId}/notes", "/service/tickets/" + one + "/allNotes": "/service/tickets/{parentId}/allNotes",
		"/service/boards": "/service/boards", "/service/boards/1": "/service/boards/{id}", "/service/boards/1/statuses": "/service/boards/{parentId}/statuses",
		"/service/boards/1/types": "/service/boards/{parentId}/types", "/service/boards/1/teams": "/service/boards/{parentId}/teams", "/service/priorities": "/service/priorities",
		"/service/sources": "/service/sources", "/service/impacts": "/service/impacts", "/company/companies": "/company/companies", "/company/contacts": "/company/contacts",
		"/system/callbacks": "/system/callbacks", "/system/members": "/system/members", "/system/info": "/system/info",
	} {
		a.ask("GET", path, described, "")
	}
	noneUnexpected(t, world)
}

func TestAutotaskAnswersFollowTheDescription(t *testing.T) {
	world := deskOf(t)
	a := asker{
		t: t, doc: vendorDescription(t, "autotask-openapi-trim.json", true), base: world.AutotaskURL() + "/ATServicesRest",
		header: http.Header{"Username": {sim.AutotaskUser}, "Secret": {world.DeskSecret("autotask")}, "Apiintegrationcode": {world.AutotaskCode()}, "Content-Type": {"application/json"}},
	}
	ticket := `"companyID":29680001,"title":"t","status":1,"priority":4,"queueID":29682833`
	one := id(a.ask("POST", "/V1.0/Tickets", "/V1.0/Tickets", `{`+ticket+`,"externalID":"RH-1","description":"d"}`), "itemId")
	a.ask("PATCH", "/V1.0/Tickets", "/V1.0/Tickets", `{"id":`+one+`,"status":5,"resolution":"r","assignedResourceID":29682885,"assignedResourceRoleID":29683396}`)
	a.ask("POST", "/V1.0/Tickets/"+one+"/Notes", "/V1.0/Tickets/{parentId}/Notes", `{"title":"n","description":"d","noteType":1,"publish":2}`)
	hook := id(a.ask("POST", "/V1.0/TicketWebhooks", "/V1.0/TicketWebhooks", `{"name":"hub","webhookUrl":"http://127.0.0.1:1/","deactivationUrl":"http://127.0.0.1:1/","secretKey":"k","isActive":true,"isSubscribedToUpdateEvents":true}`), "itemId")
	a.ask("POST", "/V1.0/TicketWebhooks/"+hook+"/Fields", "/V1.0/TicketWebhooks/{parentId}/Fields", `{"fieldID":1,"isSubscribedField":true,"isDisplayAlwaysField":true}`)
	a.ask("POST", "/V1.0/TicketWebhooks/"+hook+"/ExcludedResources", "/V1.0/TicketWebhooks/{parentId}/ExcludedResources", `{"resourceID":4}`)
	for _, entity := range []string{"Tickets", "TicketNotes", "Companies", "Contacts", "TicketWebhooks", "TicketWebhookFields"} {
		query := `{"filter":[{"op":"exist","field":"id"}],"maxRecords":50}`
		a.ask("POST", "/V1.0/"+entity+"/query", "/V1.0/"+entity+"/query", query)
		a.ask("POST", "/V1.0/"+entity+"/query/count", "/V1.0/"+entity+"/query/count", query)
		a.ask("GET", "/V1.0/"+entity+"/entityInformation/fields", "/V1.0/"+entity+"/entityInformation/fields", "")
	}
	for path, described := range map[string]string{
		"/V1.0/Tickets/" + one: "/V1.0/Tickets/{id}", "/V1.0/Tickets/" + one + "/Notes": "/V1.0/Tickets/{parentId}/Notes", "/V1.0/ThresholdInformation": "/V1.0/ThresholdInformation",
		"/V1.0/TicketWebhooks/" + hook: "/V1.0/TicketWebhooks/{id}", "/V1.0/TicketWebhooks/" + hook + "/Fields": "/V1.0/TicketWebhooks/{parentId}/Fields",
		"/V1.0/TicketWebhooks/" + hook + "/ExcludedResources": "/V1.0/TicketWebhooks/{parentId}/ExcludedResources",
		"/V1.0/ZoneInformation?user=" + sim.AutotaskUser:      "/V1.0/ZoneInformation",
	} {
		a.ask("GET", path, described, "")
	}
	noneUnexpected(t, world)
}

func TestHaloAnswersFollowTheDescription(t *testing.T) {
	world := deskOf(t)
	resp, err := http.Post(world.HaloURL()+"/auth/token?tenant="+sim.HaloTenant, "application/x-www-form-urlencoded",
		strings.NewReader("grant_type=client_credentials&scope=all&client_id="+sim.HaloClientID+"&client_secret="+world.DeskSecret("halopsa")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil {
		t.Fatal(err)
	}
	a := asker{
		t: t, doc: vendorDescription(t, "halopsa-openapi-trim.json", false), base: world.HaloURL() + "/api",
		header: http.Header{"Authorization": {"Bearer " + token.AccessToken}, "Content-Type": {"application/json"}},
		schema: map[string]string{"POST /Tickets": "Faults", "GET /Tickets/{id}": "Faults", "POST /Actions": "Actions", "POST /Webhook": "Webhook", "GET /Client/{id}": "Area", "GET /Status/{id}": "TStatus", "GET /Outcome/{id}": "TOutcome", "GET /TicketType/{id}": "RequestType", "GET /Priority/{id}": "Policy"},
	}
	one := id(a.ask("POST", "/Tickets", "/Tickets", `[{"summary":"s","details_html":"d","client_id":13,"third_party_id_string":"RH-1"}]`), "id")
	a.ask("POST", "/Tickets", "/Tickets", `[{"id":`+one+`,"status_id":9}]`)
	a.ask("POST", "/Webhook", "/Webhook", `[{"name":"hub","url":"http://127.0.0.1:1/","authentication_type":1,"basic_username":"hub","basic_password":"k"}]`)
	for path, described := range map[string]string{
		"/Tickets/" + one: "/Tickets/{id}", "/Client/13": "/Client/{id}", "/Status/9": "/Status/{id}", "/Outcome/7": "/Outcome/{id}", "/TicketType/21": "/TicketType/{id}", "/Priority/1-1": "/Priority/{id}",
		"/Tickets": "/Tickets", "/Client": "/Client", "/Status": "/Status", "/Webhook": "/Webhook",
	} {
		a.ask("GET", path, described, "")
	}
	noneUnexpected(t, world)
}

func noneUnexpected(t *testing.T, world *sim.World) {
	t.Helper()
	if bad := world.Wire.UnexpectedAll(); len(bad) > 0 {
		slices.Sort(bad)
		t.Errorf("unexpected: %q", bad)
	}
}
