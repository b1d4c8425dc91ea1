package clients_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/intake"
	"responsehub/sim"
	"responsehub/store/storetest"
)

// hub is a hub of its own, with a simulated Microsoft behind it, on a Redis of its own.
type hub struct {
	url   string
	world *sim.World
	app   *app.App
	log   *lines
}

// startHub starts it. edit changes its configuration before.
func startHub(t *testing.T, edit func(*config.Config)) *hub {
	t.Helper()
	h := &hub{url: "http://" + freeAddress(t), log: &lines{}}
	var err error
	h.world, err = sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: h.url, NoInstall: true, NoLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.world.Stop)
	if err := h.world.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "responsehub.yaml")
	if err := os.WriteFile(path, []byte(h.world.Config()), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, faults, err := config.Load(path)
	if err != nil {
		t.Fatalf("configuration of the simulated world: %v %v", err, faults)
	}
	cfg.Redis.Addrs = []string{storetest.Redis(t).Addr}
	cfg.Server.AdminListen = ""
	if edit != nil {
		edit(cfg)
	}
	h.app, err = app.New(cfg, app.Options{BootstrapKey: responsehub.Secret("test-" + rand.Text() + rand.Text()), Log: slog.New(slog.NewTextHandler(h.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.app.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.app.Stop()
		if t.Failed() {
			t.Logf("log of the hub:\n%s", h.log)
		}
	})
	return h
}

// raise posts a signed alert and returns the incident's id.
func (h *hub) raise(t *testing.T, kind string) string {
	t.Helper()
	body := h.world.Alert(kind)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/alerts/petra", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	if req.Header, err = intake.Sign(responsehub.Secret(h.world.WebhookSecret()), "msg_"+rand.Text(), time.Now(), body); err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	status, answer := send(t, req)
	var in struct{ Incident string }
	if err := json.Unmarshal(answer, &in); err != nil || in.Incident == "" {
		t.Fatalf("the alert was answered %d %s", status, answer)
	}
	return in.Incident
}

// effects counts what was done to the simulated world.
func (h *hub) effects(kind, target string) (n int) {
	for _, e := range h.world.Snapshot().Effects {
		if e.Kind == kind && e.Target == target {
			n++
		}
	}
	return n
}

// send does a request and reads the answer.
func send(t *testing.T, req *http.Request) (int, []byte) {
	t.Helper()
	client := http.Client{Timeout: 20 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// until asks again and again whether something has come about.
func until(t *testing.T, limit time.Duration, what string, come func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !come() {
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not: %s", limit, what)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// freeAddress is a loopback address nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lines collects what a program says.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
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
