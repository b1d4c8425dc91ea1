package responsehub_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"responsehub"
)

// FuzzAlert reads what detectors send: what Validate accepts can be opened, joins its
// own incident without news, and shows nothing but valid text.
func FuzzAlert(f *testing.F) {
	whole, err := json.Marshal(takeover())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"version":"1","id":"x","detected_at":"2026-11-23T12:00:00+01:00","tenant":{"source_tenant_id":"o"},"account":{"user_principal_name":"a@b"},"severity":"low","title":"t"}`))
	f.Add([]byte(`{"version":"1","id":"\ud800","detected_at":"2026-11-23T12:00:00Z","persistence":[{"kind":"inbox_rule","id":""}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a responsehub.Alert
		if json.Unmarshal(body, &a) != nil || a.Validate() != nil {
			return
		}
		for _, response := range []bool{true, false} {
			inc := responsehub.NewIncident("01INC", "RH-7K2M", noon, "petra", &a, contoso, response)
			if inc.Join(noon, "petra", &a) {
				t.Fatal("an alert joins its own incident with new evidence")
			}
			if _, _, err := responsehub.Chain(0, "", inc.TakeEvents()); err != nil {
				t.Fatal(err)
			}
			for _, id := range responsehub.StepIDs {
				if s := inc.Blocked(id); !utf8.ValidString(s) {
					t.Fatalf("the sentence %q is not text", s)
				}
			}
		}
	})
}

// FuzzStoredIncident reads what an older or a damaged store may hold, as long as the
// record has its seven steps: nobody's click may bring the hub down.
func FuzzStoredIncident(f *testing.F) {
	for _, response := range []bool{true, false} {
		b, err := json.Marshal(opened(f, response))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "persistence", false, "")
		f.Add(b, "password", true, "because")
		f.Add(b, "publish", false, "")
	}
	f.Add([]byte(`{"v":1,"state":"active","steps":[{"id":"publish"},{"id":"lock"},{"id":"retract"},{"id":"persistence","state":"done","items":[{"id":"a"},{"id":"a"}]},{"id":"password"},{"id":"reenable"},{"id":"close"}]}`), "close", true, "x")
	f.Fuzz(func(t *testing.T, doc []byte, step string, skip bool, reason string) {
		var inc responsehub.Incident
		if json.Unmarshal(doc, &inc) != nil {
			return
		}
		for _, id := range responsehub.StepIDs {
			if inc.Step(id) == nil {
				return
			}
		}
		before := inc.State
		id := responsehub.StepID(step)
		r := responsehub.StepRequest{Skip: skip, Reason: reason}
		if s := inc.Step(id); s != nil && id == responsehub.Persistence {
			for i := range s.Items {
				r.Items = append(r.Items, s.Items[i].ID)
			}
		}
		answer, err := inc.Ask(id, ann, r, noon)
		if (err == nil) == (answer.Sentence == "") {
			t.Fatalf("Ask says %q and %v: want a sentence or an error", answer.Sentence, err)
		}
		if before.Closed() && inc.State != before {
			t.Fatalf("a closed incident went from %s to %s", before, inc.State)
		}
		inc.Join(noon, "petra", takeover())
		inc.Acknowledge(bob, noon)
		for _, id := range responsehub.StepIDs {
			inc.Blocked(id)
		}
	})
}

// FuzzCheckChain reads records that somebody may have tampered with.
func FuzzCheckChain(f *testing.F) {
	f.Add([]byte(`{"v":1,"seq":1,"at":"2026-11-23T12:00:00Z","kind":"incident.opened","prev":""}`), []byte(`{"seq":2}`), "")
	f.Add([]byte(nil), []byte(`[]`), "x")
	f.Fuzz(func(t *testing.T, a, b []byte, head string) {
		if responsehub.CheckChain([][]byte{a, b}, head) == nil && responsehub.CheckChain([][]byte{a}, head) == nil {
			t.Fatal("two records with the same head: an entry may be cut off unseen")
		}
	})
}
