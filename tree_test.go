package responsehub_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

var update = flag.Bool("update", false, "write what the tests compare with")

// TestNoPathOfAMachine keeps the tree free of paths that exist on one machine only.
func TestNoPathOfAMachine(t *testing.T) {
	machine := regexp.MustCompile(`(^|[^A-Za-z0-9])/(work|root)/`)
	tree := os.DirFS(".")
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if untracked(name) {
				return fs.SkipDir
			}
			return nil
		case untracked(name) || name == "tree_test.go" || path.Ext(name) == ".sum" || !d.Type().IsRegular():
			return nil
		}
		b, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if !utf8.Valid(b) {
			return nil
		}
		for i, line := range bytes.Split(b, []byte("\n")) {
			if m := machine.Find(line); m != nil {
				t.Errorf("%s:%d names a path of one machine: %q", name, i+1, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// untracked says what .gitignore leaves out, and git's own folder.
func untracked(name string) bool {
	switch name {
	case ".git", "bin", "dist", "data", "artifacts", ".cache":
		return true
	}
	base := path.Base(name)
	return base == "node_modules" || strings.HasSuffix(base, ".test") || strings.HasSuffix(base, ".out")
}

const chartFile = "docs/state-machine.md"

// TestStateChartIsTheTable keeps the chart in the documentation equal to the table
// that the code obeys. -update draws it anew.
func TestStateChartIsTheTable(t *testing.T) {
	doc, err := os.ReadFile(chartFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), "```mermaid\n")
	drawn, after, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatalf("%s has no mermaid block to hold the chart", chartFile)
	}
	want := chart()
	if drawn == want {
		return
	}
	if *update {
		if err := os.WriteFile(chartFile, []byte(before+"```mermaid\n"+want+"```\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s differs from responsehub.Transitions (-drawn +table); draw it with make golden:\n%s", chartFile, cmp.Diff(drawn, want))
}

// chart draws the table. A colon or semicolon would end a label in mermaid.
func chart() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> " + string(responsehub.Waiting) + "\n")
	label := strings.NewReplacer(":", ",", ";", ",")
	for _, tr := range responsehub.Transitions {
		b.WriteString("    " + string(tr.From) + " --> " + string(tr.To) + ": " + label.Replace(tr.On) + "\n")
	}
	return b.String()
}
