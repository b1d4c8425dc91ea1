package connectwise

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"responsehub/sim/desk"
)

var noteFields = strings.Fields("id ticketId text detailDescriptionFlag internalAnalysisFlag resolutionFlag issueFlag member contact customerUpdatedFlag " +
	"processNotifications dateCreated createdBy internalFlag externalFlag _info")

// noFlag is the vendor's text for a note that stands nowhere.
// https://github.com/LabtechConsulting/ConnectWise-Manage-Powershell/issues/12
const noFlag = "Please choose where to display the notes in order to save this record."

// routeNotes is everything below a ticket's notes.
func (s *Service) routeNotes(w http.ResponseWriter, r *http.Request, t desk.Record, p []string) (int, any, *refusal) {
	list := s.notes[t.Int("id")]
	switch {
	case len(p) == 0 && r.Method == http.MethodGet:
		return s.list(w, r, list, nil)
	case len(p) == 0 && r.Method == http.MethodPost:
		return s.addNote(r, t)
	case len(p) == 1 && p[0] == "count" && r.Method == http.MethodGet:
		return s.count(r, list, nil)
	case len(p) == 1 && r.Method == http.MethodGet:
		id, _ := strconv.Atoi(p[0]) // no number is no note
		if found := find(list, id); found != nil {
			return http.StatusOK, found, nil
		}
		return 0, nil, missing("Note", p[0])
	}
	s.unexpected(r.Method + " of a note, which is not simulated")
	return 0, nil, noEndpoint
}

func (s *Service) addNote(r *http.Request, t desk.Record) (int, any, *refusal) {
	var in desk.Record
	if bad := s.read(r, &in); bad != nil {
		return 0, nil, bad
	}
	for _, name := range names(in) {
		if !slices.Contains(noteFields, name) {
			s.unexpected("a note with the unknown field " + name)
			return 0, nil, invalid("serviceNote", fault{Code: "InvalidField", Message: "The field " + name + " does not exist", Field: name})
		}
	}
	if strings.TrimSpace(in.Text("text")) == "" {
		return 0, nil, invalid("serviceNote", fault{Code: "MissingRequiredField", Message: "text is required", Field: "text"})
	}
	if !in.Flag("detailDescriptionFlag") && !in.Flag("internalAnalysisFlag") && !in.Flag("resolutionFlag") {
		return 0, nil, invalid("serviceNote", fault{Code: "InvalidField", Message: noFlag, Field: "detailDescriptionFlag"})
	}
	n := s.takeNote(t, hubMember, in)
	return http.StatusCreated, n.Clone(), nil
}

// takeNote puts a note on a ticket.
func (s *Service) takeNote(t desk.Record, by int, in desk.Record) desk.Record {
	n := s.note(t, by, in)
	s.notes[t.Int("id")] = append(s.notes[t.Int("id")], n)
	info := t.Sub("_info")
	info["lastUpdated"], info["updatedBy"] = desk.Now(), s.member(by)
	s.effect("ticket.note", t, n.Text("text"))
	s.happened("updated", t, by)
	return n
}

func (s *Service) note(t desk.Record, by int, in desk.Record) desk.Record {
	author := find(s.tables["system/members"], by)
	return desk.Record{
		"id": s.id(), "ticketId": t.Int("id"), "text": in.Text("text"), "detailDescriptionFlag": in.Flag("detailDescriptionFlag"),
		"internalAnalysisFlag": in.Flag("internalAnalysisFlag"), "resolutionFlag": in.Flag("resolutionFlag"), "issueFlag": in.Flag("issueFlag"),
		"member": short(author), "customerUpdatedFlag": false, "processNotifications": in.Flag("processNotifications"), "dateCreated": desk.Now(),
		"createdBy": author.Text("identifier"), "internalFlag": in.Flag("internalAnalysisFlag"), "externalFlag": in.Flag("detailDescriptionFlag"),
		"_info": desk.Record{"lastUpdated": desk.Now(), "updatedBy": author.Text("identifier")},
	}
}

// allNotes are the notes in the shape that also holds those of time entries.
func (s *Service) allNotes(t desk.Record) []desk.Record {
	out := []desk.Record{}
	for _, n := range s.notes[t.Int("id")] {
		out = append(out, desk.Record{
			"id": n.Int("id"), "noteType": "TicketNote", "ticket": desk.Record{"id": t.Int("id"), "summary": t.Text("summary")}, "text": n.Text("text"),
			"isMarkdownFlag": false, "detailDescriptionFlag": n.Flag("detailDescriptionFlag"), "internalAnalysisFlag": n.Flag("internalAnalysisFlag"),
			"resolutionFlag": n.Flag("resolutionFlag"), "bundledFlag": false, "mergedFlag": false, "issueFlag": n.Flag("issueFlag"),
			"originalAuthor": n.Text("createdBy"), "member": n["member"], "_info": n["_info"],
		})
	}
	return out
}
