package connectwise

import (
	"context"
	"fmt"
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
	case "desk_codebase":
		s.codebase = strings.Trim(a.Value, "/") + "/"
		return "The site has moved to " + s.codebase, nil
	case "desk_keys":
		s.keys = append(s.keys, newKey())
		return "Callbacks are signed with a new key.", nil
	case "desk_hooks":
		for _, h := range s.hooks {
			h["inactiveFlag"] = a.Value != "on"
		}
		return "Done.", nil
	case "desk_rename":
		return s.rename(a.Value)
	}
	who := desk.FindPerson(a.Person)
	if who < 0 {
		return "", fmt.Errorf("sim/connectwise: nobody at the desk is called %q", a.Person)
	}
	t := find(s.tickets, a.Ticket)
	if t == nil {
		return "", fmt.Errorf("sim/connectwise: there is no ticket %d", a.Ticket)
	}
	return s.technician(t, clerks+who, a)
}

// technician works on a ticket. s.mu is held.
func (s *Service) technician(t desk.Record, by int, a desk.Act) (string, error) {
	statuses := s.tables[below(t.Sub("board"), "statuses")]
	set := func(fields desk.Record) (string, error) {
		if faults := s.change(t, fields, by); len(faults) > 0 {
			return "", fmt.Errorf("sim/connectwise: %s: %s", faults[0].Field, faults[0].Message)
		}
		return "Saved.", nil
	}
	switch a.Do {
	case "ticket_close", "ticket_reopen":
		want := a.Do == "ticket_close"
		for i, st := range statuses {
			if st.Flag("closedStatus") == want && (want || i > 0 || len(statuses) < 2) && (want || strings.HasPrefix(st.Text("name"), "Re")) {
				return set(desk.Record{"status": short(st)})
			}
		}
		for _, st := range statuses {
			if st.Flag("closedStatus") == want {
				return set(desk.Record{"status": short(st)})
			}
		}
		return "", fmt.Errorf("sim/connectwise: the board has no such status")
	case "ticket_status":
		st := named(statuses, a.Value)
		if st == nil {
			return "", fmt.Errorf("sim/connectwise: the board has no status %q", a.Value)
		}
		return set(desk.Record{"status": short(st)})
	case "ticket_assign":
		return set(desk.Record{"owner": short(find(s.tables["system/members"], by))})
	case "ticket_title":
		return set(desk.Record{"summary": a.Text})
	case "ticket_board":
		b := named(s.tables["service/boards"], a.Value)
		if b == nil {
			return "", fmt.Errorf("sim/connectwise: there is no board %q", a.Value)
		}
		return set(desk.Record{"board": short(b)})
	case "ticket_note":
		public := a.Value == "public"
		s.takeNote(t, by, desk.Record{"text": a.Text, "detailDescriptionFlag": public, "internalAnalysisFlag": !public})
		return "Noted.", nil
	case "ticket_merge":
		id, _ := strconv.Atoi(a.Value) // no number is no ticket
		parent := find(s.tickets, id)
		if parent == nil || id == t.Int("id") {
			return "", fmt.Errorf("sim/connectwise: there is no other ticket %q", a.Value)
		}
		s.merge(parent, t, by)
		return "Merged.", nil
	case "ticket_delete":
		s.remove(t, by)
		return "Deleted.", nil
	}
	return "", fmt.Errorf("sim/connectwise: nobody at the desk can %q", a.Do)
}

// rename gives a status another name on every board: "old=new".
func (s *Service) rename(pair string) (string, error) {
	was, is, _ := strings.Cut(pair, "=")
	found := false
	for _, b := range boards {
		for _, st := range s.tables[fmt.Sprintf("service/boards/%d/statuses", b.id)] {
			if desk.Same(st.Text("name"), was) && is != "" {
				st["name"], found = is, true
				for _, t := range s.tickets {
					if t.Sub("status").Int("id") == st.Int("id") {
						t["status"] = short(st)
					}
				}
			}
		}
	}
	if !found {
		return "", fmt.Errorf("sim/connectwise: no board has a status %q", was)
	}
	return "Renamed.", nil
}

// Snapshot is the desk as the page and GET /_world show it.
func (s *Service) Snapshot() desk.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := desk.State{Desk: vendor, Product: "ConnectWise PSA", Deliveries: s.sender.Deliveries(), Tickets: []desk.Ticket{}, Hooks: []desk.Hook{}}
	for _, b := range boards {
		if b.team != "" {
			out.Boards = append(out.Boards, b.name)
			for _, st := range s.tables[fmt.Sprintf("service/boards/%d/statuses", b.id)] {
				out.Statuses = append(out.Statuses, st.Text("name"))
			}
		}
	}
	for _, p := range desk.People {
		out.People = append(out.People, p.Key)
	}
	for _, t := range s.tickets {
		out.Tickets = append(out.Tickets, s.view(t))
	}
	for _, t := range s.deleted {
		v := s.view(t)
		v.Deleted = true
		out.Tickets = append(out.Tickets, v)
	}
	for _, h := range s.hooks {
		v := desk.Hook{ID: h.Int("id"), URL: h.Text("url"), Active: !h.Flag("inactiveFlag")}
		if !v.Active {
			v.Why = "switched off"
		}
		out.Hooks = append(out.Hooks, v)
	}
	return out
}

func (s *Service) view(t desk.Record) desk.Ticket {
	out := desk.Ticket{
		ID: t.Int("id"), Number: "#" + strconv.Itoa(t.Int("id")), Ref: t.Text("externalXRef"), Title: t.Text("summary"), Company: t.Sub("company").Text("name"),
		Board: t.Sub("board").Text("name"), Status: t.Sub("status").Text("name"), Priority: t.Sub("priority").Text("name"), Closed: t.Flag("closedFlag"),
		Created: t.Sub("_info").Time("dateEntered"), CreatedBy: t.Sub("_info").Text("enteredBy"), Notes: []desk.Note{},
		Assignee: t.Sub("owner").Text("name"), MergedInto: t.Sub("mergedParentTicket").Int("id"),
	}
	for _, n := range s.notes[out.ID] {
		out.Notes = append(out.Notes, desk.Note{ID: n.Int("id"), At: n.Time("dateCreated"), By: n.Sub("member").Text("name"), Text: n.Text("text"), Internal: !n.Flag("detailDescriptionFlag")})
	}
	return out
}
