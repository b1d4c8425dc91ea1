package config

import (
	"cmp"
	"embed"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"time"

	"responsehub/intake"
)

//go:embed types.go types_psa.go
var types embed.FS

// Schema is the file's JSON Schema (draft 2020-12), for editors. It is narrower than
// the hub in one thing: a number where a text is expected must be in quotes.
func Schema() []byte {
	s := schemaOf(reflect.TypeFor[Config](), "", descriptions())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["$id"] = "urn:responsehub:config"
	s["title"] = "Configuration of responsehub"
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("config: schema: " + err.Error()) // maps of texts always encode
	}
	return append(b, '\n')
}

// nullable lets a key stand without a value, which means the same as its absence.
func nullable(kind string) []string { return []string{kind, "null"} }

func schemaOf(t reflect.Type, tag reflect.StructTag, words map[string]string) map[string]any {
	switch {
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem(), tag, words)
	case t == reflect.TypeFor[time.Duration]():
		return map[string]any{"type": nullable("string"), "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`, "default": tag.Get("default")}
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": nullable("string"), "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].+)?$`}
	case t.Kind() == reflect.Struct:
		return sectionSchema(t, words)
	case t.Kind() == reflect.Slice:
		s := map[string]any{"type": nullable("array"), "items": schemaOf(t.Elem(), without(tag), words)}
		if tag.Get("single") != "" { // its one entry may stand for it
			return map[string]any{"anyOf": []any{s["items"], s}}
		}
		if d := tag.Get("default"); d != "" {
			s["default"] = []string{d}
		}
		return s
	case t.Kind() == reflect.Map:
		s := map[string]any{"type": nullable("object"), "additionalProperties": map[string]any{"type": nullable("string")}}
		if tag.Get("raw") != "" {
			s["propertyNames"] = map[string]any{"enum": intake.MapKeys()}
		}
		return s
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": nullable("boolean"), "default": false}
	case t.Kind() == reflect.Int:
		least, most := json.Number(cmp.Or(tag.Get("least"), "1")), json.Number(cmp.Or(tag.Get("most"), "1000"))
		return map[string]any{"type": nullable("integer"), "minimum": least, "maximum": most, "default": json.Number(tag.Get("default"))}
	}
	s := map[string]any{"type": nullable("string")}
	if d := tag.Get("default"); d != "" {
		s["default"] = d
	}
	if words := tag.Get("oneof"); words != "" {
		// A variable may stand for it.
		s["anyOf"] = []any{map[string]any{"enum": strings.Split(words, ",")}, map[string]any{"pattern": `\$\{`}}
	}
	return s
}

// without drops the list's default, which is not its entries'.
func without(tag reflect.StructTag) reflect.StructTag {
	return reflect.StructTag(strings.ReplaceAll(string(tag), "default:", "list:"))
}

func sectionSchema(t reflect.Type, words map[string]string) map[string]any {
	properties, required := map[string]any{}, []string{}
	for f := range t.Fields() {
		key := f.Tag.Get("yaml")
		p := schemaOf(f.Type, f.Tag, words)
		p["description"] = words[t.Name()+"."+f.Name]
		properties[key] = p
		// What the environment can set may be absent from the file.
		if f.Tag.Get("needed") != "" && (t == reflect.TypeFor[Source]() || t == reflect.TypeFor[PSA]() || t == reflect.TypeFor[Person]() || t == reflect.TypeFor[Tenant]()) {
			required = append(required, key)
		}
	}
	return map[string]any{"type": nullable("object"), "additionalProperties": false, "properties": properties, "required": required}
}

// descriptions are the comments of the fields in types.go, by Type.Field.
func descriptions() map[string]string {
	words := make(map[string]string)
	for _, name := range []string{"types.go", "types_psa.go"} {
		source, err := types.ReadFile(name)
		if err != nil {
			panic("config: " + err.Error()) // it is embedded
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
		if err != nil {
			panic("config: " + err.Error()) // it was compiled
		}
		describe(file, words)
	}
	return words
}

// describe notes the comments of a file's fields by type and field.
func describe(file *ast.File, words map[string]string) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			ts := spec.(*ast.TypeSpec)
			st, ok := ts.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range st.Fields.List {
				words[ts.Name.Name+"."+f.Names[0].Name] = strings.TrimSpace(f.Doc.Text())
			}
		}
	}
}
