//go:build conformance

package conformance_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const cardType = "application/vnd.microsoft.card.adaptive"

// cardSchema is the published JSON Schema of Adaptive Cards 1.5. It is strict: a
// misspelt property fails.
func cardSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	// The draft of the schema calls its name "id"; later drafts, and validators, "$id".
	raw := bytes.Replace(vendorFile(t, "adaptive-card.schema.json"), []byte(`"id": "http://adaptivecards.io`), []byte(`"$id": "http://adaptivecards.io`), 1)
	// The renderers read firstRowAsHeaders; the schema lacks the s.
	raw = bytes.ReplaceAll(raw, []byte(`"firstRowAsHeader"`), []byte(`"firstRowAsHeaders"`))
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("card.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("card.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// checkCards holds every card that was posted, updated or given as an answer against the
// schema.
func checkCards(t *testing.T, schema *jsonschema.Schema, s *story) {
	n := 0
	for _, answer := range s.answers {
		var card any
		if err := json.Unmarshal(answer, &card); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(plain(card)); err != nil {
			t.Errorf("answer to a click: %v", err)
		}
	}
	for _, r := range asked(t, s.world, "teams") {
		var sent any
		if json.Unmarshal([]byte(r.Body), &sent) != nil {
			continue
		}
		for _, card := range cardsIn(sent) {
			n++
			if err := schema.Validate(plain(card)); err != nil {
				t.Errorf("%s %s: %v", r.Method, r.Path, err)
			}
		}
	}
	if n < 5 || len(s.answers) < 5 {
		t.Errorf("only %d cards were sent, and %d given as answers", n, len(s.answers))
	}
	t.Logf("%d cards were sent, %d were answers", n, len(s.answers))
}

// cardsIn finds the cards of an activity, wherever it stands.
func cardsIn(v any) (out []any) {
	switch v := v.(type) {
	case map[string]any:
		if v["contentType"] == cardType {
			return []any{v["content"]}
		}
		for _, x := range v {
			out = append(out, cardsIn(x)...)
		}
	case []any:
		for _, x := range v {
			out = append(out, cardsIn(x)...)
		}
	}
	return out
}

// plain takes away what Teams adds to the schema.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "msteams")
		delete(v, "msTeams")
		for _, x := range v {
			plain(x)
		}
	case []any:
		for _, x := range v {
			plain(x)
		}
	}
	return v
}
