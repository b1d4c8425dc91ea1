package autotask_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/connectors/connectortest"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

func draft() ticket.Draft {
	return ticket.Draft{
		Ref: "RH-7K2M", Company: "Fabrikam", Title: "[Critical] M365 account takeover: pat@fab.example (" + strings.Repeat("Fäbrikam ", 40) + ")",
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
	in := s.tickets[128926]
	got := row{}
	for _, k := range []string{"status", "companyID", "priority", "queueID", "contactID", "externalID", "description"} {
		got[k] = in[k]
	}
	want := row{"status": 1., "companyID": 20., "priority": 4., "queueID": 29682833., "contactID": 9., "externalID": "RH-7K2M", "description": "Details are in the internal notes. Reference: RH-7K2M"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
	if title := in["title"].(string); len([]rune(title)) > 255 || !strings.HasPrefix(title, "[Critical] M365 account takeover: pat@fab.example (Fäbrikam") {
		t.Errorf("title %q", title)
	}
	if n := s.notes; len(n) != 1 || n[0]["publish"] != 2. || n[0]["noteType"] != 3. || n[0]["description"] != "What happened\nEvidence\n[RH-7K2M details]" {
		t.Errorf("the details: %v", n)
	}
	if diff := cmp.Diff(ticket.Ticket{
		ID: "128926", Number: "T20261123.0001", URL: "https://ww1.autotask.net/Autotask/AutotaskExtend/ExecuteCommand.aspx?Code=OpenTicketDetail&TicketID=128926",
		Ref: "RH-7K2M", Company: "20", Board: "Security", Status: "New", UpdatedBy: "Response Hub",
	}, made); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	if found := must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-7K2M")); len(found) != 1 || found[0].ID != "128926" || len(s.notes) != 1 {
		t.Errorf("found %+v, %d notes", found, len(s.notes))
	}
	if err := d.Note(t.Context(), "128926", ticket.Note{Title: "Locked", Text: strings.Repeat("é", 40000) + " [RH-7K2M lock.1.done]"}); err != nil {
		t.Fatal(err)
	}
	notes := must[[]string](t)(d.Notes(t.Context(), "128926"))
	if last := notes[len(notes)-1]; len([]rune(last)) > 32000 || !strings.HasSuffix(last, "... [RH-7K2M lock.1.done]") {
		t.Errorf("a long note has %d characters and ends with %q", len([]rune(last)), last[len(last)-40:])
	}
	s.tickets[128926]["assignedResourceID"] = 30
	moved, ok, err := d.Move(t.Context(), "128926", ticket.Closed, strings.Repeat("All is well. ", 40)+"[RH-7K2M close]")
	if err != nil || !ok || !moved.Closed || moved.Status != "Complete" || moved.ClosedBy != "Response Hub" || moved.Owner != "Jo Doe" || !moved.ClosedAt.Equal(time.Date(2026, 11, 23, 10, 0, 0, 123e6, time.UTC)) {
		t.Errorf("moved %+v, %t, %v", moved, ok, err)
	}
	if text := s.tickets[128926]["resolution"].(string); len(text) > 200 || !strings.HasSuffix(text, "[RH-7K2M close]") {
		t.Errorf("resolution %q", text)
	}
	if s.tickets[128926]["title"] == nil {
		t.Error("closing took other fields away")
	}
	if got, ok, err := d.Move(t.Context(), "128926", ticket.Working, "unused"); err != nil || ok || !got.Closed {
		t.Errorf("what a person closed was set to a status on the way: %+v %t %v", got, ok, err)
	}
	if got, ok, err := d.Move(t.Context(), "128926", ticket.Reopened, "unused"); err != nil || !ok || got.Closed {
		t.Errorf("opened again: %+v %t %v", got, ok, err)
	}
	if _, ok, err := d.Move(t.Context(), "128926", ticket.Contained, ""); ok || err != nil {
		t.Errorf("a stage without a status moved it: %t %v", ok, err)
	}
	if got := must[[]ticket.Ticket](t)(d.List(t.Context(), []string{"128926", "99", "no number"})); len(got) != 1 {
		t.Errorf("list %+v", got)
	}
	if err := d.Assign(t.Context(), "128926", "CatchAll"); err != nil || s.tickets[128926]["companyID"] != 19. {
		t.Error(err)
	}
	if cs := must[[]ticket.Company](t)(d.Companies(t.Context(), "ri")); len(cs) != 1 || cs[0] != (ticket.Company{ID: "20", Name: "Fabrikam"}) {
		t.Errorf("companies %+v", cs)
	}
	for _, c := range s.calls {
		if strings.HasPrefix(c, "PUT ") || strings.HasPrefix(c, "PATCH Tickets/") {
			t.Errorf("%s would take fields away, or is no call of Autotask's", c)
		}
	}
}

func TestGoneTickets(t *testing.T) {
	for _, missing := range []int{404, 200} {
		s := newSite(t)
		s.missing = missing
		if _, err := s.desk().Get(t.Context(), "99"); responsehub.KindOf(err) != responsehub.NotFound || err == nil {
			t.Errorf("%d: %v", missing, err)
		}
	}
	s := newSite(t)
	s.override = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/V1.0/Tickets") {
			w.WriteHeader(404)
			return true
		}
		return false
	}
	if _, err := s.desk().Get(t.Context(), "99"); responsehub.KindOf(err) != responsehub.Permanent {
		t.Errorf("an address that is wrong is taken for a deleted ticket: %v", err)
	}
}

