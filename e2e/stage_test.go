package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/sim"
	"responsehub/sim/tenant"
	"responsehub/store/storetest"
)

// scenery says what a story needs. The zero value is two customers, the first with
// Response on, and the hub in this process.
type scenery struct {
	tenants    int
	response   bool     // on for every tenant
	separate   bool     // the hub is a process of its own, which can be killed
	noHub      bool     // the story starts the hub itself
	environ    []string // of a separate hub, beside this process's
	extra      string
	noLimits   bool                       // Teams' rate limits are lifted
	deadLanes  bool                       // the story ends with work that was given up
	twoCards   bool                       // a card's post was in doubt, so it may be there twice
	watch      responsehub.WatchSchedule  // when locks are looked at; zero is the real schedule
	guards     func(*tenant.Scene) string // further lines of the customers with Response on
	lockGroup  bool                       // the first customer has a group whose members are shut out
	movedBack  bool                       // messages are moved back by an undo: twice at most
	looks      []time.Duration            // when the hub looks whether persistence came back; nil is the real schedule
	desk       string                     // connection of the first customer's tickets; "" is connectwise
	more       string                     // a further ticket system of the first customer, whose tickets are acknowledged by taking them
	desks      bool                       // the first three customers' tickets are in one product each, in the order of products
	deskKeys   string                     // further keys of the connection that desk names
	hooks      bool                       // the first customer's incidents go to Slack and to an outgoing webhook
	psa        map[string]string          // a further line of the configuration for a kind of ticket system
	claimsOnly bool                       // the world was made to lie, so it is not compared with the claims
}

// stage is one hub with its own world and its own Redis.
type stage struct {
	*testing.T
	scenery
	world *sim.World
	redis *storetest.Server
	rdb   redis.UniversalClient // the story's own eyes
	hub   hub
	logs  *lines
	url   string
	key   string // an admin API key
	dir   string

	client   *http.Client
	children []*child
	mu       sync.Mutex
	known    []string // ids of the incidents that were opened
	heard    [][]byte // every answer of the API but reveals
}

// hub is a running hub, in this process or beside it.
type hub interface {
	stop(t testing.TB) // in order, as by SIGTERM
}

// raise puts the stage up. It comes down, and the truth is checked, when the test ends.
func raise(t *testing.T, sc scenery) *stage {
	t.Helper()
	s := &stage{T: t, scenery: sc, logs: &lines{}, key: "e2e-" + rand.Text() + rand.Text(), dir: t.TempDir()}
	s.url = "http://" + freeAddr(t)
	s.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	t.Cleanup(s.client.CloseIdleConnections)
	s.redis = storetest.Redis(t)
	s.rdb = s.redis.Client()
	var err error
	s.world, err = sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: s.url, Tenants: sc.tenants, NoInstall: true, NoLimits: sc.noLimits, Hooks: sc.hooks})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.world.Stop)
	if err := s.world.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.writeConfig()
	t.Cleanup(func() {
		for _, c := range s.children {
			c.kill() // those that a failed story left behind
		}
	})
	t.Cleanup(s.end)
	if !sc.noHub {
		s.startHub()
		s.install()
	}
	return s
}

// end checks the truth while everything is up, then stops the hub.
func (s *stage) end() {
	if s.hub == nil {
		return
	}
	if !s.Failed() {
		s.truth()
	}
	if s.Failed() {
		s.picture()
	}
	s.hub.stop(s)
}

func (s *stage) writeConfig() {
	s.Helper()
	text := s.world.Config()
	swap := func(old, new string) {
		s.Helper()
		if !strings.Contains(text, old) {
			s.Fatalf("the world's configuration has no %q", old)
		}
		text = strings.ReplaceAll(text, old, new)
	}
	swap("127.0.0.1:6379", s.redis.Addr)
	swap("server: {", `server: {admin_listen: "", `)
	if s.response {
		text = strings.ReplaceAll(text, "response: false", "response: true")
	}
	if s.lockGroup {
		group := s.scene(0).Tenant.AddGroup("Locked accounts")
		swap("    response: true\n", fmt.Sprintf("    response: true\n    lock_group: %s\n", group.ID))
	}
	if s.guards != nil {
		swap("    response: true\n", "    response: true\n"+s.guards(s.scene(0)))
	}
	if s.desk != "" {
		name := s.scene(0).Tenant.Name
		swap(fmt.Sprintf("psa: {connection: connectwise, company: %q}", sim.DeskCompany(name)), fmt.Sprintf("psa: {connection: %s, company: %q}", s.desk, name))
	}
	if s.deskKeys != "" {
		swap("  - name: "+s.desk+"\n", "  - name: "+s.desk+"\n"+s.deskKeys)
	}
	if s.more != "" {
		name := s.scene(0).Tenant.Name
		one := fmt.Sprintf("{connection: connectwise, company: %q}", sim.DeskCompany(name))
		swap("psa: "+one, fmt.Sprintf("psa: [%s, {connection: %s, company: %q}]", one, s.more, name))
		swap("  - name: "+s.more+"\n", "  - name: "+s.more+"\n    acknowledge_on: assignment\n")
	}
	if s.desks {
		name := s.scene(2).Tenant.Name
		swap(fmt.Sprintf("psa: {connection: autotask, company: %q}", name), fmt.Sprintf("psa: {connection: halopsa, company: %q}", name))
	}
	for kind, line := range s.psa {
		swap("    kind: "+kind+"\n", "    kind: "+kind+"\n    "+line+"\n")
	}
	if s.extra != "" {
		swap("sources:\n", "sources:\n"+s.extra)
	}
	if err := os.WriteFile(s.configFile(), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) configFile() string { return filepath.Join(s.dir, "responsehub.yaml") }

func (s *stage) startHub() {
	s.Helper()
	if s.separate {
		s.hub = s.spawn()
		return
	}
	cfg, _, err := config.Load(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := app.New(cfg, app.Options{Version: "e2e", BootstrapKey: responsehub.Secret(s.key), Log: log, Watch: s.watch, Looks: s.looks})
	if err != nil {
		s.Fatal(err)
	}
	if err := a.Start(context.Background()); err != nil {
		s.Fatal(err)
	}
	s.hub = &inProcess{app: a}
}

// install puts the bot into the team; it returns when the hub has taken it.
func (s *stage) install() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	if err := s.world.Teams.Install(ctx); err != nil {
		s.Fatalf("install the bot: %v", err)
	}
}

type inProcess struct{ app *app.App }

func (h *inProcess) stop(t testing.TB) {
	start := time.Now()
	h.app.Stop()
	if d := time.Since(start); d > 15*time.Second {
		t.Errorf("the hub took %s to stop", d)
	}
}

// lines collects what the hub logs.
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

var lastPort atomic.Int32

// freeAddr is a port of 127.0.0.1 below those that the kernel gives to outgoing
// connections, so that nobody takes it while the hub is down.
func freeAddr(t testing.TB) string {
	t.Helper()
	lastPort.CompareAndSwap(0, 20000+int32(os.Getpid()%8000))
	for range 500 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+lastPort.Add(1)%12000)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		return addr
	}
	t.Fatal("no free port")
	return ""
}
