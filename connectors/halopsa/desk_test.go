package halopsa_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/connectortest"
	"responsehub/connectors/halopsa"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

func draft() ticket.Draft {
	return ticket.Draft{
		Ref: "RH-7K2M", Company: "Fabrikam", Title: "[Critical] M365 account takeover: pat@fab.example (" + strings.Repeat("Fäbrikam ", 40) + ")",
		Description: "What <script>alert(1)</script> happened", Internal: "Evidence & \"more\"", Severity: responsehub.Critical, Contact: "pat@fab.example",
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
	for _, array := range []bool{false, true} {
		s := newSite(t)
		s.asArray = array
		life(t, s)
	}
}

func life(t *testing.T, s *site) {
	d := s.desk()
	made := must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
	in := s.tickets[4711]
	got := row{}
	for _, k := range []string{"status_id", "client_id", "priority_id", "tickettype_id", "team", "third_party_id_string", "details_html", "donotapplytemplateintheapi", "user_id", "site_id"} {
		got[k] = in[k]
	}
	want := row{
		"status_id": 1., "client_id": 20., "priority_id": 30., "tickettype_id": 21., "team": "Security", "third_party_id_string": "RH-7K2M",
		"details_html": "Details are in the internal notes. Reference: RH-7K2M", "donotapplytemplateintheapi": true,
		"user_id": 502., "site_id": 62.,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
	if title := in["summary"].(string); len([]rune(title)) > 255 || !strings.HasPrefix(title, "[Critical] M365 account takeover: pat@fab.example (Fäbrikam") || !strings.HasSuffix(title, "[RH-7K2M]") {
		t.Errorf("summary %q", title)
	}
	const note = "What &lt;script&gt;alert(1)&lt;/script&gt; happened<br>Evidence &amp; &#34;more&#34;<br>[RH-7K2M details]"
	if a := s.actions; len(a) != 1 || a[0]["hiddenfromuser"] != true || a[0]["outcome_id"] != 70. || a[0]["note_html"] != note || a[0]["sendemail"] != false {
		t.Errorf("the details: %v", a)
	}
	if diff := cmp.Diff(ticket.Ticket{ID: "4711", Number: "#4711", URL: s.srv.URL + "/tickets?id=4711", Ref: "RH-7K2M", Company: "20", Board: "Security", Status: "New"}, made); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	if found := must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-7K2M")); len(found) != 1 || found[0].ID != "4711" || len(s.actions) != 1 {
		t.Errorf("found %+v", found)
	}
	if err := d.Note(t.Context(), "4711", ticket.Note{Text: "a <b> [RH-7K2M lock.1.done]"}); err != nil {
		t.Fatal(err)
	}
	if notes := must[[]string](t)(d.Notes(t.Context(), "4711")); notes[1] != "a <b> [RH-7K2M lock.1.done]" {
		t.Errorf("notes %q", notes)
	}
	s.tickets[4711]["agent_id"] = 30
	moved, ok, err := d.Move(t.Context(), "4711", ticket.Closed, "unused")
	if err != nil || !ok || !moved.Closed || moved.Status != "Closed" || moved.Owner != "Jo Doe" || !moved.ClosedAt.Equal(time.Date(2026, 11, 23, 10, 0, 0, 5e8, time.UTC)) {
		t.Errorf("moved %+v, %t, %v", moved, ok, err)
	}
	if s.tickets[4711]["summary"] == nil {
		t.Error("closing took other fields away")
	}
	if got, ok, err := d.Move(t.Context(), "4711", ticket.Working, ""); err != nil || ok || !got.Closed {
		t.Errorf("whoever closed it is overruled: %+v %t %v", got, ok, err)
	}
	if got, ok, err := d.Move(t.Context(), "4711", ticket.Reopened, ""); err != nil || !ok || got.Closed || s.tickets[4711]["status_id"] != 2. {
		t.Errorf("opened again: %+v %t %v", got, ok, err)
	}
	if _, ok, err := d.Move(t.Context(), "4711", ticket.Contained, ""); ok || err != nil {
		t.Errorf("a stage without a status moved it: %t %v", ok, err)
	}
	if err := d.Assign(t.Context(), "4711", "CatchAll"); err != nil || s.tickets[4711]["client_id"] != 19. {
		t.Error(err)
	}
	s.tickets[4711]["merged_into_id"] = 4000
	if got := must[ticket.Ticket](t)(d.Get(t.Context(), "4711")); got.MergedInto != "4000" {
		t.Errorf("merged %+v", got)
	}
	if s.tokens != 1 {
		t.Errorf("%d tokens", s.tokens)
	}
}

// TestTheAccountsOwner: a ticket is put under the user of the account, found by any of the
// fields that hold a principal name and at this client only; without one the ticket says so.
func TestTheAccountsOwner(t *testing.T) {
	for name, tt := range map[string]struct {
		contact string
		refuse  bool
		user    any
		says    string
	}{
		"by login":    {"pat@fab.example", false, 502., ""},
		"nobody":      {"ghost@fab.example", false, nil, "The client has no user ghost@fab.example: the ticket is under its general user."},
		"no right":    {"pat@fab.example", true, nil, "The hub could not look for pat@fab.example among the client&#39;s users"},
		"nobody said": {"", false, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.override = func(w http.ResponseWriter, r *http.Request) bool {
				if tt.refuse && strings.HasSuffix(r.URL.Path, "/Users") {
					w.WriteHeader(http.StatusForbidden)
					return true
				}
				return false
			}
			in := draft()
			in.Contact = tt.contact
			must[ticket.Ticket](t)(s.desk().Create(t.Context(), in))
			note := s.actions[0]["note_html"].(string)
			if s.tickets[4711]["user_id"] != tt.user || !strings.Contains(note, tt.says) || strings.Contains(note, "general user") != (tt.says != "") {
				t.Errorf("user %v, note %q", s.tickets[4711]["user_id"], note)
			}
			s.actions = nil // the note was lost with the hub
			if err := s.desk().Finish(t.Context(), "4711", in); err != nil || s.actions[0]["note_html"] != note {
				t.Errorf("finished later: %v, %v", s.actions, err)
			}
		})
	}
}

