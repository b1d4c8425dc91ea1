package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// example is one command of a document.
type example struct {
	at      string // file and line
	command string
	code    string   // its exit code
	says    []string // what its output has to hold, "..." for anything
}

// documents are those with examples, in the order in which a reader comes to them.
func documents(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	first := []string{"../../README.md", "../../docs/install.md", "../../docs/api.md"}
	rest := slices.DeleteFunc(all, func(doc string) bool { return slices.Contains(first, doc) })
	return slices.Concat(first, rest, []string{"../../CONTRIBUTING.md", "../../SECURITY.md"})
}

var (
	fence    = regexp.MustCompile("^ *```(\\w*)")
	heredoc  = regexp.MustCompile(`<<'(\w+)'`)
	indented = regexp.MustCompile(`^ {4,}((responsehub|go run|make|curl|api)( .*)?)$`)
)

// examples are the commands of a document's blocks of shell, and of indented lines that are
// plainly commands. A line "# => text" says what the command before it answers, "# => exit N"
// with what code it ends.
func examples(t *testing.T, doc string) []example {
	t.Helper()
	text, err := os.ReadFile(doc) // #nosec G304 -- our own documents
	if err != nil {
		t.Fatal(err)
	}
	var out []example
	block, open := "", "" // the block's language, and what began and is not complete
	for i, line := range strings.Split(string(text), "\n") {
		at := fmt.Sprintf("%s:%d", filepath.Base(doc), i+1)
		if m := fence.FindStringSubmatch(line); m != nil {
			if open != "" {
				t.Fatalf("%s: the block ends within a command: %s", at, open)
			}
			if block != "" {
				block = ""
			} else if block = m[1]; block == "" {
				block = "text"
			}
			continue
		}
		if m := indented.FindStringSubmatch(line); m != nil && block == "" {
			out = append(out, example{at: at, command: m[1], code: "0"})
			continue
		}
		if !slices.Contains([]string{"sh", "bash", "console", "shell"}, block) {
			continue
		}
		said, answer := strings.CutPrefix(strings.TrimLeft(line, " "), "# => ")
		switch {
		case answer && open == "" && len(out) > 0:
			last := &out[len(out)-1]
			if code, ok := strings.CutPrefix(said, "exit "); ok {
				last.code = code
			} else {
				last.says = append(last.says, said)
			}
		case open == "" && (strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimLeft(line, " "), "#")):
		default:
			open += line
			if !complete(open) {
				open += "\n"
				continue
			}
			out = append(out, example{at: at, command: strings.TrimSpace(open), code: "0"})
			open = ""
		}
	}
	return out
}

// complete reports whether a command ends here, as bash sees it.
func complete(command string) bool {
	if strings.HasSuffix(command, "\\") {
		return false
	}
	if m := heredoc.FindStringSubmatch(command); m != nil && !strings.HasSuffix(command, "\n"+m[1]) {
		return false
	}
	return exec.Command("bash", "-n", "-c", command).Run() == nil
}

// shape is a regular expression of what a document says of an answer.
func shape(says string) *regexp.Regexp {
	parts := strings.Split(says, "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	begin, end := "(?:^|\\n)", "[ \\t]*(?:\\n|$)"
	if strings.HasPrefix(says, "...") {
		begin = ""
	}
	if strings.HasSuffix(says, "...") {
		end = ""
	}
	return regexp.MustCompile("(?s)" + begin + strings.Join(parts, ".*") + end)
}

func TestShape(t *testing.T) {
	for _, tt := range []struct {
		says, out string
		want      bool
	}{
		{"RH-... is active.", "x\nRH-7 is active.\n", true},
		{"RH-... is active.", "x RH-7 is active.\n", false},
		{"...active.", "RH-7 is active.\nmore\n", true},
		{`{"a":1}`, `{"a":12}`, false},
		{`{"a":1...`, `{"a":12}`, true},
		{"...", "", true},
	} {
		if got := shape(tt.says).MatchString(tt.out); got != tt.want {
			t.Errorf("%q and %q: %v", tt.says, tt.out, got)
		}
	}
}
