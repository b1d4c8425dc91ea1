package e2e

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/sim"
	"responsehub/sim/desk"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
	"responsehub/store"
)

// TestTicketAtAutotasksDesk: people do at Autotask's desk all that can be done to a ticket,
// and others pretend to be Autotask. Nothing of it unlocks or resets anything, the hub
// goes on in the right ticket each time, and no ticket is made twice.
func TestTicketAtAutotasksDesk(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{desk: "autotask", deskKeys: "    acknowledge_on: assignment\n"})
	at := products[1]
	act := func(who, do string, ticket int, value string) string {
		t.Helper()
		return s.atDesk(who, sim.Act{Do: do, Desk: "autotask", Ticket: ticket, Value: value})
	}
	in := s.takeover()
	s.persistenceSettled(in)
	s.toldAt(at, in, "lock.1.done")
	s.stands(at, in, "contained")
	s.until("events come from Autotask", func() bool { return s.eventsOn(at) })

	first := s.oneTicketAt(at, in)
	act("tess", "ticket_assign", first.ID, "")
	s.until("who takes the ticket has acknowledged", func() bool {
		inc, ok := s.kept(in.Incident)
		return ok && inc.Acknowledged != nil && inc.Acknowledged.By.Name == "Tess Klein"
	})
	act("", "desk_zone", 0, "zone9") // from here on the hub is refused where it was
	act("tess", "ticket_close", first.ID, "")
	s.recorded(in.Incident, responsehub.EventTicketChanged, first.Number, "was closed in Autotask by Tess Klein")
	if inc := s.incident(in.Incident); inc.State != responsehub.Active || len(inc.Todos) != 1 || s.scene(0).Victim.Enabled() || s.step(in.Incident, responsehub.Password).Round != 0 {
		t.Errorf("closing the ticket did something: the incident is %s, to do %+v", inc.State, inc.Todos)
	}
	s.believesNobody(at, in, first)

	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.toldAt(at, in, "password.1.done")
	s.stands(at, in, "contained")
	if tk := s.oneTicketAt(at, in); tk.Closed {
		t.Errorf("the ticket was not opened again: %s", tk.Status)
	}

	act("omar", "ticket_close", first.ID, "")
	s.recorded(in.Incident, responsehub.EventTicketChanged, first.Number, "was closed in Autotask by Omar Reyes")
	s.amendRef("autotask", func(ref *responsehub.TicketRef) { ref.ClosedAt = ref.ClosedAt.Add(-8 * 24 * time.Hour) }, in)
	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	second := s.replaced(at, in, first)
	if text := written(second); !strings.Contains(text, "This ticket follows "+first.Number+", which was closed too long ago") {
		t.Errorf("the new ticket does not name the old one:\n%s", text)
	}

	act("omar", "ticket_delete", second.ID, "")
	s.recorded(in.Incident, responsehub.EventTicketChanged, second.Number, "another is made")
	third := s.replaced(at, in, second)

	// Autotask refuses another incident's ticket in its own way, by a 500 with words.
	s.world.Wire.AddFault(wire.Fault{Vendor: "autotask", Method: "POST", Match: "/Tickets", Body: `"externalID":"RH-`, Times: 1, Status: 500, Answer: `{"errors":["Missing Required Field: issueType; on record number [1]."]}`})
	other := s.alert(encoded(t, s.colleague()))
	s.recorded(other.Incident, responsehub.EventNoticeFailed, "Missing Required Field: issueType")
	if r := s.api(http.MethodPost, "/v1/tenants/"+s.incident(other.Incident).Tenant.ID+"/preflight", nil); r.status != http.StatusOK {
		t.Fatalf("preflight: %s", r)
	}
	s.until("the other incident has its ticket", func() bool { ref := s.refAt(at, other); return ref.ID != "" && ref.Intent == "" })
	parent := s.oneTicketAt(at, other)
	act("omar", "ticket_merge", third.ID, strconv.Itoa(parent.ID))
	s.recorded(in.Incident, responsehub.EventTicketChanged, third.Number, "was merged into "+parent.Number)
	s.click("bob", in.Ref, "6 Mark as remediated", nil)
	s.closed(in)
	s.toldAt(at, in, "resolution")
	if tk := s.oneTicketAt(at, other); strings.Count(written(tk), "["+in.Ref+" resolution]") != 1 || tk.Closed {
		t.Errorf("the resolution is not in the ticket into which the other was merged, or that is closed:\n%s", written(tk))
	}
	if n := len(s.world.Autotask.Snapshot().Tickets); n != 4 {
		t.Errorf("%d tickets were made, want 4", n)
	}

	// Autotask switches the webhook off; ten minutes after the hub last looked.
	if err := store.NewTickets(s.rdb).Again(t.Context(), "listen", "autotask"); err != nil {
		t.Fatal(err)
	}
	act("", "desk_hooks", 0, "off")
	s.until("the webhook is set up again", func() bool { return s.eventsOn(at) })
}

