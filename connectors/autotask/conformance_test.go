//go:build conformance

package autotask_test

import (
	"bytes"
	"encoding/json"
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
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"responsehub/connectors/autotask"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// described returns the vendor's description. A field that it does not list fails.
func described(t *testing.T) *openapi3.T {
	t.Helper()
	folder := os.Getenv("RESPONSEHUB_VENDOR")
	if folder == "" {
		t.Fatal("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: run make conformance.")
	}
	raw, err := os.ReadFile(filepath.Join(folder, "autotask-openapi-trim.json"))
	if err != nil {
		t.Fatal(err)
	}
	var old openapi2.T
	if err := json.Unmarshal(raw, &old); err != nil {
		t.Fatal(err)
	}
	doc, err := openapi2conv.ToV3(&old)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	for _, s := range doc.Components.Schemas {
		s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
	}
	doc.Servers = openapi3.Servers{{URL: "https://api.example/ATServicesRest"}}
	return doc
}

// TestRequestsAreAsDescribed makes every call of the desk and checks each request against
// the vendor's description.
func TestRequestsAreAsDescribed(t *testing.T) {
	doc := described(t)
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	check := func(r *http.Request) {
		_, path, ok := strings.Cut(r.URL.Path, "/ATServicesRest")
		if !ok {
			t.Errorf("%s is no address of the API", r.URL)
			return
		}
		if path = strings.Replace(path, "/v1.0/zoneInformation", "/V1.0/ZoneInformation", 1); strings.HasPrefix(path, "/V1.0/Resources/") {
			return // an entity that the extract of the description leaves out
		}
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		c := r.Clone(t.Context())
		c.URL.Scheme, c.URL.Host, c.Host, c.URL.Path = "https", "api.example", "api.example", "/ATServicesRest"+path
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
	}
	s := newSite(t)
	cfg := s.config()
	cfg.Category, cfg.Source = "Standard", "Monitoring Alert"
	d, err := autotask.New(cfg, transport.Client(transport.Over(tripper(func(r *http.Request) (*http.Response, error) {
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
	must[[]ticket.Ticket](t)(d.List(ctx, slices.Repeat([]string{made.ID}, 100)))
	must[[]string](t)(d.Notes(ctx, made.ID))
	must[[]ticket.Company](t)(d.Companies(ctx, "fab"))
	must[string](t)(d.Listen(ctx, "https://hub.example/psa/at/events?token=abc"))
	s.hooks[500]["isActive"] = false
	must[string](t)(d.Listen(ctx, "https://hub.example/psa/at/events?token=abc"))
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
		"GET /V1.0/ZoneInformation", "GET /V1.0/ThresholdInformation", "POST /V1.0/Tickets", "PATCH /V1.0/Tickets", "GET /V1.0/Tickets/{id}", "POST /V1.0/Tickets/query", "POST /V1.0/Tickets/{parentId}/Notes",
		"POST /V1.0/TicketNotes/query", "GET /V1.0/Tickets/entityInformation/fields", "GET /V1.0/TicketNotes/entityInformation/fields", "POST /V1.0/Companies/query", "POST /V1.0/Contacts/query",
		"POST /V1.0/TicketWebhooks/query", "POST /V1.0/TicketWebhooks", "GET /V1.0/TicketWebhooks/{id}", "DELETE /V1.0/TicketWebhooks/{id}", "POST /V1.0/TicketWebhooks/{parentId}/Fields", "POST /V1.0/TicketWebhooks/{parentId}/ExcludedResources",
	} {
		if !seen[want] {
			t.Errorf("%s was never asked", want)
		}
	}
}
