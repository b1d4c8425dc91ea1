package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"responsehub"
	"responsehub/api"
	"responsehub/hook"
	"responsehub/intake"
	"responsehub/oncall"
	"responsehub/remediation"
)

// opened is when the fake hub's incident began; all its times are counted from there.
var opened = time.Date(2026, 11, 23, 9, 40, 0, 0, time.UTC)

const hubSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// fakeHub is one incident behind the hub's real API and real rules. A step that was
// asked for ends by itself when it has been looked at twice.
type fakeHub struct {
	mu       sync.Mutex
	inc      *responsehub.Incident
	looks    int
	shown    bool
	fails    bool // whether the step at work fails: asked for with the reason "let it fail"
	known    bool
	dead     []remediation.DeadLane
	tenants  []responsehub.Tenant
	people   []responsehub.Person
	keys     []responsehub.APIKey
	settings responsehub.Settings
}

// newFakeHub returns a hub and an admin's and a reader's key.
func newFakeHub() (h *fakeHub, admin, reader string) {
	contoso := responsehub.Tenant{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: "11111111-1111-4111-8111-111111111111", Notify: responsehub.Notify{Mail: []string{"soc@contoso.example"}}}
	alert := &responsehub.Alert{
		Version: "1", ID: "det-1", DetectedAt: opened.Add(-time.Minute), Severity: responsehub.Critical, Title: "Account takeover\x1b[2J",
		Account: responsehub.Account{UserPrincipalName: "pat@contoso.example", DisplayName: "Pat"},
		Persistence: []responsehub.AlertFoothold{
			{Kind: responsehub.InboxRule, ID: "rule1", Name: "."}, {Kind: responsehub.ServicePrincipal, ID: "app1", Name: "Mail \x1b]0;Backup"},
		},
	}
	inc := responsehub.NewIncident("i1", "RH-7K2M", opened, "petra", alert, contoso.Ref(), false)
	inc.BeginWatch(true, opened, opened)
	inc.AddTodo("ad-disable", "In on-premises AD: Disable-ADAccount pat")
	publish := inc.Step(responsehub.Publish)
	inc.State, publish.State, publish.RequestedAt, publish.VerifiedAt = responsehub.Active, responsehub.Done, opened, opened
	publish.RequestedBy = responsehub.By{Name: "Ann"}
	h = &fakeHub{
		inc: inc, tenants: []responsehub.Tenant{contoso}, people: []responsehub.Person{{V: 1, ID: "ann", Name: "Ann", Role: responsehub.Responder}},
		dead: []remediation.DeadLane{{ID: "i1", Lane: responsehub.LaneTeams, Error: "no channel", Attempts: 4, DiedAt: opened}},
	}
	return h, h.key("night shift", responsehub.Admin), h.key("dashboard", responsehub.Reader)
}

func (h *fakeHub) key(name string, role responsehub.Role) string {
	plain, key, err := api.NewKey([]byte("fake"), name, role, nil, opened)
	if err != nil {
		panic(err)
	}
	h.keys = append(h.keys, key)
	return string(plain)
}

func (h *fakeHub) handler() (http.Handler, error) {
	log := slog.New(slog.DiscardHandler)
	e := echo.New()
	api.New(api.Config{Key: []byte("fake"), Preflight: h, Destinations: fakeHooks{}, OnCall: oncall.New(oncall.Config{Directory: h}, log)}, h, h, log).Register(e)
	in, err := intake.New(intake.Config{Sources: []intake.Source{{Name: "petra", Kind: intake.StandardWebhooks, Secrets: []responsehub.Secret{hubSecret}}}}, h, log)
	if err != nil {
		return nil, err
	}
	e.POST("/v1/alerts/:source", func(c echo.Context) error {
		in.Serve(c.Response(), c.Request(), c.Param("source"))
		return nil
	})
	e.GET("/readyz", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]bool{"ready": true}) })
	e.GET("/sick/readyz", func(c echo.Context) error {
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"redis": "cannot be reached"})
	})
	return e, nil
}

