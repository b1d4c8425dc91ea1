package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command that a document shows is one of ours, with flags and arguments that it
// takes; every make target that a document names is in the Makefile.
func TestCommandsInDocumentsExist(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, doc := range append(docs, "../../README.md", "../../CONTRIBUTING.md", "../../SECURITY.md") {
		text, err := os.ReadFile(doc) // #nosec G304 -- our own documents
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			text := strings.TrimLeft(line, " ")
			if len(line)-len(text) < 4 { // deeper below an item of a list
				continue
			}
			command, ok := strings.CutPrefix(text, "responsehub ")
			if !ok {
				command, ok = strings.CutPrefix(text, "go run ./cmd/responsehub ")
			}
			if ok {
				shown++
				checkCommand(t, filepath.Base(doc), command)
			}
		}
		for _, target := range regexp.MustCompile("`make ([a-z-]+)").FindAllStringSubmatch(string(text), -1) {
			if !regexp.MustCompile("(?m)^" + target[1] + ":").Match(makefile) {
				t.Errorf("%s names `make %s`, which the Makefile does not know", filepath.Base(doc), target[1])
			}
		}
	}
	if shown < 8 {
		t.Errorf("only %d commands found in the documents: did their form change?", shown)
	}
}

func checkCommand(t *testing.T, doc, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " > ")
	line, _, _ = strings.Cut(line, " #")
	c, rest, err := newRoot().Find(words(line))
	if err != nil || !c.Runnable() || len(c.Commands()) > 0 {
		t.Errorf("%s: there is no command %q (%v)", doc, line, err)
		return
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("%s: %q: %v", doc, line, err)
		return
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Errorf("%s: %q: %v", doc, line, err)
	}
}

// words splits a line the way a shell does for what our documents use.
func words(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		out = append(out, m[1]+m[2])
	}
	return out
}
