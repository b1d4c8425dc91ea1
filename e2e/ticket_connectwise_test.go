package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/sim"
	"responsehub/sim/desk"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
	"responsehub/ticket"
)

// TestTicketInConnectWise: the answer to the ticket's making is lost, yet a whole
// incident has one ticket, for its company, with one note for the steps that ran by
// themselves and one for each step that a person asked for; the resolution, then the
// closed status. Afterwards nobody who forges or replays an event reaches anything.
func TestTicketInConnectWise(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	s.world.Wire.AddFault(wire.Fault{Vendor: "connectwise", Method: "POST", Match: "/service/tickets", Body: `"externalXRef":"RH-`, After: true, Drop: true, Times: 1})
	in := s.takeover()
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.persistenceSettled(in)
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.click("bob", in.Ref, "6 Mark as remediated", nil)
	s.closed(in)
	s.told(in, "resolution")
	s.recorded(in.Incident, responsehub.EventNoticeSent, "Ticket", "found in")

	var tk desk.Ticket
	s.until("the ticket is closed", func() bool { tk = s.oneTicket(in); return tk.Closed })
	if tk.Company != s.scene(0).Tenant.Name || tk.Status != "Closed" || !strings.HasPrefix(tk.Priority, "Priority ") {
		t.Errorf("the ticket: %+v", tk)
	}
	marks := s.markers(in, tk)
	for _, key := range []string{"password.1.done", "reenable.1.done", "resolution"} {
		if marks[key] == "" {
			t.Errorf("no note is marked %q: %q", key, marks)
		}
	}
	if marks["lock.1.done"] != marks["retract.1.done"] {
		t.Errorf("the steps that ran by themselves are told in two notes:\n%s\n%s", marks["lock.1.done"], marks["retract.1.done"])
	}
	for _, n := range tk.Notes {
		if !n.Internal && n.Text != "Details are in the internal notes. Reference: "+in.Ref {
			t.Errorf("the customer reads %q", n.Text)
		}
		for _, p := range s.sentPasswords() {
			if strings.Contains(n.Text, p) {
				t.Error("a note holds the password")
			}
		}
	}
	s.resolvedThenClosed(tk)
	s.believesNoStranger(in, tk)
}

// resolvedThenClosed checks the order in which the ticket was ended.
func (s *stage) resolvedThenClosed(tk desk.Ticket) {
	s.Helper()
	resolved, ended := 0, 0
	for _, e := range s.world.Wire.Effects() {
		switch {
		case e.Vendor != "connectwise" || e.Target != strconv.Itoa(tk.ID):
		case e.Kind == "ticket.note" && strings.Contains(e.Detail, " resolution]"):
			resolved = e.Seq
		case e.Kind == "ticket.status" && e.Detail == "Closed":
			ended = e.Seq
		}
	}
	if resolved == 0 || ended < resolved {
		s.Errorf("the resolution was written as effect %d, the status set as %d", resolved, ended)
	}
}

// believesNoStranger has events posted that are not ConnectWise's.
func (s *stage) believesNoStranger(in opened, tk desk.Ticket) {
	s.Helper()
	// A person's note comes back as an event, which is read; then it is quiet.
	s.quietAtDesk(in)
	before := s.ticketRef(in).Heard
	s.atDesk("tess", sim.Act{Do: "ticket_note", Ticket: tk.ID, Text: "Thank you."})
	s.until("the hub has read the ticket after the note", func() bool { return s.ticketRef(in).Heard > before })
	s.quietAtDesk(in)
	heard, entries := s.ticketRef(in).Heard, s.happened(in)
	for _, c := range []struct {
		kind, answer string
		keys         int // fetches of the signing key, from the configured site
	}{{"replay", "204", 0}, {"elsewhere", "401", 0}, {"reordered", "401", 1}, {"forged", "401", 1}} {
		before := len(s.world.Wire.Requests())
		if seen := s.atDesk("", sim.Act{Do: "desk_event", Ticket: tk.ID, Value: c.kind}); !strings.Contains(seen, "answered "+c.answer) {
			s.Errorf("an event that is %s: %s, want %s", c.kind, seen, c.answer)
		}
		keys := 0
		for _, q := range s.world.Wire.Requests()[before:] {
			switch {
			case strings.Contains(q.Path, "/callbackkey/"):
				keys++
			case q.Vendor == "connectwise" && strings.Contains(q.Path, "/service/tickets"):
				s.Errorf("an event that is %s made the hub ask for %s", c.kind, q.Path)
			}
		}
		if keys > c.keys {
			s.Errorf("an event that is %s made the hub fetch %d keys, want %d at most", c.kind, keys, c.keys)
		}
	}
	if ref := s.ticketRef(in); ref.Heard != heard || ref.Hints != heard || s.happened(in) != entries {
		s.Errorf("strangers were heard: %d hints, %d heard, %d before", ref.Hints, ref.Heard, heard)
	}
}

