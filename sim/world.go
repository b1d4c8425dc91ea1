// Package sim is the pretend outside world of the hub: Microsoft's sign-in, directory and mail, Teams
// with the people in it, their phones behind Twilio, a mail server, and a detector. It serves tests,
// `responsehub sim` and `responsehub demo`.
//
// It promises that every vendor speaks over real sockets as the vendor does and refuses what the
// vendor would refuse; that whatever the vendor would not have known stands in "unexpected" of
// GET /_world; and that it neither listens nor calls anywhere but on loopback addresses.
//
// One listener carries a path prefix for each vendor (/graph, /exchange, /teams, /twilio, /connectwise,
// /autotask, /halopsa, /petra), the page at / and the controls under /_world, /_config, /_requests, /_faults and /_act. Sign-in stands at the root of a TLS
// listener of its own, because azidentity takes https only and drops the path of its authority; the
// authority that signed its certificate is written to CAFile. ConnectWise stands there too, below /connectwise,
// because its clients insist on TLS; so do the receiver of outgoing webhooks and Slack, below /receiver. The mail server has two listeners after
// that one: STARTTLS, and TLS from the first byte.
//
// With Options.Dir the world survives its process: New goes on where the last one with this directory
// ended. One that was killed loses nothing of what the hub was answered, and its last second at most
// of what its people did.
//
// What may go wrong: a fixed port is taken (New says so); the hub is not up (installing the bot waits
// for it); the kept world cannot be read (New says which file to delete).
package sim

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
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

	"responsehub/sim/autotask"
	"responsehub/sim/connectwise"
	"responsehub/sim/exchange"
	"responsehub/sim/graph"
	"responsehub/sim/halopsa"
	"responsehub/sim/login"
	"responsehub/sim/openid"
	"responsehub/sim/petra"
	"responsehub/sim/receiver"
	"responsehub/sim/smtp"
	"responsehub/sim/teams"
	"responsehub/sim/tenant"
	"responsehub/sim/twilio"
	"responsehub/sim/wire"
)

// Options says where the world stands. The zero value is good for `responsehub sim`.
type Options struct {
	Listen    string       // loopback address; "" = 127.0.0.1:9900; port 0 picks free ports. Sign-in listens on the next port, mail on the two after it
	HubURL    string       // where the hub is; "" = http://127.0.0.1:8080
	Dir       string       // where the world is kept, with its secrets and its CA file; made if missing. "" = not kept
	Fresh     bool         // forgets the world kept in Dir and begins a new one
	Tenants   int          // how many customers are in the middle of a takeover; 0 = 2. A kept world may have more
	NoInstall bool         // leaves it to the caller to install the bot in Teams
	NoLimits  bool         // lifts the rate limits of Teams, of Twilio and of Slack
	Hooks     bool         // Config sends the first customer's incidents to Slack and to the endpoint "siem"
	Newcomer  bool         // adds a company that is no customer yet and consented to nothing
	Log       *slog.Logger // nil is silent

	PhoneSpeed float64         // how many times faster than real phones ring and people speak; 0 = 1
	Phones     []twilio.Person // phones beside those of Staff
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
	Twilio    *twilio.Service
	Mail      *smtp.Server
	OpenID    *openid.Server
	Petra     *petra.Service

	ConnectWise *connectwise.Service
	Autotask    *autotask.Service
	Halo        *halopsa.Service

	Receiver *receiver.Service // of outgoing webhooks, and Slack

	opts    Options
	log     *slog.Logger
	secrets secrets
	plain   net.Listener
	secure  net.Listener
	tls     tls.Certificate

	mailPlain, mailSecure net.Listener

	dir       string
	dirIsOurs bool
	alerts    atomic.Int64

	certificate certificate
	saving      sync.Mutex // held by save
	written     []byte     // what save wrote last
	unlock      func()     // gives Dir free
	restored    bool

	servers []*http.Server
	cancel  context.CancelFunc
	running sync.WaitGroup
	stopped sync.Once
}

// secrets are made once for a world, so that Config stays the same.
type secrets struct {
	hubKey, webhook, client, bot    string
	twilioToken, twilioSecret, mail string
	connectwise, autotask, halo     string
	petra                           string
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
	if err := w.build(); err != nil {
		w.release()
		return nil, err
	}
	return w, nil
}

