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
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestDemo ends a takeover on the page of `responsehub demo`, as Ann, with a demo that is
// killed half way and started again.
func TestDemo(t *testing.T) {
	d := newDemo(t)
	d.start(t, "takeover")
	// A power cut at the first moment at which something was done and recorded.
	var before known
	until(t, 20*time.Second, "the account is locked by itself", func() bool {
		before = d.incident(t)
		return before.step("lock") == "done"
	})
	d.kill()
	t.Logf("killed with %v", before.Steps)
	d.start(t, "none")
	after := d.incident(t)
	if after.Ref != before.Ref || after.step("lock") != "done" {
		t.Errorf("after the kill the hub knows %s with lock %s, before %s", after.Ref, after.step("lock"), before.Ref)
	}
	p := openPage(t, d.page, "demo")
	ref := before.Ref
	p.until("the incident's card", func(card string) bool { return strings.Contains(card, ref) })
	p.shot("1-after-the-kill")

	p.until("steps 1 to 3 are through", func(card string) bool {
		return verified(card, lockStep) && verified(card, "2 Retract phishing emails") &&
			(verified(card, persistenceStep) || says(card, persistenceStep, "needs a person"))
	})
	p.setLeftoversAside()
	// What the card says must be so, on both sides of the kill.
	p.until("the simulated Microsoft agrees with the card", func(text string) bool {
		_, world, _ := strings.Cut(text, "Accounts\n")
		victim, _, _ := strings.Cut(world, "Sam Lee")
		_, phish, _ := strings.Cut(world, "The phish")
		phish, _, _ = strings.Cut(phish, "Inbox rules")
		return strings.Contains(victim, "blocked") && strings.Count(phish, "Deleted Items") == 4 && strings.Contains(phish, "Sent Items") && !strings.Contains(phish, "Inbox\n")
	})
	p.shot("2-by-themselves")
	p.do("choose", "Mallory", "#who")
	p.do("press", "4 Reset password", messages)
	p.until("a stranger is refused", func(text string) bool { return strings.Contains(text, "You are not on this hub's list of people") })
	p.shot("3-refused")
	p.do("choose", "Ann", "#who")

	p.do("press", "4 Reset password", messages)
	p.do("press", "Show password", messages)
	p.do("see", "One-time password", "#dialog")
	p.shot("4-password")
	first := p.do("read", "", "#dialog")
	p.do("press", "Close dialog", "#dialog")
	if again := p.do("read", "", messages); strings.Contains(again, secretOf(first)) || len(secretOf(first)) < 12 {
		t.Errorf("the dialog showed %q; the card shows it too, or it is no password", first)
	}
	p.until("the password can be shown once only", func(card string) bool { return !strings.Contains(card, "Show password") })
	p.do("press", "5 Re-enable account", messages)
	p.until("the account is enabled", func(card string) bool { return verified(card, "5 Re-enable account") })
	p.do("press", "6 Mark as remediated", messages)
	p.until("the incident is closed", func(card string) bool { return strings.Contains(card, "State: remediated") })
	p.shot("5-remediated")
	if state := d.incident(t).State; state != "remediated" {
		t.Errorf("the hub says %s", state)
	}
	if faults := p.do("faults", "", ""); faults != "" {
		t.Errorf("the page had faults:\n%s", faults)
	}
	if strings.Contains(d.said.String(), secretOf(first)) {
		t.Error("the demo printed the one-time password")
	}
}

const (
	messages        = "#messages"
	lockStep        = "1 Revoke sessions and lock account"
	persistenceStep = "3 Disable persistence"
)

// verified reports whether the line of a step on a card says that it was read back.
func verified(card, step string) bool { return says(card, step, "✓") }

// says reports whether the line of a step on a card holds the words.
func says(card, step, words string) bool {
	for line := range strings.Lines(card) {
		if strings.Contains(line, step) && strings.Contains(line, words) {
			return true
		}
	}
	return false
}

// setLeftoversAside does what a technician does with what only a person can judge.
func (p *page) setLeftoversAside() {
	p.t.Helper()
	if verified(p.do("read", "", messages), persistenceStep) {
		return
	}
	p.do("press", "More", messages)
	p.do("check", "", messages)
	p.do("fill", "Reason", messages)
	p.do("press", "Set chosen aside", messages)
	p.until("what was left is set aside", func(card string) bool { return !strings.Contains(card, "needs a person") })
}

// secretOf finds the password in what a dialog shows: the longest line of one word.
func secretOf(dialog string) string {
	longest := ""
	for line := range strings.Lines(dialog) {
		if line = strings.TrimSpace(line); len(line) > len(longest) && !strings.Contains(line, " ") {
			longest = line
		}
	}
	return longest
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
func (d *demo) start(t *testing.T, alert string, more ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d.cmd = exec.CommandContext(ctx, d.binary, append([]string{"demo", "--no-browser", "--listen", d.hub, "--sim-listen", d.sim, "--alert", alert}, more...)...)
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

// known is an incident as the hub's API tells it.
type known struct {
	Ref, State string
	Steps      []struct{ ID, State string }
}

func (k known) step(id string) string {
	for _, s := range k.Steps {
		if s.ID == id {
			return s.State
		}
	}
	return ""
}

// incident is the one incident that the hub knows, if it knows one.
func (d *demo) incident(t *testing.T) known {
	t.Helper()
	var list struct{ Items []known }
	d.get(t, "/v1/incidents", &list)
	if len(list.Items) == 0 {
		return known{}
	}
	if len(list.Items) > 1 {
		t.Fatalf("the hub knows %d incidents", len(list.Items))
	}
	return list.Items[0]
}

// twoFree is an address whose port and the next are free.
func twoFree(t *testing.T) string {
	t.Helper()
	for range 50 {
		address := freeAddress(t)
		_, port, _ := net.SplitHostPort(address)
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
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
	return p.with(map[string]string{"do": what, "name": to, "value": to, "in": in})
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

// until reads the page until it shows what is waited for.
func (p *page) until(what string, shows func(text string) bool) {
	p.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for {
		text := p.do("read", "", "")
		if shows(text) {
			return
		}
		if time.Now().After(deadline) {
			p.shot("failed")
			p.t.Fatalf("the page never showed: %s. It shows:\n%s", what, text)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (p *page) shot(name string) { p.t.Helper(); p.do("picture", name, "") }
