package remediation

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"responsehub"
)

// TestEncodeIsJSON fills every field, at random or not at all, and compares what is
// stored with what encoding/json makes of it. A field that encode forgets shows.
func TestEncodeIsJSON(t *testing.T) {
	rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
		inc := &responsehub.Incident{}
		fill(rt, reflect.ValueOf(inc).Elem(), 0)
		for i := range inc.Steps { // filled at random none would be one that only an alert touched
			if s := &inc.Steps[i]; rapid.Bool().Draw(rt, "of an alert") {
				*s = responsehub.Step{ID: s.ID, State: s.State, Items: s.Items}
			}
			for j := range inc.Steps[i].Items {
				if it := &inc.Steps[i].Items[j]; rapid.Bool().Draw(rt, "nothing was done to it") {
					it.Hidden, it.MadeAt, it.Returned, it.Action, it.By, it.At, it.Proof, it.Snapshot = false, time.Time{}, 0, "", responsehub.By{}, time.Time{}, nil, nil
				}
			}
		}
		want, err := json.Marshal(inc)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := encode(inc)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func fill(rt *rapid.T, v reflect.Value, depth int) {
	if rapid.IntRange(0, 3+depth).Draw(rt, "zero") == 3 {
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Unix(rapid.Int64Range(0, 32e9).Draw(rt, "s"), rapid.Int64Range(0, 1e9-1).Draw(rt, "ns")).In(time.FixedZone("", 3600*rapid.IntRange(-12, 12).Draw(rt, "zone")))
		return
	case *json.RawMessage:
		*p = json.RawMessage(`{"a":1}`)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.StringN(0, 8, -1), rapid.SampledFrom([]string{"<a&b>", `"\`, "\u2028\x7f", "\xff", "plain"})).Draw(rt, "text"))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(-5, 500).Draw(rt, "n"))
	case reflect.Uint8:
		v.SetUint(uint64(rapid.Byte().Draw(rt, "byte")))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(rt, v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(0, 2).Draw(rt, "len"), 2))
		for i := range v.Len() {
			fill(rt, v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fill(rt, value, depth+1)
		v.SetMapIndex(reflect.ValueOf("k").Convert(v.Type().Key()), value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Tag.Get("json") != "-" {
				fill(rt, v.Field(i), depth+1)
			}
		}
	default:
		rt.Fatalf("%s is of a kind this test does not fill", v.Type())
	}
}
