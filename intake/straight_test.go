package intake

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// FuzzStraight holds the short way to the long one: the same texts are taken, and the
// same alerts come out of them.
func FuzzStraight(f *testing.F) {
	for _, seed := range []string{
		native, "{}", " { } ", "", "null", "[]", `"x"`, "{", native + "{}", "\xff",
		`{"id":"a","id":"b"}`, `{"id":"a","\u0069d":"b"}`, `{"ID":"a"}`, `{"id":1}`, `{"id":null}`, `{"id":["a"]}`,
		`{"id":"\ud800\u0000\n"}`, `{"detected_at":"2026-01-02T03:04:05Z"}`, `{"detected_at":"2026-01-02T3:04:05Z"}`, `{"detected_at":""}`,
		`{"evidence":[]}`, `{"evidence":{}}`, `{"evidence":[{}]}`, `{"evidence":[{},{"text":"a"},{},{},{},{"at":"2026-01-02T03:04:05+01:00"}]}`,
		`{"evidence":[{"x":1}]}`, `{"tenant":{"source_tenant_id":"a"}}`, `{"tenant":[]}`, `{"tenant":"a"}`, `{"unknown":1}`,
		`{"evidence":[` + strings.Repeat("{},", maxValues) + `{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var want *responsehub.Alert
		tree, err := parse(body)
		if err == nil {
			want, err = decode(tree)
		}
		got, ok := straight(body)
		if ok != (err == nil) {
			t.Fatalf("the short way says %v, the long one %v", ok, err)
		}
		if !ok {
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestEveryFieldHasItsBit fails when a type outgrows the set of fields taken.
func TestEveryFieldHasItsBit(t *testing.T) {
	var walk func(*form)
	walk = func(s *form) {
		if len(s.fields) > 64 {
			t.Errorf("%d fields, there are 64 bits", len(s.fields))
		}
		for _, f := range s.fields {
			walk(f.form)
		}
		if s.kind == reflect.Slice {
			walk(s.elem)
		}
	}
	walk(alertForm)
}
