package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/intake"
	"responsehub/remediation"
	"responsehub/sim"
	"responsehub/store"
)

// Options says where the demo listens and what happens in it.
type Options struct {
	Listen    string    // of the hub; empty is 127.0.0.1:8080
	SimListen string    // of the simulated world; empty is 127.0.0.1:9900
	Alert     string    // kind of alert raised at the start; "none" raises none, empty is takeover unless an incident is open
	Dir       string    // where Redis and the world keep their data; empty is a folder for the user's cached files
	Fresh     bool      // forgets what earlier runs kept in Dir
	TrialEnds time.Time // of the hub; zero: there is no trial
	Version   string
	Log       *slog.Logger
	Out       io.Writer // where the addresses are printed
}

// Demo is a running demo.
type Demo struct {
	World  *sim.World
	Hub    *app.App
	APIKey responsehub.Secret // an admin key that is good while the demo runs
	opts   Options
	redis  *embedded
}

// Start brings everything up, raises the alert and prints where to look.
func Start(ctx context.Context, opts Options) (*Demo, error) {
	opts.Listen, opts.SimListen = cmp.Or(opts.Listen, "127.0.0.1:8080"), cmp.Or(opts.SimListen, "127.0.0.1:9900")
	if _, ok := sim.AlertKinds[opts.Alert]; !ok && opts.Alert != "none" && opts.Alert != "" {
		return nil, fmt.Errorf("there is no alert kind %q; known are takeover, manual, hybrid and none", opts.Alert)
	}
	d := &Demo{opts: opts}
	if err := d.start(ctx); err != nil {
		d.Stop()
		return nil, err
	}
	return d, nil
}

func (d *Demo) start(ctx context.Context) error {
	dir, err := d.folder()
	if err != nil {
		return err
	}
	if d.redis, err = startRedis(ctx, dir, d.opts.Fresh); err != nil {
		return err
	}
	if !d.redis.Durable {
		d.say("!! No redis-server or valkey-server on PATH: Redis runs in process and FORGETS EVERYTHING when the demo ends.")
	}
	open, err := openIncidents(ctx, d.redis.Addr)
	if err != nil {
		return err
	}
	d.World, err = sim.New(d.worldOptions(dir, len(open) > 0))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: stop what runs there or choose another address for the simulated world (--sim-listen)", err)
	}
	if err != nil {
		return err
	}
	cfg, err := d.config(dir)
	if err != nil {
		return err
	}
	d.APIKey = responsehub.Secret("demo-" + rand.Text() + rand.Text())
	if d.Hub, err = app.New(cfg, app.Options{Version: d.opts.Version, BootstrapKey: d.APIKey, Log: d.opts.Log}); err != nil {
		return err
	}
	if err := d.World.Start(ctx); err != nil {
		return err
	}
	if err := d.Hub.Start(ctx); err != nil {
		return err
	}
	d.World.Receiver.Trust("siem", string(d.Hub.HookSecret(d.World.HookURL("siem"))))
	d.addresses()
	for _, inc := range open {
		d.say("An incident survived the restart: %s is %s.", inc.Ref, inc.State)
	}
	if len(open) > 0 && !d.World.Restored() {
		d.say("!! The world they happened in was not kept: what they say of it is not true any more. --fresh forgets them.")
	}
	if d.opts.Alert == "none" || (d.opts.Alert == "" && len(open) > 0) {
		return nil
	}
	return d.Raise(ctx, cmp.Or(d.opts.Alert, "takeover"))
}

// worldOptions keeps the world where Redis keeps the incidents. Without an open incident
// the default alert is another takeover, which needs a world in which one is going on:
// in the old one everything is cleaned up.
func (d *Demo) worldOptions(dir string, goesOn bool) sim.Options {
	o := sim.Options{Hooks: true, Listen: d.opts.SimListen, HubURL: "http://" + d.opts.Listen, Log: d.opts.Log, Newcomer: true}
	if d.redis.Durable {
		o.Dir, o.Fresh = filepath.Join(dir, "world"), d.opts.Fresh || (d.opts.Alert == "" && !goesOn)
	}
	return o
}

