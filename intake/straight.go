package intake

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"responsehub"
)

// straight reads a native alert without the tree between, which would cost more than
// all the rest of the door. It takes exactly what parse and decode take, and reports
// false for everything else: those two then say what is wrong.
func straight(body []byte) (*responsehub.Alert, bool) {
	if !utf8.Valid(body) {
		return nil, false
	}
	a := new(responsehub.Alert)
	r := &strict{rest: string(body)}
	ok := r.into(reflect.ValueOf(a).Elem(), alertForm) && r.next() == 0 && r.rest == ""
	return a, ok
}

// strict reads JSON and nothing else, so that no second pass has to check it.
type strict struct {
	rest   string
	values int
}

// into reads the next value into its place in the alert.
func (r *strict) into(to reflect.Value, s *form) bool {
	if r.values++; r.values > maxValues {
		return false
	}
	switch s.kind {
	case reflect.Struct:
		return r.intoStruct(to, s)
	case reflect.Slice:
		return r.intoSlice(to, s)
	}
	text, ok := r.text()
	if !ok {
		return false
	}
	if s.kind == reflect.String {
		to.SetString(text)
		return true
	}
	if !plainTime(text) {
		return fillText(to, s, text)
	}
	when, err := time.Parse(time.RFC3339Nano, text)
	*to.Addr().Interface().(*time.Time) = when
	return err == nil
}

func (r *strict) intoStruct(to reflect.Value, s *form) bool {
	var taken uint64 // a bit for each field
	return r.each('{', '}', func() bool {
		key, ok := r.text()
		i := slices.IndexFunc(s.fields, func(f field) bool { return f.name == key })
		if !ok || i < 0 || taken&(1<<i) != 0 || !r.take(':') {
			return false
		}
		taken |= 1 << i
		return r.into(to.Field(i), s.fields[i].form)
	})
}

func (r *strict) intoSlice(to reflect.Value, s *form) bool {
	const few = 4 // most lists are short
	to.Set(reflect.MakeSlice(to.Type(), 0, few))
	return r.each('[', ']', func() bool {
		n := to.Len()
		to.Grow(1)
		to.SetLen(n + 1)
		return r.into(to.Index(n), s.elem)
	})
}

// each reads what stands between two brackets, separated by commas.
func (r *strict) each(opening, closing byte, one func() bool) bool {
	if !r.take(opening) {
		return false
	}
	if r.take(closing) {
		return true
	}
	for one() {
		if r.take(closing) {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
	return false
}

// next returns the next byte that is no space, or 0 at the end.
func (r *strict) next() byte {
	for i := range len(r.rest) {
		switch c := r.rest[i]; c {
		case ' ', '\t', '\r', '\n':
		default:
			r.rest = r.rest[i:]
			return c
		}
	}
	r.rest = ""
	return 0
}

func (r *strict) take(c byte) bool {
	if r.rest == "" || r.next() != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *strict) text() (string, bool) {
	if !r.take('"') {
		return "", false
	}
	plain := true
	for end := 0; end < len(r.rest); end++ {
		switch c := r.rest[end]; {
		case c < ' ':
			return "", false
		case c == '\\':
			plain = false
			end++
		case c == '"':
			text := r.rest[:end]
			r.rest = r.rest[end+1:]
			if plain {
				return text, true
			}
			var s string
			err := json.Unmarshal([]byte(`"`+text+`"`), &s)
			return s, err == nil
		}
	}
	return "", false
}

// plainTime reports whether a text has the form in which nearly every detector writes a
// time: to the second or finer, in UTC. Other forms are judged by a regular expression,
// which costs more than reading the time.
func plainTime(s string) bool {
	const form = "0000-00-00T00:00:00"
	rest, utc := strings.CutSuffix(s, "Z")
	if !utc || len(rest) < len(form) || s[0] != '2' {
		return false
	}
	for i := range len(form) {
		if digit := rest[i] >= '0' && rest[i] <= '9'; digit != (form[i] == '0') || !digit && rest[i] != form[i] {
			return false
		}
	}
	if rest = rest[len(form):]; rest == "" {
		return true
	}
	for _, c := range []byte(rest[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return rest[0] == '.' && len(rest) > 1 && len(rest) <= 10
}
