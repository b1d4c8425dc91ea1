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

// hostile is what an alert could bring along for a page.
const hostile = `<img src=x onerror="document.title='taken over'"><script>document.title='taken over'</script>`

// TestConsole ends three takeovers in the console of `responsehub demo`: one on a phone's
// screen, from Publish on, while somebody else looks on; one at a desk by keyboard alone;
// one without JavaScript after the hub's trial ended. A tenant is onboarded, what strangers
// try is refused, every page is judged by axe in light and dark, and no request may leave
// the hub.
func TestConsole(t *testing.T) {
	d := newDemo(t)
	d.start(t, "manual")
	say := talk(t, "console.cjs")
	folder := artifacts(t, "console")
	until := func(line map[string]any) {
		t.Helper()
		var half struct {
			Next   bool
			Faults []string
		}
		if say(4*time.Minute, line, &half); !half.Next {
			t.Fatalf("the scenario ended on its way:\n%s", strings.Join(half.Faults, "\n"))
		}
	}
	until(map[string]any{"chromium": chromium(t), "url": "http://" + d.hub, "folder": folder})
	words := "Account takeover"
	if *consolePicture == "" {
		words += hostile
	}
	d.raise(t, 0, map[string]any{"id": "by-hand-1", "title": words, "summary": words, "account": map[string]any{"user_principal_name": "pat@contoso.example", "display_name": "Pat Doe"},
		"evidence": []any{map[string]any{"text": words}}})
	until(map[string]any{"go": "on"})
	d.raise(t, 1, map[string]any{"id": "by-hand-2", "title": "Account takeover", "account": map[string]any{"user_principal_name": "sam@fabrikam.example", "display_name": "Sam Lee"}})
	d.stop()
	said := d.said.String() // of the run before
	d.start(t, "none", "--trial-ends", time.Now().AddDate(0, 0, -1).UTC().Format(time.DateOnly))
	var got struct {
		Notes struct {
			Looked         int
			OthersSawAfter int
			Gate           string
			Password       string
			PlainPassword  string
			Key            string
			GuestHome      string
			GuestElsewhere string
			Audit          string
			Evidence       string
			Hostile        int
			ClaimedConsent string
			Onboarded      string
			TrialLink      string
			TrialProduct   string
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
		if err := os.WriteFile(filepath.Join("..", *consolePicture), drawn, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n := got.Notes
	if n.Looked < 34 {
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
	if n.Hostile != 0 {
		t.Error("the words of an alert became part of the page")
	}
	for what, want := range map[string]struct{ said, words string }{
		"a consent that nobody gave":           {n.ClaimedConsent, "has not given admin consent to the hub's app"},
		"the tenant that was onboarded":        {n.Onboarded, "paused"},
		"its readiness":                        {n.Onboarded, "ago"},
		"a link after the trial":               {n.TrialLink, "so no tenant can be added until there is a subscription"},
		"another product after the trial":      {n.TrialProduct, "so products cannot be switched until there is a subscription"},
		"what goes on after the trial, always": {n.TrialProduct, "Remediation goes on as before"},
	} {
		if !strings.Contains(want.said, want.words) {
			t.Errorf("%s: %q is missing in\n%s", what, want.words, want.said)
		}
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
	for what, secret := range map[string]string{"one-time password": n.Password, "one-time password of the second": n.PlainPassword, "API key": n.Key} {
		if secret == "" || strings.Contains(string(b), secret) || strings.Contains(said+d.said.String(), secret) {
			t.Errorf("the %s is in the evidence or in the log, or was never shown", what)
		}
	}
	verify := exec.CommandContext(t.Context(), d.binary, "audit", "verify")
	verify.Env = append(os.Environ(), "RESPONSEHUB_URL=http://"+d.hub, "RESPONSEHUB_API_KEY="+d.apiKey)
	if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verified: 3 incidents") {
		t.Errorf("audit verify: %v %s", err, out)
	}
}

// raise sends an alert for the customer with the number, as its detector would.
func (d *demo) raise(t *testing.T, customer int, alert map[string]any) {
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
	alert["version"], alert["severity"], alert["detected_at"] = "1", "critical", time.Now().UTC().Format(time.RFC3339)
	alert["tenant"] = map[string]any{"microsoft_tenant_id": cfg.Tenants[customer].Microsoft}
	text, err := json.Marshal(alert)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "alert.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), d.binary, "alert", "send", "--to", "http://"+d.hub+"/v1/alerts/petra", "--secret", cfg.Sources[0].Secrets[0], "--file", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
