package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/remediation"
	"responsehub/sim/wire"
	"responsehub/store"
)

// TestTicketSystemAway: ConnectWise fails in two ways for a while, first when the ticket
// is to be made, then when it is to be told something. No step waits for it, and when it
// is back nothing is lost or told twice.
func TestTicketSystemAway(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	away := func() {
		s.world.Wire.AddFault(wire.Fault{Vendor: "connectwise", Every: 2, Status: 503, Answer: "<html>maintenance</html>"})
		s.world.Wire.AddFault(wire.Fault{Vendor: "connectwise", Drop: true})
	}
	away()
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.until("the hub tried twice", func() bool { return s.ticketRef(in).Tries > 1 })
	if n := len(s.world.ConnectWise.Snapshot().Tickets); n != 0 {
		t.Fatalf("%d tickets while ConnectWise was away", n)
	}
	s.world.Wire.ClearFaults()
	s.persistenceSettled(in)
	s.told(in, "lock.1.done", "retract.1.done")

	away()
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.until("the hub tried", func() bool { return s.ticketRef(in).Tries > 0 })
	s.world.Wire.ClearFaults()
	s.told(in, "password.1.done")
	s.until("the failure is forgotten", func() bool { return s.ticketRef(in).Failure == "" })
	if s.markers(in, s.oneTicket(in))["password.1.done"] == "" {
		t.Errorf("the password's note is missing:\n%s", written(s.oneTicket(in)))
	}
}

const awayWords = "While the ticket could not be reached"

// TestTicketSystemRefusesTheKey: ConnectWise refuses the hub's key for an hour. The
// operators are told once, the incident says so, and nobody else's work waits. Whoever
// has mended it asks for another try, and does not wait for the hub's own: first doctor,
// then a look at the tenant. Nothing is lost, and what was missed is one note.
func TestTicketSystemRefusesTheKey(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{tenants: 2})
	refused := wire.Fault{Vendor: "connectwise", Status: http.StatusUnauthorized, Answer: `{"code":"Unauthorized","message":"The provided credentials are not valid.","errors":null}`}
	s.world.Wire.AddFault(refused)
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.recorded(in.Incident, responsehub.EventNoticeFailed, "refuses the hub's API keys")
	alarms := func() (n int) {
		for _, m := range s.world.Mail.Snapshot().Mails {
			if strings.Contains(m.Subject, "the operators") && strings.Contains(m.Text, "No ticket is made or kept in ConnectWise") {
				n++
			}
		}
		return n
	}
	s.until("the operators have a mail", func() bool { return alarms() == 1 })
	other := s.alert(s.world.Alert("manual"))
	s.until("another customer's ticket is made in Autotask", func() bool { return len(s.world.Autotask.Snapshot().ByRef(other.Ref)) == 1 })
	if c := s.doctorSays("psa connectwise sign in"); c.Grade != responsehub.CheckMissing || !strings.Contains(c.Sentence, "refuses the hub's API keys") {
		t.Errorf("doctor says %+v", c)
	}
	asked := s.requests("connectwise", "", "")
	s.persistenceSettled(in)
	if n := s.requests("connectwise", "", "") - asked; n != 0 {
		t.Errorf("%d more requests with a refused key", n)
	}

	s.world.Wire.ClearFaults()
	if c := s.doctorSays("psa connectwise waiting"); c.Grade != responsehub.CheckOK || !strings.HasPrefix(c.Sentence, "One incident") {
		t.Errorf("once the key is mended doctor says %+v", c)
	}
	s.told(in, "lock.1.done", "retract.1.done", "persistence.1.done")
	s.recorded(in.Incident, responsehub.EventNoticeSent, "is in step again")

	s.world.Wire.AddFault(refused)
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.until("the hub was refused", func() bool { return s.ticketRef(in).Failure != "" })
	s.anHourPasses("connectwise", in)
	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.until("the operators have another mail", func() bool { return alarms() == 2 })
	s.world.Wire.ClearFaults()
	notes := len(s.oneTicket(in).Notes)
	if r := s.api(http.MethodPost, "/v1/tenants/"+s.incident(in.Incident).Tenant.ID+"/preflight", nil); r.status != http.StatusOK {
		t.Fatalf("preflight: %s", r)
	}
	s.told(in, "password.1.done", "reenable.1.done")
	tk := s.oneTicket(in)
	if n := len(tk.Notes) - notes; n != 1 || strings.Count(written(tk), awayWords) != 1 {
		t.Errorf("%d notes tell what was missed:\n%s", n, written(tk))
	}
	s.markers(in, tk)
	if n := len(s.world.ConnectWise.Snapshot().Tickets); n != 1 {
		t.Errorf("%d tickets were made", n)
	}
}

// doctorSays is one check of doctor, beside the hub.
func (s *stage) doctorSays(name string) responsehub.Check {
	s.Helper()
	cfg, _, err := config.Load(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	d, err := app.Doctor(s.Context(), cfg, app.Options{Version: "e2e"}, app.Trial{Tenant: s.scene(0).Tenant.ID})
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range d.Hub {
		if c.Name == name {
			return c
		}
	}
	return responsehub.Check{}
}

// anHourPasses puts the beginning of an outage an hour back.
func (s *stage) anHourPasses(connection string, in ...opened) {
	s.Helper()
	s.amendRef(connection, func(ref *responsehub.TicketRef) { ref.Since = ref.Since.Add(-time.Hour) }, in...)
}

// amendRef changes what the hub knows of tickets, as if time had passed.
func (s *stage) amendRef(connection string, edit func(*responsehub.TicketRef), in ...opened) {
	s.Helper()
	st := store.New(s.rdb)
	e, err := remediation.New(st, st, remediation.Config{Key: bytes.Repeat([]byte{1}, remediation.KeySize)}, slog.New(slog.DiscardHandler))
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	for _, o := range in {
		err := e.Amend(ctx, o.Incident, func(inc *responsehub.Incident) error {
			ref := inc.Tickets[connection]
			edit(&ref)
			inc.Tickets[connection] = ref
			return nil
		})
		if err != nil {
			s.Fatal(err)
		}
	}
}
