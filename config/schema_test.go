package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// keys lists every key below a type, lists counted once.
func keys(typ reflect.Type, path string) []string {
	if typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	t := structOf(typ)
	if t == nil {
		return []string{path}
	}
	var all []string
	for f := range t.Fields() {
		all = append(all, keys(f.Type, dotted(path, f.Tag.Get("yaml")))...)
	}
	return all
}

func present(n *yaml.Node, path string, into map[string]bool) {
	into[path] = true
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			present(n.Content[i+1], dotted(path, n.Content[i].Value), into)
		}
	case yaml.SequenceNode:
		for _, e := range n.Content {
			present(e, path, into)
		}
	}
}

func TestTheExampleShowsEveryKeyAndEveryDefault(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(awake()), &doc); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	present(doc.Content[0], "", shown)
	for _, key := range keys(reflect.TypeFor[Config](), "") {
		if !shown[key] {
			t.Errorf("the example does not show %s", key)
		}
	}
	// The values shown are the defaults: taking them out changes nothing.
	with, _, _ := Parse("", []byte(Example()), environment())
	bare, _, err := Parse("", []byte(minimal), environment())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(with.Redis, bare.Redis); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(with.Microsoft.Graph+with.Microsoft.Exchange+with.Microsoft.Authority+with.Server.Listen+with.Server.AdminListen,
		bare.Microsoft.Graph+bare.Microsoft.Exchange+bare.Microsoft.Authority+bare.Server.Listen+bare.Server.AdminListen); d != "" {
		t.Error(d)
	}
}

func TestTheSchemaAgreesWithTheExample(t *testing.T) {
	schema := compiled(t)
	for name, text := range map[string]string{"example": Example(), "awake": awake(), "minimal": minimal} {
		if err := schema.Validate(generic(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"sever: {}", "redis: {tls: 1}", "redis: {addrs: x}", "sources: [{name: x, kind: other}]", "sources: [{kind: header}]", "tenants: [{name: x, microsoft_tenant_id: y, notify: {phone: {wait: soon}}}]", "sources: [{name: x, kind: header, map: {nope: x}}]"} {
		if schema.Validate(generic(t, text)) == nil {
			t.Errorf("the schema takes %s", text)
		}
		if _, _, err := Parse("", []byte(text), environment()); err == nil {
			t.Errorf("the hub takes %s", text)
		}
	}
	for _, desks := range []string{"{connection: a}", "[{connection: a}, {connection: b, company: x}]"} {
		text := minimal + "tenants: [{name: x, microsoft_tenant_id: y, notify: {psa: " + desks + "}}]"
		if err := schema.Validate(generic(t, text)); err != nil {
			t.Errorf("%s: %v", desks, err)
		}
	}
	if strings.Contains(string(Schema()), `"description": ""`) {
		t.Error("a key has no description in the schema")
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(Schema())))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// generic is the text as the schema's validator wants it: days stay texts.
func generic(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return plainTree(v)
}

func plainTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = plainTree(e)
		}
	case []any:
		for i, e := range v {
			v[i] = plainTree(e)
		}
	case time.Time:
		return v.Format(time.DateOnly)
	case int:
		return float64(v)
	}
	return v
}
