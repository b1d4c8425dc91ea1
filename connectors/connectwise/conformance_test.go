//go:build conformance

package connectwise_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"responsehub"
	"responsehub/connectors/connectwise"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// TestRequestsAreAsDescribed makes every call of the desk and checks each request against
// the vendor's description.
func TestRequestsAreAsDescribed(t *testing.T) {
	folder := os.Getenv("RESPONSEHUB_VENDOR")
	if folder == "" {
		t.Fatal("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: run make conformance.")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, "connectwise-openapi-trim.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "https://api.example/apis/3.0"}}
	for path, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			// Some operations are described with a parameter that their path lacks.
			op.Parameters = slices.DeleteFunc(op.Parameters, func(p *openapi3.ParameterRef) bool {
				return p.Value.In == openapi3.ParameterInPath && !strings.Contains(path, "{"+p.Value.Name+"}")
			})
		}
	}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	check := func(r *http.Request) {
		_, path, ok := strings.Cut(r.URL.Path, "apis/3.0")
		if !ok {
			return // companyinfo and keys are not part of the API
		}
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		c := r.Clone(t.Context())
		c.URL.Scheme, c.URL.Host, c.Host, c.URL.Path = "https", "api.example", "api.example", "/apis/3.0"+path
		c.Body = io.NopCloser(bytes.NewReader(body))
		route, params, err := router.FindRoute(c)
		if err != nil {
			t.Errorf("%s %s is not described: %v", r.Method, path, err)
			return
		}
		seen[r.Method+" "+route.Path] = true
		in := &openapi3filter.RequestValidationInput{Request: c, PathParams: params, Route: route, Options: &openapi3filter.Options{MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("%s %s: %v\n%s", r.Method, path, err, body)
		}
		known := map[string]bool{}
		for _, p := range route.Operation.Parameters {
			known[p.Value.Name] = true
		}
		for name := range c.URL.Query() {
			if !known[name] {
				t.Errorf("%s %s: the parameter %q is not described", r.Method, path, name)
			}
		}
		if len(c.URL.String()) > 2000 {
			t.Errorf("%s %s: an address of %d characters", r.Method, path, len(c.URL.String()))
		}
	}
	s := newSite(t)
	d, err := connectwise.New(connectwise.Config{
		Site: s.srv.URL, Company: "msp", PublicKey: "pub", PrivateKey: "priv-secret-1234", ClientID: "client-guid", Board: "Security", CatchAll: "CatchAll", Type: "Incident", Source: "Monitoring",
		Statuses:   map[ticket.Stage]string{ticket.New: "New", ticket.Working: "In Progress", ticket.Closed: "Closed"},
		Priorities: map[responsehub.Severity]string{responsehub.Critical: "Priority 1"},
	}, transport.Client(transport.Over(tripper(func(r *http.Request) (*http.Response, error) {
		check(r)
		return http.DefaultTransport.RoundTrip(r)
	}))))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	made := must[ticket.Ticket](t)(d.Create(ctx, draft()))
	must[[]ticket.Ticket](t)(d.Find(ctx, "RH-7K2M"))
	must[ticket.Ticket](t)(d.Get(ctx, made.ID))
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = "12345678"
	}
	must[[]ticket.Ticket](t)(d.List(ctx, ids))
	must[[]string](t)(d.Notes(ctx, made.ID))
	must[[]ticket.Company](t)(d.Companies(ctx, "fab"))
	must[string](t)(d.Listen(ctx, "https://hub.example/psa/cw/events?token=abc"))
	s.hooks[0]["inactiveFlag"] = true
	must[string](t)(d.Listen(ctx, "https://hub.example/psa/cw/events?token=abc"))
	for _, n := range []ticket.Note{{Text: "a"}, {Text: "b", Resolution: true}} {
		if err := d.Note(ctx, made.ID, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Assign(ctx, made.ID, "CatchAll"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Move(ctx, made.ID, ticket.Closed, ""); err != nil {
		t.Fatal(err)
	}
	d.Check(ctx)
	for _, want := range []string{
		"POST /service/tickets", "GET /service/tickets", "GET /service/tickets/{id}", "PATCH /service/tickets/{id}", "POST /service/tickets/{parentId}/notes", "GET /service/tickets/{parentId}/allNotes",
		"GET /service/boards", "GET /service/boards/{parentId}/statuses", "GET /service/boards/{parentId}/teams", "GET /company/companies", "GET /company/contacts", "GET /system/info",
		"GET /system/callbacks", "POST /system/callbacks", "DELETE /system/callbacks/{id}",
	} {
		if !seen[want] {
			t.Errorf("%s was never asked", want)
		}
	}
}
