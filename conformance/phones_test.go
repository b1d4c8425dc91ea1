//go:build conformance

package conformance_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"responsehub/sim/twilio"
)

const (
	phoneAccount = "AC0123456789abcdef0123456789abcdef"
	phoneToken   = "0123456789abcdef0123456789abcdef"
	phoneDesk    = "+12065550100"
	phoneAnn     = "+12065550101"
	phoneService = "MG0123456789abcdef0123456789abcdef"
)

// phoneDescription is Twilio's, with one deviation: addresses of pages are called absolute and are
// relative, in the description's own examples too.
func phoneDescription(t *testing.T) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal(vendorFile(t, "twilio-openapi-strict.json"), &doc); err != nil {
		t.Fatal(err)
	}
	changed := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for name, x := range v {
				p, ok := x.(map[string]any)
				if ok && p["format"] == "uri" && (name == "uri" || strings.HasSuffix(name, "_page_uri")) {
					p["format"] = "uri-reference"
					changed++
				}
				walk(x)
			}
		}
	}
	walk(doc)
	if changed == 0 {
		t.Error("the deviation is not needed any more")
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// prism puts the npm tool prism with Twilio's description between a client and upstream. It answers
// 500 to whatever upstream answers against the description.
func prism(t *testing.T, upstream string) string {
	t.Helper()
	binary, err := filepath.Abs(filepath.Join("..", "tools", "npm", "node_modules", ".bin", "prism"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatal("prism is not installed in tools/npm: run make deps.")
	}
	description := filepath.Join(t.TempDir(), "twilio.json")
	if err := os.WriteFile(description, phoneDescription(t), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.CommandContext(t.Context(), binary, "proxy", "-h", "127.0.0.1", "-p", port, "--errors", description, upstream)
	said, err := os.Create(filepath.Join(t.TempDir(), "prism.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = said, said, 5*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it starts processes of its own
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // may be over already
		_ = cmd.Wait()
		said.Close()
	})
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
			return "http://127.0.0.1:" + port
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(said.Name())
			t.Fatalf("prism does not listen: %v\n%s", err, log)
		}
	}
}

// TestPrismBelievesTheSimulatedTwilio lets prism judge answers in all states of calls and texts.
// Refusals are not in the description.
func TestPrismBelievesTheSimulatedTwilio(t *testing.T) {
	s, err := twilio.New(twilio.Config{
		URL: "http://127.0.0.1", AccountSID: phoneAccount, AuthToken: phoneToken, Numbers: []string{phoneDesk}, ServiceSID: phoneService, Speed: 20,
		People: []twilio.Person{
			{Key: "ann", Number: phoneAnn, Script: "answers"}, {Key: "bob", Number: "+12065550102", Script: "busy, texts fail 30005"},
			{Key: "cid", Number: "+12065550103"}, {Key: "dan", Number: "+12065550104", Script: "quiet hours"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	upstream := httptest.NewServer(s.Handler())
	t.Cleanup(upstream.Close)
	gate := prism(t, upstream.URL)
	base := "/2010-04-01/Accounts/" + phoneAccount
	ask := func(address, method, path string, form url.Values) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, address+base+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(phoneAccount, phoneToken)
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}
	good := func(want int, method, path string, form url.Values) string {
		t.Helper()
		status, body := ask(gate, method, path, form)
		if status != want {
			t.Errorf("%s %s %v: %d %s", method, path, form, status, body)
		}
		var sid struct{ SID string }
		_ = json.Unmarshal([]byte(body), &sid) // a list has none
		return sid.SID
	}
	var paths []string
	for _, to := range []string{phoneAnn, "+12065550102", "+12065550103", "+12065550104", "+12065559999"} {
		paths = append(paths,
			"/Calls/"+good(201, "POST", "/Calls.json", url.Values{
				"To": {to}, "From": {phoneDesk}, "Twiml": {"<Response><Pause length=\"60\"/></Response>"}, "Timeout": {"600"}, "MachineDetection": {"Enable"},
				"AsyncAmd": {"true"}, "StatusCallbackEvent": {"initiated", "ringing", "answered", "completed"},
			})+".json",
			"/Messages/"+good(201, "POST", "/Messages.json", url.Values{"To": {to}, "From": {phoneDesk}, "Body": {"Hello! 👍"}, "ValidityPeriod": {"600"}})+".json",
			"/Messages/"+good(201, "POST", "/Messages.json", url.Values{"To": {to}, "MessagingServiceSid": {phoneService}, "Body": {"x"}})+".json")
	}
	if err := s.Write(t.Context(), "ann", phoneDesk, "4821"); err != nil {
		t.Fatal(err)
	}
	for range 4 { // queued, ringing, in progress, over
		for _, path := range paths {
			good(200, "GET", path, nil)
		}
		good(200, "GET", "/Calls.json?PageSize=2", nil)
		good(200, "GET", "/Messages.json", nil)
		time.Sleep(150 * time.Millisecond)
	}
	good(200, "POST", paths[0], url.Values{"Status": {"completed"}})
	good(200, "POST", paths[6], url.Values{"Status": {"canceled"}})
	good(200, "POST", paths[1], url.Values{"Body": {""}})
	good(204, "DELETE", paths[1], nil)
	good(200, "GET", "/Calls.json?Status=completed", nil)

	// It can fail: an answer that is none of Twilio's.
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid":"SM1","status":"initiated","num_segments":1}`)
	}))
	t.Cleanup(liar.Close)
	if status, body := ask(prism(t, liar.URL), "POST", "/Messages.json", url.Values{"To": {phoneAnn}, "From": {phoneDesk}, "Body": {"x"}}); status != 500 || !strings.Contains(body, "VIOLATIONS") {
		t.Errorf("prism believes everything: %d %s", status, body)
	}
}