func TestListsThatLeaveFieldsOut(t *testing.T) {
	s := newSite(t)
	d := s.desk()
	for _, ref := range []string{"RH-7K2M", "RH-AAAA"} {
		in := draft()
		in.Ref = ref
		must[ticket.Ticket](t)(d.Create(t.Context(), in))
	}
	for _, bare := range []bool{false, true} {
		s.bare = bare
		if got := must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-7K2M")); len(got) != 1 || got[0].ID != "4711" || got[0].Ref != "RH-7K2M" {
			t.Errorf("bare %t: found %+v", bare, got)
		}
		if got := must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-ZZZZ")); len(got) != 0 {
			t.Errorf("bare %t: found what is not there: %+v", bare, got)
		}
		if got := must[[]ticket.Ticket](t)(d.List(t.Context(), []string{"4711", "4712", "99", "no number"})); len(got) != 2 {
			t.Errorf("bare %t: list %+v", bare, got)
		}
	}
	s.bare = false
	s.tickets[4711]["summary"] = "somebody wrote another title"
	if got := must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-7K2M")); len(got) != 1 {
		t.Errorf("with another title: %+v", got)
	}
}

func TestGoneTickets(t *testing.T) {
	s := newSite(t)
	if _, err := s.desk().Get(t.Context(), "99"); responsehub.KindOf(err) != responsehub.NotFound || err == nil {
		t.Error(err)
	}
	if _, err := s.desk(func(c *halopsa.Config) { c.URL, c.AuthURL = s.srv.URL+"/wrong", s.srv.URL+"/auth" }).Get(t.Context(), "99"); responsehub.KindOf(err) != responsehub.Permanent || err == nil {
		t.Errorf("an address that is wrong is taken for a deleted ticket: %v", err)
	}
}

func TestSignIn(t *testing.T) {
	t.Run("a token that was withdrawn", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-1"))
		s.token = "token-2-secret"
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		if s.tokens != 2 || len(s.tickets) != 1 {
			t.Errorf("%d tokens, %d tickets", s.tokens, len(s.tickets))
		}
	})
	t.Run("bad secret", func(t *testing.T) {
		s := newSite(t)
		_, err := s.desk(func(c *halopsa.Config) { c.ClientSecret = "wrong-secret-99" }).Find(t.Context(), "RH-1")
		if responsehub.KindOf(err) != responsehub.Unauthorized || strings.Contains(err.Error(), "wrong-secret-99") || !strings.Contains(responsehub.Sentence(err), "The secret *** is wrong") {
			t.Error(err)
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		s := newSite(t)
		tenant := ""
		auth := newSite(t)
		auth.override = func(_ http.ResponseWriter, r *http.Request) bool { tenant = r.URL.Query().Get("tenant"); return false }
		must[[]ticket.Ticket](t)(s.desk(func(c *halopsa.Config) { c.AuthURL, c.Tenant = auth.srv.URL+"/auth/token", "msp" }).Find(t.Context(), "RH-1"))
		if s.tokens != 0 || auth.tokens != 1 || len(auth.calls) != 0 || tenant != "msp" {
			t.Errorf("tokens %d and %d, tenant %q", s.tokens, auth.tokens, tenant)
		}
	})
}

