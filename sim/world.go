// Package sim is the pretend outside world of the hub: Microsoft's sign-in, directory and mail, and
// Teams with the people in it. It serves tests, `responsehub sim` and `responsehub demo`.
//
// It promises that every vendor speaks over real sockets as the vendor does and refuses what the
// vendor would refuse; that whatever the vendor would not have known stands in "unexpected" of
// GET /_world; and that it neither listens nor calls anywhere but on loopback addresses.
//
// One listener carries a path prefix for each vendor (/graph, /exchange, /teams), the page at / and
// the controls under /_world, /_requests, /_faults and /_act. Sign-in stands at the root of a TLS
// listener of its own, because azidentity takes https only and drops the path of its authority; the
// authority that signed its certificate is written to CAFile.
//
// What may go wrong: a fixed port is taken (New says so); the hub is not up (installing the bot waits
// for it).
package sim

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"responsehub/sim/exchange"
	"responsehub/sim/graph"
	"responsehub/sim/login"
	"responsehub/sim/teams"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// Options says where the world stands. The zero value is good for `responsehub sim`.
type Options struct {
	Listen    string       // loopback address; "" = 127.0.0.1:9900; port 0 picks free ports. Sign-in listens on the next port
	HubURL    string       // where the hub is; "" = http://127.0.0.1:8080
	Dir       string       // where the CA file goes; "" = a directory of its own, removed by Stop
	Tenants   int          // how many customers are in the middle of a takeover; 0 = 2
	NoInstall bool         // leaves it to the caller to install the bot in Teams
	NoLimits  bool         // lifts the rate limits of Teams
	Log       *slog.Logger // nil is silent
}

// World is all simulated vendors with their listeners. It is safe for concurrent use.
type World struct {
	Wire      *wire.Log       // what was received, changed and not expected; scripted faults
	Microsoft *tenant.World   // directories, mailboxes, apps
	Scenes    []*tenant.Scene // one takeover per customer
	Teams     *teams.Service
	Login     *login.Server
	Graph     *graph.Server
	Exchange  *exchange.Server

	opts      Options
	log       *slog.Logger
	secrets   secrets
	plain     net.Listener
	secure    net.Listener
	tls       tls.Certificate
	dir       string
	dirIsOurs bool
	alerts    atomic.Int64

	servers []*http.Server
	cancel  context.CancelFunc
	running sync.WaitGroup
	stopped sync.Once
}

// secrets are made once for a World, so that Config stays the same.
type secrets struct {
	hubKey, webhook, client, bot string
}

// New binds the listeners and builds the world. Stop must be called even if Start never is.
func New(opts Options) (*World, error) {
	opts.Listen = cmp.Or(opts.Listen, "127.0.0.1:9900")
	opts.HubURL = cmp.Or(opts.HubURL, "http://127.0.0.1:8080")
	opts.Tenants = cmp.Or(opts.Tenants, 2)
	if err := loopbackOnly(opts); err != nil {
		return nil, err
	}
	w := &World{opts: opts, log: opts.Log, Wire: wire.NewLog(), dir: opts.Dir}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	for _, s := range []struct {
		to     *string
		prefix string
		encode func([]byte) string
	}{
		{&w.secrets.hubKey, "", base64.StdEncoding.EncodeToString},
		{&w.secrets.webhook, "whsec_", base64.StdEncoding.EncodeToString},
		{&w.secrets.client, "", base64.RawURLEncoding.EncodeToString},
		{&w.secrets.bot, "", base64.RawURLEncoding.EncodeToString},
	} {
		raw := make([]byte, 32)
		rand.Read(raw) //nolint:errcheck // never fails
		*s.to = s.prefix + s.encode(raw)
	}
	if err := w.bind(); err != nil {
		w.Stop()
		return nil, err
	}
	if err := w.people(); err != nil {
		w.Stop()
		return nil, err
	}
	return w, nil
}

