package api

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"responsehub"
	"responsehub/remediation"
	"responsehub/report"
)

// Config says how the API works.
type Config struct {
	BootstrapKey responsehub.Secret       // admin key from the environment, at least 32 characters; empty: there is none
	Key          []byte                   // the hub's key, under which API keys are hashed; without one no key is known
	PerSecond    float64                  // requests a second that each key may make; 0 is 20
	Burst        int                      // requests that each key may make at once; 0 is 60
	Preflight    Preflight                // looks at tenants and rehearses; nil: this hub does not
	Documents    Documents                // makes reports and evidence; nil: this hub does not
	Subscription responsehub.Subscription // what was bought; zero: everything, without an end
	Onboarding   Onboarding               // takes tenants in; nil: this hub does not
	Destinations Destinations             // looks after outgoing webhooks; nil: this hub has none
	OnCall       OnCall                   // says who is called when; nil: this hub calls nobody
	Sources      []Source                 // the detectors
	Mapper       Mapper                   // tries a detector's message; nil: none can be tried
	Companies    Companies                // searches the ticket systems; nil: there are none
	Channels     Channels                 // knows the Teams channels; nil: none is known
}

// Engine is what the API asks of the engine.
type Engine interface {
	Incident(ctx context.Context, actor responsehub.Actor, idOrRef string) (*responsehub.Incident, error)
	Incidents(ctx context.Context, actor responsehub.Actor, q remediation.Query) (remediation.IncidentPage, error)
	Request(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error)
	Undo(ctx context.Context, actor responsehub.Actor, idOrRef string, step responsehub.StepID, r responsehub.UndoRequest) (responsehub.Answer, error)
	FalseAlarm(ctx context.Context, actor responsehub.Actor, idOrRef, reason, commandID string) (responsehub.Answer, error)
	Offers(ctx context.Context, actor responsehub.Actor, t responsehub.Tenant) ([]*responsehub.Incident, error)
	RunOpen(ctx context.Context, actor responsehub.Actor, tenant string) (remediation.OpenRuns, error)
	Acknowledge(ctx context.Context, actor responsehub.Actor, idOrRef, commandID string) (responsehub.Answer, error)
	Tick(ctx context.Context, actor responsehub.Actor, idOrRef, todo, commandID string) (responsehub.Answer, error)
	Reveal(ctx context.Context, actor responsehub.Actor, idOrRef string) (remediation.Reveal, error)
	Events(ctx context.Context, actor responsehub.Actor, idOrRef string) ([]json.RawMessage, error)
	Letters(ctx context.Context, actor responsehub.Actor, idOrRef, cursor string, limit int) (remediation.LetterPage, error)
	DeadLanes(ctx context.Context, actor responsehub.Actor) ([]remediation.DeadLane, error)
	Revive(ctx context.Context, actor responsehub.Actor, lane string) error
}

var _ Engine = (*remediation.Engine)(nil)

// Directory is what the API asks of the list of tenants, people and keys.
type Directory interface {
	Tenants() []responsehub.Tenant
	Tenant(id string) (responsehub.Tenant, bool) // hub id or Microsoft tenant id
	SetResponse(ctx context.Context, by responsehub.By, id string, on bool) (responsehub.Tenant, error)
	ChangeTenant(ctx context.Context, by responsehub.By, what, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error)
	RemoveTenant(ctx context.Context, by responsehub.By, id string) error
	Apply(ctx context.Context, by responsehub.By, tenants []responsehub.Tenant, people []responsehub.Person) error
	People() []responsehub.Person
	PutPerson(ctx context.Context, by responsehub.By, p responsehub.Person) error
	RemovePerson(ctx context.Context, by responsehub.By, id string) error
	Keys() []responsehub.APIKey
	PutKey(ctx context.Context, by responsehub.By, k responsehub.APIKey) error
	DeleteKey(ctx context.Context, by responsehub.By, id string) error
	Settings() responsehub.Settings
	PutSettings(ctx context.Context, by responsehub.By, s responsehub.Settings) error
	Journal(ctx context.Context, after int64, n int) ([][]byte, error)
}

// Documents makes reports, exports and evidence of what an actor may see.
type Documents interface {
	Incident(ctx context.Context, actor responsehub.Actor, idOrRef, form string) (report.File, error)
	Period(ctx context.Context, actor responsehub.Actor, tenant string, from, to time.Time, form string) (report.File, error)
	Evidence(ctx context.Context, actor responsehub.Actor, idOrRef string) (report.File, error)
	PublicKey() ed25519.PublicKey
}

