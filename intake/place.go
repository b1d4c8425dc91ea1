package intake

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"responsehub"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// set puts the value of an expression at its place in the tree. A place that a dotted
// name has filled is left to it.
func (r *rule) set(alert map[string]any, v any) error {
	switch r.key {
	case "tenant", "user":
		s, ok := text(v)
		if !ok {
			return r.fail(nil, wordsMapShape, gojq.TypeOf(v), "a text")
		}
		put(child(alert, map[string]string{"tenant": "tenant", "user": "account"}[r.key]), shortField(r.key, s), s)
		return nil
	}
	field, _ := fieldOf(reflect.TypeFor[responsehub.Alert](), r.path[0])
	switch {
	case len(r.path) == 1:
		v = shape(v, field.Type)
		if r.key == "severity" {
			v = lowered(v)
		}
		put(alert, r.key, v)
	case field.Type.Kind() == reflect.Slice:
		return r.column(alert, field.Type.Elem(), v)
	default:
		leaf, _ := fieldOf(field.Type, r.path[1])
		put(child(alert, r.path[0]), r.path[1], shape(v, leaf.Type))
	}
	return nil
}

// shortField is the field that a short name means by its value.
func shortField(key, value string) string {
	isGUID := guid.MatchString(value)
	switch {
	case key == "tenant" && isGUID:
		return "microsoft_tenant_id"
	case key == "tenant":
		return "source_tenant_id"
	case isGUID:
		return "object_id"
	default:
		return "user_principal_name"
	}
}

// column gives each entry of a list one field: the first value to the first entry and
// so on. A single value is a column of one.
func (r *rule) column(alert map[string]any, entry reflect.Type, v any) error {
	values, isList := v.([]any)
	if !isList {
		values = []any{v}
	}
	rows, ok := alert[r.path[0]].([]any)
	if _, given := alert[r.path[0]]; given && !ok {
		return r.fail(nil, wordsMapShape, gojq.TypeOf(alert[r.path[0]]), "a list")
	}
	leaf, _ := fieldOf(entry, r.path[1])
	for i, value := range values {
		if i == len(rows) {
			rows = append(rows, map[string]any{})
		}
		row, ok := rows[i].(map[string]any)
		if !ok {
			return r.fail(nil, wordsMapShape, gojq.TypeOf(rows[i]), "an object")
		}
		if value != nil && value != "" {
			row[r.path[1]] = shape(value, leaf.Type)
		}
	}
	alert[r.path[0]] = rows
	return nil
}

// shape bends a value towards the native type: numbers become texts, epoch numbers
// become times, nulls in objects are left out. What does not bend is left as it is;
// decode refuses it with its pointer.
func shape(v any, t reflect.Type) any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return moment(v)
	case t.Kind() == reflect.Slice:
		l, ok := v.([]any)
		if !ok {
			return v
		}
		shaped := make([]any, 0, len(l))
		for _, e := range l {
			shaped = append(shaped, shape(e, t.Elem()))
		}
		return shaped
	case t.Kind() == reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return v
		}
		shaped := make(map[string]any, len(m))
		for k, e := range m {
			if e == nil {
				continue
			}
			if f, known := fieldOf(t, k); known {
				e = shape(e, f.Type)
			}
			shaped[k] = e
		}
		return shaped
	default:
		if s, ok := text(v); ok {
			return s
		}
		return v
	}
}

// text is a string, or a number as it was written.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case int:
		return strconv.Itoa(v), true
	case *big.Int:
		return v.String(), true
	case float64:
		return fmt.Sprint(v), true
	}
	return "", false
}

// moment turns seconds or milliseconds since 1970 into RFC 3339.
func moment(v any) any {
	if _, isText := v.(string); isText {
		return v
	}
	s, ok := text(v)
	n, err := strconv.ParseFloat(s, 64)
	if !ok || err != nil || n < 0 || n >= 32503680000*1000 { // the year 3000 in milliseconds
		return v
	}
	if n < 32503680000 {
		n *= 1000
	}
	return time.UnixMilli(int64(n)).UTC().Format(time.RFC3339Nano)
}

func lowered(v any) any {
	if s, ok := v.(string); ok {
		return strings.ToLower(s)
	}
	return v
}

func fieldOf(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if jsonName(f) == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func child(m map[string]any, name string) map[string]any {
	c, ok := m[name].(map[string]any)
	if !ok {
		c = map[string]any{}
		m[name] = c
	}
	return c
}

func put(m map[string]any, name string, v any) {
	if _, filled := m[name]; !filled {
		m[name] = v
	}
}
