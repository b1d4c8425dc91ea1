//go:build conformance

package conformance_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// vendorFile is a description in the folder that RESPONSEHUB_VENDOR names.
func vendorFile(t *testing.T, name string) []byte {
	t.Helper()
	folder := os.Getenv("RESPONSEHUB_VENDOR")
	if folder == "" {
		t.Fatal("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: run make conformance.")
	}
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatalf("The vendors' descriptions are not in the folder that RESPONSEHUB_VENDOR names: %v", err)
	}
	return b
}

func decode(t *testing.T, r io.Reader, into any) {
	t.Helper()
	if err := json.NewDecoder(r).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// exchange is one request with its answer.
type exchange struct {
	method, path, query string
	sent, answer        string
	status              int
}

func (x exchange) String() string { return x.method + " " + x.path }

// description is an API as its vendor describes it.
type description struct {
	doc   *openapi3.T
	paths []string
	known []deviation
	used  map[int]bool
	seen  map[string]bool // operations that were used
}

// deviation is a place where the service is known to do otherwise than its description
// says. Complaints about the operation that contain the words are passed over.
type deviation struct {
	operation, words, why string
}

func describe(doc *openapi3.T, known []deviation) *description {
	d := &description{doc: doc, known: known, used: map[int]bool{}, seen: map[string]bool{}}
	for path := range doc.Paths.Map() {
		d.paths = append(d.paths, path)
	}
	// A fixed segment goes before a parameter.
	slices.SortFunc(d.paths, func(a, b string) int {
		return strings.Compare(strings.ReplaceAll(a, "{", "~"), strings.ReplaceAll(b, "{", "~"))
	})
	for _, schema := range doc.Components.Schemas {
		loosen(schema.Value)
	}
	return d
}

// loosen drops the constraint on further properties from a schema and its parts: read
// literally, an open type inside an allOf forbids the other parts' properties. What is
// not declared is looked for by undeclared instead.
func loosen(s *openapi3.Schema) {
	s.AdditionalProperties = openapi3.AdditionalProperties{}
	for _, part := range s.AllOf {
		loosen(part.Value)
	}
}

// operation finds what the path and method are called in the description, or among the
// deviations.
func (d *description) operation(method, path string) (template string, op *openapi3.Operation) {
	for _, template := range d.paths {
		if fits(template, path) {
			if op = d.doc.Paths.Find(template).GetOperation(method); op != nil {
				return template, op
			}
		}
	}
	for _, k := range d.known {
		if m, template, _ := strings.Cut(k.operation, " "); m == method && fits(template, path) {
			return template, nil
		}
	}
	return path, nil
}

// fits reports whether a path is one of the template's.
func fits(template, path string) bool {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i, w := range want {
		// Both spellings of a cast are the same.
		if have[i] == "" != (w == "") || !strings.HasPrefix(w, "{") && w != have[i] && w != strings.TrimPrefix(have[i], "microsoft.") {
			return false
		}
	}
	return true
}

// check returns what is wrong with a request or its answer, known deviations left out.
func (d *description) check(x exchange) []string {
	template, op := d.operation(x.method, x.path)
	name := x.method + " " + template
	d.seen[name] = true
	if op == nil {
		return d.unknown(name, []string{"is not described"})
	}
	var wrong []string
	query, err := url.ParseQuery(x.query)
	if err != nil {
		wrong = append(wrong, "query: "+err.Error())
	}
	for key := range query {
		p := op.Parameters.GetByInAndName("query", key)
		if p == nil {
			wrong = append(wrong, "query parameter "+key+" is not described")
			continue
		}
		wrong = append(wrong, parameter(p, query.Get(key))...)
	}
	if body := op.RequestBody; x.sent != "" {
		if body == nil {
			wrong = append(wrong, "no request body is described")
		} else {
			wrong = append(wrong, d.content("request", body.Value.Content, x.sent, openapi3.VisitAsRequest())...)
		}
	} else if body != nil && body.Value.Required {
		wrong = append(wrong, "the request has no body")
	}
	r := op.Responses.Value(strconv.Itoa(x.status))
	if r == nil {
		r = op.Responses.Value(strconv.Itoa(x.status/100) + "XX")
	}
	if r == nil && x.status >= 400 {
		r = op.Responses.Default()
	}
	switch {
	case r == nil:
		wrong = append(wrong, fmt.Sprintf("status %d is not described", x.status))
	case x.answer != "":
		wrong = append(wrong, d.content("answer", r.Value.Content, x.answer, openapi3.VisitAsResponse())...)
	case len(r.Value.Content) > 0:
		wrong = append(wrong, "the answer has no body")
	}
	return d.unknown(name, wrong)
}

// parameter checks the value of a query parameter where it is no free text.
func parameter(p *openapi3.Parameter, value string) []string {
	if p.Schema == nil || !p.Schema.Value.Type.Is("integer") {
		return nil
	}
	if _, err := strconv.Atoi(value); err != nil {
		return []string{"query parameter " + p.Name + " is no number"}
	}
	return nil
}

// content checks a JSON body.
func (d *description) content(what string, described openapi3.Content, body string, as openapi3.SchemaValidationOption) []string {
	media := described.Get("application/json")
	if media == nil || media.Schema == nil {
		return []string{"no " + what + " body is described"}
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return []string{what + ": " + err.Error()}
	}
	var wrong []string
	if err := media.Schema.Value.VisitJSON(v, as, openapi3.EnableFormatValidation(), openapi3.MultiErrors()); err != nil {
		wrong = append(wrong, what+": "+brief(err))
	}
	for _, name := range d.undeclared(media.Schema.Value, v, "") {
		wrong = append(wrong, what+": property "+name+" is not declared")
	}
	return wrong
}

// brief is what an error says about places, without the schemas that it prints.
func brief(err error) string {
	var places []string
	for line := range strings.Lines(err.Error()) {
		if i := strings.Index(line, "Error at "); i >= 0 {
			places = append(places, strings.TrimSpace(line[i:]))
		}
	}
	if len(places) == 0 {
		return err.Error()
	}
	return strings.Join(places, "; ")
}

// undeclared lists properties that the schema does not know. An object that names its
// own type is held against that.
func (d *description) undeclared(s *openapi3.Schema, v any, at string) (out []string) {
	switch v := v.(type) {
	case []any:
		if s.Items != nil {
			for _, x := range v {
				out = append(out, d.undeclared(s.Items.Value, x, at)...)
			}
		}
	case map[string]any:
		if name, ok := v["@odata.type"].(string); ok {
			own := d.doc.Components.Schemas[strings.TrimPrefix(name, "#")]
			if own == nil {
				return nil // of a type that the trimmed description does not have
			}
			s = own.Value
		}
		known := properties(s, openapi3.Schemas{})
		if len(known) == 0 {
			return nil
		}
		for name, x := range v {
			if p, ok := known[name]; ok {
				out = append(out, d.undeclared(p.Value, x, at+"/"+name)...)
			} else if !strings.HasPrefix(name, "@odata.") {
				out = append(out, at+"/"+name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// properties collects the declared properties of a schema and its parts.
func properties(s *openapi3.Schema, into openapi3.Schemas) openapi3.Schemas {
	for name, p := range s.Properties {
		into[name] = p
	}
	for _, part := range s.AllOf {
		properties(part.Value, into)
	}
	return into
}

// unknown leaves out the known deviations and notes that they were needed.
func (d *description) unknown(name string, wrong []string) (left []string) {
	for _, w := range wrong {
		i := slices.IndexFunc(d.known, func(k deviation) bool { return k.operation == name && strings.Contains(w, k.words) })
		if i < 0 {
			left = append(left, name+": "+w)
			continue
		}
		d.used[i] = true
	}
	return left
}

// finish reports deviations that nothing needs any more.
func (d *description) finish(t *testing.T) {
	t.Helper()
	for i, k := range d.known {
		if !d.used[i] {
			t.Errorf("the deviation %q %q is not needed any more", k.operation, k.words)
		}
	}
}

// TestComplaints shows that the checks can fail.
func TestComplaints(t *testing.T) {
	const user = `{"id":"u","accountEnabled":true}`
	for _, tc := range []struct {
		name string
		x    exchange
		want string // empty: nothing to complain about
	}{
		{"fine", exchange{"GET", "/users/u", "$select=id,accountEnabled", "", user, 200}, ""},
		{"lock", exchange{"PATCH", "/users/u", "", `{"accountEnabled":false}`, "", 204}, ""},
		{"unknown path", exchange{"GET", "/users/u/secrets", "", "", "{}", 200}, "is not described"},
		{"unknown method", exchange{"PUT", "/users/u", "", user, "{}", 200}, "is not described"},
		{"unknown parameter", exchange{"GET", "/users/u", "$selct=id", "", user, 200}, "query parameter $selct is not described"},
		{"number that is none", exchange{"GET", "/users", "$top=many", "", `{"value":[]}`, 200}, "query parameter $top is no number"},
		{"misspelt property sent", exchange{"PATCH", "/users/u", "", `{"acountEnabled":false}`, "", 204}, "request: property /acountEnabled is not declared"},
		{"wrong type sent", exchange{"PATCH", "/users/u", "", `{"accountEnabled":"no"}`, "", 204}, "request: Error at"},
		{"misspelt property answered", exchange{"GET", "/users/u", "", "", `{"id":"u","enabled":true}`, 200}, "answer: property /enabled is not declared"},
		{"misspelt, its own type", exchange{"PATCH", "/users/u", "", `{"@odata.type":"#microsoft.graph.user","acountEnabled":false}`, "", 204}, "property /acountEnabled is not declared"},
		{"deep inside", exchange{"GET", "/users", "", "", `{"value":[{"id":"u","x":1}]}`, 200}, "answer: property /value/x is not declared"},
		{"wrong type answered", exchange{"GET", "/users/u", "", "", `{"id":7}`, 200}, "answer: Error at"},
		{"no JSON", exchange{"GET", "/users/u", "", "", "<html>", 200}, "answer: invalid character"},
		{"odd status", exchange{"GET", "/users/u", "", "", user, 201}, "status 201 is not described"},
		{"body of a GET", exchange{"GET", "/users/u", "", user, user, 200}, "no request body is described"},
		{"no answer", exchange{"GET", "/users/u", "", "", "", 200}, "the answer has no body"},
	} {
		got := strings.Join(graphDescription(t).check(tc.x), "\n")
		if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
			t.Errorf("%s: complaints %q, want %q", tc.name, got, tc.want)
		}
	}
}
