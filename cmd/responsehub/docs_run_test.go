package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// notRun are the examples that no test can run, by how they begin. One that no document
// shows any more is a fault.
var notRun = map[string]string{
	"make":                        "runs the tests, of which this is one, or the demo, which is started here",
	"responsehub tenant sign-in ": "waits for a person at Microsoft's page; e2e signs in for them",
}

// otherwise are the examples whose answer here is another one than the document's, by how
// they begin.
var otherwise = map[string]struct{ code, says, why string }{
	`api -X POST "$RESPONSEHUB_URL/v1/lanes/`: {"22", `..."status":404...`, "nothing is given up in the demo"},
}

// notCalled are the calls of the API that the documents need not show with success.
var notCalled = map[string]string{
	"retryLane": "nothing is given up in the demo",
	"tickTodo":  "the demo's accounts are cloud accounts, with nothing to do by hand",
}

// stage is the demo as the documents start it, and what stands in it for the words of the
// documents.
type stage struct {
	t      *testing.T
	dir    string // of the demo
	hub    string // its address
	front  string // what the documents call it by: it notes what is called
	world  string
	redis  []string // environment that puts commands with a file on the demo's Redis
	key    string   // the demo's, then the one that an example made last
	secret string   // of the detector
	file   string   // the configuration, filled in
	called sync.Map // method and path of what curl asked with success
}

// TestDocumentsRun runs every example of the documents, in the order in which they stand
// there, against one demo. What is substituted is said in [stage.words] and nowhere else.
func TestDocumentsRun(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "openssl", "redis-server"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: the documents' examples need it; make deps gets it", err)
		}
	}
	s := &stage{t: t, redis: []string{"RESPONSEHUB_SERVER_LISTEN=127.0.0.1:0", "RESPONSEHUB_SERVER_ADMIN_LISTEN=127.0.0.1:0"}}
	s.dir = t.TempDir()
	s.hub, s.world = freeAddress(t), freeAddress(t)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.hub})
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.StatusCode < 300 && strings.HasPrefix(r.Request.UserAgent(), "curl/") {
			s.called.Store(r.Request.Method+" "+r.Request.URL.EscapedPath(), true)
		}
		return nil
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	s.front = front.URL

	used, ran := map[string]bool{}, 0
	for _, doc := range documents(t) {
		sh := s.shell()
		for _, e := range examples(t, doc) {
			if prefix, ok := begins(e.command, notRun); ok {
				used[prefix] = true
				continue
			}
			if prefix, ok := begins(e.command, otherwise); ok {
				used[prefix] = true
				e.code, e.says = otherwise[prefix].code, []string{otherwise[prefix].says}
			}
			ran++
			s.run(sh, e)
			if t.Failed() {
				return // what follows builds on it
			}
		}
		sh.end()
	}
	for prefix := range notRun {
		if !used[prefix] {
			t.Errorf("notRun: no document shows %q any more", prefix)
		}
	}
	for prefix := range otherwise {
		if !used[prefix] {
			t.Errorf("otherwise: no document shows %q any more", prefix)
		}
	}
	if ran < 80 {
		t.Errorf("only %d examples found in the documents: did their form change?", ran)
	}
	s.everythingIsShown()
}

func begins[V any](command string, list map[string]V) (string, bool) {
	for prefix := range list {
		if strings.HasPrefix(command, prefix) {
			return prefix, true
		}
	}
	return "", false
}

// words puts what is here in place of what the documents say.
func (s *stage) words(command string) string {
	if !strings.HasPrefix(command, "responsehub config ") { // the reader fills the file in between
		command = strings.ReplaceAll(command, "responsehub.yaml", s.file)
	}
	if strings.Contains(command, "RH-7K2M") {
		command = strings.ReplaceAll(command, "RH-7K2M", s.newest())
	}
	return strings.NewReplacer(
		"https://hub.example.com", s.front, "http://127.0.0.1:8080", s.front,
		"rh_...", s.key, "demo-...", s.key, "whsec_...", s.secret,
		"responsehub sim ", "responsehub sim --listen "+s.world+" ",
	).Replace(command)
}

