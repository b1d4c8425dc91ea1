package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command that a document shows is one of ours, with flags and arguments that it
// takes, those within a sentence too; every make target that a document names is in the
// Makefile.
func TestCommandsInDocumentsExist(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, doc := range documents(t) {
		text, err := os.ReadFile(doc) // #nosec G304 -- our own documents
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, e := range examples(t, doc) {
			lines = append(lines, e.command)
		}
		for _, m := range regexp.MustCompile("`(responsehub [^`]+)`").FindAllStringSubmatch(string(text), -1) {
			checkNamed(t, doc, m[1])
		}
		for _, line := range lines {
			command, ok := strings.CutPrefix(line, "responsehub ")
			if !ok {
				command, ok = strings.CutPrefix(line, "go run ./cmd/responsehub ")
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
	if shown < 40 {
		t.Errorf("only %d commands found in the documents: did their form change?", shown)
	}
}

// checkNamed is checkCommand for a command within a sentence, which may leave out what the
// command is about.
func checkNamed(t *testing.T, doc, line string) {
	t.Helper()
	checkCommand(t, "`"+filepath.Base(doc)+"`", strings.TrimPrefix(line, "responsehub "))
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
	if len(rest) == 0 && strings.HasPrefix(doc, "`") {
		return // a sentence names the command
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
