package console

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"

	"responsehub"
	"responsehub/remediation"
	"responsehub/report"
)

// Engine is what the console asks of the engine.
type Engine interface {
	Incident(ctx context.Context, actor responsehub.Actor, idOrRef string) (*responsehub.Incident, error)
	Incidents(ctx context.Context, actor responsehub.Actor, q remediation.Query) (remediation.IncidentPage, error)
	Events(ctx context.Context, actor responsehub.Actor, idOrRef string) ([]json.RawMessage, error)
	Request(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error)
	RunOpen(ctx context.Context, actor responsehub.Actor, tenant string) (remediation.OpenRuns, error)
	Undo(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.UndoRequest) (responsehub.Answer, error)
	FalseAlarm(ctx context.Context, actor responsehub.Actor, idOrRef, reason, commandID string) (responsehub.Answer, error)
	Acknowledge(ctx context.Context, actor responsehub.Actor, idOrRef, commandID string) (responsehub.Answer, error)
	Tick(ctx context.Context, actor responsehub.Actor, idOrRef, todo, commandID string) (responsehub.Answer, error)
	Reveal(ctx context.Context, actor responsehub.Actor, idOrRef string) (remediation.Reveal, error)
	Letters(ctx context.Context, actor responsehub.Actor, idOrRef, cursor string, limit int) (remediation.LetterPage, error)
	DeadLanes(ctx context.Context, actor responsehub.Actor) ([]remediation.DeadLane, error)
	Revive(ctx context.Context, actor responsehub.Actor, lane string) error
}

var _ Engine = (*remediation.Engine)(nil)

// Directory is what the console asks of the list of tenants and people.
type Directory interface {
	Tenants() []responsehub.Tenant
	Tenant(id string) (responsehub.Tenant, bool)
	SetResponse(ctx context.Context, by responsehub.By, id string, on bool) (responsehub.Tenant, error)
	ChangeTenant(ctx context.Context, by responsehub.By, what, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error)
	RemoveTenant(ctx context.Context, by responsehub.By, id string) error
	People() []responsehub.Person
	PutPerson(ctx context.Context, by responsehub.By, p responsehub.Person) error
	RemovePerson(ctx context.Context, by responsehub.By, id string) error
	Channels() []responsehub.Channel
	Channel(id string) (responsehub.Channel, bool)
	Keys() []responsehub.APIKey
	PutKey(ctx context.Context, by responsehub.By, k responsehub.APIKey) error
	DeleteKey(ctx context.Context, by responsehub.By, id string) error
	Note(ctx context.Context, by responsehub.By, kind responsehub.EventKind, item, text string) error
	Journal(ctx context.Context, after int64, n int) ([][]byte, error)
	JournalLength(ctx context.Context) (int64, error)
	Settings() responsehub.Settings
	PutSettings(ctx context.Context, by responsehub.By, s responsehub.Settings) error
}

// Readiness tells what the last preflight of a tenant found.
type Readiness interface {
	Known(tenant string) (responsehub.Readiness, bool)
	// Run looks now; nothing is changed in the tenant.
	Run(ctx context.Context, t responsehub.Tenant) (responsehub.Readiness, error)
}

// Config says how the console works.
type Config struct {
	PublicURL string     // where browsers reach the hub; needed for OIDC
	OIDC      *OIDC      // nil: nobody signs in but with an API key
	Sessions  scs.Store  // where sessions are kept
	Readiness Readiness  // nil: shown as unknown
	Keys      KeyHolders // who an API key is; nil: no sign-in with a key
	Desks     []string   // names of the ticket systems (psa)
	Documents Documents  // makes reports and evidence; nil: this hub does not
	NewKey    NewKey     // nil: keys are made by the command line only
	Sources   []Source   // the detectors
	Mapper    Mapper     // tries a message; nil: it cannot be tried here
	OnCall    OnCall     // nil: nobody is called
	Companies Companies  // nil: companies are typed in

	Destinations Destinations // looks after outgoing webhooks; nil: they are typed in only

	Version string

	Onboarding   Onboarding               // takes tenants in; nil: this hub does not
	Subscription responsehub.Subscription // what was bought; zero: everything, without an end
	Alarm        Alarm                    // told when somebody signs in with a key; nil: only the record and the log are
	Visitors     Visitors                 // keeps who came in by a role of the provider; nil: only people on the list come in
}

