package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// holds says whether an object passes the filter. Text is compared without regard to case, as the
// directory and Outlook do.
func (f *filter) holds(o object) bool {
	switch f.op {
	case "and":
		for _, s := range f.sub {
			if !s.holds(o) {
				return false
			}
		}
		return true
	case "or":
		for _, s := range f.sub {
			if s.holds(o) {
				return true
			}
		}
		return false
	case "not":
		return !f.sub[0].holds(o)
	}
	return f.compare(at(o, f.path))
}

// at walks a path such as from/emailAddress/address.
func at(o map[string]any, path string) any {
	var v any = o
	for _, name := range strings.Split(path, "/") {
		switch m := v.(type) {
		case object:
			v = m[name]
		case map[string]any:
			v = m[name]
		default:
			return nil
		}
	}
	return v
}

func (f *filter) compare(got any) bool {
	if f.op == "any" {
		list, _ := got.([]string)
		want, _ := f.value.(string)
		return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
	}
	n, comparable := order(got, f.value)
	switch f.op {
	case "eq":
		return comparable && n == 0
	case "ne":
		return !comparable || n != 0
	case "gt":
		return comparable && n > 0
	case "ge":
		return comparable && n >= 0
	case "lt":
		return comparable && n < 0
	case "le":
		return comparable && n <= 0
	}
	g, ok := got.(string)
	w, ok2 := f.value.(string)
	if !ok || !ok2 {
		return false
	}
	g, w = strings.ToLower(g), strings.ToLower(w)
	switch f.op {
	case "startswith":
		return strings.HasPrefix(g, w)
	case "endswith":
		return strings.HasSuffix(g, w)
	}
	return strings.Contains(g, w)
}

// order compares a property with a literal; false when their kinds do not fit.
func order(got, want any) (int, bool) {
	switch w := want.(type) {
	case nil:
		return 0, got == nil
	case bool:
		g, ok := got.(bool)
		if g == w {
			return 0, ok
		}
		return 1, ok
	case float64:
		switch g := got.(type) {
		case int:
			return cmp.Compare(float64(g), w), true
		case float64:
			return cmp.Compare(g, w), true
		}
	case string:
		if g, ok := got.(string); ok {
			return strings.Compare(strings.ToLower(g), strings.ToLower(w)), true
		}
	case time.Time:
		if g, ok := got.(string); ok {
			if t, err := time.Parse(time.RFC3339, g); err == nil {
				return t.Compare(w), true
			}
		}
	}
	return 0, false
}
