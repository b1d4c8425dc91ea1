package responsehub_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport says which of our folders each folder may import. "." is the root, "..."
// is everything, "x/..." is x and all below it. The most particular rule counts. A
// folder without a rule fails the test: whoever adds one says here what it is.
var mayImport = map[string]string{
	// words
	".":       "rawjson",
	"rawjson": "", // how a text of JSON is written; knows nothing of incidents
	// deciders
	"remediation":                 ". rawjson",
	"remediation/steps":           ". remediation",
	"remediation/remediationtest": ". remediation",
	"remediation/preflight":       ".",
	"intake":                      ".",
	"onboard":                     ".", // new tenants: consent, sign-in, the list
	"oncall":                      ".",
	"ticket":                      ".",
	"mail":                        ".", // who is mailed what
	"hook":                        ".", // what webhooks and chats are told
	"operators":                   ".", // who runs the hub hears what belongs to no incident
	"report":                      ".",
	"trace":                       ".", // spans around what the others do; they do not know it
	"audit":                       ".",
	// adapters
	"store":                    ". remediation oncall operators ticket",
	"store/storetest":          ". remediation store operators",
	"connectors/transport":     ".",
	"connectors/entra":         ". connectors/transport",
	"connectors/connectortest": ". connectors/transport",
	"connectors/twilio":        ". oncall connectors/transport",
	"connectors/email":         ". mail connectors/transport",
	"connectors/connectwise":   ". ticket connectors/transport",
	"connectors/autotask":      ". ticket connectors/transport",
	"connectors/halopsa":       ". ticket connectors/transport",
	"connectors/webhook":       ". hook connectors/transport",
	"connectors/petra":         ". intake connectors/transport",
	"connectors/...":           ". remediation remediation/steps connectors/transport connectors/entra",
	"bot":                      ". remediation bot/...",
	"bot/card":                 ".",
	"bot/manifest":             ".",
	"documents":                ". remediation report audit",
	"console":                  ". hook onboard remediation report audit oncall ticket documents console/...",
	"console/...":              ".",
	"api":                      ". hook onboard remediation oncall ticket report audit documents",
	// the whole
	"config":  ". remediation connectors/... bot intake store api",
	"app":     "...",
	"e2e":     "...",
	"demo":    ". app config sim sim/... intake store remediation",
	"e2e/...": "...",
	"bench":   "...",
	// tests only: killed processes, outside implementations
	"remediation/crashtest": "...",
	"conformance":           "...",
	"clients":               "...", // nothing but tests: outside implementations against ours
	"cmd/...":               ". app config demo sim sim/... api hook intake store remediation oncall report audit bot/manifest",
	// the pretend world speaks the wire and shares nothing with what it is to test
	"sim":     "sim/...",
	"sim/...": "sim/...",
}

// Tests may reach further out than the code they test, but never into another ring's
// business: a simulator, a conformance suite, the real store and engine.
const testsMayImport = " sim sim/... store store/storetest remediation remediation/remediationtest connectors/connectortest"

// onlyHere names modules that are to stay behind one door, and the door. It holds for
// tests too.
var onlyHere = []struct {
	module string
	where  string
	why    string
	tests  string // further folders whose tests may
}{
	{"github.com/microsoftgraph/msgraph-sdk-go", "connectors/graph", "only connectors/graph speaks the Graph SDK", ""},
	{"github.com/microsoftgraph/msgraph-sdk-go-core", "connectors/graph", "only connectors/graph speaks the Graph SDK", ""},
	{"github.com/microsoft/kiota-http-go", "connectors/graph", "only connectors/graph speaks the Graph SDK", ""},
	{"github.com/infracloudio/msbotbuilder-go", "bot bot/...", "only bot speaks the Bot Framework", ""},
	{"github.com/redis/go-redis/v9", "store store/... bench app demo cmd/... e2e e2e/...", "ask the store", "remediation remediation/... api intake bot bench"},
	{"github.com/go-redis/redis_rate/v10", "store app", "ask the store", ""},
	{"github.com/twilio/twilio-go", "connectors/twilio", "only connectors/twilio speaks the Twilio SDK", ""},
	{"github.com/wneessen/go-mail", "connectors/email", "only connectors/email speaks SMTP", ""},
	{"go.opentelemetry.io/otel", "trace", "only trace speaks OpenTelemetry", ""},
	{"github.com/hibiken/asynq", "", "the engine stands on Redis scripts, see docs/adr/0001", ""},
	{"github.com/stretchr/testify", "", "use go-cmp", ""},
}

