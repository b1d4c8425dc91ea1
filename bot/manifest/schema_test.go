//go:build conformance

package manifest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"responsehub/bot/manifest"
)

// TestManifestSatisfiesTheSchema holds manifests against Microsoft's schema, version 1.25.
// It is strict: a misspelt property fails.
func TestManifestSatisfiesTheSchema(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(os.Getenv("RESPONSEHUB_VENDOR"), "teams-manifest-1.25.schema.json"))
	if err != nil {
		t.Fatalf("RESPONSEHUB_VENDOR must name the folder with the vendors' descriptions: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	// One pattern, of a part that we do not use, looks ahead, which Go's expressions cannot.
	c.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		if strings.HasPrefix(s, "^(?!") {
			s = ".*"
		}
		return regexp.Compile(s)
	})
	if err := c.AddResource("manifest.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	full := app
	full.Name, full.Developer, full.Version = strings.Repeat("ä", 30), strings.Repeat("ä", 32), "1.20.3"
	for _, a := range []manifest.App{app, full, {BotID: app.BotID, PublicURL: "http://127.0.0.1:8080"}} {
		b, err := a.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		check := func(text []byte) error {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			return schema.Validate(v)
		}
		if err := check(b); err != nil {
			t.Errorf("%s\n%v", b, err)
		}
		if check(bytes.Replace(b, []byte(`"botId"`), []byte(`"botID"`), 1)) == nil {
			t.Error("the schema lets a misspelt property pass: it is not read as it should be")
		}
	}
}
