package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"responsehub"
	"responsehub/api"
	"responsehub/remediation"
)

var (
	hashKey   = []byte("0123456789abcdef0123456789abcdef")
	bootstrap = responsehub.Secret("bootstrap-key-of-more-than-32-characters")
	contoso   = responsehub.Tenant{V: 1, ID: "t1", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111", Response: true,
		Notify: responsehub.Notify{Slack: []string{"https://hooks.slack.test/SLACK-SECRET"}, Webhooks: []string{"https://u:p@sink.test/HOOK-SECRET"}, Phone: &responsehub.OnCall{Sequence: []string{"ann"}, Wait: 3 * time.Minute, Rounds: 3}}}
	fabrikam = responsehub.Tenant{V: 1, ID: "t2", Name: "Fabrikam", MicrosoftTenantID: "22222222-2222-4222-8222-222222222222"}
)

const password = "Correct-Horse-9"

// engine is one incident behind the real rules.
type engine struct {
	mu      sync.Mutex
	inc     *responsehub.Incident
	asked   responsehub.StepRequest
	query   remediation.Query
	actor   responsehub.Actor
	revived string
	shown   bool
	fail    error
}

func (e *engine) find(actor responsehub.Actor, id string) (*responsehub.Incident, error) {
	e.actor = actor
	if e.fail != nil {
		return nil, e.fail
	}
	if id != e.inc.ID && id != e.inc.Ref || !actor.Sees(e.inc.Tenant) {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such incident."}
	}
	return e.inc, nil
}

func (e *engine) Incident(_ context.Context, actor responsehub.Actor, id string) (*responsehub.Incident, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.find(actor, id)
}

func (e *engine) Incidents(_ context.Context, actor responsehub.Actor, q remediation.Query) (remediation.IncidentPage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.query = q
	inc, err := e.find(actor, e.inc.ID)
	if err != nil {
		return remediation.IncidentPage{}, err
	}
	return remediation.IncidentPage{Incidents: []*responsehub.Incident{inc}, Next: "more"}, nil
}

func (e *engine) Request(_ context.Context, actor responsehub.Actor, id string, step responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = r
	inc, err := e.find(actor, id)
	if err == nil {
		err = actor.May(responsehub.Act, inc.Tenant)
	}
	if err != nil {
		return responsehub.Answer{}, err
	}
	answer, err := inc.Ask(step, actor, r, time.Now())
	answer.Incident = inc
	return answer, err
}

func (e *engine) Offers(_ context.Context, actor responsehub.Actor, t responsehub.Tenant) ([]*responsehub.Incident, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return t.Offers(responsehub.Settings{}, actor, []*responsehub.Incident{e.inc}), e.fail
}

func (e *engine) RunOpen(_ context.Context, actor responsehub.Actor, tenant string) (remediation.OpenRuns, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail != nil {
		return remediation.OpenRuns{}, e.fail
	}
	ran := remediation.RanOpen{Incident: e.inc, OpenRun: e.inc.RunOpen(actor, false, time.Now())}
	return remediation.OpenRuns{Sentence: "ran " + tenant, Incidents: []remediation.RanOpen{ran}, More: 3}, nil
}

func (e *engine) Acknowledge(_ context.Context, actor responsehub.Actor, id, _ string) (responsehub.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inc, err := e.find(actor, id)
	if err != nil {
		return responsehub.Answer{}, err
	}
	answer := inc.Acknowledge(actor, time.Now())
	answer.Incident = inc
	return answer, nil
}

func (e *engine) Tick(_ context.Context, actor responsehub.Actor, id, todo, _ string) (responsehub.Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inc, err := e.find(actor, id)
	if err == nil {
		err = actor.May(responsehub.Act, inc.Tenant)
	}
	if err != nil {
		return responsehub.Answer{}, err
	}
	answer, err := inc.Tick(actor, todo, time.Now())
	answer.Incident = inc
	return answer, err
}

func (e *engine) Reveal(_ context.Context, actor responsehub.Actor, id string) (remediation.Reveal, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.find(actor, id); err != nil {
		return remediation.Reveal{}, err
	}
	if e.shown {
		return remediation.Reveal{}, &responsehub.Error{Kind: responsehub.Gone, Message: "It was shown already."}
	}
	e.shown = true
	return remediation.Reveal{Password: password, For: "Pat", Advice: "Tell it by phone."}, nil
}

