package api

import (
	"reflect"
	"strings"
	"time"

	"responsehub"
)

// field is one JSON field of a wire type. Decoding and the OpenAPI document read types
// through this one function, so they agree on what a body is.
type field struct {
	name     string
	typ      reflect.Type
	doc      string
	optional bool // left out of an answer when empty
	need     bool // must be in a request
}

// fields lists the JSON fields of a struct, those of embedded structs included.
func fields(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			all = append(all, fields(f.Type)...)
			continue
		}
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || name == "" {
			continue
		}
		all = append(all, field{
			name: name, typ: f.Type, doc: f.Tag.Get("doc"),
			optional: strings.Contains(opts, "omit"), need: f.Tag.Get("need") == "true",
		})
	}
	return all
}

func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	sampleType = reflect.TypeFor[Sample]()            // any JSON
	desksType  = reflect.TypeFor[responsehub.Desks]() // a list, or its one entry
)

// enums are the named types that know only certain values.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[responsehub.StepID]():        words(responsehub.StepIDs),
	reflect.TypeFor[responsehub.StepState]():     words(responsehub.StepStates),
	reflect.TypeFor[responsehub.IncidentState](): words(responsehub.IncidentStates),
	reflect.TypeFor[responsehub.Severity]():      words(responsehub.Severities),
	reflect.TypeFor[responsehub.Role]():          words(responsehub.Roles),
	reflect.TypeFor[responsehub.Product]():       words(responsehub.Products),
	reflect.TypeFor[responsehub.Action]():        {"disable", "delete", "remove"},
}

func words[T ~string](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}
