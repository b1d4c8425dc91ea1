package autotask

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"responsehub/sim/desk"
)

// Play does what a person at the desk does and returns what they see. The error says why it cannot be done.
func (s *Service) Play(ctx context.Context, a desk.Act) (string, error) {
	if a.Do == "desk_event" {
		return s.hostile(ctx, a.Value, a.Ticket)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch a.Do {
	case "desk_zone":
		s.zone = strings.Trim(a.Value, "/")
		return "The database has moved.", nil
	case "desk_missing":
		s.missing404 = a.Value == "404"
		return "Done.", nil
	case "desk_used":
		n, err := strconv.Atoi(a.Value)
		if err != nil {
			return "", fmt.Errorf("sim/autotask: calls: %w", err)
		}
		return fmt.Sprintf("%d calls in the present hour.", s.limits.count(n, true)), nil
	case "desk_hooks":
		for _, h := range s.tables["TicketWebhooks"] {
			if a.Value == "on" {
				h["isActive"] = true
			} else if h.Flag("isActive") {
				s.deactivate(h)
			}
		}
		return "Done.", nil
	case "desk_rename":
		was, is, _ := strings.Cut(a.Value, "=")
		for i, c := range s.lists["status"] {
			if desk.Same(c.Label, was) && is != "" {
				s.lists["status"][i].Label = is
				return "Renamed.", nil
			}
		}
		return "", fmt.Errorf("sim/autotask: there is no status %q", was)
	}
	who := desk.FindPerson(a.Person)
	if who < 0 {
		return "", fmt.Errorf("sim/autotask: nobody at the desk is called %q", a.Person)
	}
	t := find(s.tables["Tickets"], a.Ticket)
	if t == nil {
		return "", fmt.Errorf("sim/autotask: there is no ticket %d", a.Ticket)
	}
	return s.technician(t, clerks+who, a)
}

// technician works on a ticket. s.mu is held.
func (s *Service) technician(t desk.Record, by int, a desk.Act) (string, error) {
	set := func(fields desk.Record) (string, error) {
		after := t.Clone()
		maps.Copy(after, fields)
		if wrong := s.judge("Tickets", fields, after); len(wrong) > 0 {
			return "", errors.New("sim/autotask: " + wrong[0])
		}
		s.store("Tickets", t, after, by)
		return "Saved.", nil
	}
	pick := func(field, label string) (string, error) {
		v := s.labelled(field, label)
		if v == 0 {
			return "", fmt.Errorf("sim/autotask: %s has no value %q", field, label)
		}
		return set(desk.Record{field: v})
	}
	switch a.Do {
	case "ticket_close":
		return set(desk.Record{"status": complete})
	case "ticket_reopen":
		return set(desk.Record{"status": 8})
	case "ticket_status":
		return pick("status", a.Value)
	case "ticket_board":
		return pick("queueID", a.Value)
	case "ticket_title":
		return set(desk.Record{"title": a.Text})
	case "ticket_assign":
		return set(desk.Record{"assignedResourceID": by, "assignedResourceRoleID": role})
	case "ticket_note":
		s.note(t, by, a.Text, a.Value == "public")
		return "Noted.", nil
	case "ticket_merge":
		id, _ := strconv.Atoi(a.Value) // no number is no ticket
		if err := s.merge(t, find(s.tables["Tickets"], id), by); err != nil {
			return "", err
		}
		return set(desk.Record{"status": complete})
	case "ticket_delete":
		s.drop("Tickets", t.Int("id"))
		s.deleted = append(s.deleted, t)
		s.effect("ticket.delete", t.Int("id"), "")
		s.happened("Delete", t, t, by)
		return "Deleted.", nil
	}
	return "", fmt.Errorf("sim/autotask: nobody at the desk can %q", a.Do)
}

// merge leaves on both tickets what Autotask does: notes of its own, the one on the source with the number of
// the other, and the source's description. Its other notes stay where they are; it is the caller who completes
// it. s.mu is held.
// https://www.autotask.net/help/content/3_Features/7_ServiceDesk/ManageTickets/Ticket_Merge.htm
func (s *Service) merge(source, into desk.Record, by int) error {
	switch {
	case into == nil || into.Int("id") == source.Int("id"):
		return errors.New("sim/autotask: there is no other ticket of that number")
	case into.Int("companyID") != source.Int("companyID"):
		return errors.New("sim/autotask: only tickets of one company are merged")
	case source.Int("ticketType") == problemType || into.Int("ticketType") == problemType:
		return errors.New("sim/autotask: problem tickets are not merged")
	}
	number := source.Text("ticketNumber")
	for _, n := range []struct {
		on          desk.Record
		kind        int
		title, text string
	}{
		{source, mergedNote, "Merged Into Ticket", "This ticket was merged into " + into.Text("ticketNumber") + "."},
		{into, absorbedNote, "Absorbed Another Ticket", "This ticket absorbed " + number + "."},
		{into, absorbedNote, "Absorbed Ticket Description " + number, source.Text("description")},
	} {
		s.store("TicketNotes", nil, desk.Record{"ticketID": n.on.Int("id"), "title": n.title, "description": n.text, "noteType": n.kind, "publish": 2}, by)
	}
	into["lastActivityDate"], into["lastActivityResourceID"] = desk.Now(), by
	s.effect("ticket.merge", source.Int("id"), into.Text("ticketNumber"))
	return nil
}

// mergedInto is the ticket into which t was merged, 0 when it was not or lives on.
func (s *Service) mergedInto(t desk.Record) (id int) {
	if t.Int("status") != complete {
		return 0
	}
	for _, n := range s.tables["TicketNotes"] {
		if n.Int("ticketID") != t.Int("id") || n.Int("noteType") != mergedNote {
			continue
		}
		for _, o := range s.tables["Tickets"] {
			if strings.Contains(n.Text("description"), o.Text("ticketNumber")) {
				id = o.Int("id")
			}
		}
	}
	return id
}

func (s *Service) note(t desk.Record, by int, text string, public bool) {
	n := desk.Record{"ticketID": t.Int("id"), "title": "Note", "description": text, "noteType": 1, "publish": 2}
	if public {
		n["publish"] = 1
	}
	s.store("TicketNotes", nil, n, by)
	t["lastActivityDate"], t["lastActivityResourceID"] = desk.Now(), by
}

// Snapshot is the desk as the page and GET /_world show it.
func (s *Service) Snapshot() desk.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := desk.State{Desk: vendor, Product: "Autotask", Deliveries: s.sender.Deliveries(), Tickets: []desk.Ticket{}, Hooks: []desk.Hook{}}
	labels := func(field string) (out []string) {
		for _, c := range s.lists[field] {
			if c.Active {
				out = append(out, c.Label)
			}
		}
		return out
	}
	out.Boards, out.Statuses = labels("queueID"), labels("status")
	for _, p := range desk.People {
		out.People = append(out.People, p.Key)
	}
	for i, t := range slices.Concat(s.tables["Tickets"], s.deleted) {
		v := s.view(t)
		v.Deleted = i >= len(s.tables["Tickets"])
		out.Tickets = append(out.Tickets, v)
	}
	for _, h := range s.tables["TicketWebhooks"] {
		v := desk.Hook{ID: h.Int("id"), URL: h.Text("webhookUrl"), Active: h.Flag("isActive") && h.Flag("isReady")}
		if !h.Flag("isReady") {
			v.Why = "no subscribed field"
		} else if !v.Active {
			v.Why = "switched off"
		}
		out.Hooks = append(out.Hooks, v)
	}
	return out
}

