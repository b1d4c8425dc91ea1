package connectwise

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// ticketFields are what a ticket has. The first line is what the simulator plays, the rest it keeps as it is given.
var ticketFields = strings.Fields("id summary recordType board status company contact type subType item team owner priority source severity impact externalXRef " +
	"initialDescription initialInternalAnalysis initialResolution processNotifications skipCallback closedDate closedBy closedFlag mergedParentTicket hasMergedChildTicketFlag integratorTags customFields _info " +
	"workRole workType site siteName addressLine1 addressLine2 city stateIdentifier zip country contactName contactPhoneNumber contactPhoneExtension contactEmailAddress serviceLocation requiredDate " +
	"budgetHours opportunity agreement poNumber knowledgeBaseCategoryId knowledgeBaseSubCategoryId allowAllClientsPortalView customerUpdatedFlag automaticEmailContactFlag automaticEmailResourceFlag " +
	"automaticEmailCcFlag automaticEmailCc initialDescriptionFrom contactEmailLookup actualHours approved subBillingMethod dateResolved dateResplan dateResponded isInSla resources parentTicketId " +
	"hasChildTicket billTime billExpenses billProducts estimatedStartDate duration location department sla slaStatus currency")

// readOnly are fields that a client may not change.
var readOnly = strings.Fields("id closedDate closedBy closedFlag mergedParentTicket hasMergedChildTicketFlag _info initialDescription initialInternalAnalysis initialResolution")

// lengths are the longest texts, in characters.
var lengths = map[string]int{"summary": maxSummary, "externalXRef": 100, "poNumber": 50, "contactName": 62, "contactEmailAddress": 250, "siteName": 50}

func isTicketField(name string) bool {
	return slices.ContainsFunc(ticketFields, func(f string) bool { return strings.EqualFold(f, name) })
}

// routeTickets is everything below service/tickets. s.mu is held.
func (s *Service) routeTickets(w http.ResponseWriter, r *http.Request, p []string) (int, any, *refusal) {
	if len(p) == 0 {
		switch r.Method {
		case http.MethodGet:
			return s.list(w, r, s.tickets, isTicketField)
		case http.MethodPost:
			return s.create(r)
		}
		return 0, nil, noEndpoint
	}
	switch {
	case p[0] == "count" && r.Method == http.MethodGet:
		return s.count(r, s.tickets, isTicketField)
	case p[0] == "search" && r.Method == http.MethodPost:
		return s.search(w, r)
	}
	id, err := strconv.Atoi(p[0])
	if err != nil {
		return 0, nil, noEndpoint
	}
	t := find(s.tickets, id)
	if t == nil {
		return 0, nil, missing("Ticket", id)
	}
	if len(p) == 1 {
		switch r.Method {
		case http.MethodGet:
			return http.StatusOK, t, nil
		case http.MethodPatch:
			return s.patch(r, t)
		case http.MethodDelete:
			s.remove(t, hubMember)
			return http.StatusNoContent, nil, nil
		}
		s.unexpected(r.Method + " of a ticket, which is not simulated")
		return 0, nil, noEndpoint
	}
	switch {
	case len(p) == 2 && p[1] == "merge" && r.Method == http.MethodPost:
		return s.mergeCall(r, t)
	case p[1] == "notes":
		return s.routeNotes(w, r, t, p[2:])
	case len(p) == 2 && p[1] == "allNotes" && r.Method == http.MethodGet:
		return s.list(w, r, s.allNotes(t), nil)
	case len(p) == 2 && p[1] == "configurations" && r.Method == http.MethodGet:
		return s.list(w, r, nil, nil)
	}
	s.unexpected(r.Method + " " + r.URL.Path)
	return 0, nil, noEndpoint
}

// search is a list whose conditions stand in the body.
func (s *Service) search(w http.ResponseWriter, r *http.Request) (int, any, *refusal) {
	var in desk.Record
	if bad := s.read(r, &in); bad != nil {
		return 0, nil, bad
	}
	q := r.URL.Query()
	for name, v := range in {
		text, ok := v.(string)
		if !ok || !slices.Contains(queries, name) {
			return 0, nil, plain(http.StatusBadRequest, "InvalidArgument", "Unknown filter value "+name)
		}
		q.Set(name, text)
	}
	asked := r.Clone(r.Context())
	asked.URL.RawQuery = q.Encode()
	return s.list(w, asked, s.tickets, isTicketField)
}