// Documents makes reports, exports and evidence of what an actor may see.
type Documents interface {
	Incident(ctx context.Context, actor responsehub.Actor, idOrRef, form string) (report.File, error)
	Period(ctx context.Context, actor responsehub.Actor, tenant string, from, to time.Time, form string) (report.File, error)
	Evidence(ctx context.Context, actor responsehub.Actor, idOrRef string) (report.File, error)
}

// NewKey makes an API key: plain is shown once, the other is what is stored.
type NewKey func(name string, role responsehub.Role, tenants []string) (plain responsehub.Secret, key responsehub.APIKey, err error)

// KeyHolders tells who holds an API key. Signing in with one is for the first day and for
// the day on which the identity provider is away.
type KeyHolders interface {
	// Identify returns the actor behind a key. The error is Unauthorized.
	Identify(key responsehub.Secret) (responsehub.Actor, error)
	// Holder returns the actor with the id that Identify gave, as long as the key exists.
	Holder(id string) (responsehub.Actor, error)
}

// Console serves the pages. Make it with New.
type Console struct {
	cfg      Config
	engine   Engine
	dir      Directory
	log      *slog.Logger
	sessions *scs.SessionManager
	oidc     *provider // nil without OIDC
	pages    map[string]*template.Template
	watchers *watchers
	handler  http.Handler
}

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

const (
	sessionLife = 12 * time.Hour
	sessionIdle = 2 * time.Hour
)

// New returns a console. It opens no connection: the identity provider is asked when
// somebody signs in.
func New(cfg Config, engine Engine, dir Directory, hc *http.Client, log *slog.Logger) (*Console, error) {
	if cfg.Sessions == nil {
		return nil, errors.New("console: there is no place for sessions")
	}
	c := &Console{cfg: cfg, engine: engine, dir: dir, log: log, watchers: newWatchers(engine)}
	var err error
	if c.pages, err = parsePages(); err != nil {
		return nil, err
	}
	public, err := url.Parse(cmp.Or(cfg.PublicURL, "http://127.0.0.1"))
	if err != nil {
		return nil, err
	}
	// Not by scs.New, which comes with a store in memory whose goroutine cannot be stopped
	// for certain.
	c.sessions = &scs.SessionManager{Codec: scs.GobCodec{}, Store: cfg.Sessions, Lifetime: sessionLife, IdleTimeout: sessionIdle}
	c.sessions.Cookie.Path, c.sessions.Cookie.Persist = "/", true
	c.sessions.Cookie.HttpOnly, c.sessions.Cookie.SameSite = true, http.SameSiteLaxMode
	c.sessions.Cookie.Secure = public.Scheme == "https"
	c.sessions.Cookie.Name = "responsehub"
	if c.sessions.Cookie.Secure {
		c.sessions.Cookie.Name = "__Host-responsehub"
	}
	c.sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		c.log.Error("session cannot be read or kept", "error", err)
		c.fail(w, r, &responsehub.Error{Kind: responsehub.Unavailable, Message: "The hub cannot reach its store right now. Try again in a moment.", Err: err})
	}
	if cfg.OIDC != nil {
		if c.oidc, err = newProvider(*cfg.OIDC, cfg.PublicURL, hc); err != nil {
			return nil, err
		}
	}
	c.handler = c.routes(public)
	return c, nil
}

// ServeHTTP serves the pages.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Run keeps live pages live until ctx ends.
func (c *Console) Run(ctx context.Context) { c.watchers.run(ctx) }