func (e *engine) Letters(_ context.Context, _ responsehub.Actor, _, cursor string, limit int) (remediation.LetterPage, error) {
	if cursor == "second" {
		return remediation.LetterPage{Letters: []responsehub.Letter{{Mailbox: "b", ID: "2", State: responsehub.Done, Hub: true}}}, nil
	}
	page := remediation.LetterPage{Letters: make([]responsehub.Letter, limit), Next: "second"}
	for i := range page.Letters {
		page.Letters[i].State = responsehub.Waiting
	}
	return page, nil
}

func (e *engine) Events(_ context.Context, actor responsehub.Actor, id string) ([]json.RawMessage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.find(actor, id); err != nil {
		return nil, err
	}
	stored, _, err := responsehub.Chain(0, "", []responsehub.Event{{At: opened, Kind: responsehub.EventOpened, Text: "<b>&"}})
	return []json.RawMessage{stored[0]}, err
}

func (e *engine) DeadLanes(context.Context, responsehub.Actor) ([]remediation.DeadLane, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return []remediation.DeadLane{{ID: e.inc.ID, Lane: responsehub.LaneTeams, Error: "no channel", Attempts: 4, DiedAt: opened}}, e.fail
}

func (e *engine) Revive(_ context.Context, _ responsehub.Actor, lane string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revived = lane
	return e.fail
}

// directory is a list in memory.
type directory struct {
	tenants  []responsehub.Tenant
	people   []responsehub.Person
	keys     []responsehub.APIKey
	settings responsehub.Settings
}

func (d *directory) Tenants() []responsehub.Tenant { return d.tenants }
func (d *directory) People() []responsehub.Person  { return d.people }
func (d *directory) Keys() []responsehub.APIKey    { return d.keys }

func (d *directory) Tenant(id string) (responsehub.Tenant, bool) {
	i := slices.IndexFunc(d.tenants, func(t responsehub.Tenant) bool { return t.Known(id) })
	if i < 0 {
		return responsehub.Tenant{}, false
	}
	return d.tenants[i], true
}

func (d *directory) SetResponse(_ context.Context, _ responsehub.By, id string, on bool) (responsehub.Tenant, error) {
	i := slices.IndexFunc(d.tenants, func(t responsehub.Tenant) bool { return t.ID == id })
	d.tenants[i].Response = on
	return d.tenants[i], nil
}

func (d *directory) ChangeTenant(_ context.Context, _ responsehub.By, _, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error) {
	i := slices.IndexFunc(d.tenants, func(t responsehub.Tenant) bool { return t.Known(id) })
	t := d.tenants[i]
	if err := edit(&t); err != nil {
		return t, err
	}
	d.tenants[i] = t
	return t, nil
}

func (d *directory) RemoveTenant(_ context.Context, _ responsehub.By, id string) error {
	d.tenants = slices.DeleteFunc(d.tenants, func(t responsehub.Tenant) bool { return t.Known(id) })
	return nil
}

func (d *directory) PutPerson(_ context.Context, _ responsehub.By, p responsehub.Person) error {
	d.people = append(slices.DeleteFunc(d.people, func(o responsehub.Person) bool { return o.ID == p.ID }), p)
	return nil
}

func (d *directory) RemovePerson(_ context.Context, _ responsehub.By, id string) error {
	n := len(d.people)
	if d.people = slices.DeleteFunc(d.people, func(p responsehub.Person) bool { return p.ID == id }); len(d.people) == n {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such person."}
	}
	return nil
}

func (d *directory) PutKey(_ context.Context, _ responsehub.By, k responsehub.APIKey) error {
	if slices.ContainsFunc(d.keys, func(o responsehub.APIKey) bool { return o.ID == k.ID }) {
		return &responsehub.Error{Kind: responsehub.Conflict, Message: "There is an API key with this id already."}
	}
	d.keys = append(d.keys, k)
	return nil
}

func (d *directory) DeleteKey(_ context.Context, _ responsehub.By, id string) error {
	n := len(d.keys)
	if d.keys = slices.DeleteFunc(d.keys, func(k responsehub.APIKey) bool { return k.ID == id }); len(d.keys) == n {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such key."}
	}
	return nil
}

func (d *directory) Settings() responsehub.Settings { return d.settings }

func (d *directory) PutSettings(_ context.Context, _ responsehub.By, s responsehub.Settings) error {
	d.settings = s
	return nil
}

func (d *directory) Journal(context.Context, int64, int) ([][]byte, error) {
	return [][]byte{[]byte(`{"v":1,"seq":1,"at":"2026-01-02T03:04:05Z","kind":"settings.changed","prev":""}`)}, nil
}