// create makes a ticket with the defaults of its board.
func (s *Service) create(r *http.Request) (int, any, *refusal) {
	var in desk.Record
	if bad := s.read(r, &in); bad != nil {
		return 0, nil, bad
	}
	var faults []fault
	wrong := func(code, field, message string) {
		faults = append(faults, fault{Code: code, Message: message, Field: field})
	}
	for _, name := range names(in) {
		if !slices.Contains(ticketFields, name) {
			s.unexpected("a new ticket with the unknown field " + name)
			wrong("InvalidField", name, "The field "+name+" does not exist")
		}
	}
	t := desk.Record{"recordType": "ServiceTicket", "severity": "Medium", "impact": "Medium", "closedFlag": false, "hasMergedChildTicketFlag": false, "hasChildTicket": false, "approved": true}
	for name, v := range in {
		t[name] = v
	}
	if strings.TrimSpace(in.Text("summary")) == "" {
		wrong("MissingRequiredField", "summary", "summary is required")
	}
	for _, required := range []string{"company", "board"} {
		if in.Sub(required) == nil && (required == "company" || in[required] != nil) {
			wrong("MissingRequiredField", required, required+" is required")
		}
	}
	if in.Sub("board") == nil {
		t["board"] = desk.Record{"id": boards[0].id}
	}
	if len(faults) == 0 {
		faults = s.settle(t, in)
	}
	if len(faults) > 0 {
		return 0, nil, invalid("ticket", faults...)
	}
	id := s.id()
	t["id"] = id
	t["_info"] = desk.Record{"dateEntered": desk.Now(), "enteredBy": s.member(hubMember), "lastUpdated": desk.Now(), "updatedBy": s.member(hubMember)}
	for _, n := range []struct{ from, flag string }{{"initialDescription", "detailDescriptionFlag"}, {"initialInternalAnalysis", "internalAnalysisFlag"}, {"initialResolution", "resolutionFlag"}} {
		if text := t.Text(n.from); text != "" {
			s.notes[id] = append(s.notes[id], s.note(t, hubMember, desk.Record{"text": text, n.flag: true}))
		}
		delete(t, n.from) // one-shot: no answer shows it again
	}
	delete(t, "processNotifications")
	delete(t, "skipCallback")
	s.tickets = append(s.tickets, t)
	s.effect("ticket.create", t, t.Text("externalXRef"))
	s.happened("added", t, hubMember)
	return http.StatusCreated, t.Clone(), nil
}

// settle resolves what t refers to and gives what is left open its default. changed are the fields that a client
// just set.
func (s *Service) settle(t, changed desk.Record) (faults []fault) {
	wrong := func(field, message string) {
		faults = append(faults, fault{Code: "InvalidObject", Message: message, Field: field})
	}
	for name, most := range lengths {
		if utf8.RuneCountInString(t.Text(name)) > most {
			faults = append(faults, fault{Code: "InvalidField", Message: fmt.Sprintf("%s is longer than %d characters", name, most), Field: name})
		}
	}
	b := s.refer(t.Sub("board"), "service/boards")
	if b == nil || b.Flag("inactiveFlag") && len(s.tables[below(b, "teams")]) > 0 {
		wrong("board", "Board not found")
		return faults
	}
	t["board"] = short(b)
	for field, path := range map[string]string{"company": "company/companies", "contact": "company/contacts", "priority": "service/priorities", "source": "service/sources",
		"type": below(b, "types"), "subType": below(b, "subtypes"), "item": below(b, "items"), "team": below(b, "teams"), "owner": "system/members", "status": below(b, "statuses")} {
		if t[field] == nil {
			continue
		}
		found := s.refer(t.Sub(field), path)
		switch {
		case found == nil && changed[field] == nil && changed["board"] != nil:
			delete(t, field) // it belonged to the board before
		case found == nil || found.Flag("deletedFlag"):
			wrong(field, fmt.Sprintf("%s was not found for the board specified", field))
		default:
			t[field] = short(found)
		}
	}
	for field, path := range map[string]string{"status": below(b, "statuses"), "priority": "service/priorities", "source": "service/sources", "team": below(b, "teams")} {
		if t[field] != nil {
			continue
		}
		i := slices.IndexFunc(s.tables[path], func(r desk.Record) bool { return r.Flag("defaultFlag") })
		switch {
		case i >= 0:
			t[field] = short(s.tables[path][i])
		case field == "team":
			wrong("board", "ticket object is invalid - Cannot find default team for board specified")
		}
	}
	return faults
}

// below is the path of a board's own table.
func below(b desk.Record, table string) string {
	return fmt.Sprintf("service/boards/%d/%s", b.Int("id"), table)
}

// refer finds what a reference by id, identifier or name means.
func (s *Service) refer(ref desk.Record, path string) desk.Record {
	if ref == nil {
		return nil
	}
	if id := ref.Int("id"); id != 0 {
		return find(s.tables[path], id)
	}
	if found := named(s.tables[path], ref.Text("identifier")); found != nil {
		return found
	}
	return named(s.tables[path], ref.Text("name"))
}

// short is a record as a reference to it.
func short(r desk.Record) desk.Record {
	out := desk.Record{"id": r.Int("id")}
	if v := r.Text("identifier"); v != "" {
		out["identifier"] = v
	}
	if out["name"] = r.Text("name"); r.Text("name") == "" {
		out["name"] = strings.TrimSpace(r.Text("firstName") + " " + r.Text("lastName"))
	}
	if n, ok := desk.Number(r["sortOrder"]); ok && r["color"] != nil {
		out["sort"] = n
	}
	return out
}

// member is a member's identifier.
func (s *Service) member(id int) string {
	return find(s.tables["system/members"], id).Text("identifier")
}

func (s *Service) effect(kind string, t desk.Record, detail string) {
	s.cfg.Log.Effect(wire.Effect{Vendor: vendor, Kind: kind, Target: strconv.Itoa(t.Int("id")), Detail: detail})
}
