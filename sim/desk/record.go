package desk

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
)

// Record is a JSON object of a vendor's API.
type Record map[string]any

// Number reads a number of whatever type.
func Number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

// Int is the number called key, 0 when there is none or it has a fraction.
func (r Record) Int(key string) int {
	n, ok := Number(r[key])
	if !ok || n != float64(int(n)) {
		return 0
	}
	return int(n)
}

// Text is the string called key, "" when there is none.
func (r Record) Text(key string) string {
	s, _ := r[key].(string)
	return s
}

// Flag is the boolean called key.
func (r Record) Flag(key string) bool {
	b, _ := r[key].(bool)
	return b
}

// Sub is the object called key, nil when there is none.
func (r Record) Sub(key string) Record { return AsRecord(r[key]) }

// AsRecord is v where it is an object, nil otherwise.
func AsRecord(v any) Record {
	switch o := v.(type) {
	case Record:
		return o
	case map[string]any:
		return o
	}
	return nil
}

// Time is the RFC 3339 time called key.
func (r Record) Time(key string) time.Time {
	t, err := time.Parse(time.RFC3339, r.Text(key))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Clone copies r with everything in it.
func (r Record) Clone() Record { return AsRecord(clone(r)) }

func clone(v any) any {
	if o := AsRecord(v); o != nil {
		out := make(Record, len(o))
		for k, x := range o {
			out[k] = clone(x)
		}
		return out
	}
	if list, ok := v.([]any); ok {
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = clone(x)
		}
		return out
	}
	return v
}

// Compact encodes v on one line without HTML escapes: JavaScript's JSON.stringify gives the same bytes.
func Compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("sim/desk: a record does not encode: " + err.Error()) // records hold what JSON decoding makes
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Decode reads one JSON value of r's body. ok is false for anything else.
func Decode(body io.Reader, into any) bool {
	d := json.NewDecoder(body)
	if d.Decode(into) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}

// Same compares strings as a database without case does.
func Same(a, b string) bool { return strings.EqualFold(a, b) }

// Now is the time as the vendors write it.
func Now() string { return time.Now().UTC().Format("2006-01-02T15:04:05Z") }