// Open takes an alert: the second one is known.
func (h *fakeHub) Open(context.Context, responsehub.Delivery, *responsehub.Alert) (*responsehub.Incident, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.known
	h.known = true
	return h.inc, known, nil
}

func (h *fakeHub) find(id string) (*responsehub.Incident, error) {
	if id != h.inc.ID && id != h.inc.Ref {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no incident \"" + id + "\"."}
	}
	return h.inc, nil
}

// Incident ends what is at work at the second look.
func (h *fakeHub) Incident(_ context.Context, _ responsehub.Actor, id string) (*responsehub.Incident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.inc.Steps {
		s := &h.inc.Steps[i]
		if !s.State.Busy() {
			continue
		}
		if h.looks++; h.looks < 2 {
			continue
		}
		h.looks = 0
		s.State, s.RequestedAt, s.SentAt, s.VerifiedAt = responsehub.Done, opened.Add(2*time.Second), opened.Add(3*time.Second), opened.Add(14*time.Second)
		s.Proof = &responsehub.Proof{Value: "read back", At: s.VerifiedAt}
		if h.fails {
			s.State, s.Proof, s.VerifiedAt, s.Reason = responsehub.Failed, nil, time.Time{}, "The hub lacks the right User.ReadWrite.All."
		}
		if s.Undo {
			s.State = responsehub.Undone
		}
		if s.ID == responsehub.Lock {
			s.Snapshot = []byte(`{"enabled":true}`)
		}
		h.inc.Advance(opened.Add(20 * time.Second))
		if h.inc.Acknowledged != nil {
			h.inc.Acknowledged.At = opened.Add(2 * time.Second)
		}
	}
	return h.find(id)
}

func (h *fakeHub) Incidents(_ context.Context, _ responsehub.Actor, q remediation.Query) (remediation.IncidentPage, error) {
	if q.Tenant != "" && q.Tenant != h.inc.Tenant.ID {
		return remediation.IncidentPage{}, nil
	}
	return remediation.IncidentPage{Incidents: []*responsehub.Incident{h.inc}}, nil
}

func (h *fakeHub) Undo(_ context.Context, actor responsehub.Actor, id string, step responsehub.StepID, r responsehub.UndoRequest) (responsehub.Answer, error) {
	return h.change(actor, id, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.AskUndo(step, actor, r, opened.Add(time.Second))
	})
}

func (h *fakeHub) FalseAlarm(_ context.Context, actor responsehub.Actor, id, reason, _ string) (responsehub.Answer, error) {
	return h.change(actor, id, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		return inc.FalseAlarm(actor, reason, opened.Add(time.Second))
	})
}

func (h *fakeHub) change(actor responsehub.Actor, id string, do func(*responsehub.Incident) (responsehub.Answer, error)) (responsehub.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	inc, err := h.find(id)
	if err == nil {
		err = actor.May(responsehub.Act, inc.Tenant)
	}
	if err != nil {
		return responsehub.Answer{}, err
	}
	answer, err := do(inc)
	answer.Incident = inc
	return answer, err
}

func (h *fakeHub) Request(_ context.Context, actor responsehub.Actor, id string, step responsehub.StepID, r responsehub.StepRequest) (responsehub.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	inc, err := h.find(id)
	if err == nil {
		err = actor.May(responsehub.Act, inc.Tenant)
	}
	if err != nil {
		return responsehub.Answer{}, err
	}
	h.fails = r.Reason == "let it fail"
	answer, err := inc.Ask(step, actor, r, opened.Add(time.Second))
	answer.Incident = inc
	return answer, err
}

func (h *fakeHub) Offers(_ context.Context, actor responsehub.Actor, t responsehub.Tenant) ([]*responsehub.Incident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return t.Offers(responsehub.Settings{}, actor, []*responsehub.Incident{h.inc}), nil
}

