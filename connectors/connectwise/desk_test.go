package connectwise_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/connectortest"
	"responsehub/connectors/connectwise"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

func draft() ticket.Draft {
	return ticket.Draft{
		Ref: "RH-7K2M", Company: "FAB", Title: "[Critical] M365 account takeover: pat@fab.example (" + strings.Repeat("Fabrikam ", 20) + ")",
		Description: "What happened", Internal: "Evidence", Severity: responsehub.Critical, Contact: "pat@fab.example",
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v (%s)", err, responsehub.Sentence(err))
		}
		return v
	}
}

func TestLifeOfATicket(t *testing.T) {
	s := newSite(t)
	d := s.desk()
	made := must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
	in := s.tickets[4711]
	got := map[string]any{"status": in["status"], "company": in["company"], "priority": in["priority"], "contact": in["contact"], "xref": in["externalXRef"], "discussion": in["initialDescription"], "internal": in["initialInternalAnalysis"], "mail": in["processNotifications"]}
	want := map[string]any{
		"status": map[string]any{"id": 70, "name": "New"}, "company": map[string]any{"id": 20.}, "priority": map[string]any{"id": 4.}, "contact": map[string]any{"id": 9.},
		"xref": "RH-7K2M", "discussion": "Details are in the internal notes. Reference: RH-7K2M", "internal": "What happened\nEvidence", "mail": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
	if title := in["summary"].(string); len(title) > 100 || !strings.HasPrefix(title, "[Critical] M365 account takeover: pat@fab.example (Fabrikam") {
		t.Errorf("summary %q", title)
	}
	if made.ID != "4711" || made.Number != "#4711" || made.Status != "New" || !strings.Contains(made.URL, "service_recid=4711") {
		t.Errorf("made %+v", made)
	}
	if found := must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-7K2M")); len(found) != 1 || found[0].ID != "4711" {
		t.Errorf("found %+v", found)
	}
	if err := d.Note(t.Context(), "4711", ticket.Note{Text: "a note [RH-7K2M lock.1.done]"}); err != nil {
		t.Fatal(err)
	}
	if err := d.Note(t.Context(), "4711", ticket.Note{Text: "the end", Resolution: true}); err != nil {
		t.Fatal(err)
	}
	if n := s.notes[4711]; n[0]["internalAnalysisFlag"] != true || n[0]["detailDescriptionFlag"] != false || n[1]["resolutionFlag"] != true || n[0]["processNotifications"] != false {
		t.Errorf("notes %+v", n)
	}
	if diff := cmp.Diff([]string{"a note [RH-7K2M lock.1.done]", "the end"}, must[[]string](t)(d.Notes(t.Context(), "4711"))); diff != "" {
		t.Error(diff)
	}
	moved, ok, err := d.Move(t.Context(), "4711", ticket.Closed, "unused")
	if err != nil || !ok || !moved.Closed || moved.Status != "Closed" {
		t.Errorf("moved %+v, %t, %v", moved, ok, err)
	}
	if got, ok, err := d.Move(t.Context(), "4711", ticket.Working, ""); ok || err != nil || !got.Closed {
		t.Errorf("whoever closed it is overruled: %+v %t %v", got, ok, err)
	}
	if _, ok, err := d.Move(t.Context(), "4711", ticket.Contained, ""); ok || err != nil {
		t.Errorf("a stage without a status moved it: %t %v", ok, err)
	}
	if list := must[[]ticket.Ticket](t)(d.List(t.Context(), []string{"4711", "99", "no number"})); len(list) != 1 {
		t.Errorf("list %+v", list)
	}
	if _, err := d.Get(t.Context(), "99"); responsehub.KindOf(err) != responsehub.NotFound {
		t.Errorf("a ticket that is gone: %v", err)
	}
	if err := d.Assign(t.Context(), "4711", "CatchAll"); err != nil {
		t.Error(err)
	}
	if cs := must[[]ticket.Company](t)(d.Companies(t.Context(), "a")); len(cs) != 2 || cs[1].Name != "FAB" {
		t.Errorf("companies %+v", cs)
	}
}