func TestRefusalsAndUnknownOutcomes(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		kind   responsehub.Kind
		says   string
	}{
		"validation":     {400, `"An Outcome must be entered for this Action"`, responsehub.Permanent, "An Outcome must be entered"},
		"field":          {400, `{"message":"Client is wrong"}`, responsehub.Permanent, "Client is wrong"},
		"plain":          {400, `no good`, responsehub.Permanent, "no good"},
		"access":         {400, `"You do not have access to this Action at the moment"`, responsehub.Forbidden, "do not have access"},
		"forbidden":      {403, ``, responsehub.Forbidden, ""},
		"crash":          {500, `{"message":"oops"}`, responsehub.UnknownOutcome, ""},
		"bad gateway":    {502, `<html>`, responsehub.UnknownOutcome, ""},
		"too many":       {429, ``, responsehub.Throttled, ""},
		"half an answer": {200, `{"id`, responsehub.UnknownOutcome, ""},
		"no id":          {200, `{}`, responsehub.UnknownOutcome, ""},
		"empty":          {200, `[]`, responsehub.UnknownOutcome, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			posts := 0
			s.override = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/Tickets") {
					return false
				}
				posts++
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
				return true
			}
			_, err := s.desk().Create(t.Context(), draft())
			if responsehub.KindOf(err) != tt.kind || err == nil || !strings.Contains(responsehub.Sentence(err), tt.says) {
				t.Errorf("got %s: %s", responsehub.KindOf(err), responsehub.Sentence(err))
			}
			if posts != 1 {
				t.Errorf("asked %d times for a ticket", posts)
			}
		})
	}
}

func TestDetailsFollowWhenTheyCouldNotBeAdded(t *testing.T) {
	s := newSite(t)
	broken := true
	s.override = func(w http.ResponseWriter, r *http.Request) bool {
		if broken && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Actions") {
			w.WriteHeader(503)
			return true
		}
		return false
	}
	d := s.desk()
	if _, err := d.Create(t.Context(), draft()); responsehub.KindOf(err) != responsehub.UnknownOutcome || err == nil {
		t.Fatalf("got %v", err)
	}
	broken = false
	for range 2 {
		found := must[[]ticket.Ticket](t)(s.desk().Find(t.Context(), "RH-7K2M")) // another process than the one that began
		if err := d.Finish(t.Context(), found[0].ID, draft()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.tickets) != 1 || len(s.actions) != 1 {
		t.Errorf("%d tickets, notes %v", len(s.tickets), s.actions)
	}
}

