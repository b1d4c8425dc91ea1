package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// startIn serves a world kept in dir.
func startIn(t *testing.T, dir string, h *hub, change func(*Options)) *World {
	t.Helper()
	opts := Options{Listen: "127.0.0.1:0", HubURL: h.URL, Dir: dir, NoInstall: true}
	if change != nil {
		change(&opts)
	}
	w, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(); http.DefaultClient.CloseIdleConnections() })
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// shown is what a person sees, without ledgers.
func shown(t *testing.T, w *World) string {
	t.Helper()
	s := w.Snapshot()
	s.Effects, s.Unexpected, s.Teams.Sent, s.Twilio.Sent = nil, nil, nil, nil
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// killed copies what a killed world leaves behind: its files as they are while it runs.
func killed(t *testing.T, dir string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "world")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestAKilledWorldGoesOn(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), filepath.Join(t.TempDir(), "made", "for us")
	w := startIn(t, dir, h, nil)
	if w.Restored() {
		t.Error("a world out of nothing is called restored")
	}
	if err := w.Teams.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	postCard(t, w)
	scene := w.Scenes[0]
	access := token(t, w, scene.Tenant.ID, HubClientID, w.secrets.client, "https://graph.microsoft.com/.default")
	bot := botToken(t, w)
	w.Alert("takeover")
	scene.Victim.AddRule(tenant.Rule{Name: "brand new"})
	call(t, "POST", w.URL()+"/_act", `{"do":"microsoft","action":"user.disable","user":"`+scene.Victim.UPN+`"}`)
	before := shown(t, w)
	time.Sleep(saveEvery + 400*time.Millisecond) // the promise is a second

	w2 := startIn(t, killed(t, dir), h, nil)
	if diff := cmp.Diff(before, shown(t, w2)); diff != "" || !w2.Restored() {
		t.Errorf("the world that goes on differs:\n%s", diff)
	}
	ca, _ := os.ReadFile(w.CAFile())
	if ca2, err := os.ReadFile(w2.CAFile()); err != nil || string(ca) != string(ca2) {
		t.Errorf("another authority: %v", err)
	}
	if w.secrets != w2.secrets {
		t.Error("other secrets")
	}
	if status, answer := call(t, "GET", w2.URL()+"/graph/v1.0/users/"+scene.Victim.ID+"?$select=id,accountEnabled", "", "Authorization", "Bearer "+access); status != 200 || !strings.Contains(answer, `"accountEnabled":false`) {
		t.Errorf("a token of before at graph: %d %s", status, answer)
	}
	if status, answer := call(t, "GET", w2.URL()+"/teams/v3/teams/"+TeamID, "", "Authorization", "Bearer "+bot); status != 200 {
		t.Errorf("a token of before at teams: %d %s", status, answer)
	}
	if botToken(t, w2) == "" { // through the restored certificate
		t.Error("no new token")
	}
	if status, answer := call(t, "POST", w2.URL()+"/_act", `{"do":"click","person":"ann","verb":"lock"}`); status != 200 || !strings.Contains(answer, "Ann was first.") {
		t.Errorf("click: %d %s", status, answer)
	}
	if a, b := string(w.Alert("takeover")), string(w2.Alert("takeover")); a != b {
		t.Errorf("the next alert differs: %s", cmp.Diff(a, b))
	}
	if u := w2.Wire.UnexpectedAll(); len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
}

// TestWhatTheHubWasToldIsKept reads the file as it is at the moment of the answer.
func TestWhatTheHubWasToldIsKept(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	w := startIn(t, dir, h, nil)
	if err := w.Teams.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	scene := w.Scenes[0]
	access := token(t, w, scene.Tenant.ID, HubClientID, w.secrets.client, "https://graph.microsoft.com/.default")
	for _, on := range []bool{false, true, false, true, false} {
		body := fmt.Sprintf(`{"accountEnabled":%t}`, on)
		status, answer := call(t, "PATCH", w.URL()+"/graph/v1.0/users/"+scene.Victim.ID, body, "Authorization", "Bearer "+access, "Content-Type", "application/json")
		if status != 204 || answer != "" {
			t.Fatalf("PATCH: %d %s", status, answer)
		}
		kept, err := w.load()
		if err != nil {
			t.Fatal(err)
		}
		_, scenes, err := tenant.Restore(kept.Microsoft)
		if err != nil || scenes[0].Victim.Enabled() != on {
			t.Fatalf("told that enabled is %t, kept is something else (%v)", on, err)
		}
	}
	postCard(t, w)
	if raw, err := os.ReadFile(w.path()); err != nil || !strings.Contains(string(raw), `"verb":"lock"`) {
		t.Errorf("told that the card is posted, and it is not kept (%v)", err)
	}
	w.Wire.AddFault(wire.Fault{Vendor: "graph", Drop: true, Times: 1})
	req, _ := http.NewRequest("PATCH", w.URL()+"/graph/v1.0/users/x", nil)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("a dropped connection answered %s", resp.Status)
	}
}

