// Package rawjson writes JSON text by hand, for the few records that every alert brings:
// encoding/json takes five times as long for them. Texts come out byte for byte as
// encoding/json writes them, and whatever is not plain goes through it.
package rawjson

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Writer collects a text. Each method's name is what stands before the value: the
// member's name with its quotes and colon, and the comma or brace before it.
type Writer struct {
	b   []byte
	err error
}

// New returns a writer with room for a text of size bytes; a longer one makes it grow.
func New(size int) *Writer { return &Writer{b: make([]byte, 0, size)} }

// Bytes returns what was written, or the first error of a value that JSON cannot carry.
func (w *Writer) Bytes() ([]byte, error) { return w.b, w.err }

// Raw writes text as it is.
func (w *Writer) Raw(text string) { w.b = append(w.b, text...) }

// Int writes a number.
func (w *Writer) Int(name string, n int64) {
	w.b = strconv.AppendInt(append(w.b, name...), n, 10)
}

// Bool writes true or false.
func (w *Writer) Bool(name string, v bool) {
	w.b = strconv.AppendBool(append(w.b, name...), v)
}

// Text writes a text.
func (w *Writer) Text(name, s string) {
	if !plain(s) {
		w.Any(name, s)
		return
	}
	w.b = append(append(append(append(w.b, name...), '"'), s...), '"')
}

// Some writes a text that is not empty, and nothing for one that is.
func (w *Writer) Some(name, s string) {
	if s != "" {
		w.Text(name, s)
	}
}

// Time writes a time as RFC 3339.
func (w *Writer) Time(name string, t time.Time) {
	b, err := t.AppendText(append(append(w.b, name...), '"'))
	if err != nil {
		w.fail(err)
		return
	}
	w.b = append(b, '"')
}

// Any writes whatever encoding/json can.
func (w *Writer) Any(name string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		w.fail(err)
	}
	w.b = append(append(w.b, name...), b...)
}

// AnyIf is Any for a value that is given, and nothing for one that is not.
func (w *Writer) AnyIf(given bool, name string, v any) {
	if given {
		w.Any(name, v)
	}
}

// List writes texts, null for nil.
func (w *Writer) List(name string, texts []string) {
	if texts == nil {
		w.Any(name, texts)
		return
	}
	w.b = append(append(w.b, name...), '[')
	for i, s := range texts {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.Text("", s)
	}
	w.b = append(w.b, ']')
}

// Map writes texts by name, in the order of the names.
func (w *Writer) Map(name string, texts map[string]string) {
	if texts == nil {
		w.Any(name, texts)
		return
	}
	w.b = append(append(w.b, name...), '{')
	for i, k := range slices.Sorted(maps.Keys(texts)) {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.Text("", k)
		w.Text(":", texts[k])
	}
	w.b = append(w.b, '}')
}

// Member is a text of an object, with its name.
type Member struct{ Name, Text string }

// Group writes an object of those texts that are not empty. opening ends in its brace.
func (w *Writer) Group(opening string, texts ...Member) {
	w.b = append(w.b, opening...)
	between := false
	for _, t := range texts {
		if t.Text == "" {
			continue
		}
		if between {
			w.b = append(w.b, ',')
		}
		between = true
		w.Text(t.Name, t.Text)
	}
	w.b = append(w.b, '}')
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// plain reports whether a text stands in JSON as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