func TestTraps(t *testing.T) {
	t.Run("a status that is not set", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		s.lies = true
		if _, _, err := d.Move(t.Context(), "4711", ticket.Working, ""); responsehub.KindOf(err) != responsehub.Permanent || err == nil {
			t.Error(err)
		}
	})
	t.Run("public", func(t *testing.T) {
		s := newSite(t)
		d := s.desk(func(c *halopsa.Config) { c.Public = true })
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		if text := s.tickets[4711]["details_html"].(string); strings.Contains(text, "<script") || !strings.Contains(text, "&lt;script&gt;") || len(s.actions) != 0 {
			t.Errorf("details %q", text)
		}
		if err := d.Note(t.Context(), "4711", ticket.Note{Text: "x"}); err != nil || s.actions[0]["hiddenfromuser"] != false || s.actions[0]["outcome_id"] != 71. {
			t.Errorf("%v %v", s.actions, err)
		}
	})
	t.Run("the stock outcome", func(t *testing.T) {
		s := newSite(t)
		s.noOutcomes = true
		if err := s.desk().Note(t.Context(), "1", ticket.Note{Text: "x"}); err != nil || s.actions[0]["outcome_id"] != 7. {
			t.Errorf("%v %v", s.actions, err)
		}
	})
	t.Run("clients", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		for _, name := range []string{"Fabrikam", "fabrikam", "20", tenantID} {
			if err := d.Mapped(t.Context(), name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, name := range []string{"Twin", "Gone", "Nobody", "Fabri", "77", "22222222-2222-4222-8222-222222222222"} {
			if err := d.Mapped(t.Context(), name); responsehub.KindOf(err) != responsehub.NotFound || err == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := must[[]ticket.Company](t)(d.Companies(t.Context(), "fabri")); len(got) != 2 {
			t.Errorf("companies %v", got)
		}
		if got := must[[]ticket.Company](t)(d.Companies(t.Context(), tenantID)); len(got) != 1 || got[0].ID != "20" {
			t.Errorf("companies of a tenant %v", got)
		}
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestContract(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		New: func(t *testing.T, hc *http.Client) connectortest.Calls {
			d, err := halopsa.New(halopsa.Config{URL: "https://halo.example", ClientID: "client", ClientSecret: clientSecret, EventKey: eventKey}, hc)
			if err != nil {
				t.Fatal(err)
			}
			return connectortest.Calls{
				Read:  func(ctx context.Context) error { _, err := d.Get(ctx, "1"); return err },
				Write: func(ctx context.Context) error { return d.Note(ctx, "1", ticket.Note{Text: "x"}) },
			}
		},
		Side: func(r *http.Request) *http.Response {
			switch r.URL.Path {
			case "/auth/token":
				return connectortest.JSON(r, 200, `{"access_token":"token-1-secret","expires_in":3600}`)
			case "/api/Outcome":
				return connectortest.JSON(r, 200, `[]`)
			}
			return nil
		},
		Secrets: []string{clientSecret, "token-1-secret", eventKey},
	})
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		change func(*site)
		cfg    func(*halopsa.Config)
		want   string // check and grade that must be there
	}{
		"all well":         {nil, nil, "statuses ok"},
		"status missing":   {nil, func(c *halopsa.Config) { c.Statuses[ticket.Working] = "Nope" }, "status working missing"},
		"status closes":    {nil, func(c *halopsa.Config) { c.Statuses[ticket.Waiting] = "Closed" }, "status waiting warning"},
		"no such type":     {nil, func(c *halopsa.Config) { c.Type = "Nope" }, "type missing"},
		"no such priority": {nil, func(c *halopsa.Config) { c.Priorities[responsehub.Low] = "Nope" }, "priority missing"},
		"no such team":     {nil, func(c *halopsa.Config) { c.Team = "Nope" }, "team missing"},
		"no webhook":       {nil, nil, "events warning"},
		"webhook off":      {func(s *site) { s.hooks = []row{{"id": "1", "name": "responsehub 1", "active": true, "disabled": true}} }, nil, "events warning"},
		"no events":        {func(s *site) { s.hooks = []row{{"id": "1", "name": "responsehub 1", "active": true}} }, nil, "events warning"},
		"webhook on": {func(s *site) {
			s.hooks = []row{{"id": "1", "name": "responsehub 1", "active": true}}
			for _, no := range []any{"76", 39, "1072", 4} {
				s.events = append(s.events, row{"webhook_id": "1", "eventno": no})
			}
		}, nil, "events ok"},
		"events not shown": {func(s *site) { s.hooks, s.shy = []row{{"id": "1", "name": "responsehub 1", "active": true}}, true }, nil, "events ok"},
		"users":            {nil, nil, "users ok"},
		"no users": {func(s *site) {
			s.override = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/Users") {
					w.WriteHeader(http.StatusForbidden)
					return true
				}
				return false
			}
		}, nil, "users warning"},
		"keys":      {nil, func(c *halopsa.Config) { c.ClientSecret = "wrong" }, "sign in missing"},
		"catch-all": {nil, func(c *halopsa.Config) { c.CatchAll = "Ghost" }, "catch-all company missing"},
		"clock":     {nil, nil, "clock ok"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if tt.change != nil {
				tt.change(s)
			}
			if tt.cfg == nil {
				tt.cfg = func(*halopsa.Config) {}
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
			for _, c := range s.calls {
				if !strings.HasPrefix(c, "GET ") {
					t.Errorf("checking made the call %s", c)
				}
			}
		})
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(400, []byte(`"no"`))
	f.Add(200, []byte(`[{"id":1,"status_id":9,"dateclosed":"x"}]`))
	f.Add(200, []byte(`{"tickets":[{}],"clients":[{"id":1,"name":"Fabrikam"}]}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			status = 500
		}
		d, err := halopsa.New(halopsa.Config{URL: "https://halo.example", CatchAll: "c", ClientSecret: clientSecret}, transport.Client(transport.Over(tripper(func(r *http.Request) (*http.Response, error) {
			switch {
			case r.URL.Host != "halo.example":
				t.Fatalf("a request left for %s", r.URL)
			case r.URL.Path == "/auth/token":
				return connectortest.JSON(r, 200, `{"access_token":"t","expires_in":3600}`), nil
			}
			return connectortest.JSON(r, status, string(body)), nil
		}))))
		if err != nil {
			t.Fatal(err)
		}
		_, ferr := d.Find(t.Context(), "RH-1")
		_, gerr := d.Get(t.Context(), "1")
		_, cerr := d.Create(t.Context(), draft())
		for _, err := range []error{ferr, gerr, cerr, d.Note(t.Context(), "1", ticket.Note{Text: "x"})} {
			if err != nil && (responsehub.Sentence(err) == "" || strings.Contains(err.Error(), clientSecret)) {
				t.Errorf("%v", err)
			}
		}
	})
}
