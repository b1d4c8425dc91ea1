package responsehub_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

// TestDesksAreOneOrAList: one desk is written as it was before there could be several.
func TestDesksAreOneOrAList(t *testing.T) {
	for text, want := range map[string]responsehub.Desks{
		`{"psa":{"connection":"cw","company":"FAB"}}`:                                             {{Connection: "cw", Company: "FAB"}},
		`{"psa":[{"connection":"cw","company":"FAB"},{"connection":"halo","company":"Fab Ltd"}]}`: {{Connection: "cw", Company: "FAB"}, {Connection: "halo", Company: "Fab Ltd"}},
		`{}`: nil,
	} {
		var n responsehub.Notify
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, n.PSA); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if again, err := json.Marshal(n); err != nil || string(again) != text {
			t.Errorf("%s is written as %s, %v", text, again, err)
		}
	}
	var n responsehub.Notify
	if err := json.Unmarshal([]byte(`{"psa":[{"connection":"cw"}]}`), &n); err != nil || len(n.PSA) != 1 {
		t.Errorf("a list of one: %+v, %v", n.PSA, err)
	}
	if json.Unmarshal([]byte(`{"psa":"cw"}`), &n) == nil {
		t.Error("a text is taken")
	}
	d := responsehub.Desks{{Connection: "cw", Company: "A"}}
	if got := d.With(responsehub.Desk{Connection: "cw", Company: "B"}).With(responsehub.Desk{Connection: "at"}); len(got) != 2 || got[0].Company != "B" || d[0].Company != "A" {
		t.Errorf("with others: %+v, before %+v", got, d)
	}
}