func (h *fakeHub) RunOpen(_ context.Context, actor responsehub.Actor, tenant string) (remediation.OpenRuns, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := actor.May(responsehub.Act, h.inc.Tenant); err != nil {
		return remediation.OpenRuns{}, err
	}
	ran := remediation.RanOpen{Incident: h.inc, OpenRun: h.inc.RunOpen(actor, false, opened.Add(2*time.Second), responsehub.BreakGlassHold(h.inc.Account))}
	return remediation.OpenRuns{Sentence: "Some steps were started at " + tenant + ".", Incidents: []remediation.RanOpen{ran}}, nil
}

func (h *fakeHub) Acknowledge(_ context.Context, actor responsehub.Actor, id, _ string) (responsehub.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	inc, err := h.find(id)
	if err != nil {
		return responsehub.Answer{}, err
	}
	answer := inc.Acknowledge(actor, opened.Add(time.Second))
	answer.Incident = inc
	return answer, nil
}

func (h *fakeHub) Tick(_ context.Context, actor responsehub.Actor, id, todo, _ string) (responsehub.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	inc, err := h.find(id)
	if err == nil {
		err = actor.May(responsehub.Act, inc.Tenant)
	}
	if err != nil {
		return responsehub.Answer{}, err
	}
	answer, err := inc.Tick(actor, todo, opened.Add(time.Second))
	answer.Incident = inc
	return answer, err
}

func (h *fakeHub) Reveal(context.Context, responsehub.Actor, string) (remediation.Reveal, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shown {
		return remediation.Reveal{}, &responsehub.Error{Kind: responsehub.Gone, Message: "The password was shown already or has expired."}
	}
	h.shown = true
	return remediation.Reveal{Password: "Correct-Horse-9", For: h.inc.Account.Label(), Advice: "Tell it by phone."}, nil
}

// Letters are two pages, of which the second brings the first one's letter again, moved
// meanwhile.
func (h *fakeHub) Letters(_ context.Context, _ responsehub.Actor, _, cursor string, _ int) (remediation.LetterPage, error) {
	sam := responsehub.Letter{Mailbox: "u1", Address: "sam@contoso.example", ID: "m1", Subject: "Invoice", Folder: "f-inbox", Rule: responsehub.ByMessageID, State: responsehub.Running}
	if cursor == "" {
		return remediation.LetterPage{Letters: []responsehub.Letter{sam}, Next: "p2"}, nil
	}
	sam.State, sam.Hub = responsehub.Done, true
	kept := responsehub.Letter{Mailbox: "u2", Address: "pat@contoso.example", ID: "m1", Subject: "Invoice", Folder: "f-sent", State: responsehub.Skipped, Why: "Kept as evidence."}
	return remediation.LetterPage{Letters: []responsehub.Letter{sam, kept}}, nil
}

func (h *fakeHub) Events(context.Context, responsehub.Actor, string) ([]json.RawMessage, error) {
	stored, _, err := responsehub.Chain(0, "", []responsehub.Event{{At: opened, Kind: responsehub.EventOpened, By: responsehub.By{Name: "petra"}, Text: "Alert received"}})
	return []json.RawMessage{stored[0]}, err
}

func (h *fakeHub) DeadLanes(context.Context, responsehub.Actor) ([]remediation.DeadLane, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead, nil
}

func (h *fakeHub) Revive(_ context.Context, _ responsehub.Actor, lane string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if lane != "i1|teams" || h.dead == nil {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "That lane is not dead."}
	}
	h.dead = nil
	return nil
}

func (h *fakeHub) Tenants() []responsehub.Tenant {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.tenants)
}

func (h *fakeHub) People() []responsehub.Person {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.people)
}

func (h *fakeHub) Keys() []responsehub.APIKey {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.keys)
}

func (h *fakeHub) Tenant(id string) (responsehub.Tenant, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.tenants, func(t responsehub.Tenant) bool { return t.Known(id) })
	if i < 0 {
		return responsehub.Tenant{}, false
	}
	return h.tenants[i], true
}