func TestTraps(t *testing.T) {
	t.Run("a board that knows the status by another id", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		s.tickets[4711]["board"] = map[string]any{"id": 8, "name": "Projects"}
		if got, ok, err := d.Move(t.Context(), "4711", ticket.Working, ""); err != nil || !ok || s.tickets[4711]["status"].(map[string]any)["id"] != 81 {
			t.Errorf("%+v %t %v", got, ok, err)
		}
		if _, ok, err := d.Move(t.Context(), "4711", ticket.Closed, ""); ok || err != nil {
			t.Errorf("a board without the word is left alone, got %t %v", ok, err)
		}
	})
	t.Run("a false 200", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		s.lies = true
		if _, _, err := d.Move(t.Context(), "4711", ticket.Working, ""); responsehub.KindOf(err) != responsehub.Permanent || !strings.Contains(err.Error(), "did not set it") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an upgrade moves the API", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-1"))
		s.codebase, s.calls = "v2025_2/", nil
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		if len(s.tickets) != 1 || s.calls[0] != "companyinfo" {
			t.Errorf("calls %v", s.calls)
		}
	})
	t.Run("an unknown path is no deleted ticket", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		s.override = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/service/tickets/") {
				s.refuse(w, 404, "ConnectWiseApi", "The endpoint does not exist.")
				return true
			}
			return false
		}
		if _, err := d.Get(t.Context(), "4711"); responsehub.KindOf(err) != responsehub.Permanent {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unknown company at login", func(t *testing.T) {
		s := newSite(t)
		d := s.desk(func(c *connectwise.Config) { c.Company = "nobody" })
		if _, err := d.Find(t.Context(), "RH-1"); responsehub.KindOf(err) != responsehub.Permanent || !strings.Contains(err.Error(), "login company") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a company that is not there", func(t *testing.T) {
		s := newSite(t)
		in := draft()
		for _, in.Company = range []string{"Ghost", `x" or name like "*`} {
			if _, err := s.desk().Create(t.Context(), in); responsehub.KindOf(err) != responsehub.NotFound || len(s.tickets) != 0 {
				t.Errorf("%s: got %v", in.Company, err)
			}
		}
	})
	t.Run("two companies of one name", func(t *testing.T) {
		s := newSite(t)
		s.override = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Query().Get("conditions"), `name="Twin Ltd"`) {
				return false
			}
			s.answer(w, 200, []map[string]any{{"id": 31, "identifier": "TWINA", "name": "Twin Ltd"}, {"id": 32, "identifier": "TWINB", "name": "Twin Ltd"}})
			return true
		}
		in := draft()
		in.Company = "Twin Ltd"
		if _, err := s.desk().Create(t.Context(), in); responsehub.KindOf(err) != responsehub.NotFound || !strings.Contains(responsehub.Sentence(err), "several companies") || len(s.tickets) != 0 {
			t.Errorf("got %v with %d tickets", err, len(s.tickets))
		}
		if err := s.desk().Mapped(t.Context(), in.Company); responsehub.KindOf(err) != responsehub.NotFound {
			t.Errorf("the preflight says %v", err)
		}
	})
	t.Run("a board without a team says so", func(t *testing.T) {
		s := newSite(t)
		s.teams = []map[string]any{}
		if _, err := s.desk().Create(t.Context(), draft()); responsehub.KindOf(err) != responsehub.Permanent || !strings.Contains(responsehub.Sentence(err), "Cannot find default team for board specified (field: board)") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("keys that are refused", func(t *testing.T) {
		s := newSite(t)
		if _, err := s.desk(func(c *connectwise.Config) { c.PrivateKey = "wrong" }).Find(t.Context(), "RH-1"); responsehub.KindOf(err) != responsehub.Unauthorized {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the cloud's api host", func(t *testing.T) {
		var hosts []string
		d, err := connectwise.New(connectwise.Config{Site: "https://na.myconnectwise.net/", Company: "msp"}, transport.Client(tripper(func(r *http.Request) (*http.Response, error) {
			hosts = append(hosts, r.URL.Host)
			if strings.HasPrefix(r.URL.Path, "/login/") {
				return connectortest.JSON(r, 200, `{"Codebase":"v2025_1/"}`), nil
			}
			return connectortest.JSON(r, 200, `[]`), nil
		})))
		if err != nil {
			t.Fatal(err)
		}
		must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-1"))
		if diff := cmp.Diff([]string{"na.myconnectwise.net", "api-na.myconnectwise.net"}, hosts); diff != "" {
			t.Error(diff)
		}
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestContract(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		New: func(t *testing.T, hc *http.Client) connectortest.Calls {
			d, err := connectwise.New(connectwise.Config{Site: "https://cw.example", Company: "msp", PublicKey: "pub", PrivateKey: "priv-secret-1234", ClientID: "client-guid", Board: "Security"}, hc)
			if err != nil {
				t.Fatal(err)
			}
			return connectortest.Calls{
				Read:  func(ctx context.Context) error { _, err := d.Get(ctx, "1"); return err },
				Write: func(ctx context.Context) error { return d.Note(ctx, "1", ticket.Note{Text: "x"}) },
			}
		},
		Side: func(r *http.Request) *http.Response {
			if strings.HasPrefix(r.URL.Path, "/login/") {
				return connectortest.JSON(r, 200, `{"Codebase":"v2025_1/"}`)
			}
			return nil
		},
		Secrets: []string{"priv-secret-1234", "bXNwK3B1Yjpwcml2LXNlY3JldC0xMjM0"},
	})
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		change func(*site)
		cfg    func(*connectwise.Config)
		want   string // check and grade that must be there
	}{
		"all well":          {nil, nil, "statuses ok"},
		"no team":           {func(s *site) { s.teams = []map[string]any{} }, nil, "team missing"},
		"status missing":    {nil, func(c *connectwise.Config) { c.Statuses[ticket.Working] = "Nope" }, "status working missing"},
		"status not closed": {nil, func(c *connectwise.Config) { c.Statuses[ticket.Closed] = "New" }, "status closed warning"},
		"no such board":     {nil, func(c *connectwise.Config) { c.Board = "Nope" }, "board missing"},
		"no such priority":  {nil, func(c *connectwise.Config) { c.Priorities[responsehub.Low] = "Nope" }, "priority missing"},
		"no callback":       {nil, nil, "events warning"},
		"callback off": {func(s *site) {
			s.hooks = []map[string]any{{"id": 1, "description": "responsehub", "inactiveFlag": true}}
		}, nil, "events warning"},
		"callback on": {func(s *site) { s.hooks = []map[string]any{{"id": 1, "description": "responsehub"}} }, nil, "events ok"},
		"keys":        {nil, func(c *connectwise.Config) { c.PrivateKey = "wrong" }, "sign in missing"},
		"catch-all":   {nil, func(c *connectwise.Config) { c.CatchAll = "Ghost" }, "catch-all company missing"},
		"clock":       {nil, nil, "clock ok"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if tt.change != nil {
				tt.change(s)
			}
			if tt.cfg == nil {
				tt.cfg = func(*connectwise.Config) {}
			}
			var got []string
			for _, c := range s.desk(tt.cfg).Check(t.Context()) {
				got = append(got, c.Name+" "+string(c.Grade))
				if c.Sentence == "" {
					t.Errorf("%s says nothing", c.Name)
				}
			}
			if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+tt.want+"\n") {
				t.Errorf("want %q among\n%s", tt.want, strings.Join(got, "\n"))
			}
			if len(s.tickets) != 0 {
				t.Error("checking changed something")
			}
		})
	}
}

func TestListen(t *testing.T) {
	s := newSite(t)
	d := s.desk()
	const at = "https://hub.example/psa/cw/events?token=abc"
	for _, want := range []string{"The callback was set up.", "The callback is there and active."} {
		if got := must[string](t)(d.Listen(t.Context(), at)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	s.hooks[0]["inactiveFlag"] = true
	if got := must[string](t)(d.Listen(t.Context(), at)); !strings.Contains(got, "set up again") || len(s.hooks) != 1 || s.hooks[0]["inactiveFlag"] != false {
		t.Errorf("got %q, hooks %v", got, s.hooks)
	}
	if got := s.hooks[0]["url"]; got != at+"&recordId=" || s.hooks[0]["objectId"] != 7. {
		t.Errorf("url %v, board %v", got, s.hooks[0]["objectId"])
	}
}
