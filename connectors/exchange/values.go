package exchange

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"responsehub/remediation/steps"
)

// gone completes the receipt of an effect that was there already.
func gone(r steps.Receipt) steps.Receipt {
	if r.At.IsZero() {
		r.At = time.Now()
	}
	return r
}

// flag is a boolean that Exchange sends as one, or as its text.
type flag bool

// UnmarshalJSON reads true, "True" and null; anything else is false.
func (f *flag) UnmarshalJSON(b []byte) error {
	*f = flag(strings.EqualFold(strings.Trim(string(b), `"`), "true"))
	return nil
}

// text is a value that is a text, or a number that must keep all its digits: rule ids
// are larger than a float holds.
type text string

// UnmarshalJSON reads a text or a number.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if json.Unmarshal(b, &n) == nil {
		*t = text(n.String())
	}
	return nil
}

// moment is a time, with or without a zone; without one it is UTC. What is neither is
// no time.
type moment struct{ time.Time }

// UnmarshalJSON reads the forms in which Exchange sends times.
func (m *moment) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return nil
}

// decode reads objects; those of an unexpected shape are left out.
func decode[T any](values []json.RawMessage, keep func(*T, json.RawMessage)) []T {
	var out []T
	for _, raw := range values {
		var v T
		if json.Unmarshal(raw, &v) != nil {
			continue
		}
		keep(&v, raw)
		out = append(out, v)
	}
	return out
}

// matches reports whether an id is one of the names.
func matches(id string, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n != "" && strings.EqualFold(n, id) })
}
