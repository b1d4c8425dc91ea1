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
		parent := find(s.tables["Tickets"], id)
		if parent == nil || parent.Int("id") == t.Int("id") {
			return "", fmt.Errorf("sim/autotask: there is no other ticket %q", a.Value)
		}
		s.note(t, by, "This ticket was merged into "+parent.Text("ticketNumber")+".", false)
		t["problemTicketId"] = id
		s.effect("ticket.merge", t.Int("id"), parent.Text("ticketNumber"))
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
		Created: t.Time("createDate"), CreatedBy: s.resource(t.Int("creatorResourceID")), MergedInto: t.Int("problemTicketId"), Notes: []desk.Note{},
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
