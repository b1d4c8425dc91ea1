package remediation_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"responsehub"
	"responsehub/remediation"
)

func TestStoredForm(t *testing.T) {
	for _, state := range responsehub.IncidentStates {
		inc := responsehub.NewIncident("01TEST", "RH-TEST", time.Now(), "petra", alert("a1", on, "pat@contoso.example"), both[0].Ref(), true)
		inc.TakeEvents()
		inc.State = state
		doc, err := remediation.Encode(inc)
		if err != nil {
			t.Fatal(err)
		}
		if plain := json.Valid(doc); plain == state.Closed() {
			t.Errorf("%s: stored as plain JSON: %t", state, plain)
		}
		got, err := remediation.Decode(remediation.State{ID: inc.ID, Version: 3, Doc: doc})
		if err != nil || got.Revision != 3 {
			t.Fatalf("%s: %v", state, err)
		}
		if diff := cmp.Diff(inc, got, cmpopts.IgnoreUnexported(responsehub.Incident{}), cmpopts.IgnoreFields(responsehub.Incident{}, "Revision"), cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s (-stored +read):\n%s", state, diff)
		}
	}
}

// Whatever stands in the store, reading it is an incident or an error.
func FuzzDecode(f *testing.F) {
	inc := responsehub.NewIncident("01TEST", "RH-TEST", time.Now(), "petra", alert("a1", on, "pat@contoso.example"), both[0].Ref(), true)
	for _, state := range []responsehub.IncidentState{responsehub.Active, responsehub.Remediated} {
		inc.State = state
		doc, err := remediation.Encode(inc)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Add([]byte{1})
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		inc, err := remediation.Decode(remediation.State{ID: "x", Doc: doc})
		if (inc == nil) != (err != nil) {
			t.Fatalf("%v, %v", inc, err)
		}
		if inc != nil {
			for _, id := range responsehub.StepIDs {
				_ = inc.Gate(id)
			}
		}
	})
}
