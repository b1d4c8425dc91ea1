package clients_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"responsehub/sim"
)

// Who and what the emulator knows. Its own defaults are no GUIDs.
const (
	desk     = "19:emulatedteam000000000000000000001@thread.tacv2"
	incident = "19:emulatedchannel0000000000000000001@thread.tacv2"

	ann, bob, mallory = "user-id-0", "user-id-1", "user-id-2"
)

// emulator is Microsoft's emulator of Teams, driven by the calls that its own page makes.
type emulator struct{ url string }

// startEmulator starts it with the hub's endpoint, and connector as the address that it
// gives as its own.
func startEmulator(t *testing.T, endpoint, connector string) *emulator {
	t.Helper()
	needTools(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "emulator.yml")
	if err := os.WriteFile(file, []byte(emulatorConfig()), 0o600); err != nil {
		t.Fatal(err)
	}
	npm, err := filepath.Abs(tools)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(npm, "node_modules/@microsoft/m365agentsplayground/cli.js"),
		"start", "-e", endpoint, "-c", "msteams", "-p", "0", "--service-url", connector, "--disable-telemetry")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TEAMSAPPTESTER_BROWSER=none", "HOME="+dir,
		"NODE_OPTIONS=--require "+filepath.Join(npm, "loopback.cjs"),
		"M365_AGENTS_PLAYGROUND_CONFIG_PATH="+file, "M365_AGENTS_PLAYGROUND_LOGFILE="+filepath.Join(dir, "emulator.log"))
	cmd.WaitDelay = 2 * time.Second
	said := &lines{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	port, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			fmt.Fprintln(said, s.Text())
			if p, ok := strings.CutPrefix(s.Text(), "Listening on "); ok && len(port) == 0 {
				port <- p
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the emulator said:\n%s", said)
		}
	})
	select {
	case p := <-port:
		return &emulator{"http://127.0.0.1:" + p}
	case <-ended:
		t.Fatalf("the emulator ended at once:\n%s", said)
	case <-time.After(40 * time.Second):
		t.Fatalf("the emulator does not listen:\n%s", said)
	}
	return nil
}

// emulatorConfig is the team of the simulated world, with as many more as the emulator
// wants at least.
func emulatorConfig() string {
	var b strings.Builder
	user := func(id, name, entra, mail string) string {
		given, last, _ := strings.Cut(name, " ")
		return fmt.Sprintf("{id: %s, name: %q, userPrincipleName: %q, aadObjectId: %q, givenName: %q, surname: %q, email: %q}\n", id, name, mail, entra, given, last, mail)
	}
	staff := func(id string, n int) string {
		return user(id, sim.Staff[n].Name, sim.Staff[n].EntraID, sim.Staff[n].Mail)
	}
	fmt.Fprintf(&b, "version: \"0.1.1\"\ntenantId: %s\nbot: {id: \"28:%s\", name: ResponseHub}\n", sim.HomeTenantID, sim.BotAppID)
	b.WriteString("currentUser: " + staff(ann, 0) + "users:\n  - " + staff(bob, 1) + "  - " + staff(mallory, 2))
	for n := range 3 {
		b.WriteString("  - " + user(fmt.Sprint("user-id-", 3+n), fmt.Sprint("Colleague ", n), fmt.Sprintf("d0000000-0000-4000-8000-00000000000%d", n), fmt.Sprintf("c%d@desk.example", n)))
	}
	fmt.Fprintf(&b, "personalChat: {id: a-chat}\ngroupChat: {id: a-group, name: Group}\nteam:\n  id: %q\n  name: Security desk\n"+
		"  aadGroupId: c0ffee00-0003-4003-8003-000000000003\n  channels: [{id: %q, name: Incidents}]\n", desk, incident)
	return b.String()
}

// post calls the emulator and returns what the bot answered.
func (e *emulator) post(t *testing.T, path string, body any) map[string]any {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.url+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	status, answer := send(t, req)
	if status/100 != 2 {
		t.Errorf("POST %s: the emulator answers %d %s", path, status, answer)
	}
	var out map[string]any
	_ = json.Unmarshal(answer, &out) // some answers are empty
	return out
}

// install puts the bot into the channel.
func (e *emulator) install(t *testing.T) {
	t.Helper()
	e.post(t, "/_debug/conversation/"+incident+"/installation", map[string]any{})
}

// press is a click of one person on an Action.Execute of a card that was posted.
func (e *emulator) press(t *testing.T, who, conversation, message string, action map[string]any) map[string]any {
	t.Helper()
	return e.post(t, "/_conversation/v1/invoke", map[string]any{
		"name": "adaptiveCard/action", "conversation": map[string]any{"id": conversation}, "from": map[string]any{"id": who},
		"replyToId": message, "value": map[string]any{"action": action},
	})
}
