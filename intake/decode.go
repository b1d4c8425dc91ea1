package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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

// scanner builds the tree and counts what it costs.
type scanner struct {
	*json.Decoder
	values int
}

// parse reads one JSON value without the liberties that encoding/json takes: no
// duplicate keys, nothing after the value, bounded depth and numbers. Objects become
// maps, lists become slices, numbers stay [json.Number].
func parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, invalid("", wordsNotUTF8)
	}
	d := &scanner{Decoder: json.NewDecoder(bytes.NewReader(body))}
	d.UseNumber()
	v, err := d.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("", wordsNotJSON)
	}
	return v, nil
}

func (d *scanner) value(at string, depth int) (any, error) {
	if d.values++; d.values > maxValues {
		return nil, invalid("", wordsMany, maxValues)
	}
	t, err := d.Token()
	if err != nil {
		return nil, invalid("", wordsNotJSON)
	}
	switch t := t.(type) {
	case json.Number:
		if _, err := t.Float64(); err != nil || len(t) > maxNumber {
			return nil, invalid(at, wordsNumber)
		}
		return t, nil
	case json.Delim:
		if depth >= maxDepth {
			return nil, invalid(at, wordsDeep, maxDepth)
		}
		if t == '{' {
			return d.object(at, depth+1)
		}
		return d.list(at, depth+1)
	default:
		return t, nil
	}
}

func (d *scanner) object(at string, depth int) (any, error) {
	m := make(map[string]any)
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, invalid("", wordsNotJSON)
		}
		if _, twice := m[key]; twice {
			return nil, invalid(join(at, key), wordsTwice)
		}
		if m[key], err = d.value(join(at, key), depth); err != nil {
			return nil, err
		}
	}
	return m, d.end()
}

func (d *scanner) list(at string, depth int) (any, error) {
	l := []any{}
	for d.More() {
		v, err := d.value(join(at, strconv.Itoa(len(l))), depth)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	return l, d.end()
}

func (d *scanner) end() error {
	if _, err := d.Token(); err != nil {
		return invalid("", wordsNotJSON)
	}
	return nil
}

// join adds a part to a JSON pointer (RFC 6901).
func join(at, part string) string {
	return at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
}

// decode turns a tree into an alert. Unlike encoding/json it takes neither fields
// that the format does not have, nor names in other cases, nor null.
func decode(tree any) (*responsehub.Alert, error) {
	if err := fits(tree, reflect.TypeFor[responsehub.Alert](), ""); err != nil {
		return nil, err
	}
	b, err := json.Marshal(tree)
	if err != nil {
		return nil, invalid("", wordsNotJSON)
	}
	a := new(responsehub.Alert)
	if err := json.Unmarshal(b, a); err != nil {
		return nil, invalid("", wordsNotJSON)
	}
	return a, nil
}

// rfc3339 is narrower than time.RFC3339: years that stay within four digits in every
// zone, or storing the time would fail later. alert.schema.json has the same pattern.
var rfc3339 = regexp.MustCompile(`^(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

func fits(v any, t reflect.Type, at string) error {
	switch {
	case t == reflect.TypeFor[time.Time]():
		s, ok := v.(string)
		if _, err := time.Parse(time.RFC3339Nano, s); !ok || err != nil || !rfc3339.MatchString(s) {
			return invalid(at, wordsTime)
		}
	case t.Kind() == reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return invalid(at, wordsObject)
		}
		return fitsStruct(m, t, at)
	case t.Kind() == reflect.Slice:
		l, ok := v.([]any)
		if !ok {
			return invalid(at, wordsList)
		}
		for i, e := range l {
			if err := fits(e, t.Elem(), join(at, strconv.Itoa(i))); err != nil {
				return err
			}
		}
	default: // every other field of an alert is a text
		if _, ok := v.(string); !ok {
			return invalid(at, wordsText)
		}
	}
	return nil
}

// fitsStruct goes by the order of the fields, so that the same message always gets
// the same answer.
func fitsStruct(m map[string]any, t reflect.Type, at string) error {
	known := make(map[string]bool, t.NumField())
	for i := range t.NumField() {
		name := jsonName(t.Field(i))
		known[name] = true
		v, given := m[name]
		if !given {
			continue
		}
		if err := fits(v, t.Field(i).Type, join(at, name)); err != nil {
			return err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !known[k] {
			return invalid(join(at, k), wordsUnknown)
		}
	}
	return nil
}
