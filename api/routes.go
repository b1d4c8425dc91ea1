package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"responsehub"
	"responsehub/report"
)

const (
	bodyLimit   = 64 << 10
	rosterLimit = 4 << 20 // a roster of some thousand tenants
)

// none is the body of a request that has none.
type none struct{}

// call is one request on its way to its handler. The context rides along only as far
// as the handler, which passes it on as an argument.
type call struct {
	context.Context
	actor responsehub.Actor
	c     echo.Context
}

// id returns the path's id. Echo hands it over as sent when the path holds escapes.
func (r call) id(name string) (string, error) {
	id := r.c.Param(name)
	if r.c.Request().URL.RawPath != "" {
		if plain, err := url.PathUnescape(id); err == nil {
			id = plain
		}
	}
	if len(id) > 200 {
		return "", &responsehub.Error{Kind: responsehub.NotFound, Message: "There is nothing with so long an id."}
	}
	return id, nil
}

func (r call) query(name string) string { return r.c.QueryParam(name) }

// param is a query parameter.
type param struct {
	name string
	doc  string
	enum []string
	form string // JSON Schema format
	kind string // JSON type; string when empty
}

// route is one line of the table: all that is known of an endpoint.
type route struct {
	method  string
	path    string // as echo writes it
	name    string // operationId
	summary string
	status  int // of success
	query   []param
	body    reflect.Type
	answer  reflect.Type
	handle  func(call) (any, error)
}

// on makes a route from a handler; what it reads and answers is taken from the
// handler's own types.
func on[In, Out any](method, path, name string, status int, h func(call, In) (Out, error), summary string, query ...param) route {
	limit := int64(bodyLimit)
	in := reflect.TypeFor[In]()
	if in == reflect.TypeFor[Roster]() {
		limit = rosterLimit
	}
	return route{
		method: method, path: path, name: name, status: status, summary: summary, query: query,
		body: in, answer: reflect.TypeFor[Out](),
		handle: func(r call) (any, error) {
			var body In
			if method != http.MethodGet {
				if err := decode(r.c.Request(), limit, &body); err != nil {
					return nil, err
				}
			}
			if err := commandFromHeader(r.c.Request(), &body); err != nil {
				return nil, err
			}
			return h(r, body)
		},
	}
}