// openIncidents are those that an earlier run left open, newest first.
func openIncidents(ctx context.Context, addr string) (open []*responsehub.Incident, err error) {
	rdb, err := store.Open(store.Config{Addrs: []string{addr}})
	if err != nil {
		return nil, fmt.Errorf("redis of the demo: %w", err)
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	for _, state := range responsehub.IncidentStates {
		if state.Closed() {
			continue
		}
		page, err := store.New(rdb).List(ctx, remediation.Filter{State: state})
		if err != nil {
			return nil, fmt.Errorf("incidents of earlier runs: %w; --fresh forgets them", err)
		}
		for _, s := range page.States {
			inc, err := remediation.Decode(s)
			if err != nil {
				return nil, fmt.Errorf("incidents of earlier runs: %w; --fresh forgets them", err)
			}
			open = append(open, inc)
		}
	}
	slices.SortFunc(open, func(a, b *responsehub.Incident) int { return b.OpenedAt.Compare(a.OpenedAt) })
	return open, nil
}

// Stop ends the hub, then the world, then Redis. It may be called more than once.
func (d *Demo) Stop() {
	if d.Hub != nil {
		d.Hub.Stop()
	}
	if d.World != nil {
		d.World.Stop()
	}
	if d.redis != nil {
		d.redis.stop()
	}
}

// Raise posts a signed alert of the kind, the way a detector does.
func (d *Demo) Raise(ctx context.Context, kind string) error {
	var alert map[string]any
	if err := json.Unmarshal(d.World.Alert(kind), &alert); err != nil {
		return fmt.Errorf("alert of the simulated world: %w", err)
	}
	alert["id"] = "demo-" + ulid.Make().String() // another run of the demo is another takeover
	body, err := json.Marshal(alert)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL()+"/v1/alerts/petra", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	if req.Header, err = intake.Sign(responsehub.Secret(d.World.WebhookSecret()), "msg_"+ulid.Make().String(), time.Now(), body); err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("post the alert: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil || resp.StatusCode >= 300 {
		return errors.Join(fmt.Errorf("the hub answered the alert %s: %s", resp.Status, answer), err)
	}
	var in struct{ Incident, Ref, State string }
	if err := json.Unmarshal(answer, &in); err != nil {
		return fmt.Errorf("answer to the alert: %w", err)
	}
	d.say("Alert raised: incident %s (%s) is %s.", in.Ref, in.Incident, in.State)
	return nil
}

// URL is the hub's address.
func (d *Demo) URL() string { return "http://" + d.Hub.Addr() }

// folder returns the demo's own folder.
func (d *Demo) folder() (string, error) {
	dir := cmp.Or(d.opts.Dir, os.Getenv("RESPONSEHUB_DEMO_DIR"))
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			cache = os.TempDir()
		}
		dir = filepath.Join(cache, "responsehub-demo")
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// config is the world's configuration on the demo's Redis, with a key that outlives
// this run: what the last run sealed must open again.
func (d *Demo) config(dir string) (*config.Config, error) {
	path := filepath.Join(dir, "responsehub.yaml")
	if err := os.WriteFile(path, []byte(d.World.Config()), 0o600); err != nil {
		return nil, err
	}
	cfg, faults, err := config.Load(path)
	if err != nil {
		return nil, fmt.Errorf("configuration of the simulated world: %w (%d faults)", err, len(faults))
	}
	key, err := keyFile(filepath.Join(dir, "secrets.key"))
	if err != nil {
		return nil, err
	}
	cfg.Secrets.Key, cfg.Redis.Addrs = key, []string{d.redis.Addr}
	cfg.Subscription.TrialEnds = d.opts.TrialEnds
	cfg.Server.Listen, cfg.Server.AdminListen = d.opts.Listen, "127.0.0.1:0"
	return cfg, nil
}

func keyFile(path string) (responsehub.Secret, error) {
	if b, err := os.ReadFile(path); err == nil { // #nosec G304 -- our own folder
		return responsehub.Secret(strings.TrimSpace(string(b))), nil
	}
	b := make([]byte, remediation.KeySize)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	key := base64.StdEncoding.EncodeToString(b)
	return responsehub.Secret(key), os.WriteFile(path, []byte(key), 0o600)
}

func (d *Demo) addresses() {
	d.say(`
  Open    %s    Teams, phones, mail, directory: press the buttons of the card, answer the phone
  Console %s    the hub's own pages: sign in as Dana (administrator), Ann, Bob or Gil (guest)
  Hub     %s    API, /healthz, /readyz; metrics on http://%s/metrics

  With the command line:
    export RESPONSEHUB_URL=%s RESPONSEHUB_API_KEY=%s
    responsehub incident list

  Ctrl-C ends the demo.
`, d.World.URL()+"/", d.URL()+"/", d.URL(), d.Hub.AdminAddr(), d.URL(), string(d.APIKey))
}

func (d *Demo) say(format string, args ...any) {
	if d.opts.Out != nil {
		_, _ = fmt.Fprintf(d.opts.Out, format+"\n", args...)
	}
}