func (d *directory) Apply(_ context.Context, _ responsehub.By, tenants []responsehub.Tenant, people []responsehub.Person) error {
	d.tenants, d.people = tenants, people
	return nil
}

var opened = time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC)

// takeover is an incident with everything in it that must not get out.
func takeover() *responsehub.Incident {
	alert := &responsehub.Alert{
		Version: "1", ID: "det-1", DetectedAt: opened.Add(-time.Minute), Severity: responsehub.Critical, Title: "Account takeover",
		Account:  responsehub.Account{ObjectID: "33333333-3333-4333-8333-333333333333", UserPrincipalName: "pat@contoso.example", DisplayName: "Pat"},
		Evidence: []responsehub.Evidence{{At: opened, Kind: "sign_in", Text: "signed in from NL", IP: "203.0.113.10"}},
		Persistence: []responsehub.AlertFoothold{
			{Kind: responsehub.InboxRule, ID: "rule1", Name: "."},
		},
	}
	inc := responsehub.NewIncident("i1", "RH-7K2M", opened, "petra", alert, contoso.Ref(), true)
	inc.BeginWatch(true, opened, opened.Add(3*time.Second))
	inc.Undid(opened.Add(time.Minute), opened.Add(time.Minute), true, opened)
	inc.Relocked(opened.Add(time.Minute), opened.Add(time.Minute+time.Second))
	inc.AddTodo("ad-disable", "In on-premises AD: Disable-ADAccount pat")
	lock := inc.Step(responsehub.Lock)
	lock.State, lock.SentAt, lock.VerifiedAt = responsehub.Done, opened.Add(2*time.Second), opened.Add(3*time.Second)
	lock.Proof = &responsehub.Proof{Value: "accountEnabled is false", RequestID: "req-1", At: opened.Add(3 * time.Second)}
	lock.Snapshot = json.RawMessage(`{"s":"SNAPSHOT-STEP"}`)
	inc.Step(responsehub.Retract).Progress = &responsehub.Progress{Searched: 1, Mailboxes: 2, Found: 3, Moved: 1}
	inc.Step(responsehub.Persistence).Items[0].Snapshot = json.RawMessage(`{"s":"SNAPSHOT-ITEM"}`)
	inc.Sealed = map[string]responsehub.Sealed{"password": {Box: []byte("SEALED-BOX"), For: "key:x", Expires: opened}}
	inc.TakeEvents()
	return inc
}

// hub is an API on a socket with a key of each role.
type hub struct {
	*httptest.Server
	t      *testing.T
	engine *engine
	dir    *directory
	keys   map[string]string // plain keys by what they are
	logged *bytes.Buffer
	echo   *echo.Echo
	api    *api.API
}

func newHub(t *testing.T, cfg api.Config) *hub {
	t.Helper()
	h := &hub{t: t, engine: &engine{inc: takeover()}, keys: map[string]string{"bootstrap": string(bootstrap)}, logged: &bytes.Buffer{}}
	h.dir = &directory{tenants: []responsehub.Tenant{contoso, fabrikam}, people: []responsehub.Person{{V: 1, ID: "ann", Name: "Ann", Role: responsehub.Responder}}}
	add := func(what string, role responsehub.Role, tenants ...string) {
		plain, key, err := api.NewKey(hashKey, what, role, tenants, opened)
		if err != nil {
			t.Fatal(err)
		}
		h.keys[what] = string(plain)
		h.dir.keys = append(h.dir.keys, key)
	}
	add("admin", responsehub.Admin)
	add("responder", responsehub.Responder)
	add("reader", responsehub.Reader)
	add("contoso admin", responsehub.Admin, "Contoso")
	add("fabrikam responder", responsehub.Responder, "Fabrikam")
	cfg.Key, cfg.BootstrapKey = hashKey, bootstrap
	h.api = api.New(cfg, h.engine, h.dir, slog.New(slog.NewTextHandler(&locked{w: h.logged}, nil)))
	h.echo = echo.New()
	h.echo.HTTPErrorHandler = api.ErrorHandler
	h.api.Register(h.echo)
	h.Server = httptest.NewServer(h.echo)
	t.Cleanup(h.Close)
	return h
}

// locked lets the server's goroutines write one log.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// ask sends a request as the named key ("" is none).
func (h *hub) ask(key, method, path, body string, header ...string) answer {
	h.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+path, r)
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+h.keys[key])
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := h.Client().Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	out := answer{status: res.StatusCode, header: res.Header, body: string(b)}
	_ = json.Unmarshal(b, &out.json)
	return out
}
