//go:build conformance

package conformance_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestGoldenCards: every card that the hub can draw, as its golden files have it, is one
// by the published schema.
func TestGoldenCards(t *testing.T) {
	schema := cardSchema(t)
	files, err := filepath.Glob("../bot/card/testdata/*.golden")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d golden cards found (%v)", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var card any
		if err := json.Unmarshal(raw, &card); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(plain(card)); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}