// loopbackOnly refuses addresses outside this machine: nothing here is protected by a password.
func loopbackOnly(opts Options) error {
	host, _, err := net.SplitHostPort(opts.Listen)
	if err != nil {
		return fmt.Errorf("sim: listen address: %w", err)
	}
	hub, err := url.Parse(opts.HubURL)
	if err != nil {
		return fmt.Errorf("sim: hub address: %w", err)
	}
	for what, h := range map[string]string{"listen address": host, "hub address": hub.Hostname()} {
		if !isLoopback(h) {
			return fmt.Errorf("sim: the %s must be a loopback address, not %q", what, h)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// bind opens both listeners and writes the certificate authority.
func (w *World) bind() (err error) {
	if w.plain, err = net.Listen("tcp", w.opts.Listen); err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	host, given, err := net.SplitHostPort(w.opts.Listen)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	next := "0"
	if given != "0" {
		port, err := strconv.Atoi(given)
		if err != nil {
			return fmt.Errorf("sim: port: %w", err)
		}
		next = strconv.Itoa(port + 1)
	}
	if w.secure, err = net.Listen("tcp", net.JoinHostPort(host, next)); err != nil {
		return fmt.Errorf("sim: sign-in: %w", err)
	}
	if w.dir == "" {
		if w.dir, err = os.MkdirTemp("", "responsehub-sim-"); err != nil {
			return fmt.Errorf("sim: directory for the CA file: %w", err)
		}
		w.dirIsOurs = true
	}
	authority, leaf, err := makeCertificates()
	if err != nil {
		return err
	}
	w.tls = leaf
	if err := os.WriteFile(w.CAFile(), authority, 0o644); err != nil { //nolint:gosec // a certificate is public
		return fmt.Errorf("sim: write the CA file: %w", err)
	}
	return nil
}

// URL is the base address of the page and of all vendors but sign-in.
func (w *World) URL() string { return "http://" + w.plain.Addr().String() }

// LoginURL is the address of the sign-in service, an https origin without path.
func (w *World) LoginURL() string { return "https://" + w.secure.Addr().String() }

// CAFile is the PEM file that the sign-in service's certificate is to be checked with.
func (w *World) CAFile() string { return filepath.Join(w.dir, "sim-ca.pem") }

// HubURL is where the hub is expected.
func (w *World) HubURL() string { return w.opts.HubURL }

// WebhookSecret signs alerts to the source "petra" of Config.
func (w *World) WebhookSecret() string { return w.secrets.webhook }

// Start serves until Stop or until ctx ends, and installs the bot in Teams as soon as the hub
// answers. It returns at once.
func (w *World) Start(ctx context.Context) error {
	if w.cancel != nil {
		return errors.New("sim: started already")
	}
	ctx, w.cancel = context.WithCancel(ctx)
	serve := func(l net.Listener, h http.Handler, secure bool) {
		srv := &http.Server{
			Handler: h, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
			ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
		}
		w.servers = append(w.servers, srv)
		w.running.Go(func() {
			var err error
			if secure {
				srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{w.tls}, MinVersion: tls.VersionTLS12}
				err = srv.ServeTLS(l, "", "")
			} else {
				err = srv.Serve(l)
			}
			if !errors.Is(err, http.ErrServerClosed) {
				w.log.Error("simulated world stopped serving", "err", err)
			}
		})
	}
	serve(w.plain, w.handler(), false)
	serve(w.secure, w.Login, true)
	if !w.opts.NoInstall {
		w.running.Go(func() {
			if err := w.Teams.Install(ctx); err != nil && ctx.Err() == nil {
				w.log.Error("bot could not be installed", "err", err)
			}
		})
	}
	return nil
}

// Stop ends every connection, waits for what Start began and removes what New made. It may be called
// more than once.
func (w *World) Stop() {
	w.stopped.Do(func() {
		if w.cancel != nil {
			w.cancel()
		}
		for _, srv := range w.servers {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			if err := srv.Shutdown(ctx); err != nil {
				srv.Close()
			}
			cancel()
		}
		w.running.Wait()
		for _, l := range []net.Listener{w.plain, w.secure} {
			if l != nil {
				l.Close() // closed already when it was served
			}
		}
		if w.dirIsOurs {
			os.RemoveAll(w.dir)
		}
	})
}