func (h *fakeHub) SetResponse(_ context.Context, _ responsehub.By, id string, on bool) (responsehub.Tenant, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.tenants, func(t responsehub.Tenant) bool { return t.ID == id })
	h.tenants[i].Response = on
	return h.tenants[i], nil
}

func (h *fakeHub) ChangeTenant(_ context.Context, _ responsehub.By, _, id string, edit func(*responsehub.Tenant) error) (responsehub.Tenant, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.tenants, func(t responsehub.Tenant) bool { return t.Known(id) })
	t := h.tenants[i]
	if err := edit(&t); err != nil {
		return t, err
	}
	h.tenants[i] = t
	return t, nil
}

func (h *fakeHub) RemoveTenant(_ context.Context, _ responsehub.By, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tenants = slices.DeleteFunc(h.tenants, func(t responsehub.Tenant) bool { return t.Known(id) })
	return nil
}

func (h *fakeHub) PutPerson(_ context.Context, _ responsehub.By, p responsehub.Person) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.people = append(slices.DeleteFunc(h.people, func(o responsehub.Person) bool { return o.ID == p.ID }), p)
	return nil
}

func (h *fakeHub) RemovePerson(_ context.Context, _ responsehub.By, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.people)
	if h.people = slices.DeleteFunc(h.people, func(p responsehub.Person) bool { return p.ID == id }); len(h.people) == n {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such person."}
	}
	return nil
}

func (h *fakeHub) PutKey(_ context.Context, _ responsehub.By, k responsehub.APIKey) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys = append(h.keys, k)
	return nil
}

func (h *fakeHub) DeleteKey(_ context.Context, _ responsehub.By, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.keys)
	if h.keys = slices.DeleteFunc(h.keys, func(k responsehub.APIKey) bool { return k.ID == id }); len(h.keys) == n {
		return &responsehub.Error{Kind: responsehub.NotFound, Message: "There is no such key."}
	}
	return nil
}

func (h *fakeHub) Settings() responsehub.Settings {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.settings
}

func (h *fakeHub) PutSettings(_ context.Context, _ responsehub.By, s responsehub.Settings) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Stopped != nil {
		s.Stopped.At = opened
	}
	h.settings = s
	return nil
}

func (h *fakeHub) Journal(context.Context, int64, int) ([][]byte, error) { return nil, nil }

func (h *fakeHub) Apply(_ context.Context, _ responsehub.By, tenants []responsehub.Tenant, people []responsehub.Person) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range tenants {
		if t.ID == "" {
			t.ID = strings.ToLower(t.Name)
			h.tenants = append(h.tenants, t)
			continue
		}
		i := slices.IndexFunc(h.tenants, func(old responsehub.Tenant) bool { return old.ID == t.ID })
		h.tenants[i] = t
	}
	h.people = append(h.people, people...)
	return nil
}

// fakeHooks is one outgoing webhook that was given up.
type fakeHooks struct{}

func (fakeHooks) List(context.Context, responsehub.Actor, string) ([]hook.Standing, error) {
	return []hook.Standing{{ID: "0123", Host: "sink.example", Delivered: opened, Failing: opened.Add(time.Hour), Failure: "It answered 500.", Waiting: 2, Dead: 1}}, nil
}

func (fakeHooks) Add(context.Context, responsehub.Actor, string, string) (hook.Standing, responsehub.Secret, error) {
	return hook.Standing{ID: "4567", Host: "new.example"}, "whsec_ONE", nil
}

func (fakeHooks) Rotate(context.Context, responsehub.Actor, string, string) (hook.Standing, responsehub.Secret, error) {
	return hook.Standing{ID: "0123", Host: "sink.example"}, "whsec_TWO", nil
}

func (fakeHooks) Remove(context.Context, responsehub.Actor, string, string) error { return nil }

func (fakeHooks) Test(context.Context, responsehub.Actor, string, string) (bool, string, error) {
	return false, "sink.example did not take the test event: It answered 500.", nil
}

func (fakeHooks) Retry(context.Context, responsehub.Actor, string, string) (int, error) {
	return 2, nil
}