func TestRefusalsAndUnknownOutcomes(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		kind   responsehub.Kind
		says   string
	}{
		"validation":         {500, `{"errors":["Value does not reference an existing entity for taskType . "]}`, responsehub.Permanent, "does not reference an existing entity"},
		"permission":         {500, `{"errors":["The logged in Resource does not have the adequate permissions"]}`, responsehub.Forbidden, "adequate permissions"},
		"threads":            {500, `{"errors":["The thread threshold of 3 was exceeded"]}`, responsehub.Throttled, "thread threshold"},
		"database timed out": {500, `{"errors":["Execution Timeout Expired."]}`, responsehub.UnknownOutcome, ""},
		"no words":           {500, ``, responsehub.UnknownOutcome, ""},
		"a gateway's page":   {500, `<html>`, responsehub.UnknownOutcome, ""},
		"no errors":          {500, `{"errors":[]}`, responsehub.UnknownOutcome, ""},
		"bad gateway":        {502, ``, responsehub.UnknownOutcome, ""},
		"too many":           {429, ``, responsehub.Throttled, ""},
		"keys":               {401, ``, responsehub.Unauthorized, ""},
		"echoed keys":        {500, `{"errors":["bad ` + secret + ` and ` + tracking + `"]}`, responsehub.Permanent, "bad *** and ***"},
		"half an answer":     {200, `{"item`, responsehub.UnknownOutcome, ""},
		"no id":              {200, `{}`, responsehub.UnknownOutcome, ""},
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
		if broken && strings.HasSuffix(r.URL.Path, "/Notes") {
			w.WriteHeader(503)
			return true
		}
		return false
	}
	d := s.desk()
	if _, err := d.Create(t.Context(), draft()); responsehub.KindOf(err) != responsehub.UnknownOutcome {
		t.Fatalf("got %v", err)
	}
	broken = false
	for range 2 {
		found := must[[]ticket.Ticket](t)(s.desk().Find(t.Context(), "RH-7K2M")) // another process than the one that began
		if err := d.Finish(t.Context(), found[0].ID, draft()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.tickets) != 1 || len(s.notes) != 1 || !strings.Contains(s.notes[0]["description"].(string), "Evidence") {
		t.Errorf("%d tickets, notes %v", len(s.tickets), s.notes)
	}
}

func TestZone(t *testing.T) {
	t.Run("moves", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		must[[]ticket.Ticket](t)(d.Find(t.Context(), "RH-1"))
		s.prefix = "/zone2"
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		if n := count(s.calls, "zone"); n != 2 {
			t.Errorf("the zone was read %d times", n)
		}
	})
	t.Run("bad keys read it anew once", func(t *testing.T) {
		s := newSite(t)
		d := s.desk(func(c *autotask.Config) { c.Secret = "wrong" })
		for range 5 {
			if _, err := d.Find(t.Context(), "RH-1"); responsehub.KindOf(err) != responsehub.Unauthorized {
				t.Fatal(err)
			}
		}
		if n := count(s.calls, "zone"); n > 2 {
			t.Errorf("the zone was read %d times", n)
		}
	})
	t.Run("unknown user", func(t *testing.T) {
		s := newSite(t)
		if _, err := s.desk(func(c *autotask.Config) { c.Username = "ghost" }).Find(t.Context(), "RH-1"); responsehub.KindOf(err) != responsehub.Unauthorized || !strings.Contains(responsehub.Sentence(err), "The user does not exist.") {
			t.Error(err)
		}
	})
	for _, tt := range []struct {
		home, zone string
		trusted    bool
	}{
		{"https://webservices.autotask.net", "https://webservices19.autotask.net/ATServicesRest/", true},
		{"https://webservices.autotask.net", "http://webservices19.autotask.net/ATServicesRest/", false},
		{"https://webservices.autotask.net", "https://autotask.net.evil.example/ATServicesRest/", false},
		{"https://webservices.autotask.net", "https://evilautotask.net/ATServicesRest/", false},
		{"https://webservices.autotask.net", "https://u@webservices19.autotask.net/ATServicesRest/", false},
		{"https://webservices.autotask.net", "https://webservices19.autotask.net:444/ATServicesRest/", false},
		{"https://proxy.example", "https://webservices19.autotask.net/ATServicesRest/", false},
		{"https://proxy.example", "https://proxy.example/ATServicesRest/", true},
	} {
		asked := ""
		d, err := autotask.New(autotask.Config{ZoneURL: tt.home, Username: "u", Secret: secret}, transport.Client(transport.Over(tripper(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "zoneInformation") {
				return connectortest.JSON(r, 200, `{"url":"`+tt.zone+`"}`), nil
			}
			asked = r.URL.Host
			return connectortest.JSON(r, 401, ``), nil
		}))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Find(t.Context(), "RH-1"); err == nil || (asked != "") != tt.trusted {
			t.Errorf("%s with the zone %s: keys went to %q, %v", tt.home, tt.zone, asked, err)
		}
	}
}