// table is every endpoint there is.
func (a *API) table() []route {
	status := param{name: "status", doc: "only incidents in this state", enum: words(responsehub.IncidentStates)}
	page := []param{
		{name: "tenant", doc: "only this tenant's: the hub's id of it or Microsoft's"},
		status,
		{name: "since", doc: "only those opened at this time or later", form: "date-time"},
		{name: "limit", doc: "how many at most, 1 to 200; 50 when left out", kind: "integer"},
		{name: "cursor", doc: "next of the page before"},
	}
	pages := []param{
		{name: "limit", doc: "how many at most, 1 to 1000; all when left out", kind: "integer"},
		{name: "cursor", doc: "next of the page before"},
	}
	form := param{name: "form", doc: "html when left out", enum: report.Forms}
	return append([]route{
		on("GET", "/v1/incidents", "listIncidents", http.StatusOK, a.incidents, "Incidents, newest first", page...),
		on("GET", "/v1/incidents/:id", "getIncident", http.StatusOK, a.incident, "One incident, by id or ref"),
		on("GET", "/v1/incidents/:id/events", "listEvents", http.StatusOK, a.events, "The incident's record, oldest first"),
		on("GET", "/v1/incidents/:id/letters", "listLetters", http.StatusOK, a.letters, "The messages that the retraction found, in no particular order",
			param{name: "cursor", doc: "next of the page before"},
			param{name: "limit", doc: "about how many, 1 to 1000; 100 when left out", kind: "integer"}),
		on("POST", "/v1/incidents/:id/acknowledge", "acknowledge", http.StatusOK, a.acknowledge, "Take the incident: nobody else is paged"),
		on("POST", "/v1/incidents/:id/steps/:step", "requestStep", http.StatusAccepted, a.request, "Ask for a step, or set it or its items aside"),
		on("POST", "/v1/incidents/:id/steps/:step/undo", "undoStep", http.StatusAccepted, a.undo, "Take a step, or items of it, back as it was before"),
		on("POST", "/v1/incidents/:id/false-alarm", "declareFalseAlarm", http.StatusAccepted, a.falseAlarm, "Take back what was done, the account last, and close; again: close although some things stay"),
		on("POST", "/v1/incidents/:id/steps/password/reveal", "revealPassword", http.StatusOK, a.reveal, "The one-time password: once, and only to the key that asked for the reset"),
		on("POST", "/v1/incidents/:id/todos/:todo", "tickTodo", http.StatusOK, a.tick, "Say that something is done which only a person can do, such as in on-premises AD"),
		on("GET", "/v1/tenants", "listTenants", http.StatusOK, a.tenants, "The tenants within the key's reach, by name", pages...),
		on("POST", "/v1/tenants/onboard", "onboardTenant", http.StatusCreated, a.onboard, "Make a link with which an administrator of a new tenant lets the hub in; it works once, within the hour"),
		on("GET", "/v1/tenants/:id", "getTenant", http.StatusOK, a.tenant, "One tenant, by either of its ids"),
		on("PATCH", "/v1/tenants/:id", "changeTenant", http.StatusOK, a.changeTenant, "Change a tenant's switches and settings; what is left out stays"),
		on("POST", "/v1/tenants/:id/run-open", "runOpen", http.StatusAccepted, a.runOpen, "Run steps 1 to 3 of the tenant's open incidents, those that nobody asked for; needs Response on. Again: what was asked for is left alone"),
		on("DELETE", "/v1/tenants/:id", "removeTenant", http.StatusOK, a.removeTenant, "Take a tenant off the list; not while an incident is open there"),
		on("GET", "/v1/people", "listPeople", http.StatusOK, a.people, "The people on the list, by id", pages...),
		on("GET", "/v1/people/:id", "getPerson", http.StatusOK, a.person, "One person"),
		on("PUT", "/v1/people/:id", "putPerson", http.StatusOK, a.putPerson, "Add a person, or replace what is kept of one"),
		on("DELETE", "/v1/people/:id", "removePerson", http.StatusOK, a.removePerson, "Take a person off the list: their sessions are over"),
		on("GET", "/v1/keys", "listKeys", http.StatusOK, a.keys, "The API keys, without the keys themselves", pages...),
		on("POST", "/v1/keys", "makeKey", http.StatusCreated, a.makeKey, "Make an API key; the answer is the only place where it is shown"),
		on("DELETE", "/v1/keys/:id", "removeKey", http.StatusOK, a.removeKey, "Remove an API key: whoever uses it is refused from now on"),
		on("GET", "/v1/tenants/:id/preflight", "getPreflight", http.StatusOK, a.keptPreflight, "What the last look at the tenant found missing: permissions, roles, services, channels"),
		on("GET", "/v1/tenants/:id/oncall", "previewOnCall", http.StatusOK, a.previewOnCall, "Who is on call, and who would be called and texted when if nobody answered",
			param{name: "at", doc: "as if an alert came in at this time; now when left out", form: "date-time"},
			param{name: "severity", doc: "of the alert; high when left out", enum: words(responsehub.Severities)}),
		on("POST", "/v1/tenants/:id/preflight", "runPreflight", http.StatusOK, a.runPreflight, "Look at the tenant now; nothing is changed there"),
		on("POST", "/v1/tenants/:id/rehearse", "rehearseUser", http.StatusOK, a.rehearseUser, "What the steps would do now for an account; nothing is changed"),
		on("POST", "/v1/incidents/:id/rehearse", "rehearseIncident", http.StatusOK, a.rehearseIncident, "What the steps of the incident would do now; nothing is changed"),
		on("GET", "/v1/tenants/:id/companies", "findCompanies", http.StatusOK, a.companies, "Companies of a ticket system to map the tenant to, 50 at most",
			param{name: "connection", doc: "name of the ticket system under psa"}, param{name: "name", doc: "a part of the company's name"}),
		on("GET", "/v1/channels", "listChannels", http.StatusOK, a.channels, "The Teams channels that the bot has learnt of"),
		on("GET", "/v1/sources", "listSources", http.StatusOK, a.sources, "The detectors, without their secrets"),
		on("POST", "/v1/sources/:source/try", "trySource", http.StatusOK, a.trySource, "The alert that a message of a detector becomes; nothing is opened"),
		on("PUT", "/v1/tenants", "applyRoster", http.StatusOK, a.apply, "Take over the tenants and people of a configuration file; those it does not name stay"),
		on("GET", "/v1/incidents/:id/report", "reportIncident", http.StatusOK, a.incidentReport, "A report of the incident for people", form),
		on("GET", "/v1/incidents/:id/evidence", "exportEvidence", http.StatusOK, a.evidence, "The incident with its whole record, signed; `responsehub audit verify FILE` checks it offline"),
		on("GET", "/v1/reports", "reportPeriod", http.StatusOK, a.periodReport, "A report of the incidents of a period", form,
			param{name: "tenant", doc: "only this tenant's: either of its ids"},
			param{name: "from", doc: "only those opened at this time or later; a month ago when left out", form: "date-time"},
			param{name: "to", doc: "only those opened before; now when left out", form: "date-time"}),
		on("GET", "/v1/audit", "listAudit", http.StatusOK, a.journal, "The hub's own record, oldest first: who changed tenants, people, keys and switches",
			param{name: "after", doc: "number of the last entry that is known", kind: "integer"}),
		on("GET", "/v1/audit/key", "getAuditKey", http.StatusOK, a.auditKey, "The public key with which evidence is verified"),
		on("GET", "/v1/settings", "getSettings", http.StatusOK, a.settings, "The switches of the whole hub"),
		on("PATCH", "/v1/settings", "changeSettings", http.StatusOK, a.changeSettings, "Stop, or start again, all that runs by itself at any tenant"),
		on("GET", "/v1/lanes", "listLanes", http.StatusOK, a.lanes, "Work that was given up", param{name: "state", doc: "dead, which is also what is meant when left out", enum: []string{"dead"}}),
		on("POST", "/v1/lanes/:id/retry", "retryLane", http.StatusAccepted, a.retry, "Start given-up work again"),
	}, a.destinationRoutes()...)
}

// matches reports whether a path is one of the route's.
func (r route) matches(path string) bool {
	mine, theirs := strings.Split(r.path, "/"), strings.Split(path, "/")
	if len(mine) != len(theirs) {
		return false
	}
	for i, part := range mine {
		if !strings.HasPrefix(part, ":") && part != theirs[i] {
			return false
		}
	}
	return true
}

// checkQuery refuses parameters that the route does not have or that are there twice: a
// misspelt filter would otherwise answer with everything.
func (r route) checkQuery(q url.Values) error {
	for name, values := range q {
		i := slices.IndexFunc(r.query, func(p param) bool { return p.name == name })
		switch {
		case i < 0:
			return invalid(name, fmt.Sprintf("There is no parameter %.40q here.", name))
		case len(values) > 1:
			return invalid(name, fmt.Sprintf("The parameter %q is there twice.", name))
		case len(values[0]) > 1000:
			return invalid(name, fmt.Sprintf("The parameter %q is too long.", name))
		case r.query[i].enum != nil && values[0] != "" && !slices.Contains(r.query[i].enum, values[0]):
			return invalid(name, fmt.Sprintf("The parameter %q must be one of %s.", name, strings.Join(r.query[i].enum, ", ")))
		}
	}
	return nil
}
