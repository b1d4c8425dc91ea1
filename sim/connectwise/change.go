package connectwise

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"responsehub/sim/desk"
)

// names are a record's keys in order.
func names(r desk.Record) []string { return slices.Sorted(maps.Keys(r)) }

// operation is one change of a PATCH.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// patch applies operations to top-level fields. A nested path is answered with 200 and changes nothing.
func (s *Service) patch(r *http.Request, t desk.Record) (int, any, *refusal) {
	var ops []operation
	if bad := s.read(r, &ops); bad != nil {
		return 0, nil, bad
	}
	changed := desk.Record{}
	for _, op := range ops {
		switch {
		case op.Op != "add" && op.Op != "replace" && op.Op != "remove":
			return 0, nil, invalid("ticket", fault{Code: "InvalidField", Message: "op must be add, replace or remove", Field: op.Path})
		case strings.Contains(op.Path, "/"):
			s.unexpected("PATCH of the nested path " + op.Path + ", which changes nothing")
			continue
		case !slices.Contains(ticketFields, op.Path):
			s.unexpected("PATCH of the unknown field " + op.Path)
			return 0, nil, invalid("ticket", fault{Code: "InvalidField", Message: "The field " + op.Path + " does not exist", Field: op.Path})
		case slices.Contains(readOnly, op.Path):
			return 0, nil, invalid("ticket", fault{Code: "InvalidField", Message: op.Path + " cannot be changed", Field: op.Path})
		}
		changed[op.Path] = op.Value
		if op.Op == "remove" {
			changed[op.Path] = nil
		}
	}
	if faults := s.change(t, changed, hubMember); len(faults) > 0 {
		return 0, nil, invalid("ticket", faults...)
	}
	return http.StatusOK, t.Clone(), nil
}

// change sets fields of a ticket for a member, whole or not at all.
func (s *Service) change(t, fields desk.Record, by int) []fault {
	after := t.Clone()
	for name, v := range fields {
		if v == nil {
			delete(after, name)
			continue
		}
		after[name] = v
	}
	if strings.TrimSpace(after.Text("summary")) == "" {
		return []fault{{Code: "MissingRequiredField", Message: "summary is required", Field: "summary"}}
	}
	delete(after, "processNotifications")
	delete(after, "skipCallback")
	if faults := s.settle(after, fields); len(faults) > 0 {
		return faults
	}
	status := find(s.tables[below(after.Sub("board"), "statuses")], after.Sub("status").Int("id"))
	if closes := status.Flag("closedStatus"); closes != t.Flag("closedFlag") {
		after["closedFlag"] = closes
		delete(after, "closedDate")
		delete(after, "closedBy")
		if closes {
			after["closedDate"], after["closedBy"] = desk.Now(), s.member(by)
		}
	}
	info := after.Sub("_info")
	info["lastUpdated"], info["updatedBy"] = desk.Now(), s.member(by)
	if was, is := t.Sub("status").Text("name"), after.Sub("status").Text("name"); was != is {
		s.effect("ticket.status", t, is)
	}
	clear(t)
	maps.Copy(t, after)
	s.happened("updated", t, by)
	return nil
}

// remove deletes a ticket.
func (s *Service) remove(t desk.Record, by int) {
	s.tickets = slices.DeleteFunc(s.tickets, func(r desk.Record) bool { return r.Int("id") == t.Int("id") })
	s.deleted = append(s.deleted, t)
	s.effect("ticket.delete", t, "")
	s.happened("deleted", t, by)
}

func (s *Service) mergeCall(r *http.Request, parent desk.Record) (int, any, *refusal) {
	var in struct {
		MergeTicketIDs []int       `json:"mergeTicketIds"`
		Status         desk.Record `json:"status"`
	}
	if bad := s.read(r, &in); bad != nil {
		return 0, nil, bad
	}
	for _, id := range in.MergeTicketIDs {
		child := find(s.tickets, id)
		if child == nil || id == parent.Int("id") {
			return 0, nil, missing("Ticket", id)
		}
		s.merge(parent, child, hubMember)
	}
	return http.StatusOK, desk.Record{"success": true, "message": ""}, nil
}

// merge makes child a part of parent: it is closed and names its parent, its notes stand at both.
func (s *Service) merge(parent, child desk.Record, by int) {
	fields := desk.Record{"mergedParentTicket": desk.Record{"id": parent.Int("id"), "summary": parent.Text("summary")}}
	for _, st := range s.tables[below(child.Sub("board"), "statuses")] {
		if st.Flag("closedStatus") {
			fields["status"] = short(st)
			break
		}
	}
	s.change(child, fields, by)
	for _, n := range s.notes[child.Int("id")] {
		n = n.Clone()
		n["id"], n["ticketId"] = s.id(), parent.Int("id")
		s.notes[parent.Int("id")] = append(s.notes[parent.Int("id")], n)
	}
	s.change(parent, desk.Record{"hasMergedChildTicketFlag": true}, by)
	s.effect("ticket.merge", child, parent.Text("summary"))
}
