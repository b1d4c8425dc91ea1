package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"responsehub"
)

// What a mapped alert has unless its mapping says otherwise.
const (
	defaultSeverity = responsehub.High
	defaultTitle    = "Account takeover"
)

// mapping turns foreign JSON into the native format: one jq expression for each field,
// compiled once. Expressions come from the hub's operator, the messages from
// strangers; neither environment nor files nor modules can be reached from them.
type mapping struct{ rules []rule }

type rule struct {
	key  string
	path []string // into the native alert; for a column of a list: list, field
	code *gojq.Code
}

// MapFault is what is wrong with one expression of a mapping.
type MapFault struct {
	Key     string // "" when something is missing
	Message string
}

// CheckMap returns every fault of a mapping, in the order of its keys.
func CheckMap(exprs map[string]string) []MapFault {
	_, faults := build(exprs)
	return faults
}

func compile(exprs map[string]string) (*mapping, error) {
	m, faults := build(exprs)
	var errs []error
	for _, f := range faults {
		errs = append(errs, fmt.Errorf("map.%s: %s", f.Key, f.Message))
	}
	return m, errors.Join(errs...)
}

func build(exprs map[string]string) (*mapping, []MapFault) {
	m, known := &mapping{}, MapKeys()
	var faults []MapFault
	for _, key := range slices.Sorted(maps.Keys(exprs)) {
		if !slices.Contains(known, key) {
			faults = append(faults, MapFault{key, "is not a field of an alert; the fields are " + strings.Join(known, ", ")})
			continue
		}
		query, err := gojq.Parse(exprs[key])
		if err != nil {
			faults = append(faults, MapFault{key, "is not a jq expression: " + err.Error()})
			continue
		}
		code, err := gojq.Compile(query)
		if err != nil {
			faults = append(faults, MapFault{key, "is not a jq expression: " + err.Error()})
			continue
		}
		m.rules = append(m.rules, rule{key: key, path: strings.Split(key, "."), code: code})
	}
	for _, need := range [][]string{{"id"}, {"tenant", "tenant.microsoft_tenant_id", "tenant.source_tenant_id"}, {"user", "account.object_id", "account.user_principal_name"}} {
		if !slices.ContainsFunc(need, func(k string) bool { _, ok := exprs[k]; return ok }) {
			faults = append(faults, MapFault{"", "needs " + strings.Join(need, " or ")})
		}
	}
	return m, faults
}

// MapKeys lists what a mapping may set: the short names id, tenant and user, every
// dotted name of the native alert, its lists, and columns of its lists.
func MapKeys() []string {
	keys := []string{"tenant", "user"}
	for f := range reflect.TypeFor[responsehub.Alert]().Fields() {
		name := jsonName(f)
		switch t := f.Type; {
		case t.Kind() == reflect.Slice:
			keys = append(keys, name)
			for c := range t.Elem().Fields() {
				keys = append(keys, name+"."+jsonName(c))
			}
		case t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
			for c := range t.Fields() {
				keys = append(keys, name+"."+jsonName(c))
			}
		case name != "version":
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// apply runs the mapping over a parsed message and returns the tree of a native alert.
func (m *mapping) apply(ctx context.Context, message any, now time.Time) (any, error) {
	alert := map[string]any{}
	budget := MaxBody // of all values together
	for _, r := range m.rules {
		v, err := r.run(ctx, message, &budget)
		if err != nil {
			return nil, err
		}
		if v == nil || v == "" {
			continue
		}
		if err := r.set(alert, v); err != nil {
			return nil, err
		}
	}
	for field, v := range map[string]any{
		"version": responsehub.AlertVersion, "severity": string(defaultSeverity), "title": defaultTitle,
		"detected_at": now.UTC().Format(time.RFC3339Nano),
	} {
		if _, given := alert[field]; !given {
			alert[field] = v
		}
	}
	return alert, nil
}

func (r *rule) pointer() string {
	switch r.key {
	case "user":
		return "/account"
	default:
		return "/" + strings.Join(r.path, "/")
	}
}

func (r *rule) fail(cause error, format string, args ...any) error {
	e, _ := errorAs(invalid(r.pointer(), format, args...))
	e.Err = cause
	return e
}

// run gives the expression's one value.
func (r *rule) run(ctx context.Context, message any, budget *int) (any, error) {
	it := r.code.RunWithContext(ctx, message)
	v, ok := it.Next()
	if !ok {
		return nil, nil // "empty": not there
	}
	if err, failed := v.(error); failed {
		if ctx.Err() != nil {
			return nil, r.fail(ctx.Err(), wordsMapSlow)
		}
		return nil, r.fail(err, wordsMapFailed)
	}
	if *budget -= size(v, *budget); *budget < 0 {
		return nil, r.fail(nil, wordsMapBig, MaxBody)
	}
	if second, more := it.Next(); more {
		if _, failed := second.(error); !failed || ctx.Err() == nil {
			return nil, r.fail(nil, wordsMapMany)
		}
		return nil, r.fail(ctx.Err(), wordsMapSlow)
	}
	return v, nil
}

// size is about how many bytes v takes as JSON; it stops counting past most.
func size(v any, most int) int {
	n := 8
	switch v := v.(type) {
	case string:
		n += len(v)
	case json.Number:
		n += len(v)
	case []any:
		for _, e := range v {
			if n > most {
				break
			}
			n += size(e, most-n)
		}
	case map[string]any:
		for k, e := range v {
			if n > most {
				break
			}
			n += len(k) + size(e, most-n)
		}
	}
	return n
}
