//go:build conformance

package responsehub_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// cards are the golden cards of the bot.
func cards(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("bot/card/testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden cards found (%v)", err)
	}
	return files
}

// TestCardsSatisfyTheSchema holds every golden card against the published JSON Schema
// of Adaptive Cards 1.5. The schema is strict, so a misspelt property fails.
func TestCardsSatisfyTheSchema(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(os.Getenv("RESPONSEHUB_VENDOR"), "adaptive-card.schema.json"))
	if err != nil {
		t.Fatalf("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: %v", err)
	}
	// The draft of the schema calls its name "id"; later drafts, and validators, "$id".
	raw = bytes.Replace(raw, []byte(`"id": "http://adaptivecards.io`), []byte(`"$id": "http://adaptivecards.io`), 1)
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
	for _, file := range cards(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var card any
		if err := json.Unmarshal(b, &card); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if err := schema.Validate(withoutTeams(card)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// withoutTeams takes away what Teams adds to the schema.
func withoutTeams(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "msteams")
		delete(v, "msTeams")
		for _, x := range v {
			withoutTeams(x)
		}
	case []any:
		for _, x := range v {
			withoutTeams(x)
		}
	}
	return v
}
