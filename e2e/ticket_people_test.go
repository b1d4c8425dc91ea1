package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"responsehub"
	"responsehub/sim"
)

// TestPeopleAtTwoServiceDesks: a customer's tickets are kept in ConnectWise and in HaloPSA.
// At HaloPSA strangers are not believed; somebody takes the ticket, which acknowledges the
// incident, and closes it while the account is locked, which unlocks nothing; the next step
// opens it again. Then it is merged into another, and that one is deleted. The ticket in ConnectWise has
// every note and is left alone by all this.
func TestPeopleAtTwoServiceDesks(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{more: "halopsa"})
	cw, halo := products[0], products[2]
	in := s.takeover()
	s.persistenceSettled(in)
	for _, p := range []product{cw, halo} {
		s.toldAt(p, in, "lock.1.done")
		s.stands(p, in, "contained")
		if tk := s.oneTicketAt(p, in); tk.Company != s.scene(0).Tenant.Name || s.markers(in, tk)["lock.1.done"] == "" {
			t.Errorf("%s: the ticket of %q:\n%s", p.name, tk.Company, written(tk))
		}
	}
	tk := s.oneTicketAt(halo, in)
	if user := s.scene(0).Victim.UPN; strings.Contains(written(tk), user+": the ticket is under its general user") {
		t.Errorf("the ticket is not under %s:\n%s", user, written(tk))
	}
	s.until("events come from HaloPSA", func() bool { return s.eventsOn(halo) })
	s.atDesk("", sim.Act{Do: "desk_subscribe", Desk: halo.name, Value: "Ticket Reassigned"})

	before := s.refAt(halo, in)
	for _, kind := range []string{"forged", "unsigned"} {
		if seen := s.atDesk("", sim.Act{Do: "desk_event", Desk: halo.name, Ticket: tk.ID, Value: kind}); !strings.Contains(seen, "answered 401") {
			t.Errorf("an event that is %s: %s", kind, seen)
		}
	}
	if now := s.refAt(halo, in); now.Hints != before.Hints || s.incident(in.Incident).Acknowledged != nil {
		t.Errorf("strangers were heard: %d hints, %d before", now.Hints, before.Hints)
	}

	s.atDesk("tess", sim.Act{Do: "ticket_assign", Desk: halo.name, Ticket: tk.ID})
	s.until("the incident is acknowledged", func() bool { return s.incident(in.Incident).Acknowledged != nil })
	if by := s.incident(in.Incident).Acknowledged.By; by != "Tess Klein" {
		t.Errorf("acknowledged by %q", by)
	}
	s.atDesk("tess", sim.Act{Do: "ticket_close", Desk: halo.name, Ticket: tk.ID})
	s.recorded(in.Incident, responsehub.EventTicketChanged, before.Number, "was closed in HaloPSA")
	if inc := s.incident(in.Incident); inc.State != responsehub.Active || len(inc.Todos) != 1 || s.scene(0).Victim.Enabled() {
		t.Errorf("the incident is %s, the account enabled: %t, to do: %+v", inc.State, s.scene(0).Victim.Enabled(), inc.Todos)
	}
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	for _, p := range []product{cw, halo} {
		s.toldAt(p, in, "password.1.done")
	}
	s.until("the ticket is open again", func() bool { return !s.oneTicketAt(halo, in).Closed })

	other := s.alert(encoded(t, s.colleague()))
	s.toldAt(halo, other)
	parent := s.oneTicketAt(halo, other)
	s.atDesk("omar", sim.Act{Do: "ticket_merge", Desk: halo.name, Ticket: tk.ID, Value: strconv.Itoa(parent.ID)})
	s.recorded(in.Incident, responsehub.EventTicketChanged, "was merged into")
	s.until("the hub goes on in the other ticket", func() bool { return s.refAt(halo, in).ID == strconv.Itoa(parent.ID) })

	s.atDesk("omar", sim.Act{Do: "ticket_delete", Desk: halo.name, Ticket: parent.ID})
	s.recorded(other.Incident, responsehub.EventTicketChanged, "another is made")
	s.until("another ticket is there", func() bool {
		ref := s.refAt(halo, other)
		return ref.ID != "" && ref.ID != strconv.Itoa(parent.ID) && ref.Intent == ""
	})
	if ref := s.refAt(halo, other); !slices.Contains(ref.Left, strconv.Itoa(parent.ID)) {
		t.Errorf("the new ticket does not follow the old: %+v", ref)
	}
	if tk := s.oneTicketAt(cw, in); tk.Closed || tk.Assignee != "" || s.markers(in, tk)["password.1.done"] == "" {
		t.Errorf("the ticket in ConnectWise: %+v", tk)
	}
}
