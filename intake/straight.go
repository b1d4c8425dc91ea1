package intake

import (
	"encoding/json"
	"reflect"
	"slices"
	"unicode/utf8"

	"responsehub"
)

// straight reads a native alert without the tree between, which would cost more than
// all the rest of the door. It takes exactly what parse and decode take, and reports
// false for everything else: those two then say what is wrong.
func straight(body []byte) (*responsehub.Alert, bool) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, false
	}
	a := new(responsehub.Alert)
	r := &reader{rest: string(body)}
	return a, r.into(reflect.ValueOf(a).Elem(), alertForm)
}

// into reads the next value into its place in the alert. What is read is known to be JSON.
func (r *reader) into(to reflect.Value, s *form) bool {
	if r.values++; r.values > maxValues {
		return false
	}
	opening := r.peek()
	switch {
	case s.kind == reflect.Struct && opening == '{':
		return r.intoStruct(to, s)
	case s.kind == reflect.Slice && opening == '[':
		return r.intoSlice(to, s)
	case s.kind != reflect.Struct && s.kind != reflect.Slice && opening == '"':
		text, err := r.text()
		return err == nil && fillText(to, s, text)
	}
	return false
}

func (r *reader) intoStruct(to reflect.Value, s *form) bool {
	var taken uint64 // a bit for each field
	for r.rest = r.rest[1:]; r.peek() != '}'; {
		key, err := r.text()
		i := slices.IndexFunc(s.fields, func(f field) bool { return f.name == key })
		if err != nil || i < 0 || taken&(1<<i) != 0 {
			return false
		}
		taken |= 1 << i
		if !r.into(to.Field(i), s.fields[i].form) {
			return false
		}
	}
	r.rest = r.rest[1:]
	return true
}

func (r *reader) intoSlice(to reflect.Value, s *form) bool {
	const few = 4 // most lists are short
	to.Set(reflect.MakeSlice(to.Type(), 0, few))
	n := 0
	for r.rest = r.rest[1:]; r.peek() != ']'; n++ {
		to.Grow(1)
		to.SetLen(n + 1)
		if !r.into(to.Index(n), s.elem) {
			return false
		}
	}
	r.rest = r.rest[1:]
	return true
}