func TestStopKeepsTheLastMoment(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	w := startIn(t, dir, h, nil)
	config := w.Config()
	w.Scenes[0].Victim.AddRule(tenant.Rule{Name: "brand new"})
	if _, err := New(Options{Listen: "127.0.0.1:0", Dir: dir}); err == nil || !strings.Contains(err.Error(), "another simulated world keeps itself in") {
		t.Errorf("two worlds in one directory: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "world.json.123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Stop()
	before := shown(t, w)

	w2 := startIn(t, dir, h, func(o *Options) { o.Tenants = 3 })
	if !strings.Contains(shown(t, w2), "brand new") || len(w2.Scenes) != 3 {
		t.Errorf("%d customers, %s", len(w2.Scenes), shown(t, w2))
	}
	// The ports are others, everything that a hub has to know besides is the same.
	post, _ := w.MailAddress()
	post2, _ := w2.MailAddress()
	here := strings.NewReplacer(w.URL(), "plain", w.LoginURL(), "login", w2.URL(), "plain", w2.LoginURL(), "login", post, "mail", post2, "mail")
	if before, now := here.Replace(config), here.Replace(w2.Config()); !strings.HasPrefix(now, before) {
		t.Errorf("the configuration changed:\n%s", cmp.Diff(before, now))
	}
	for _, f := range []struct {
		name string
		mode os.FileMode
	}{{"world.json", 0o600}, {"sim-ca.pem", 0o644}} {
		if info, err := os.Stat(filepath.Join(dir, f.name)); err != nil || info.Mode().Perm() != f.mode {
			t.Errorf("%s: %v %v", f.name, info, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "world.json.*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	w2.Stop()
	w3 := startIn(t, dir, h, func(o *Options) { o.Fresh = true })
	if w3.Restored() || w3.secrets == w.secrets || shown(t, w3) == before || len(w3.Scenes) != 2 {
		t.Error("Fresh kept something")
	}
}

func TestKeptWorldThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	startIn(t, dir, h, nil).Stop()
	path := filepath.Join(dir, savedFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"somebody else's", string(good), `{"format":"shopping list"}`, "something else"},
		{"a page", string(good), `<html>`, "invalid character"},
		{"cut", string(good[len(good)/2:]), "", "cannot be used"},
		{"later version", `"version":1,`, `"version":2,`, "version 2"},
		{"no secret", `"webhook":"`, `"webhok":"`, "secret is missing"},
		{"bad certificate", `"chain":"-----BEGIN`, `"chain":"-----BEGAN`, "certificate"},
		{"bad sign-in", `"login":{"key_id"`, `"login":{"kid"`, "sim/login"},
		{"bad teams", `"kind":"channel"`, `"kind":"tunnel"`, "sim/teams"},
		{"bad microsoft", `"users":[{`, `"users":[null,{`, "sim/tenant"},
	} {
		bad := strings.Replace(string(good), tt.old, tt.new, 1)
		if bad == string(good) {
			t.Fatalf("%s: nothing to spoil", tt.name)
		}
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := New(Options{Listen: "127.0.0.1:0", Dir: dir})
		if err == nil {
			w.Stop()
			t.Errorf("%s: taken", tt.name)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "delete the file "+path) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if now, _ := os.ReadFile(path); string(now) != bad {
			t.Errorf("%s: the file was touched", tt.name)
		}
	}
}

func TestCertificateThatEndsSoonIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := &World{dir: t.TempDir()}
	if err := w.certify(nil); err != nil {
		t.Fatal(err)
	}
	kept := &saved{Certificate: w.certificate}
	if err := w.certify(kept); err != nil || w.certificate != kept.Certificate {
		t.Errorf("a good certificate was not taken: %v", err)
	}
	authority, leaf, err := makeCertificates(time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	old, err := encodeCertificate(authority, leaf)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.certify(&saved{Certificate: old}); err != nil || w.certificate == old {
		t.Errorf("a certificate that ends in an hour was taken: %v", err)
	}
	if pem, _ := os.ReadFile(w.CAFile()); string(pem) != w.certificate.Authority {
		t.Error("the CA file is another one's")
	}
}

func TestRunningConfig(t *testing.T) {
	t.Parallel()
	w, h := start(t)
	got, err := RunningConfig(t.Context(), w.plain.Addr().String())
	if err != nil || got != w.Config() {
		t.Errorf("%v\n%s", err, cmp.Diff(w.Config(), got))
	}
	resp, err := http.Get(w.URL() + "/_config")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/yaml") || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", resp.Header)
	}
	if status, _ := call(t, "GET", w.URL()+"/_config", "", "Host", "evil.example"); status != 421 {
		t.Errorf("for a foreign name: %d", status)
	}
	for _, listen := range []string{h.Listener.Addr().String(), w.secure.Addr().String(), "192.0.2.1:80", "127.0.0.1:1"} {
		if _, err := RunningConfig(t.Context(), listen); err == nil {
			t.Errorf("%s is taken for a world", listen)
		}
	}
}

func FuzzDecodeSaved(f *testing.F) {
	f.Add([]byte(`{"format":"responsehub simulated world","version":1,"secrets":{"hub_key":"a","webhook":"b","client":"c","bot":"d"},"microsoft":{"world":{"tenants":[{"id":"t","users":[{"id":"u","mailbox":{}}]}]},"scenes":[{"tenant":"t"}]}}`))
	f.Add([]byte(`{"format":"responsehub simulated world","version":1,"secrets":{"hub_key":"a","webhook":"b","client":"c","bot":"d"},"microsoft":{"world":{"clients":[null]}},"certificate":{"chain":"-----BEGIN CERTIFICATE-----"}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		in, err := decodeSaved(raw)
		if err != nil {
			return
		}
		_, _ = in.Certificate.parse()
		w, scenes, err := tenant.Restore(in.Microsoft)
		if err != nil {
			return
		}
		w.Snapshot()
		for _, s := range scenes {
			sceneState(s)
			s.Alert("x")
		}
	})
}