func count(calls []string, name string) int {
	n := 0
	for _, c := range calls {
		if c == name {
			n++
		}
	}
	return n
}

func TestTraps(t *testing.T) {
	t.Run("a status that is not set", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		s.lies = true
		if _, _, err := d.Move(t.Context(), "128926", ticket.Working, ""); responsehub.KindOf(err) != responsehub.Permanent || err == nil {
			t.Error(err)
		}
	})
	t.Run("a label that was renamed is read anew", func(t *testing.T) {
		s := newSite(t)
		d := s.desk(func(c *autotask.Config) { c.Statuses[ticket.Working] = "Doing" })
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		s.statuses[1]["label"] = "Doing"
		if got, _, err := d.Move(t.Context(), "128926", ticket.Working, ""); err != nil || got.Status != "Doing" {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("an inactive status", func(t *testing.T) {
		s := newSite(t)
		d := s.desk(func(c *autotask.Config) { c.Statuses[ticket.Working] = "Old" })
		must[ticket.Ticket](t)(d.Create(t.Context(), draft()))
		if _, _, err := d.Move(t.Context(), "128926", ticket.Working, ""); responsehub.KindOf(err) != responsehub.Permanent || err == nil {
			t.Error(err)
		}
	})
	t.Run("internal by label", func(t *testing.T) {
		s := newSite(t)
		s.publish = []row{pick(1, "All Autotask Users"), pick(2, "Everybody and customers"), pick(7, "Internal Only")}
		must[ticket.Ticket](t)(s.desk().Create(t.Context(), draft()))
		if s.notes[0]["publish"] != 7. {
			t.Errorf("published to %v", s.notes[0]["publish"])
		}
		s.publish = s.publish[:2]
		if err := s.desk().Note(t.Context(), "128926", ticket.Note{Text: "x"}); responsehub.KindOf(err) != responsehub.Permanent || len(s.notes) != 1 {
			t.Errorf("a note may have reached the customer: %v", err)
		}
	})
	t.Run("public", func(t *testing.T) {
		s := newSite(t)
		must[ticket.Ticket](t)(s.desk(func(c *autotask.Config) { c.Public = true }).Create(t.Context(), draft()))
		if s.tickets[128926]["description"] != "What happened\nEvidence" || len(s.notes) != 0 {
			t.Errorf("%v %v", s.tickets[128926]["description"], s.notes)
		}
	})
	t.Run("names that several companies share", func(t *testing.T) {
		s := newSite(t)
		d := s.desk()
		for name, kind := range map[string]responsehub.Kind{"Twin": responsehub.NotFound, "Gone": responsehub.NotFound, "Nobody": responsehub.NotFound} {
			if err := d.Mapped(t.Context(), name); responsehub.KindOf(err) != kind || err == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, name := range []string{"Fabrikam", "23", "0"} {
			if err := d.Mapped(t.Context(), name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestContract(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		New: func(t *testing.T, hc *http.Client) connectortest.Calls {
			d, err := autotask.New(autotask.Config{ZoneURL: "https://at.example", Username: "u", Secret: secret, IntegrationCode: tracking, EventKey: hookKey}, hc)
			if err != nil {
				t.Fatal(err)
			}
			return connectortest.Calls{
				Read:  func(ctx context.Context) error { _, err := d.Get(ctx, "1"); return err },
				Write: func(ctx context.Context) error { return d.Note(ctx, "1", ticket.Note{Text: "x"}) },
			}
		},
		Side: func(r *http.Request) *http.Response {
			switch {
			case strings.Contains(r.URL.Path, "zoneInformation"):
				return connectortest.JSON(r, 200, `{"url":"https://at.example/ATServicesRest/"}`)
			case strings.HasSuffix(r.URL.Path, "/entityInformation/fields"):
				return connectortest.JSON(r, 200, `{"fields":[]}`)
			case strings.HasSuffix(r.URL.Path, "/ThresholdInformation"):
				return connectortest.JSON(r, 200, `{}`)
			}
			return nil
		},
		Secrets: []string{secret, tracking, hookKey},
	})
}
