package rawjson

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWriterIsJSON compares every kind of value with what encoding/json makes of it.
func TestWriterIsJSON(t *testing.T) {
	type record struct {
		Text string            `json:"text"`
		Some string            `json:"some,omitempty"`
		Int  int64             `json:"int"`
		Bool bool              `json:"bool"`
		Time time.Time         `json:"time"`
		List []string          `json:"list"`
		Map  map[string]string `json:"map"`
		In   struct {
			A string `json:"a,omitempty"`
			B string `json:"b,omitempty"`
		} `json:"in"`
		Any any `json:"any,omitempty"`
	}
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "plain", "<a&b>", `"\`, "\u2028\x7f", "\xff"}))
	rapid.Check(t, func(t *rapid.T) {
		r := record{Text: text.Draw(t, "text"), Some: text.Draw(t, "some"), Int: rapid.Int64().Draw(t, "int"), Bool: rapid.Bool().Draw(t, "bool")}
		r.Time = time.Unix(rapid.Int64Range(0, 32e9).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")).UTC()
		if rapid.Bool().Draw(t, "listed") {
			r.List = rapid.SliceOf(text).Draw(t, "list")
		}
		if rapid.Bool().Draw(t, "mapped") {
			r.Map = rapid.MapOf(rapid.SampledFrom([]string{"a", "b<", "c", "\xfe"}), text).Draw(t, "map")
		}
		r.In.A, r.In.B = text.Draw(t, "a"), text.Draw(t, "b")
		if rapid.Bool().Draw(t, "any given") {
			r.Any = []int{1}
		}
		want, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		w := New(0)
		w.Text(`{"text":`, r.Text)
		w.Some(`,"some":`, r.Some)
		w.Int(`,"int":`, r.Int)
		w.Bool(`,"bool":`, r.Bool)
		w.Time(`,"time":`, r.Time)
		w.List(`,"list":`, r.List)
		w.Map(`,"map":`, r.Map)
		w.Group(`,"in":{`, Member{`"a":`, r.In.A}, Member{`"b":`, r.In.B})
		w.AnyIf(r.Any != nil, `,"any":`, r.Any)
		w.Raw("}")
		if got, err := w.Bytes(); err != nil || string(got) != string(want) {
			t.Fatalf("%v\ngot  %s\nwant %s", err, got, want)
		}
	})
}

// TestWriterKeepsItsFirstError: what JSON cannot carry is an error, not a broken text.
func TestWriterKeepsItsFirstError(t *testing.T) {
	w := New(0)
	w.Time(`{"at":`, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
	w.Any(`,"f":`, func() {})
	if _, err := w.Bytes(); err == nil || !strings.Contains(err.Error(), "year outside of range") {
		t.Errorf("%v", err)
	}
}