// build binds, reads what was kept, and makes what was not.
func (w *World) build() error {
	if err := w.bind(); err != nil {
		return err
	}
	if err := w.openDir(); err != nil {
		return err
	}
	kept, err := w.load()
	if err != nil {
		return err
	}
	if err := w.certify(kept); err != nil {
		return err
	}
	if kept == nil {
		w.secrets = makeSecrets()
		err = w.people()
	} else {
		w.restored = true
		err = w.peopleAgain(kept)
	}
	if err != nil {
		return err
	}
	if w.dirIsOurs {
		return nil
	}
	return w.save() // a configuration that was printed must still be good after a crash
}

func makeSecrets() (made secrets) {
	for _, s := range []struct {
		to     *string
		prefix string
		encode func([]byte) string
	}{
		{&made.hubKey, "", base64.StdEncoding.EncodeToString},
		{&made.webhook, "whsec_", base64.StdEncoding.EncodeToString},
		{&made.client, "", base64.RawURLEncoding.EncodeToString},
		{&made.bot, "", base64.RawURLEncoding.EncodeToString},
		{&made.twilioToken, "", hex.EncodeToString},
		{&made.twilioSecret, "", hex.EncodeToString}, // twilio-go takes letters and digits only
		{&made.mail, "", hex.EncodeToString},         // stands in an address
		{&made.connectwise, "", hex.EncodeToString},
		{&made.autotask, "", hex.EncodeToString},
		{&made.halo, "", hex.EncodeToString},
		{&made.petra, "", hex.EncodeToString},
	} {
		raw := make([]byte, 32)
		rand.Read(raw)
		*s.to = s.prefix + s.encode(raw)
	}
	return made
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

// bind opens all listeners.
func (w *World) bind() (err error) {
	if w.plain, err = net.Listen("tcp", w.opts.Listen); err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	host, given, err := net.SplitHostPort(w.opts.Listen)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	port, err := strconv.Atoi(given)
	if err != nil {
		return fmt.Errorf("sim: port: %w", err)
	}
	for i, l := range []struct {
		what string
		to   *net.Listener
	}{{"sign-in", &w.secure}, {"mail", &w.mailPlain}, {"mail with TLS", &w.mailSecure}} {
		next := 0
		if port != 0 {
			next = port + 1 + i
		}
		if *l.to, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(next))); err != nil {
			return fmt.Errorf("sim: %s: %w", l.what, err)
		}
	}
	return nil
}

// URL is the base address of the page and of all vendors but sign-in.
func (w *World) URL() string { return "http://" + w.plain.Addr().String() }

// LoginURL is the address of the sign-in service, an https origin without path.
func (w *World) LoginURL() string { return "https://" + w.secure.Addr().String() }

// CAFile is the PEM file that the sign-in service's certificate is to be checked with.
func (w *World) CAFile() string { return filepath.Join(w.dir, "sim-ca.pem") }

// Restored says that the world goes on from one kept in Options.Dir.
func (w *World) Restored() bool { return w.restored }

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
	serve(w.secure, w.secureHandler(), true)
	w.mails()
	w.Twilio.Start()
	if !w.dirIsOurs {
		w.running.Go(func() { w.keep(ctx) })
	}
	if !w.opts.NoInstall {
		w.running.Go(func() {
			if err := w.Teams.Install(ctx); err != nil && ctx.Err() == nil {
				w.log.Error("bot could not be installed", "err", err)
			}
		})
	}
	return nil
}

// mails serves the mail server's two listeners.
func (w *World) mails() {
	for l, secure := range map[net.Listener]bool{w.mailPlain: false, w.mailSecure: true} {
		w.running.Go(func() {
			if err := w.Mail.Serve(l, secure); err != nil {
				w.log.Error("simulated mail server stopped serving", "err", err)
			}
		})
	}
}

// Stop ends every connection, waits for what Start began and keeps the world in Options.Dir, or
// removes what New made. It may be called more than once.
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
		if w.Twilio != nil {
			w.Twilio.Stop()
		}
		if w.Mail != nil {
			w.Mail.Stop()
		}
		for _, d := range w.desks() {
			d.Stop()
		}
		w.running.Wait()
		if !w.dirIsOurs {
			if err := w.save(); err != nil {
				w.log.Error("the simulated world is not kept", "err", err)
			}
		}
		w.release()
	})
}

// release closes what New opened.
func (w *World) release() {
	for _, l := range []net.Listener{w.plain, w.secure, w.mailPlain, w.mailSecure} {
		if l != nil {
			l.Close() // closed already when it was served
		}
	}
	if w.dirIsOurs {
		os.RemoveAll(w.dir)
	}
	if w.unlock != nil {
		w.unlock()
	}
}
