package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"responsehub"
)

func compiledSchema(t testing.TB) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("alert.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("alert.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// taken reports what the door says of a body.
func taken(body []byte) error {
	tree, err := parse(body)
	if err != nil {
		return err
	}
	a, err := decode(tree)
	if err != nil {
		return err
	}
	return a.Validate()
}

// inWords reports whether the refusal is by a rule that the schema has in words only.
func inWords(err error) bool {
	e, ok := errors.AsType[*responsehub.Error](err)
	return ok && (e.Pointer == "/link" || strings.HasSuffix(e.Pointer, "/received_before") && strings.Contains(e.Message, "is before"))
}

// agree fails when the schema and the door differ about a body that is strict JSON.
func agree(t interface{ Errorf(string, ...any) }, s *jsonschema.Schema, body []byte) {
	if _, err := parse(body); err != nil {
		return // syntax, not the schema's business
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Errorf("parsed here and not there: %v: %q", err, body)
		return
	}
	bySchema, byDoor := s.Validate(doc), taken(body)
	if bySchema != nil && byDoor == nil {
		t.Errorf("the schema refuses what the door takes: %v\n%s", bySchema, body)
	}
	if bySchema == nil && byDoor != nil && !inWords(byDoor) {
		t.Errorf("the schema takes what the door refuses: %v\n%s", byDoor, body)
	}
}

func TestSchemaAndDoorAgree(t *testing.T) {
	s := compiledSchema(t)
	agree(t, s, []byte(native))
	if err := taken([]byte(native)); err != nil {
		t.Fatal(err)
	}
	var full map[string]any
	if err := json.Unmarshal([]byte(native), &full); err != nil {
		t.Fatal(err)
	}
	// Every field gone, or another value in its place.
	values := []any{nil, "", "x", "1", 1, true, []any{}, map[string]any{}, []any{""}, []any{nil}, strings.Repeat("é", 4001), strings.Repeat("é", 300), "a@b", "a b@c", "https://x.example", "HTTPS://x.example/?", "http://x.example", "https://", "2026-11-23t09:40:00z", "2026-11-23T09:40:60Z", "2016-12-31T23:59:60Z", "2026-11-23T24:00:00Z", "1969-12-31T23:59:59Z", "2999-12-31T23:59:59-23:59", "2026-11-23T09:40:00+24:00", "2026-11-23T09:40:00,5Z", "2026-11-23T09:40:00.1234567890Z", "11111111-1111-4111-8111-11111111111G", "\n", "critical", "message"}
	var each func(v any, set func(any))
	each = func(v any, set func(any)) {
		for _, x := range values {
			set(x)
			b, err := json.Marshal(full)
			if err != nil {
				t.Fatal(err)
			}
			agree(t, s, b)
		}
		set(v)
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				delete(v, k)
				b, _ := json.Marshal(full)
				agree(t, s, b)
				v[k] = e
				each(e, func(x any) { v[k] = x })
			}
			v["surplus"] = "x"
			b, _ := json.Marshal(full)
			agree(t, s, b)
			delete(v, "surplus")
		case []any:
			for i, e := range v {
				each(e, func(x any) { v[i] = x })
			}
		}
	}
	for k, v := range full {
		each(v, func(x any) { full[k] = x })
	}
	for _, field := range []struct {
		name string
		most int
		one  any
	}{{"evidence", responsehub.MaxEvidence, map[string]any{"text": "x"}}, {"phish", responsehub.MaxPhish, map[string]any{"internet_message_id": "x"}}, {"persistence", responsehub.MaxPersistence, map[string]any{"kind": "device", "id": "x"}}} {
		was := full[field.name]
		for _, n := range []int{field.most, field.most + 1} {
			var l []any
			for range n {
				l = append(l, field.one)
			}
			full[field.name] = l
			b, _ := json.Marshal(full)
			agree(t, s, b)
			if got := taken(b) == nil; got != (n == field.most) {
				t.Errorf("%d of %s: taken %t", n, field.name, got)
			}
		}
		full[field.name] = was
	}
}

// Whatever a detector builds with the Go types is judged the same by both.
func TestSchemaAndDoorAgreeOnBuiltAlerts(t *testing.T) {
	s := compiledSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string, more ...string) string {
			return rapid.OneOf(rapid.SampledFrom(append([]string{"", "x", strings.Repeat("é", 401)}, more...)), rapid.StringN(0, 30, -1)).Draw(t, name)
		}
		at := func(name string) time.Time {
			return time.Unix(rapid.Int64Range(0, 32503680000-1).Draw(t, name), rapid.Int64Range(0, 999).Draw(t, name)*int64(time.Millisecond)).UTC()
		}
		ids := []string{"11111111-1111-4111-8111-111111111111", "11111111-1111-4111-8111-11111111111"}
		a := responsehub.Alert{
			Version: text("version", "1", "1", "1"), ID: text("id"), DetectedAt: at("detected"),
			Tenant:   responsehub.AlertTenant{MicrosoftTenantID: text("tenant", ids...), SourceTenantID: text("source tenant")},
			Account:  responsehub.Account{ObjectID: text("object", ids...), UserPrincipalName: text("upn", "a@b", "a@@b", "a/b@c"), DisplayName: text("name")},
			Severity: rapid.SampledFrom(append([]responsehub.Severity{"x", ""}, responsehub.Severities...)).Draw(t, "severity"),
			Title:    text("title"), Summary: text("summary"), Link: text("link", "https://x.example/a", "ftp://x"),
		}
		for range rapid.IntRange(0, 2).Draw(t, "lists") {
			a.Evidence = append(a.Evidence, responsehub.Evidence{At: at("at"), Kind: text("kind"), Text: text("text"), IP: text("ip"), Country: text("country")})
			a.Phish = append(a.Phish, responsehub.Phish{InternetMessageID: text("mid"), Sender: text("sender"), Subject: text("subject"), ReceivedAfter: at("after"), ReceivedBefore: at("before")})
			a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: rapid.SampledFrom(append([]responsehub.ItemKind{"x", responsehub.Message}, responsehub.PersistenceKinds...)).Draw(t, "kind"), ID: text("pid"), Name: text("pname")})
		}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, s, b)
	})
}

func FuzzAlert(f *testing.F) {
	for _, s := range []string{native, "", "{}", "null", `{"version":"1","version":"1"}`, `{"id":1e999}`, strings.Repeat("[", 100), `{"a":"\ud800"}`, "[1 2]", `{"a" "b"}`, `[1,]`, `{"a":1,}`, `{,}`, `"\u0000"`} {
		f.Add([]byte(s))
	}
	s := compiledSchema(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := parse(body)
		if err == nil && !json.Valid(body) {
			t.Errorf("took what is not JSON: %q", body)
		}
		if err != nil && responsehub.KindOf(err) != responsehub.Invalid {
			t.Errorf("not Invalid: %v", err)
		}
		agree(t, s, body)
	})
}

func ExampleSign() {
	body := []byte(`{"version":"1"}`)
	h, err := Sign("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "msg_1", time.Unix(1763890800, 0), body)
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get("webhook-signature"))
	// Output: msg_1 1763890800 v1,0hp7KhMAcp422r7UgNUT1UIE6QfHi6yvw7In/O0AXWM=
}
