package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/intake"
	"responsehub/sim"
	"responsehub/sim/twilio"
	"responsehub/sim/wire"
)

// stage is a whole hub in this process, on its own Redis, in front of the pretend world.
type stage struct {
	redis *server
	world *sim.World
	hub   *app.App
	doors *doors
	dir   string
	url   string
	n     int
	mu    sync.Mutex // guards n
}

// setting is what a part changes on its stage.
type setting struct {
	phones []twilio.Person // phones beside those of the staff
	twilio string          // further lines of the section twilio
}

// technician asks for steps.
var technician = responsehub.Actor{ID: "person:bench", Name: "Bench", Role: responsehub.Admin, Via: responsehub.ViaAPI, Tenants: []string{"*"}}

// raise starts a stage with so many customers, every one with Response on but the
// second where manual is asked for. more changes what the world is and how the hub is
// configured.
func raise(ctx context.Context, customers int, manual bool, more ...setting) (s *stage, err error) {
	s = &stage{doors: &doors{}}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.redis, err = startRedis(ctx); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "rb"); err != nil {
		return s, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	s.url = "http://" + l.Addr().String()
	l.Close()
	world := sim.Options{Listen: "127.0.0.1:0", HubURL: s.url, Tenants: customers, NoInstall: true, NoLimits: true}
	for _, m := range more {
		world.Phones = append(world.Phones, m.phones...)
	}
	s.world, err = sim.New(world)
	if err != nil {
		return s, err
	}
	if err := s.world.Start(ctx); err != nil {
		return s, err
	}
	text := strings.ReplaceAll(s.world.Config(), "127.0.0.1:6379", s.redis.addr)
	text = strings.ReplaceAll(text, "server: {", `server: {admin_listen: "", `)
	if !manual {
		text = strings.ReplaceAll(text, "response: false", "response: true")
	}
	for _, m := range more {
		text = strings.ReplaceAll(text, "\ntwilio:\n", "\ntwilio:\n"+m.twilio)
	}
	path := filepath.Join(s.dir, "responsehub.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return s, err
	}
	cfg, _, err := config.Load(path)
	if err != nil {
		return s, err
	}
	if s.hub, err = app.New(cfg, app.Options{Version: "bench", BootstrapKey: apiKey, Log: slog.New(s.doors)}); err != nil {
		return s, err
	}
	if err := s.hub.Start(ctx); err != nil {
		return s, err
	}
	if err := s.world.Teams.Install(ctx); err != nil {
		return s, err
	}
	return s, s.idle(ctx)
}

// apiKey opens the hub's API. It is good for nothing else.
const apiKey = "bench-0123456789abcdef0123456789abcdef"

func (s *stage) stop() {
	if s.hub != nil {
		s.hub.Stop()
	}
	if s.world != nil {
		s.world.Stop()
	}
	if s.redis != nil {
		s.redis.stop()
	}
	_ = os.RemoveAll(s.dir)
}

// idle waits until nothing reached the outside for a while, and forgets what did.
func (s *stage) idle(ctx context.Context) error {
	for last := -1; ; {
		n := len(s.world.Wire.Requests())
		if n == last {
			s.world.Wire.Reset()
			return nil
		}
		last = n
		if !wait(ctx, 250*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// reached returns when the first request for which ok says so reached a vendor.
func (s *stage) reached(ctx context.Context, vendor string, ok func(wire.Request) bool) (time.Time, error) {
	for range 2000 {
		for _, r := range s.world.Wire.Requests() {
			if r.Vendor == vendor && ok(r) {
				return r.At, nil
			}
		}
		if !wait(ctx, 5*time.Millisecond) {
			return time.Time{}, ctx.Err()
		}
	}
	return time.Time{}, fmt.Errorf("nothing reached %s within ten seconds", vendor)
}

// post delivers a signed alert and returns the incident's id and ref.
func (s *stage) post(ctx context.Context, alert any) (id, ref string, err error) {
	body, err := json.Marshal(alert)
	if err != nil {
		return "", "", err
	}
	s.mu.Lock()
	s.n++
	msg := fmt.Sprintf("msg_%d", s.n)
	s.mu.Unlock()
	header, err := intake.Sign(responsehub.Secret(s.world.WebhookSecret()), msg, time.Now(), body)
	if err != nil {
		return "", "", err
	}
	var in struct{ Incident, Ref string }
	err = s.do(ctx, "/v1/alerts/petra", header, body, &in)
	return in.Incident, in.Ref, err
}

// do posts to the hub.
func (s *stage) do(ctx context.Context, path string, header http.Header, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("POST %s: %s: %s", path, resp.Status, b)
	}
	return json.Unmarshal(b, answer)
}

// until polls the incident.
func (s *stage) until(ctx context.Context, id string, ok func(*responsehub.Incident) bool) error {
	for range 3000 {
		inc, err := s.hub.Engine().Incident(ctx, technician, id)
		if err != nil {
			return err
		}
		if ok(inc) {
			return nil
		}
		if !wait(ctx, 10*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("incident %s does not get on", id)
}

// doors reads from the hub's own log when a request came in at a route: what a click
// costs the simulator before it reaches the hub is not the hub's.
type doors struct {
	mu sync.Mutex
	in map[string]time.Time
}

// last is when the last request that was answered on the route had come in.
func (d *doors) last(route string) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.in[route]
}

// Enabled lets everything through.
func (d *doors) Enabled(context.Context, slog.Level) bool { return true }

// Handle notes requests and prints failures.
func (d *doors) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		fmt.Fprintln(os.Stderr, "the hub:", r.Message)
	}
	if r.Message != "request" {
		return nil
	}
	var route string
	var took time.Duration
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "route":
			route = a.Value.String()
		case "took":
			took = a.Value.Duration()
		}
		return true
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.in == nil {
		d.in = map[string]time.Time{}
	}
	d.in[route] = r.Time.Add(-took)
	return nil
}

// WithAttrs and WithGroup change nothing: what is read stands in the record itself.
func (d *doors) WithAttrs([]slog.Attr) slog.Handler { return d }

// WithGroup changes nothing.
func (d *doors) WithGroup(string) slog.Handler { return d }