// newest is the reference of the incident that was opened last.
func (s *stage) newest() string {
	var list struct{ Items []struct{ Ref string } }
	s.get("/v1/incidents?limit=1", &list)
	if len(list.Items) == 0 {
		s.t.Fatal("there is no incident")
	}
	return list.Items[0].Ref
}

func (s *stage) get(path string, into any) {
	s.t.Helper()
	if status := s.ask(path, into); status != http.StatusOK {
		s.t.Fatalf("GET %s: %d", path, status)
	}
}

// ask asks the hub with the key of now; into may be nil.
func (s *stage) ask(path string, into any) (status int) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.hub+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if into == nil || res.StatusCode != http.StatusOK {
		return res.StatusCode
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	return res.StatusCode
}

var madeKey = regexp.MustCompile(`(?m)^rh_[a-z0-9]+_[a-z0-9]+$`)

// run runs one example and holds what it answers against what the document says.
func (s *stage) run(sh *shell, e example) {
	s.t.Helper()
	var out, code string
	switch {
	case strings.HasPrefix(e.command, "go run ./cmd/responsehub demo"):
		out = s.stay(e, sh.dir, []string{"RESPONSEHUB_DEMO_DIR=" + s.dir}, "Alert raised", "responsehub", "demo", "--listen", s.hub, "--sim-listen", s.world, "--no-browser")
		s.begun(out)
		code = "0"
	case strings.HasPrefix(e.command, "responsehub serve "):
		out = s.stay(e, sh.dir, s.redis, "hub is up", "bash", "-c", "exec "+s.words(e.command))
		code = "0"
	default:
		out, code = sh.run(s.words(e.command), append(s.redis, "RESPONSEHUB_URL="+s.front, "RESPONSEHUB_API_KEY="+s.key))
	}
	if code != e.code {
		s.t.Errorf("%s: %s\nexit code %s, want %s\n%s", e.at, e.command, code, e.code, out)
		return
	}
	for _, says := range e.says {
		if !shape(says).MatchString(out) {
			s.t.Errorf("%s: %s\nsays\n%s\nwant %s", e.at, e.command, out, says)
		}
	}
	if key := madeKey.FindString(out); key != "" && strings.HasPrefix(e.command, "responsehub key create") {
		s.key = key
		// It was written to Redis, of which the demo hears within seconds.
		for began := time.Now(); s.ask("/v1/incidents", nil) == http.StatusUnauthorized; time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				s.t.Fatal("the hub never hears of the new key")
			}
		}
	}
}

// begun reads what the demo keeps: its key, its Redis, and the world's configuration, which
// is what a reader's own file would be.
func (s *stage) begun(out string) {
	s.t.Helper()
	s.key = cut(s.t, `RESPONSEHUB_API_KEY=(\S+)`, out)
	sealed, err := os.ReadFile(filepath.Join(s.dir, "secrets.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.redis = append(s.redis, "RESPONSEHUB_SECRETS_KEY="+string(sealed), "RESPONSEHUB_REDIS_ADDRS=unix://"+filepath.Join(s.dir, "redis.sock"))
	s.file = filepath.Join(s.dir, "responsehub.yaml")
	text, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	s.secret = cut(s.t, `"(whsec_[^"]+)"`, string(text))
}

func cut(t *testing.T, pattern, in string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(in)
	if m == nil {
		t.Fatalf("there is no %s in\n%s", pattern, in)
	}
	return m[1]
}

// stay starts what goes on until the end of the test, and returns what it said until it
// says ready.
func (s *stage) stay(e example, dir string, env []string, ready, name string, args ...string) string {
	s.t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	said := &lines{}
	c.Stdout, c.Stderr = said, said
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	s.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-done:
			if err != nil {
				s.t.Errorf("%s: %s\nended with %v\n%s", e.at, e.command, err, said)
			}
		case <-time.After(30 * time.Second):
			_ = c.Process.Kill()
			s.t.Errorf("%s: %s\ndoes not end", e.at, e.command)
		}
	})
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		if strings.Contains(said.String(), ready) {
			return said.String()
		}
		select {
		case err := <-done:
			done <- err
			s.t.Fatalf("%s: %s\nended with %v\n%s", e.at, e.command, err, said)
		default:
		}
	}
	s.t.Fatalf("%s: %s\nnever says %q\n%s", e.at, e.command, ready, said)
	return ""
}