// quietAtDesk waits until every event was answered and looked at, for a second.
func (s *stage) quietAtDesk(in opened) {
	s.Helper()
	var since time.Time
	last := ""
	s.until("no event is under way", func() bool {
		all := s.world.ConnectWise.Snapshot().Deliveries
		ref := s.ticketRef(in)
		now := fmt.Sprint(len(all), ref.Hints, ref.Heard, len(s.world.Wire.Requests()))
		if now != last || ref.Hints > ref.Heard || slices.ContainsFunc(all, func(d desk.Delivery) bool { return !d.Done }) {
			last, since = now, time.Now()
		}
		return time.Since(since) > time.Second
	})
}

// TestTicketClosedByHand: somebody at the desk closes the ticket while the account is
// locked. The incident says who, and asks; nothing is unlocked or reset. The next step
// opens the ticket again.
func TestTicketClosedByHand(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	in := s.takeover()
	s.persistenceSettled(in)
	s.told(in, "lock.1.done")
	s.until("the ticket shows that it is contained", func() bool { return s.oneTicket(in).Status == "Contained" })
	tk := s.oneTicket(in)
	s.atDesk("tess", sim.Act{Do: "ticket_close", Ticket: tk.ID})
	s.recorded(in.Incident, responsehub.EventTicketChanged, tk.Number, "was closed in ConnectWise by TKlein")
	inc := s.incident(in.Incident)
	if inc.State != responsehub.Active || len(inc.Todos) != 1 || !strings.Contains(inc.Todos[0].Text, "Mark the incident as remediated?") {
		t.Errorf("the incident is %s with %+v to do", inc.State, inc.Todos)
	}
	if s.scene(0).Victim.Enabled() {
		t.Error("the account was unlocked")
	}
	for _, id := range []responsehub.StepID{responsehub.Password, responsehub.Reenable, responsehub.Close} {
		if st := s.step(in.Incident, id); st.Round != 0 {
			t.Errorf("%s ran", id)
		}
	}
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.told(in, "password.1.done")
	s.until("the ticket is open again", func() bool { return !s.oneTicket(in).Closed })
	reopened := false
	for _, e := range s.world.Wire.Effects() {
		reopened = reopened || e.Kind == "ticket.status" && e.Detail == "Re-opened"
	}
	if !reopened {
		t.Error("the ticket was never set to the status for what is opened again")
	}
	s.markers(in, s.oneTicket(in))
}

// TestTicketDeletedThenMerged: a ticket that is deleted is replaced by one that names it;
// one that is merged into another is followed there.
func TestTicketDeletedThenMerged(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	in := s.takeover()
	s.persistenceSettled(in)
	s.told(in, "lock.1.done")
	first := s.oneTicket(in)
	s.atDesk("omar", sim.Act{Do: "ticket_delete", Ticket: first.ID})
	s.recorded(in.Incident, responsehub.EventTicketChanged, first.Number, "another is made")
	s.until("another ticket is there", func() bool {
		ref := s.ticketRef(in)
		return ref.ID != "" && ref.ID != strconv.Itoa(first.ID) && ref.Intent == ""
	})
	second := s.oneTicket(in)
	if text := written(second); !strings.Contains(text, "This ticket follows "+first.Number) || !strings.Contains(text, responsehub.Lock.Title()+": done") {
		t.Errorf("the new ticket does not tell the story:\n%s", text)
	}

	other := s.alert(encoded(t, s.colleague()))
	s.until("the other incident has its ticket", func() bool { ref := s.ticketRef(other); return ref.ID != "" && ref.Intent == "" })
	parent := s.oneTicket(other)
	s.atDesk("omar", sim.Act{Do: "ticket_merge", Ticket: second.ID, Value: strconv.Itoa(parent.ID)})
	s.recorded(in.Incident, responsehub.EventTicketChanged, "was merged into "+parent.Number)
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.told(in, "password.1.done")
	if text := written(s.oneTicket(other)); strings.Count(text, "["+in.Ref+" password.1.done]") != 1 {
		t.Errorf("the note is not in the ticket into which the other was merged:\n%s", text)
	}
	if n := len(s.world.ConnectWise.Snapshot().Tickets); n != 3 {
		t.Errorf("%d tickets were made, want 3", n)
	}
}