// replaced waits until the incident has another ticket than the one it had.
func (s *stage) replaced(p product, in opened, old desk.Ticket) desk.Ticket {
	s.Helper()
	var now desk.Ticket
	s.until("another ticket than "+old.Number+" is there", func() bool {
		ref := s.refAt(p, in)
		for _, tk := range p.snapshot(s.world).ByRef(in.Ref) {
			if strconv.Itoa(tk.ID) == ref.ID && tk.ID != old.ID && ref.Intent == "" {
				now = tk
				return true
			}
		}
		return false
	})
	return now
}

// believesNobody has events posted that are not Autotask's, or were before.
func (s *stage) believesNobody(p product, in opened, tk desk.Ticket) {
	s.Helper()
	s.until("every event is answered, and looked at", func() bool {
		ref := s.refAt(p, in)
		for _, d := range p.snapshot(s.world).Deliveries {
			if !d.Done {
				return false
			}
		}
		return ref.Hints == ref.Heard && ref.Intent == ""
	})
	hints, entries := s.refAt(p, in).Hints, s.happened(in)
	for kind, answer := range map[string]string{"forged": "401", "unsigned": "204", "replay": "204"} {
		if seen := s.atDesk("", sim.Act{Do: "desk_event", Desk: p.name, Ticket: tk.ID, Value: kind}); !strings.Contains(seen, "answered "+answer) {
			s.Errorf("an event that is %s: %s, want %s", kind, seen, answer)
		}
	}
	if ref := s.refAt(p, in); ref.Hints != hints || s.happened(in) != entries {
		s.Errorf("strangers were heard: %d hints, %d before", ref.Hints, hints)
	}
}

// happened counts what was done to an incident, its steps or its ticket. Who is told
// meanwhile goes on by itself.
func (s *stage) happened(in opened) int {
	n := 0
	for _, e := range s.events(in.Incident) {
		switch about, _, _ := strings.Cut(string(e.Kind), "."); about {
		case "ticket", "incident", "step", "todo":
			n++
		}
	}
	return n
}

// TestAlertsAtOnceInAutotask: thirty incidents at once over real sockets, at an Autotask that
// loses answers: each gets one ticket, and never more than three calls are under way to
// one kind of record.
func TestAlertsAtOnceInAutotask(t *testing.T) {
	t.Parallel()
	const all = 30
	s := raise(t, scenery{desk: "autotask", deskKeys: "    calls_per_hour: 5000\n"})
	made := `"externalID":"RH-`
	s.world.Wire.AddFault(wire.Fault{Vendor: "autotask", Method: "POST", Match: "/Tickets", Body: made, Skip: 2, Every: 17, After: true, Drop: true})
	s.world.Wire.AddFault(wire.Fault{Vendor: "autotask", Method: "POST", Match: "/Tickets", Body: made, Every: 13, Status: 500})
	var in []opened
	for i := range all {
		alert := s.scene(0).Alert("storm-" + strconv.Itoa(i))
		u := s.scene(0).Tenant.AddUser(tenant.Person{UPN: "storm" + strconv.Itoa(i) + "@" + s.scene(0).Tenant.Domains[0].Name, Name: "Storm " + strconv.Itoa(i)})
		alert["account"] = map[string]any{"object_id": u.ID, "user_principal_name": u.UPN}
		alert["severity"] = responsehub.Severities[3-i*4/all]
		delete(alert, "persistence")
		delete(alert, "phish")
		body, err := json.Marshal(alert)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, s.alert(body))
	}
	start := time.Now()
	at := products[1]
	for _, o := range in {
		s.until("the ticket of "+o.Ref+" is there", func() bool { ref := s.refAt(at, o); return ref.ID != "" && ref.Intent != "create" })
		s.oneTicketAt(at, o)
	}
	t.Logf("%d tickets %s after the last alert", all, time.Since(start).Round(100*time.Millisecond))
	for _, r := range s.world.Wire.Requests() {
		if r.Vendor == "autotask" && strings.Contains(r.Answer, "threshold of") {
			t.Fatalf("a call too many: %s %s", r.Path, r.Answer)
		}
	}
}