// API answers programs.
type API struct {
	engine    Engine
	preflight Preflight
	documents Documents
	onCall    OnCall
	newcomers Onboarding
	detectors []Source
	mapper    Mapper
	desks     Companies
	teams     Channels
	hooks     Destinations
	hashKey   []byte
	bought    responsehub.Subscription
	dir       Directory
	doors     doors
	limits    *limits
	routes    []route
	document  []byte
	log       *slog.Logger
}

// New returns an API. A bootstrap key that is too short to be safe is not accepted, and
// the log says so.
func New(cfg Config, engine Engine, dir Directory, log *slog.Logger) *API {
	a := &API{
		engine: engine, preflight: cfg.Preflight, documents: cfg.Documents, onCall: cfg.OnCall, newcomers: cfg.Onboarding, hooks: cfg.Destinations, hashKey: cfg.Key, bought: cfg.Subscription, dir: dir, log: log,
		detectors: cfg.Sources, mapper: cfg.Mapper, desks: cfg.Companies, teams: cfg.Channels,
		doors:  newDoors(cfg.Key, cfg.BootstrapKey, dir, log),
		limits: newLimits(cmp.Or(cfg.PerSecond, 20), cmp.Or(cfg.Burst, 60)),
	}
	a.routes = a.table()
	a.document = document(a.routes)
	return a
}

// Register mounts the API. Errors outside its routes stay with the caller's own
// HTTPErrorHandler; [ErrorHandler] answers them as the API does.
func (a *API) Register(e *echo.Echo) {
	for _, r := range a.routes {
		e.Add(r.method, r.path, a.serve(r))
	}
	e.GET("/openapi.json", func(c echo.Context) error {
		return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, a.document)
	})
	e.RouteNotFound("/v1/*", a.notFound)
}

// notFound answers what is no route. Echo's own 405 does not reach here, so the methods
// that an address knows are looked up.
func (a *API) notFound(c echo.Context) error {
	var methods []string
	for _, r := range a.routes {
		if r.matches(c.Request().URL.Path) {
			methods = append(methods, r.method)
		}
	}
	if methods == nil {
		return writeProblem(c, &Problem{Status: http.StatusNotFound, Detail: "There is no such address. See /openapi.json for those there are."})
	}
	c.Response().Header().Set(echo.HeaderAllow, strings.Join(methods, ", "))
	return writeProblem(c, &Problem{Status: http.StatusMethodNotAllowed, Detail: "This address knows only " + strings.Join(methods, ", ") + "."})
}

// Identify returns the actor behind an API key, for another surface that lets people in
// with one; the error is Unauthorized. The actor's Via is the API's until the caller
// says otherwise. Each use of the bootstrap key is logged.
func (a *API) Identify(key responsehub.Secret) (responsehub.Actor, error) {
	return a.doors.identify(string(key), "for", "sign-in")
}

// Holder returns the actor with an id that Identify gave, as long as the key exists.
func (a *API) Holder(id string) (responsehub.Actor, error) { return a.doors.holder(id) }

// serve is what every request goes through: who asks, how often, in what form; then the
// handler; then one answer.
func (a *API) serve(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		actor, err := a.doors.open(c.Request())
		if err == nil {
			err = a.limits.take(actor.ID)
		}
		if err == nil {
			err = r.checkQuery(c.QueryParams())
		}
		var answer any
		if err == nil {
			answer, err = r.handle(call{Context: c.Request().Context(), actor: actor, c: c})
		}
		a.note(c, r, actor, err)
		if err != nil {
			return writeProblem(c, err)
		}
		if f, ok := answer.(report.File); ok {
			return writeFile(c, f)
		}
		return writeJSON(c, r.status, echo.MIMEApplicationJSON, answer)
	}
}

// note logs what was changed or went wrong; reading is not worth a line.
func (a *API) note(c echo.Context, r route, actor responsehub.Actor, err error) {
	p := problemOf(err)
	switch {
	case err != nil && p.Status >= http.StatusInternalServerError:
		a.log.Error("api request failed", "method", r.method, "route", r.path, "actor", actor.ID, "status", p.Status, "error", err)
	case err != nil && actor.ID == "":
		a.log.Warn("api request without a valid key", "method", r.method, "route", r.path, "remote", c.RealIP())
	case r.method == http.MethodGet:
	case err != nil:
		a.log.Info("api request refused", "method", r.method, "route", r.path, "incident", c.Param("id"), "actor", actor.ID, "status", p.Status, "sentence", p.Detail)
	default:
		a.log.Info("api request", "method", r.method, "route", r.path, "incident", c.Param("id"), "actor", actor.ID, "status", r.status)
	}
}
