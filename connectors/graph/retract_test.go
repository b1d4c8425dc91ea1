package graph_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/entra"
	hub "responsehub/connectors/graph"
	"responsehub/connectors/transport"
	"responsehub/remediation/remediationtest"
	"responsehub/remediation/steps"
	"responsehub/sim/graph"
	"responsehub/sim/login"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const (
	townID      = "11111111-1111-4111-8111-111111111111"
	hubID       = "22222222-2222-4222-8222-222222222222"
	hubSecret   = "s3cret-of-the-hub"
	overMailbox = `{"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}}`
)

// town is a simulated tenant with many mailboxes, and a client to it that goes through no
// socket.
type town struct {
	world  *tenant.World
	tenant *tenant.Tenant
	login  *login.Server
	graph  *graph.Server
	log    *wire.Log
	users  []*tenant.User
	phish  tenant.Message
}

func newTown(tb testing.TB, mailboxes, everyNth int) (*town, *hub.Client) {
	tb.Helper()
	c := &town{world: tenant.NewWorld(), log: wire.NewLog()}
	c.world.AddClient(tenant.Client{ID: hubID, Name: "hub", HomeTenant: townID, Secret: hubSecret})
	c.tenant = c.world.AddTenant(tenant.Tenant{ID: townID, Name: "Town"})
	c.tenant.ConsentAll(hubID)
	c.phish = tenant.Message{InternetMessageID: "<phish@town.example>", From: "pat@town.example", Subject: "Invoice", Received: time.Now().UTC().Add(-time.Hour)}
	for i := range mailboxes {
		u := c.tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("user%05d@town.example", i), Shared: i%50 == 0})
		c.users = append(c.users, u)
		if i%everyNth == 0 {
			u.Deliver(c.phish)
		}
	}
	c.login = login.New(c.world, c.log)
	c.graph = graph.New(c.world, c.login, c.log)
	client := transport.Client(transport.Over(c))
	l, err := entra.New(entra.Config{ClientID: hubID, ClientSecret: hubSecret, Authority: "https://login.test"}, client)
	if err != nil {
		tb.Fatal(err)
	}
	g, err := hub.New(hub.Config{Graph: "https://graph.test"}, l, client, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return c, g
}

// RoundTrip answers in process.
func (c *town) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	in.Host = req.URL.Host
	in.TLS = httptest.NewRequest(http.MethodGet, "https://x", nil).TLS
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if req.URL.Host == "login.test" {
		c.login.ServeHTTP(rec, in)
	} else {
		c.graph.ServeHTTP(rec, in)
	}
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

// retract runs one retraction and returns its step.
func (c *town) retract(tb testing.TB, g *hub.Client, everywhere bool) *responsehub.Step {
	tb.Helper()
	a := &responsehub.Alert{
		Version: "1", ID: "det-1", DetectedAt: time.Now(), Severity: responsehub.Critical, Title: "Account takeover",
		Tenant:  responsehub.AlertTenant{MicrosoftTenantID: townID},
		Account: responsehub.Account{ObjectID: c.users[1].ID, UserPrincipalName: c.users[1].UPN},
		Phish:   []responsehub.Phish{{InternetMessageID: c.phish.InternetMessageID}},
	}
	b := remediationtest.New(a, false)
	b.Ask(tb, responsehub.Publish, responsehub.StepRequest{})
	b.Ask(tb, responsehub.Retract, responsehub.StepRequest{Everywhere: everywhere})
	b.Run(tb, &steps.Retract{Mail: g, Letters: b.Letters()}, 5)
	return b.Incident.Step(responsehub.Retract)
}

// check counts the phish in and outside Deleted Items.
func (c *town) check(tb testing.TB, s *responsehub.Step) {
	tb.Helper()
	phish := 0
	for _, u := range c.users {
		for _, m := range u.Messages("") {
			if phish++; m.Moves != 1 {
				tb.Errorf("%s: moved %d times", u.UPN, m.Moves)
			}
		}
	}
	if s.State != responsehub.Done || s.Progress.Moved != phish {
		tb.Errorf("%s: %s; %+v of %d", s.State, s.Reason, *s.Progress, phish)
	}
	for _, r := range c.log.UnexpectedAll() {
		tb.Errorf("Microsoft would not know: %s", r)
	}
}

// TestRetractInTown: the step over this client and the simulated Microsoft, which
// throttles one request in fifty and lets nobody ask a mailbox five things at once.
func TestRetractInTown(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		t.Run(fmt.Sprintf("everywhere %t", everywhere), func(t *testing.T) {
			c, g := newTown(t, 400, 10)
			c.graph.SetLatency("/messages", 5*time.Millisecond)
			c.log.AddFault(wire.Fault{Vendor: "graph", Match: "/messages", Every: 50, Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "1"},
				Answer: overMailbox})
			s := c.retract(t, g, everywhere)
			c.check(t, s)
			searched := 41 // the victim's own too
			if everywhere {
				searched = 400
			}
			if s.Progress.Searched != searched {
				t.Errorf("%d mailboxes were searched, want %d: %s", s.Progress.Searched, searched, s.Note)
			}
			for _, r := range c.log.Requests() {
				if r.Status == http.StatusTooManyRequests && !strings.Contains(r.Fault, "429") {
					t.Fatalf("a mailbox was asked too many things at once: %s", r.Path)
				}
			}
		})
	}
}