// colleague is an alert for another account of the first customer.
func (s *stage) colleague() map[string]any {
	scene := s.scene(0)
	u := scene.Tenant.AddUser(tenant.Person{UPN: "colleague@" + scene.Tenant.Domains[0].Name, Name: "Kim Colleague"})
	alert := scene.Alert("another-account")
	alert["account"] = map[string]any{"object_id": u.ID, "user_principal_name": u.UPN}
	delete(alert, "persistence")
	delete(alert, "phish")
	return alert
}

// TestTicketOnAnotherBoard: a status was renamed, then the ticket is moved to a board
// that has none of the statuses. The incident says what is wrong, the status is left to
// the board, and the notes go on.
func TestTicketOnAnotherBoard(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	s.atDesk("", sim.Act{Do: "desk_rename", Value: "Contained=Isolated"})
	in := s.takeover()
	s.persistenceSettled(in)
	s.recorded(in.Incident, responsehub.EventNoticeFailed, "no active status named", "Contained")
	s.told(in, "lock.1.done")
	tk := s.oneTicket(in)
	s.atDesk("tess", sim.Act{Do: "ticket_board", Ticket: tk.ID, Value: "Help Desk"})
	status := s.oneTicket(in).Status
	changes := s.count("ticket.status", strconv.Itoa(tk.ID))
	s.click("ann", in.Ref, "4 Reset password", nil)
	s.is(in.Incident, responsehub.Password, responsehub.Done)
	s.click("ann", in.Ref, "5 Re-enable account", nil)
	s.is(in.Incident, responsehub.Reenable, responsehub.Done)
	s.click("bob", in.Ref, "6 Mark as remediated", nil)
	s.closed(in)
	s.told(in, "password.1.done", "reenable.1.done", "resolution")
	s.until("nothing is left to set", func() bool { ref := s.ticketRef(in); return ref.Stage == string(ticket.Closed) && ref.Intent == "" })
	tk = s.oneTicket(in)
	if tk.Board != "Help Desk" || tk.Status != status || s.count("ticket.status", strconv.Itoa(tk.ID)) != changes {
		t.Errorf("on %s the status is %q, it was %q", tk.Board, tk.Status, status)
	}
	if s.markers(in, tk)["resolution"] == "" {
		t.Errorf("the resolution is missing:\n%s", written(tk))
	}
}

// ticketRef is what the hub knows of the incident's ticket in ConnectWise.
func (s *stage) ticketRef(in opened) responsehub.TicketRef {
	inc, ok := s.kept(in.Incident)
	if !ok {
		return responsehub.TicketRef{}
	}
	return inc.Tickets["connectwise"]
}

// told waits until the ticket tells of all the keys and nothing is in doubt.
func (s *stage) told(in opened, keys ...string) {
	s.Helper()
	s.until(fmt.Sprintf("the ticket tells of %q", keys), func() bool {
		ref := s.ticketRef(in)
		return ref.ID != "" && ref.Intent == "" && !slices.ContainsFunc(keys, func(k string) bool { return !slices.Contains(ref.Noted, k) })
	})
}

// oneTicket is the incident's only ticket in ConnectWise; a deleted one does not count.
func (s *stage) oneTicket(in opened) desk.Ticket {
	s.Helper()
	all := s.world.ConnectWise.Snapshot().ByRef(in.Ref)
	if len(all) != 1 {
		s.Fatalf("%s has %d tickets: %+v", in.Ref, len(all), all)
	}
	return all[0]
}

// atDesk plays what somebody does at the service desk.
func (s *stage) atDesk(who string, a sim.Act) string {
	s.Helper()
	a.Person = who
	seen, err := s.world.Play(s.Context(), a)
	if err != nil {
		s.Fatalf("%s: %v", a.Do, err)
	}
	return fmt.Sprint(seen)
}

func written(tk desk.Ticket) string {
	var b strings.Builder
	for _, n := range tk.Notes {
		b.WriteString(n.Text + "\n")
	}
	return b.String()
}

var markerOf = regexp.MustCompile(`\[(RH-[^ \]]+) ([^ \]]+)\]`)

// markers are the notes by what they are marked with; each marker stands once.
func (s *stage) markers(in opened, tk desk.Ticket) map[string]string {
	s.Helper()
	marks := map[string]string{}
	for _, n := range tk.Notes {
		for _, m := range markerOf.FindAllStringSubmatch(n.Text, -1) {
			if m[1] != in.Ref {
				continue
			}
			if marks[m[2]] != "" {
				s.Errorf("%q is told twice:\n%s", m[2], written(tk))
			}
			marks[m[2]] = n.Text
		}
	}
	return marks
}