func (c *Console) routes(public *url.URL) http.Handler {
	mux := http.NewServeMux()
	files, _ := fs.Sub(static, "static") // embedded: it is there
	mux.Handle("GET /static/", cached(http.StripPrefix("/static/", http.FileServerFS(files))))
	mux.HandleFunc("GET /sign-in", c.signInPage)
	mux.HandleFunc("POST /sign-in/key", c.signInWithKey)
	mux.HandleFunc("GET /sign-in/start", c.signInStart)
	mux.HandleFunc("GET /sign-in/back", c.signInBack)
	mux.HandleFunc("POST /sign-out", c.signOut)
	mux.HandleFunc("GET /onboard/back", c.onboardBack)
	mux.HandleFunc("/", c.lost)
	for pattern, h := range c.table() {
		mux.Handle(pattern, c.known(h))
	}
	guard := http.NewCrossOriginProtection()
	_ = guard.AddTrustedOrigin(public.Scheme + "://" + public.Host) // an address that was parsed
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.fail(w, r, &responsehub.Error{Kind: responsehub.Forbidden, Message: "This request came from another site and was not carried out."})
	}))
	return headers(c.sessions.LoadAndSave(guard.Handler(limitBody(mux))))
}

// table is every page for people who signed in. Each is given the actor; what the actor
// may do is asked of the engine or of Actor.May.
func (c *Console) table() map[string]page {
	return map[string]page{
		"GET /{$}":                             c.home,
		"POST /tenants/{id}/response":          c.setResponse,
		"POST /tenants/{id}/run-open":          c.runOpen,
		"GET /incidents":                       c.incidents,
		"GET /incidents/{id}":                  c.incident,
		"GET /incidents/{id}/panel":            c.panel,
		"GET /incidents/{id}/live":             c.live,
		"GET /live":                            c.liveHome,
		"POST /incidents/{id}/acknowledge":     c.acknowledge,
		"POST /incidents/{id}/steps/{step}":    c.request,
		"POST /incidents/{id}/undo/{step}":     c.undo,
		"POST /incidents/{id}/false-alarm":     c.falseAlarm,
		"POST /incidents/{id}/todos/{todo}":    c.tick,
		"POST /incidents/{id}/password/reveal": c.reveal,
		"GET /incidents/{id}/letters":          c.letters,
		"GET /sources":                         c.sources,
		"POST /sources":                        c.trySource,
		"GET /lanes":                           c.lanes,
		"POST /lanes/{id}":                     c.revive,
		"GET /tenants/{id}":                    c.tenant,
		"POST /tenants/{id}/settings/{form}":   c.changeTenant,
		"POST /tenants/{id}/look":              c.look,
		"POST /tenants/{id}/destinations":      c.addDestination,

		"POST /tenants/{id}/destinations/{destination}/{do}": c.changeDestination,
		"POST /tenants/{id}/remove":                          c.removeTenant,
		"POST /tenants/{id}/pause":                           c.pauseTenant,
		"POST /tenants/{id}/product":                         c.switchProduct,
		"GET /onboard":                                       c.onboardPage,
		"POST /onboard":                                      c.onboardLink,
		"GET /incidents/{id}/report/{form}":                  c.incidentReport,
		"GET /incidents/{id}/evidence":                       c.evidence,
		"GET /reports":                                       c.reports,
		"GET /reports/period":                                c.periodReport,
		"GET /people":                                        c.people,
		"POST /people":                                       c.putPerson,
		"POST /people/{id}/remove":                           c.removePerson,
		"GET /keys":                                          c.keys,
		"POST /keys":                                         c.makeKey,
		"POST /keys/{id}/remove":                             c.removeKey,
		"POST /automatic":                                    c.setAutomatic,
		"GET /audit":                                         c.audit,
	}
}

// page serves somebody who signed in. An error is shown on a page of its own.
type page func(w http.ResponseWriter, r *http.Request, actor responsehub.Actor) error

const maxForm = 64 << 10

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// headers let a page show and do nothing but what the hub itself serves.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		next.ServeHTTP(w, r)
	})
}