func (s *Service) view(t desk.Record) desk.Ticket {
	out := desk.Ticket{
		ID: t.Int("id"), Number: t.Text("ticketNumber"), Ref: t.Text("externalID"), Title: t.Text("title"), Text: t.Text("description"),
		Company: find(s.tables["Companies"], t.Int("companyID")).Text("companyName"), Board: s.label("queueID", t.Int("queueID")), Status: s.label("status", t.Int("status")),
		Priority: s.label("priority", t.Int("priority")), Assignee: s.resource(t.Int("assignedResourceID")), Closed: t["completedDate"] != nil,
		Created: t.Time("createDate"), CreatedBy: s.resource(t.Int("creatorResourceID")), MergedInto: s.mergedInto(t), Notes: []desk.Note{},
	}
	for _, n := range s.tables["TicketNotes"] {
		if n.Int("ticketID") == out.ID {
			out.Notes = append(out.Notes, desk.Note{
				ID: n.Int("id"), At: n.Time("createDateTime"), By: s.resource(n.Int("creatorResourceID")), Title: n.Text("title"), Text: n.Text("description"), Internal: n.Int("publish") != 1,
			})
		}
	}
	return out
}

func (s *Service) resource(id int) string {
	r := find(s.tables["Resources"], id)
	return strings.TrimSpace(r.Text("firstName") + " " + r.Text("lastName"))
}
