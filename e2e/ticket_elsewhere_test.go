package e2e

import (
	"slices"
	"strings"
	"testing"

	"responsehub"
	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// TestTicketInAutotask and TestTicketInHaloPSA: a whole incident has one ticket, for its
// company, with a note for each step, although the answer to its making is lost. It is
// closed with the incident, and the customer reads none of it.
func TestTicketInAutotask(t *testing.T) {
	t.Parallel()
	wholeTicket(t, "autotask", `"externalID":"RH-`)
}

func TestTicketInHaloPSA(t *testing.T) {
	t.Parallel()
	wholeTicket(t, "halopsa", `"third_party_id_string":"RH-`)
}

func wholeTicket(t *testing.T, product, made string) {
	t.Helper()
	s := raise(t, scenery{desk: product})
	s.world.Wire.AddFault(wire.Fault{Vendor: product, Method: "POST", Match: "/Tickets", Body: made, After: true, Drop: true, Times: 1})
	desks := map[string]func() desk.State{"autotask": s.world.Autotask.Snapshot, "halopsa": s.world.Halo.Snapshot}
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.persistenceSettled(in)
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.click("bob", in.Ref, "6 Mark as remediated", nil)
	s.closed(in)

	var tickets []desk.Ticket
	s.until("the ticket is closed", func() bool {
		tickets = desks[product]().ByRef(in.Ref)
		return len(tickets) == 1 && tickets[0].Closed
	})
	tk := tickets[0]
	if tk.Company != s.scene(0).Tenant.Name || tk.Priority == "" || strings.Contains(tk.Text, "Account:") || !strings.Contains(tk.Text, in.Ref) {
		t.Errorf("the ticket: %+v", tk)
	}
	var all []string
	for _, n := range tk.Notes {
		if !n.Internal {
			t.Errorf("the customer reads %q", n.Text)
		}
		all = append(all, n.Text)
	}
	text := strings.Join(all, "\n")
	for _, marker := range []string{"details]", "password.1.done]", "reenable.1.done]"} {
		if !strings.Contains(text, in.Ref+" "+marker) {
			t.Errorf("no note is marked %q:\n%s", marker, text)
		}
	}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("a note was written twice:\n%s", text)
	}
	s.recorded(in.Incident, responsehub.EventNoticeSent, "Ticket", "found in")
}
