package intake

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"responsehub"
)

const (
	maxDepth  = 64 // the native alert needs 3
	maxNumber = 64 // characters
	// A value of two bytes ("0,") becomes some fifty in memory.
	maxValues = 100_000
)

// parse reads one JSON value without the liberties that encoding/json takes: no
// duplicate keys, nothing after the value, bounded depth and numbers. Objects become
// maps, lists become slices, numbers stay [json.Number].
func parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, invalid("", wordsNotUTF8)
	}
	r := &reader{rest: string(body)} // once: every text of the tree is a part of it
	var parts [maxDepth]part
	v, err := r.value(parts[:0])
	if err == nil && !json.Valid(body) {
		err = invalid("", wordsNotJSON)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// reader builds the tree and counts what it costs. It checks what JSON allows and we do
// not, and takes some texts that are no JSON: those parse refuses afterwards.
type reader struct {
	rest   string
	values int
}

// path leads to a place in the tree; it is as long as the place is deep. A pointer is
// made of it only when something is wrong there.
type path []part

// part is a name in an object or a number in a list.
type part struct {
	key  string
	list bool
	n    int
}

// String is the JSON pointer (RFC 6901).
func (p path) String() string {
	var b strings.Builder
	for _, s := range p {
		key := s.key
		if s.list {
			key = strconv.Itoa(s.n)
		}
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

func (r *reader) value(at path) (any, error) {
	if r.values++; r.values > maxValues {
		return nil, invalid("", wordsMany, maxValues)
	}
	switch c := r.peek(); c {
	case '{', '[':
		if len(at) >= maxDepth {
			return nil, invalid(at.String(), wordsDeep, maxDepth)
		}
		r.rest = r.rest[1:]
		if c == '{' {
			return r.object(at)
		}
		return r.list(at)
	case '"':
		return r.text()
	case 't':
		return true, r.word("true")
	case 'f':
		return false, r.word("false")
	case 'n':
		return nil, r.word("null")
	default:
		return r.number(at)
	}
}

func (r *reader) word(w string) error {
	rest, ok := strings.CutPrefix(r.rest, w)
	if !ok {
		return invalid("", wordsNotJSON)
	}
	r.rest = rest
	return nil
}

// peek returns the next byte that is no space, or 0 at the end. Commas and colons say
// nothing: whether they stand where they must is seen afterwards.
func (r *reader) peek() byte {
	for i := range len(r.rest) {
		switch c := r.rest[i]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			r.rest = r.rest[i:]
			return c
		}
	}
	r.rest = ""
	return 0
}

func (r *reader) number(at path) (any, error) {
	end := strings.IndexAny(r.rest, " \t\r\n,]}")
	if end < 0 {
		end = len(r.rest)
	}
	n := json.Number(r.rest[:end])
	if !json.Valid([]byte(n)) {
		return nil, invalid("", wordsNotJSON)
	}
	r.rest = r.rest[end:]
	if _, err := n.Float64(); err != nil || len(n) > maxNumber {
		return nil, invalid(at.String(), wordsNumber)
	}
	return n, nil
}

func (r *reader) text() (string, error) {
	if r.peek() != '"' {
		return "", invalid("", wordsNotJSON)
	}
	end, plain := 1, true
	for ; end < len(r.rest) && r.rest[end] != '"'; end++ {
		if r.rest[end] == '\\' {
			plain = false
			end++
		}
	}
	if end >= len(r.rest) {
		return "", invalid("", wordsNotJSON)
	}
	quoted := r.rest[:end+1]
	r.rest = r.rest[end+1:]
	if plain {
		return quoted[1:end], nil
	}
	var s string
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return "", invalid("", wordsNotJSON)
	}
	return s, nil
}

func (r *reader) object(up path) (any, error) {
	m := make(map[string]any)
	for r.peek() != '}' {
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		at := append(up, part{key: key})
		if _, twice := m[key]; twice {
			return nil, invalid(at.String(), wordsTwice)
		}
		if m[key], err = r.value(at); err != nil {
			return nil, err
		}
	}
	r.rest = r.rest[1:]
	return m, nil
}

func (r *reader) list(up path) (any, error) {
	l := []any{}
	for r.peek() != ']' {
		v, err := r.value(append(up, part{list: true, n: len(l)}))
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	r.rest = r.rest[1:]
	return l, nil
}

// decode turns a tree into an alert. Unlike encoding/json it takes neither fields
// that the format does not have, nor names in other cases, nor null.
func decode(tree any) (*responsehub.Alert, error) {
	a := new(responsehub.Alert)
	if err := fill(reflect.ValueOf(a).Elem(), alertForm, tree, make(path, 0, 4)); err != nil {
		return nil, err
	}
	return a, nil
}

// form is a type of the native format with the names of its fields.
type form struct {
	kind   reflect.Kind // Struct, Slice, String; Invalid is a time
	fields []field
	elem   *form // of a slice
}

type field struct {
	name string
	*form
}

var alertForm = formOf(reflect.TypeFor[responsehub.Alert]())

func formOf(t reflect.Type) *form {
	if t == reflect.TypeFor[time.Time]() {
		return &form{}
	}
	s := &form{kind: t.Kind()}
	switch s.kind {
	case reflect.Slice:
		s.elem = formOf(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			s.fields = append(s.fields, field{jsonName(f), formOf(f.Type)})
		}
	default: // every other field of an alert is a text
		s.kind = reflect.String
	}
	return s
}

// rfc3339 is narrower than time.RFC3339: years that stay within four digits in every
// zone, or storing the time would fail later. alert.schema.json has the same pattern.
var rfc3339 = regexp.MustCompile(`^(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// fill puts a value of the tree into its place in the alert.
func fill(to reflect.Value, s *form, v any, at path) error {
	switch s.kind {
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return invalid(at.String(), wordsObject)
		}
		return fillStruct(to, s, m, at)
	case reflect.Slice:
		l, ok := v.([]any)
		if !ok {
			return invalid(at.String(), wordsList)
		}
		to.Set(reflect.MakeSlice(to.Type(), len(l), len(l)))
		for i, e := range l {
			if err := fill(to.Index(i), s.elem, e, append(at, part{list: true, n: i})); err != nil {
				return err
			}
		}
	default:
		if text, ok := v.(string); !ok || !fillText(to, s, text) {
			return invalid(at.String(), "%s", s.words())
		}
	}
	return nil
}

// fillText reports false for a text that is no time where one belongs.
func fillText(to reflect.Value, s *form, text string) bool {
	if s.kind == reflect.String {
		to.SetString(strings.ToValidUTF8(text, "\uFFFD")) // a mapping may make anything
		return true
	}
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !rfc3339.MatchString(text) {
		return false
	}
	*to.Addr().Interface().(*time.Time) = when
	return true
}

// words say what belongs where something else was given.
func (s *form) words() string {
	if s.kind == reflect.String {
		return wordsText
	}
	return wordsTime
}

// fillStruct goes by the order of the fields, so that the same message always gets
// the same answer.
func fillStruct(to reflect.Value, s *form, m map[string]any, at path) error {
	taken := 0
	for i, f := range s.fields {
		v, given := m[f.name]
		if !given {
			continue
		}
		taken++
		if err := fill(to.Field(i), f.form, v, append(at, part{key: f.name})); err != nil {
			return err
		}
	}
	if taken == len(m) {
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.ContainsFunc(s.fields, func(f field) bool { return f.name == k }) {
			return invalid(append(at, part{key: k}).String(), wordsUnknown)
		}
	}
	return nil
}
