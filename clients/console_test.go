package clients_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"responsehub/audit"
)

var consolePicture = flag.String("console-picture", "", "file for a picture of the console, from the top of the repository; empty: none")

// TestConsole ends two takeovers in the console of `responsehub demo`: one on a phone's
// screen, from Publish on, while somebody else looks on; one at a desk. Every page is
// judged by axe, and no request may leave the hub.
func TestConsole(t *testing.T) {
	d := newDemo(t)
	d.start(t, "manual")
	say := talk(t, "console.cjs")
	var half struct {
		Next   bool
		Faults []string
	}
	folder := artifacts(t, "console")
	say(4*time.Minute, map[string]any{"chromium": chromium(t), "url": "http://" + d.hub, "folder": folder}, &half)
	if !half.Next {
		t.Fatalf("the scenario ended half way:\n%s", strings.Join(half.Faults, "\n"))
	}
	d.raise(t)
	var got struct {
		Notes struct {
			Looked         int
			OthersSawAfter int
			Gate           string
			Password       string
			GuestHome      string
			GuestElsewhere string
			Audit          string
			Evidence       string
		}
		Faults []string
	}
	say(3*time.Minute, map[string]any{"go": "on"}, &got)
	for _, f := range got.Faults {
		t.Error(f)
	}
	if *consolePicture != "" {
		drawn, err := os.ReadFile(filepath.Join(folder, "readme.png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("..", *consolePicture), drawn, 0o644); err != nil { //nolint:gosec // a picture for everybody
			t.Fatal(err)
		}
	}
	n := got.Notes
	if n.Looked < 15 {
		t.Errorf("only %d pages were judged", n.Looked)
	}
	if n.OthersSawAfter > 1000 {
		t.Errorf("the other screen showed the change after %d ms", n.OthersSawAfter)
	}
	if !strings.Contains(n.Gate, "inbox rule") {
		t.Errorf("the shut gate says %q", n.Gate)
	}
	if !strings.Contains(n.GuestHome, "Fabrikam") || strings.Contains(n.GuestHome, "Contoso") || !strings.Contains(n.GuestElsewhere, "no such tenant") {
		t.Errorf("the guest reads\n%s\nand elsewhere\n%s", n.GuestHome, n.GuestElsewhere)
	}
	if !strings.Contains(n.Audit, "Response turned on") || !strings.Contains(n.Audit, "Dana Reyes") {
		t.Errorf("the audit says\n%s", n.Audit)
	}
	if n.Evidence == "" {
		return
	}
	b, err := os.ReadFile(n.Evidence)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := audit.Verify(b, nil); err != nil || !found.Rebuilt {
		t.Errorf("the evidence of a whole incident: %+v (%v)", found, err)
	}
	if n.Password == "" || strings.Contains(string(b), n.Password) || strings.Contains(d.said.String(), n.Password) {
		t.Error("the one-time password is in the evidence or in the log, or was never shown")
	}
	verify := exec.CommandContext(t.Context(), d.binary, "audit", "verify")
	verify.Env = append(os.Environ(), "RESPONSEHUB_URL=http://"+d.hub, "RESPONSEHUB_API_KEY="+d.apiKey)
	if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verified: 2 incidents") {
		t.Errorf("audit verify: %v %s", err, out)
	}
}

// raise sends an alert for the first customer's account, as its detector would.
func (d *demo) raise(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.page+"_config", nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body := send(t, req)
	var cfg struct {
		Sources []struct{ Secrets []string }
		Tenants []struct {
			Microsoft string `yaml:"microsoft_tenant_id"`
		}
	}
	if err := yaml.Unmarshal(body, &cfg); err != nil || status != http.StatusOK {
		t.Fatalf("%d %v", status, err)
	}
	alert, err := json.Marshal(map[string]any{
		"version": "1", "id": "by-hand-1", "detected_at": time.Now().UTC().Format(time.RFC3339), "tenant": map[string]any{"microsoft_tenant_id": cfg.Tenants[0].Microsoft},
		"account": map[string]any{"user_principal_name": "pat@contoso.example"}, "severity": "critical", "title": "Account takeover",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "alert.json")
	if err := os.WriteFile(file, alert, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), d.binary, "alert", "send", "--to", "http://"+d.hub+"/v1/alerts/petra", "--secret", cfg.Sources[0].Secrets[0], "--file", file).CombinedOutput() //nolint:gosec // our own binary
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
