package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"responsehub/sim/tenant"
)

func TestOtherSitesCannotPlay(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	for _, tt := range []struct {
		name   string
		header []string
		want   int
	}{
		{"another site's script", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another origin", []string{"Origin", "https://evil.example"}, 403},
		{"a name that points here", []string{"Host", "evil.example"}, 421},
		{"the page itself", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"a program", nil, 200},
	} {
		if status, _ := call(t, "POST", w.URL()+"/_act", `{"do":"roll_keys"}`, tt.header...); status != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, status, tt.want)
		}
	}
}

func TestOnlyLoopbackAddresses(t *testing.T) {
	t.Parallel()
	for _, opts := range []Options{
		{Listen: "0.0.0.0:0"}, {Listen: ":0"}, {Listen: "127.0.0.1:0", HubURL: "https://hub.example.com"}, {Listen: "nonsense"},
	} {
		if w, err := New(opts); err == nil {
			w.Stop()
			t.Errorf("New(%+v) gave no error", opts)
		}
	}
	req, _ := http.NewRequest("GET", "http://192.0.2.1/", nil)
	if _, err := loopbackClient().Do(req); err == nil || !strings.Contains(err.Error(), "not a loopback address") {
		t.Errorf("the client called out: %v", err)
	}
}

func TestInstallWaitsForTheHub(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var tries sync.WaitGroup
	tries.Add(2)
	var count int
	var mu sync.Mutex
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		count++
		first := count == 1
		mu.Unlock()
		if first {
			http.Error(rw, "starting", http.StatusServiceUnavailable)
			tries.Done()
			return
		}
		if count == 2 {
			defer tries.Done()
		}
		h.Config.Handler.ServeHTTP(rw, r)
	}))
	defer slow.Close()
	w, err := New(Options{Listen: "127.0.0.1:0", HubURL: slow.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if err := w.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	tries.Wait()
	for range 200 {
		if len(h.types()) == 2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the hub got %v", h.types())
}

func TestConfigIsYAMLAndStable(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	if first := w.Config(); w.Config() != first {
		t.Error("Config differs from call to call")
	}
	var got struct {
		Server    struct{ Listen string }
		Secrets   struct{ Key string }
		Microsoft struct{ Authority, Graph, Exchange string }
		Teams     struct {
			Login, OpenID string
			AllowLoopback bool     `yaml:"allow_loopback"`
			ServiceHosts  []string `yaml:"service_hosts"`
		}
		People  []struct{ ID, Role string }
		Tenants []struct {
			Name     string
			Response bool
			Notify   struct{ Teams []string }
		}
		Outbound struct {
			CAFile string `yaml:"ca_file"`
		}
		Redis, Sources any
	}
	d := yaml.NewDecoder(strings.NewReader(w.Config()))
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Microsoft.Authority != w.LoginURL() || got.Microsoft.Graph != w.URL()+"/graph" || got.Teams.OpenID != w.Teams.OpenIDURL() ||
		!got.Teams.AllowLoopback || got.Outbound.CAFile != w.CAFile() || len(got.People) != 4 || len(got.Tenants) != 2 || !got.Tenants[0].Response ||
		got.Tenants[1].Response || got.Tenants[0].Notify.Teams[0] != ChannelID || got.Secrets.Key == "" {
		t.Errorf("config %+v", got)
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	seen := map[string]bool{}
	for kind, want := range map[string]string{"takeover": w.Scenes[0].Victim.ID, "manual": w.Scenes[1].Victim.ID, "hybrid": w.Scenes[0].Hybrid.ID} {
		var a struct {
			ID      string
			Version string
			Account struct {
				ID string `json:"object_id"`
			}
		}
		if err := json.Unmarshal(w.Alert(kind), &a); err != nil || a.Account.ID != want || a.Version != "1" || seen[a.ID] {
			t.Errorf("%s: %+v %v", kind, a, err)
		}
		seen[a.ID] = true
	}
}

func TestPageIsSelfContained(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	resp, err := http.Get(w.URL() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https://"} {
		for _, name := range []string{"app.js", "card.js", "phones.js", "desks.js"} {
			_, script := call(t, "GET", w.URL()+"/"+name, "")
			if strings.Contains(script, bad) || bytes.Contains(body, []byte(bad)) {
				t.Errorf("%s or the page holds %s", name, bad)
			}
		}
	}
}

func TestEventsFollowTheWorld(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", w.URL()+"/_events", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	d := make([]byte, 1<<20)
	if n, err := resp.Body.Read(d); err != nil || !bytes.HasPrefix(d[:n], []byte("data: {")) {
		t.Fatalf("first event %q %v", d[:n], err)
	}
	scene := w.Scenes[0]
	scene.Victim.AddRule(tenant.Rule{Name: "brand new"})
	var all []byte
	for !bytes.Contains(all, []byte("brand new")) {
		n, err := resp.Body.Read(d)
		if err != nil {
			t.Fatalf("no event for the change: %v", err)
		}
		all = append(all, d[:n]...)
	}
}
