//go:build conformance

package halopsa_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"responsehub/connectors/halopsa"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// leftOut are entities and parameters that the extract of HaloPSA's description leaves
// out. The desk does without what they answer.
var leftOut = map[string]bool{
	"/Agent": true, "/Team": true, "/AzureADConnection": true, "/Users": true, "/Notification": true, "ticketids": true, "third_party_id_string": true,
}

// TestRequestsAreAsDescribed makes every call of the desk and checks each request against
// the vendor's description.
func TestRequestsAreAsDescribed(t *testing.T) {
	folder := os.Getenv("RESPONSEHUB_VENDOR")
	if folder == "" {
		t.Fatal("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: run make conformance.")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, "halopsa-openapi-trim.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "https://api.example/api"}}
	no := false
	for _, s := range doc.Components.Schemas {
		s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &no} // a field that is not listed fails
	}
	for path, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			// Some operations are described without the parameter of their path.
			if strings.Contains(path, "{id}") && op.Parameters.GetByInAndName("path", "id") == nil {
				op.Parameters = append(op.Parameters, &openapi3.ParameterRef{Value: openapi3.NewPathParameter("id").WithSchema(openapi3.NewStringSchema())})
			}
		}
	}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	check := func(r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/api")
		if !ok || leftOut["/"+strings.Split(path, "/")[1]] {
			return
		}
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		c := r.Clone(t.Context())
		c.URL.Scheme, c.URL.Host, c.Host = "https", "api.example", "api.example"
		c.Body = io.NopCloser(bytes.NewReader(body))
		route, params, err := router.FindRoute(c)
		if err != nil {
			t.Errorf("%s %s is not described: %v", r.Method, path, err)
			return
		}
		seen[r.Method+" "+route.Path] = true
		known := map[string]bool{}
		for _, p := range route.Operation.Parameters {
			known[p.Value.Name] = true
		}
		q := url.Values{}
		for name, v := range c.URL.Query() {
			if !known[name] && !leftOut[name] {
				t.Errorf("%s %s: the parameter %q is not described", r.Method, path, name)
			}
			if known[name] {
				q[name] = v
			}
		}
		c.URL.RawQuery = q.Encode()
		in := &openapi3filter.RequestValidationInput{Request: c, PathParams: params, Route: route, Options: &openapi3filter.Options{MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("%s %s: %v\n%s", r.Method, path, err, body)
		}
	}
	s := newSite(t)
	d, err := halopsa.New(s.config(), transport.Client(transport.Over(tripper(func(r *http.Request) (*http.Response, error) {
		check(r)
		return http.DefaultTransport.RoundTrip(r)
	}))))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	made := must[ticket.Ticket](t)(d.Create(ctx, draft()))
	must[[]ticket.Ticket](t)(d.Find(ctx, "RH-7K2M"))
	must[[]ticket.Ticket](t)(d.Find(ctx, "RH-ZZZZ"))
	must[ticket.Ticket](t)(d.Get(ctx, made.ID))
	must[[]ticket.Ticket](t)(d.List(ctx, []string{made.ID, "99"}))
	must[[]string](t)(d.Notes(ctx, made.ID))
	must[[]ticket.Company](t)(d.Companies(ctx, "fab"))
	must[[]ticket.Company](t)(d.Companies(ctx, tenantID))
	must[string](t)(d.Listen(ctx, "https://hub.example/psa/halo/events?token=abc"))
	s.hooks[0]["active"] = false
	s.hooks[0]["id"] = "33333333-3333-4333-8333-333333333333"
	must[string](t)(d.Listen(ctx, "https://hub.example/psa/halo/events?token=abc"))
	if err := d.Note(ctx, made.ID, ticket.Note{Text: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := d.Assign(ctx, made.ID, "CatchAll"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Move(ctx, made.ID, ticket.Closed, "done"); err != nil {
		t.Fatal(err)
	}
	d.Check(ctx)
	for _, want := range []string{
		"POST /Tickets", "GET /Tickets", "GET /Tickets/{id}", "POST /Actions", "GET /Actions", "GET /Client", "GET /Client/{id}", "GET /Status", "GET /TicketType", "GET /Priority", "GET /Outcome", "GET /Webhook", "GET /Webhook/{id}", "POST /Webhook",
	} {
		if !seen[want] {
			t.Errorf("%s was never asked; seen %v", want, seen)
		}
	}
}