// rootOfSDK makes a build take many minutes: it pulls in every package of the SDK.
const rootOfSDK = "github.com/microsoftgraph/msgraph-sdk-go"

func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	eachGoFile(t, parser.ImportsOnly, func(name string, f *ast.File) {
		from, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
		seen[from] = true
		rule, ok := ruleFor(from)
		if !ok {
			t.Errorf("%s: say in layers_test.go what %s may import", name, from)
			return
		}
		if test && !strings.HasPrefix(from, "sim") && from != "." {
			rule += testsMayImport + " " + from
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if to, ours := strings.CutPrefix(imp, "responsehub"); ours && (to == "" || to[0] == '/') {
				if to = strings.TrimPrefix(to, "/"); to == "" {
					to = "."
				}
				if !matches(rule, to) && !(test && to == from) {
					t.Errorf("%s: %s may not import %s", name, from, to)
				}
				continue
			}
			if from == "." && !test && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				t.Errorf("%s: the root package imports the standard library only, not %s", name, imp)
			}
			if imp == rootOfSDK {
				t.Errorf("%s: import the packages below %s, never itself: it takes minutes to build", name, imp)
			}
			for _, only := range onlyHere {
				if within(imp, only.module) && !matches(only.where, from) && !(test && matches(only.tests, from)) {
					t.Errorf("%s: may not import %s: %s", name, imp, only.why)
				}
			}
		}
	})
	if !seen["."] || !seen["remediation"] {
		t.Fatalf("read only %d folders: the walk is broken", len(seen))
	}
}

func within(imp, module string) bool {
	return imp == module || strings.HasPrefix(imp, module+"/")
}

func TestEveryPackageHasOneComment(t *testing.T) {
	comments := map[string][]string{}
	eachGoFile(t, parser.ParseComments|parser.PackageClauseOnly, func(name string, f *ast.File) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		dir := path.Dir(name)
		if f.Doc == nil || strings.TrimSpace(f.Doc.Text()) == "" {
			comments[dir] = append(comments[dir], "")
			return
		}
		comments[dir] = append(comments[dir], name)
		want := "Package " + f.Name.Name + " "
		if f.Name.Name == "main" {
			want = "Command "
			if strings.HasPrefix(f.Doc.Text(), path.Base(dir)) || strings.HasPrefix(f.Doc.Text(), strings.ToUpper(path.Base(dir)[:1])+path.Base(dir)[1:]) {
				return
			}
		}
		if !strings.HasPrefix(f.Doc.Text(), want) {
			t.Errorf("%s: the package comment begins %q, want %q", name, firstLine(f.Doc.Text()), want+"...")
		}
	})
	for dir, files := range comments {
		files = slices.DeleteFunc(files, func(s string) bool { return s == "" })
		if len(files) != 1 {
			t.Errorf("%s has %d package comments %q, want exactly one that says what the package promises", dir, len(files), files)
		}
	}
}

func firstLine(s string) string { return strings.SplitN(s, "\n", 2)[0] }

// eachGoFile parses every Go file of the tree. It reads through os, not through the go
// command, so that go test's cache notices a change.
func eachGoFile(t *testing.T, mode parser.Mode, visit func(name string, f *ast.File)) {
	t.Helper()
	tree := os.DirFS(".")
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || name != "." && d.Name()[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, mode)
		if err != nil {
			return err
		}
		if !buildsOnlyWith(src, "deps") {
			visit(name, f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// buildsOnlyWith reports whether the file is part of no ordinary build.
func buildsOnlyWith(src []byte, tag string) bool {
	return strings.HasPrefix(string(src), "//go:build "+tag+"\n")
}

// ruleFor returns the most particular rule for a folder.
func ruleFor(dir string) (string, bool) {
	if r, ok := mayImport[dir]; ok {
		return r, true
	}
	for up := path.Dir(dir); up != "."; up = path.Dir(up) {
		if r, ok := mayImport[up+"/..."]; ok {
			return r, true
		}
	}
	return "", false
}

func matches(rule, dir string) bool {
	for r := range strings.FieldsSeq(rule) {
		base, deep := strings.CutSuffix(r, "/...")
		if r == "..." || r == dir || deep && (dir == base || strings.HasPrefix(dir, base+"/")) {
			return true
		}
	}
	return false
}
