// Package app puts the hub together: it is the only place that knows all parts.
//
// New reads nothing from outside and starts nothing. Start listens, seeds the store at
// its first start, and works until Stop, which lets turns under way end and gives the
// rest back. The hub starts without Redis too: it answers 503 and says so, and goes to
// work when Redis is there.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"responsehub"
	"responsehub/bot"
	"responsehub/config"
	"responsehub/connectors/email"
	"responsehub/connectors/entra"
	"responsehub/connectors/graph"
	"responsehub/connectors/twilio"
	"responsehub/console"
	"responsehub/hook"
	"responsehub/intake"
	"responsehub/onboard"
	"responsehub/oncall"
	"responsehub/operators"
	"responsehub/remediation"
	"responsehub/store"
	"responsehub/trace"
)

// Options is what is not in the configuration file.
type Options struct {
	Version      string                    // of the binary, for user agents
	BootstrapKey responsehub.Secret        // an admin API key from the environment; empty for none
	Log          *slog.Logger              // nil discards
	Watch        responsehub.WatchSchedule // when a verified lock is looked at; zero is the real schedule
	Looks        []time.Duration           // when, after step 3, the hub looks whether something came back; nil is the real schedule
}

// App is one hub.
type App struct {
	cfg       *config.Config
	log       *slog.Logger
	rdb       redis.UniversalClient
	store     *store.Store
	directory *store.Directory
	engine    *remediation.Engine
	graph     *graph.Client
	signIns   *entra.Delegated // people's sign-ins, for password writeback
	rehearsal rehearsal        // what a tenant lacks, and what the steps would do
	bot       *bot.Bot         // nil without Teams
	post      *email.Sender    // nil without mail
	phone     *twilio.Client   // nil without Twilio
	pager     *oncall.Pager
	operators *operators.Desk
	psa       psa // who keeps tickets
	onboard   *onboard.Desk

	destinations *hook.Destinations
	intake       *intake.Intake
	polls        []*intake.Poll // sources that are asked what they found
	console      *console.Console
	public       *http.Server
	admin        *http.Server // nil without an admin address
	listener     net.Listener
	adminAt      net.Listener
	health       *health
	trace        *trace.Tracer // nil: off

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// Addr is where the hub listens, once Start returned.
func (a *App) Addr() string { return a.listener.Addr().String() }

// AdminAddr is where metrics are served, or "".
func (a *App) AdminAddr() string {
	if a.adminAt == nil {
		return ""
	}
	return a.adminAt.Addr().String()
}

// Engine is the hub's engine, for whoever runs in the same process.
func (a *App) Engine() *remediation.Engine { return a.engine }

// Start listens and goes to work. It returns once requests are answered.
func (a *App) Start(ctx context.Context) error {
	var err error
	if a.listener, err = net.Listen("tcp", a.cfg.Server.Listen); err != nil {
		return fmt.Errorf("server.listen: %w", inUse(err))
	}
	if a.admin != nil {
		if a.adminAt, err = net.Listen("tcp", a.cfg.Server.AdminListen); err != nil {
			return errors.Join(fmt.Errorf("server.admin_listen: %w", inUse(err)), a.listener.Close())
		}
		a.serve(a.admin, a.adminAt)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	// Give Redis a moment before the first request; without it the hub starts all the same.
	first, cancel := context.WithTimeout(ctx, 2*time.Second)
	err = a.prepare(first)
	cancel()
	if errors.Is(err, errUnusable) {
		stop()
		return errors.Join(err, a.listener.Close())
	}
	if err != nil {
		a.log.Error("redis is not there: alerts are answered 503 until it is", "error", err)
	}
	a.wg.Go(func() { a.operators.RunAlone(run) })
	a.wg.Go(func() { a.work(run, err == nil) })
	a.serve(a.public, a.listener)
	a.log.Info("hub is up", "listen", a.Addr(), "admin", a.AdminAddr(), "version", a.health.version)
	return nil
}

// inUse says what to do about an address that another program has.
func inUse(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w. Stop what runs there, or give the hub another address", err)
	}
	return err
}

func (a *App) serve(s *http.Server, l net.Listener) {
	a.wg.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("listener ended", "listen", l.Addr().String(), "error", err)
		}
	})
}

// work runs everything that needs Redis, once it is there.
func (a *App) work(ctx context.Context, prepared bool) {
	for !prepared {
		if !pause(ctx, time.Second) {
			return
		}
		err := a.prepare(ctx)
		if errors.Is(err, errUnusable) {
			a.log.Error("this redis must not be worked on", "error", err)
		}
		prepared = err == nil
	}
	var wg sync.WaitGroup
	wg.Go(func() { a.engine.Run(ctx) })
	wg.Go(func() {
		if err := a.directory.Run(ctx); err != nil {
			a.log.Error("directory is not kept fresh any more", "error", err)
		}
	})
	wg.Go(func() { a.watchRedis(ctx) })
	wg.Go(func() { a.keepWarm(ctx) })
	wg.Go(func() { a.rehearsal.Keep(ctx) })
	wg.Go(func() { a.psa.keeper.Run(ctx) })
	for _, p := range a.polls {
		wg.Go(func() { p.Run(ctx) })
	}
	wg.Go(func() { a.operators.Run(ctx) })
	wg.Go(func() { a.console.Run(ctx) })
	wg.Wait()
}

// Stop ends the hub: no new requests, turns under way get their grace time. It is done
// within 15 s and may be called more than once.
func (a *App) Stop() {
	if a.stop == nil {
		return
	}
	a.health.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	a.stop()
	for _, s := range []*http.Server{a.public, a.admin} {
		if s == nil {
			continue
		}
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close()
		}
	}
	if a.bot != nil {
		if err := a.bot.Close(ctx); err != nil {
			a.log.Warn("teams work was cut off", "error", err)
		}
	}
	a.wg.Wait()
	if err := a.rdb.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		a.log.Warn("redis connections did not close", "error", err)
	}
	if err := a.trace.Stop(ctx); err != nil {
		a.log.Warn("the last traces were not sent", "error", err)
	}
	a.log.Info("hub is down")
	a.stop = nil
}

// pause waits and reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
