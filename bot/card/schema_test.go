//go:build conformance

package card

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestCardsSatisfyTheSchema holds every golden card against Microsoft's schema of adaptive
// cards, version 1.5. It is strict: a misspelt property fails.
func TestCardsSatisfyTheSchema(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(os.Getenv("RESPONSEHUB_VENDOR"), "adaptive-card.schema.json"))
	if err != nil {
		t.Fatalf("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	root, ok := doc.(map[string]any)
	if !ok {
		t.Fatal("the schema is no object")
	}
	// The schema names itself as drafts before the one it declares did.
	delete(root, "id")
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft6)
	if err := c.AddResource("card.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("card.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(text []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		// What Teams adds is not in the schema.
		delete(v.(map[string]any), "msteams")
		return schema.Validate(v)
	}
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d golden cards found (%v)", len(files), err)
	}
	misspelt := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(b); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if wrong := bytes.Replace(b, []byte(`"wrap"`), []byte(`"warp"`), 1); !bytes.Equal(wrong, b) {
			misspelt++
			if check(wrong) == nil {
				t.Errorf("%s: the schema lets a misspelt property pass: it is not read as it should be", file)
			}
		}
	}
	if misspelt < 10 {
		t.Errorf("%d cards only were tried with a misspelt property", misspelt)
	}
}
