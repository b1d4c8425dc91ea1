package clients_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDemo ends a takeover on the page of `responsehub demo`, as Ann, with a demo that is
// killed half way and started again.
func TestDemo(t *testing.T) {
	d := newDemo(t)
	d.start(t, "takeover")
	p := openPage(t, d.page, "demo")
	p.do("see", "1 Revoke sessions and lock account", "#messages")
	p.shot("1-start")
	p.do("press", "4 Reset password", "#messages")
	p.shot("2-password")
}

// demo is the real binary, with a folder of its own.
type demo struct {
	binary, dir  string
	hub, sim     string // addresses to listen on, the same in every run
	page, apiKey string // of the present run
	cmd          *exec.Cmd
	ended        chan struct{}
	said         *lines
}

func newDemo(t *testing.T) *demo {
	t.Helper()
	d := &demo{dir: t.TempDir(), hub: freeAddress(t), sim: twoFree(t)}
	d.binary = filepath.Join(t.TempDir(), "responsehub")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", d.binary, "responsehub/cmd/responsehub").CombinedOutput(); err != nil {
		t.Fatalf("build the binary: %v\n%s", err, out)
	}
	return d
}

var printed = regexp.MustCompile(`Open\s+(http://\S+)|RESPONSEHUB_API_KEY=(\S+)|(Ctrl-C ends the demo)`)

// start runs the demo until it has printed where it is.
func (d *demo) start(t *testing.T, alert string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d.cmd = exec.CommandContext(ctx, d.binary, "demo", "--no-browser", "--listen", d.hub, "--sim-listen", d.sim, "--alert", alert)
	d.cmd.Env = append(os.Environ(), "RESPONSEHUB_DEMO_DIR="+d.dir)
	d.said = &lines{}
	d.cmd.Stderr = d.said
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	d.ended = make(chan struct{})
	go func(cmd *exec.Cmd, said *lines, ended chan struct{}) {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			fmt.Fprintln(said, s.Text())
			switch m := printed.FindStringSubmatch(s.Text()); {
			case m == nil:
			case m[1] != "":
				d.page = m[1]
			case m[2] != "":
				d.apiKey = m[2]
			default:
				close(up)
			}
		}
		_ = cmd.Wait()
	}(d.cmd, d.said, d.ended)
	t.Cleanup(func() { d.stop(); cancel() })
	select {
	case <-up:
	case <-d.ended:
		t.Fatalf("the demo ended at once:\n%s", d.said)
	case <-time.After(30 * time.Second):
		t.Fatalf("the demo does not come up:\n%s", d.said)
	}
}

// kill ends the demo as a power cut would.
func (d *demo) kill() {
	_ = d.cmd.Process.Kill()
	<-d.ended
}

// stop ends it in order, so that its Redis goes too.
func (d *demo) stop() {
	_ = d.cmd.Process.Signal(os.Interrupt)
	select {
	case <-d.ended:
	case <-time.After(20 * time.Second):
		d.kill()
	}
}

// get asks the hub's API.
func (d *demo) get(t *testing.T, path string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+d.hub+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.apiKey)
	status, body := send(t, req)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

// twoFree is an address whose port and the next are free.
func twoFree(t *testing.T) string {
	t.Helper()
	for range 50 {
		address := freeAddress(t)
		_, port, _ := net.SplitHostPort(address)
		var n int
		fmt.Sscan(port, &n)
		if l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", n+1)); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no two neighbouring ports are free")
	return ""
}

// page is a browser's page and the person in front of it.
type page struct {
	t    *testing.T
	tell func(limit time.Duration, say, answer any)
}

func openPage(t *testing.T, url, folder string) *page {
	t.Helper()
	p := &page{t, talk(t, "page.cjs")}
	var ready struct{ OK bool }
	p.tell(40*time.Second, map[string]any{"chromium": chromium(t), "url": url, "folder": artifacts(t, folder)}, &ready)
	return p
}

// do does one thing of page.cjs and returns the text that is shown then. What it is done
// to is a name or a text, and the part of the page in which to look for it.
func (p *page) do(what, to, in string) string {
	p.t.Helper()
	return p.with(map[string]string{"do": what, "name": to, "value": to, "url": to, "in": in})
}

func (p *page) with(c map[string]string) string {
	p.t.Helper()
	var answer struct{ Text, Error string }
	p.tell(60*time.Second, c, &answer)
	if answer.Error != "" {
		p.t.Fatalf("%v: %s\nThe page shows:\n%s", c, answer.Error, answer.Text)
	}
	return answer.Text
}

func (p *page) shot(name string) { p.t.Helper(); p.do("picture", name, "") }

func contains(s string, all ...string) bool {
	for _, x := range all {
		if !strings.Contains(s, x) {
			return false
		}
	}
	return true
}