// everythingIsShown asks the hub which calls there are, and fails for one that no document
// shows.
func (s *stage) everythingIsShown() {
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	s.get("/openapi.json", &doc)
	var missing []string
	for path, methods := range doc.Paths {
		shape := regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, `[^/]+`) + "$")
		for method, op := range methods {
			shown := false
			s.called.Range(func(k, _ any) bool {
				m, p, _ := strings.Cut(k.(string), " ")
				shown = shown || strings.EqualFold(m, method) && shape.MatchString(p)
				return !shown
			})
			if _, listed := notCalled[op.OperationID]; shown == listed {
				missing = append(missing, fmt.Sprintf("%s %s (%s): shown by curl: %v, listed as not shown: %v", method, path, op.OperationID, shown, listed))
			}
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 || len(doc.Paths) == 0 {
		s.t.Errorf("docs/api.md and the API differ:\n%s", strings.Join(missing, "\n"))
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lines is what a process says, read while it goes on.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// shell is one bash for a document, as the reader has one: what is set or defined stays.
type shell struct {
	t      *testing.T
	dir    string
	in     io.WriteCloser
	codes  *os.File
	end    func()
	number int
}

func (s *stage) shell() *shell {
	s.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	sh := &shell{t: s.t, dir: s.t.TempDir(), codes: r}
	ctx, cancel := context.WithCancel(s.t.Context())
	c := exec.CommandContext(ctx, "bash", "--noprofile", "--norc")
	c.Dir, c.ExtraFiles = sh.dir, []*os.File{w}
	c.Env = append(os.Environ(), "HOME="+sh.dir, "NO_PROXY=127.0.0.1",
		// What the example of the configuration names.
		"RESPONSEHUB_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "PETRA_SECRET="+hubSecret, "MICROSOFT_SECRET=x", "CUSTOM_TOKEN=0123456789abcdef0123", "SLACK_URL=https://hooks.slack.com/services/T/B/x")
	if sh.in, err = c.StdinPipe(); err == nil {
		err = c.Start()
	}
	_ = w.Close()
	if err != nil {
		s.t.Fatal(err)
	}
	sh.end = sync.OnceFunc(func() {
		_ = sh.in.Close()
		cancel()
		_ = c.Wait()
		_ = r.Close()
	})
	s.t.Cleanup(sh.end)
	return sh
}

// run runs a command and returns what it said, on both outputs, and its exit code. env is
// what is set where the reader set nothing else.
func (sh *shell) run(command string, env []string) (out, code string) {
	sh.t.Helper()
	sh.number++
	text, said := filepath.Join(sh.dir, fmt.Sprint(".command", sh.number)), filepath.Join(sh.dir, fmt.Sprint(".said", sh.number))
	set := ""
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		set += fmt.Sprintf("export %s=\"${%s-%s}\"\n", name, name, value)
	}
	if err := os.WriteFile(text, []byte(command), 0o600); err != nil {
		sh.t.Fatal(err)
	}
	fmt.Fprintf(sh.in, "%seval \"$(cat '%s')\" >'%s' 2>&1 </dev/null; echo $? >&3\n", set, text, said)
	_ = sh.codes.SetReadDeadline(time.Now().Add(2 * time.Minute))
	_, err := fmt.Fscan(sh.codes, &code)
	b, _ := os.ReadFile(said)
	if err != nil {
		sh.t.Fatalf("%s: %v\n%s", command, errors.Join(err), b)
	}
	return string(b), code
}
