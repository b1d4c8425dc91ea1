package halopsa

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	case "desk_tokens":
		clear(s.tokens)
		return "All tokens have ended.", nil
	case "desk_subscribe", "desk_unsubscribe":
		if err := s.tick(a.Value, a.Do == "desk_subscribe"); err != nil {
			return "", err
		}
		return "Done.", nil
	case "desk_hooks":
		for _, h := range s.tables["webhook"] {
			h["active"] = a.Value == "on"
		}
		return "Done.", nil
	case "desk_rename":
		was, is, _ := strings.Cut(a.Value, "=")
		st := s.called("status", was)
		if st == nil || is == "" {
			return "", fmt.Errorf("sim/halopsa: there is no status %q", was)
		}
		st["name"] = is
		return "Renamed.", nil
	}
	who := desk.FindPerson(a.Person)
	if who < 0 {
		return "", fmt.Errorf("sim/halopsa: nobody at the desk is called %q", a.Person)
	}
	t := find(s.tables["tickets"], a.Ticket)
	if t == nil {
		return "", fmt.Errorf("sim/halopsa: there is no ticket %d", a.Ticket)
	}
	return s.technician(t, clerks+who, a)
}

// technician works on a ticket. s.mu is held.
func (s *Service) technician(t desk.Record, by int, a desk.Act) (string, error) {
	set := func(field string, value any) (string, error) {
		if _, text := s.ticket(desk.Record{"id": t.Int("id"), field: value}, by); text != "" {
			return "", errors.New("sim/halopsa: " + text)
		}
		return "Saved.", nil
	}
	switch a.Do {
	case "ticket_close":
		return set("status_id", closed)
	case "ticket_reopen":
		return set("status_id", 5)
	case "ticket_status":
		return set("status_id", s.called("status", a.Value).Int("id"))
	case "ticket_board":
		return set("team", a.Value)
	case "ticket_title":
		return set("summary", a.Text)
	case "ticket_assign":
		return set("agent_id", by)
	case "ticket_note":
		outcome := private
		if a.Value == "public" {
			outcome = 16
		}
		if _, text := s.action(desk.Record{"ticket_id": t.Int("id"), "outcome_id": outcome, "note": a.Text}, by); text != "" {
			return "", errors.New("sim/halopsa: " + text)
		}
		return "Noted.", nil
	case "ticket_merge":
		parent := find(s.tables["tickets"], number(a.Value))
		if parent == nil || parent.Int("id") == t.Int("id") {
			return "", fmt.Errorf("sim/halopsa: there is no other ticket %q", a.Value)
		}
		t["merged_into_id"] = parent.Int("id")
		s.effect("ticket.merge", t, a.Value)
		return set("status_id", closed)
	case "ticket_delete":
		s.tables["tickets"] = slices.DeleteFunc(s.tables["tickets"], func(r desk.Record) bool { return r.Int("id") == t.Int("id") })
		s.deleted = append(s.deleted, t)
		s.effect("ticket.delete", t, "")
		s.happened("Ticket Deleted", t, by)
		return "Deleted.", nil
	}
	return "", fmt.Errorf("sim/halopsa: nobody at the desk can %q", a.Do)
}

// Snapshot is the desk as the page and GET /_world show it.
func (s *Service) Snapshot() desk.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := desk.State{Desk: vendor, Product: "HaloPSA", Deliveries: s.sender.Deliveries(), Tickets: []desk.Ticket{}, Hooks: []desk.Hook{}}
	for _, r := range s.tables["team"] {
		out.Boards = append(out.Boards, r.Text("name"))
	}
	for _, r := range s.tables["status"] {
		out.Statuses = append(out.Statuses, r.Text("name"))
	}
	for _, p := range desk.People {
		out.People = append(out.People, p.Key)
	}
	for i, t := range slices.Concat(s.tables["tickets"], s.deleted) {
		v := s.view(t)
		v.Deleted = i >= len(s.tables["tickets"])
		out.Tickets = append(out.Tickets, v)
	}
	for i, h := range s.tables["webhook"] {
		out.Hooks = append(out.Hooks, desk.Hook{ID: i + 1, URL: h.Text("url"), Active: h.Flag("active") && len(s.subscribed(h)) > 0}) // without events it tells of nothing
	}
	return out
}

func (s *Service) view(t desk.Record) desk.Ticket {
	out := desk.Ticket{
		ID: t.Int("id"), Number: fmt.Sprintf("%07d", t.Int("id")), Ref: t.Text("third_party_id_string"), Title: t.Text("summary"), Text: t.Text("details"),
		Company: t.Text("client_name"), Board: t.Text("team"), Status: find(s.tables["status"], t.Int("status_id")).Text("name"),
		Assignee: find(s.tables["agent"], t.Int("agent_id")).Text("name"), Closed: t.Flag("hasbeenclosed"), MergedInto: t.Int("merged_into_id"), Created: t.Time("dateoccurred"),
		CreatedBy: "Response Hub", Notes: []desk.Note{},
	}
	if out.Text == "" {
		out.Text = plain(t.Text("details_html"))
	}
	for _, p := range s.tables["priority"] {
		if p.Int("priorityid") == t.Int("priority_id") {
			out.Priority = p.Text("name")
		}
	}
	for _, a := range s.tables["actions"] {
		if a.Int("ticket_id") == out.ID {
			out.Notes = append(out.Notes, desk.Note{ID: a.Int("id"), At: a.Time("datetime"), By: a.Text("who"), Title: a.Text("outcome"), Text: a.Text("note"), Internal: a.Flag("hiddenfromuser")})
		}
	}
	return out
}
