package halopsa

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"responsehub/sim/desk"
	"responsehub/sim/wire"
)

// ticketFields, actionFields and hookFields are what a POST may hold.
var (
	ticketFields = strings.Fields("id summary details details_html status_id tickettype_id sla_id priority_id client_id site_id user_id userlookup team team_id agent_id category_1 category_2 dateoccurred " +
		"third_party_id_string emailcclist _forcereassign donotapplytemplateintheapi _novalidate reportedby customfields hasbeenclosed")
	actionFields = strings.Fields("id ticket_id outcome outcome_id note note_html hiddenfromuser who_agentid datetime new_status sendemail important _agent01_ok timetaken")
	hookFields   = strings.Fields("id name type url content_type authentication_type method basic_username basic_password active authentication_header algorithm digest signature_prefix events " +
		"custom_payload payload_type note disabled log_retention_policy_days")
	eventFields = strings.Fields("id webhook_id type delivery_method eventno filter_type name agent_id email_list emailtemplate_id interval useworkinghours conditions")
)

func bad(text string) (int, any) {
	return http.StatusBadRequest, desk.Record{"ClassName": "System.Exception", "Message": text}
}

// route finds what a path below api means. s.mu is held.
func (s *Service) route(r *http.Request, p []string) (int, any) {
	if len(p) == 2 && p[0] == "azureadconnection" && r.Method == http.MethodGet {
		return http.StatusOK, desk.Record{"id": number(p[1]), "mappings_client": s.tables["mappings"]}
	}
	if len(p) == 1 && p[0] == "azureadconnection" && r.Method == http.MethodGet {
		return http.StatusOK, []desk.Record{{"id": 1, "name": "Microsoft"}}
	}
	list, ok := s.tables[p[0]]
	if !ok || len(p) > 2 || p[0] == "mappings" {
		s.unexpected(r.Method + " " + r.URL.Path)
		return http.StatusNotFound, desk.Record{"Message": "No HTTP resource was found that matches the request URI."}
	}
	switch {
	case len(p) == 2 && r.Method == http.MethodGet:
		for _, rec := range list {
			if rec.Int("id") == number(p[1]) || rec.Text("id") == p[1] {
				return http.StatusOK, s.detailed(r, p[0], rec)
			}
		}
		return http.StatusNotFound, desk.Record{"Message": "The requested record was not found."}
	case len(p) == 2 && r.Method == http.MethodDelete && (p[0] == "webhook" || p[0] == "tickets"):
		return s.delete(p[0], p[1])
	case r.Method == http.MethodGet:
		return http.StatusOK, s.list(r, p[0], list)
	case len(p) == 1 && r.Method == http.MethodPost:
		return s.post(r, p[0])
	}
	s.unexpected(r.Method + " " + r.URL.Path)
	return http.StatusMethodNotAllowed, desk.Record{"Message": "The requested resource does not support this http method."}
}

// list answers a search: bare lists for setup tables, {record_count, name: [...]} for the large ones.
func (s *Service) list(r *http.Request, table string, list []desk.Record) any {
	q := r.URL.Query()
	found := []any{}
	for _, rec := range list {
		if text := q.Get("search"); text != "" && !strings.Contains(strings.ToLower(string(desk.Compact(rec))), strings.ToLower(text)) {
			continue
		}
		if q.Get("open_only") == "true" && rec.Flag("hasbeenclosed") || q.Get("closed_only") == "true" && !rec.Flag("hasbeenclosed") ||
			q.Get("ticket_id") != "" && table == "actions" && rec.Int("ticket_id") != number(q.Get("ticket_id")) ||
			q.Get("client_id") != "" && rec.Int("client_id") != number(q.Get("client_id")) ||
			q.Get("includeinactive") == "false" && rec.Flag("inactive") {
			continue
		}
		found = append(found, s.shown(table, rec))
	}
	name := map[string]string{"tickets": "tickets", "actions": "actions", "client": "clients", "users": "users"}[table]
	if name == "" {
		return found
	}
	total := len(found)
	if size := cmp.Or(number(q.Get("page_size")), 50); q.Get("pageinate") == "true" {
		start := min((max(1, number(q.Get("page_no")))-1)*size, total)
		found = found[start:min(start+size, total)]
	} else if n := number(q.Get("count")); n > 0 {
		found = found[:min(n, total)]
	}
	return desk.Record{"record_count": total, name: found}
}

// post takes an array. A record with an id is a change.
func (s *Service) post(r *http.Request, table string) (int, any) {
	fields := map[string][]string{"tickets": ticketFields, "actions": actionFields, "webhook": hookFields, "notification": eventFields}[table]
	if fields == nil {
		s.unexpected("POST " + r.URL.Path)
		return http.StatusForbidden, desk.Record{"Message": "You do not have access to this."}
	}
	var in []desk.Record
	if !desk.Decode(io.LimitReader(r.Body, 1<<20), &in) || len(in) == 0 {
		s.unexpected("POST " + r.URL.Path + " without an array")
		return bad("The body must be an array of objects.")
	}
	var last desk.Record
	for _, rec := range in {
		for name := range rec {
			if !slices.Contains(fields, name) {
				s.unexpected(table + " with the unknown field " + name)
				return bad("Could not find member '" + name + "' on the object.")
			}
		}
		var text string
		switch table {
		case "tickets":
			last, text = s.ticket(rec, hub)
		case "actions":
			last, text = s.action(rec, hub)
		case "notification":
			last, text = s.notification(rec)
		default:
			last, text = s.webhook(rec)
		}
		if text != "" {
			return bad(text)
		}
	}
	return http.StatusCreated, s.shown(table, last)
}

// ticket makes or changes one. The text says what is wrong.
func (s *Service) ticket(in desk.Record, by int) (desk.Record, string) {
	t := find(s.tables["tickets"], in.Int("id"))
	if in.Int("id") != 0 && t == nil {
		return nil, "The ticket was not found."
	}
	before, after := t.Clone(), t.Clone()
	if t == nil {
		before = nil
		after = desk.Record{"tickettype_id": firstType, "status_id": 1, "priority_id": 3, "sla_id": 1, "team": Team, "agent_id": 1, "user_id": 0, "merged_into_id": 0, "hasbeenclosed": false, "dateoccurred": desk.Now()}
	}
	maps.Copy(after, in)
	delete(after, "donotapplytemplateintheapi")
	delete(after, "_novalidate")
	delete(after, "_forcereassign")
	for field, table := range map[string]string{"client_id": "client", "status_id": "status", "tickettype_id": "tickettype"} {
		found := find(s.tables[table], after.Int(field))
		if found == nil {
			return nil, "Please select a valid " + strings.TrimSuffix(field, "_id") + "."
		}
		after[strings.TrimSuffix(field, "_id")+"_name"] = found.Text("name")
	}
	if strings.TrimSpace(after.Text("summary")) == "" {
		return nil, "Please enter a Summary."
	}
	if u := find(s.tables["users"], after.Int("user_id")); after.Int("user_id") != 0 && (u == nil || u.Int("client_id") != after.Int("client_id") && in["user_id"] != nil || u.Int("site_id") != after.Int("site_id")) {
		return nil, "Please select a valid user and site."
	}
	if s.called("team", after.Text("team")) == nil {
		return nil, "Please select a valid team."
	}
	if !slices.ContainsFunc(s.tables["priority"], func(p desk.Record) bool { return p.Int("priorityid") == after.Int("priority_id") }) {
		return nil, "Please select a valid priority."
	}
	isClosed := after.Int("status_id") == closed
	if isClosed != after.Flag("hasbeenclosed") || t == nil {
		after["hasbeenclosed"] = isClosed
		delete(after, "dateclosed")
		if isClosed {
			after["dateclosed"] = desk.Now()
		}
	}
	after["last_update"] = desk.Now()
	if t == nil {
		t = desk.Record{}
		after["id"] = s.id()
		s.tables["tickets"] = append(s.tables["tickets"], t)
		s.effect("ticket.create", after, after.Text("third_party_id_string"))
	} else if t.Int("status_id") != after.Int("status_id") {
		s.effect("ticket.status", after, after.Text("status_name"))
	}
	clear(t)
	maps.Copy(t, after)
	s.changed(before, t, by)
	return t, ""
}

// action is a note. The vendor's texts: https://github.com/CyberDrain/CIPP/issues/106
func (s *Service) action(in desk.Record, by int) (desk.Record, string) {
	t := find(s.tables["tickets"], in.Int("ticket_id"))
	outcome := find(s.tables["outcome"], in.Int("outcome_id"))
	switch {
	case t == nil:
		return nil, "The ticket was not found."
	case in.Int("outcome_id") == 0 && in.Text("outcome") == "":
		return nil, "An Outcome must be entered for this Action"
	case in.Int("outcome_id") != 0 && outcome == nil:
		return nil, "You do not have access to this Action at the moment"
	case in.Text("note") == "" && in.Text("note_html") == "":
		return nil, "Please enter a note."
	}
	a := in.Clone()
	a["id"], a["datetime"], a["who_agentid"], a["who"] = s.id(), desk.Now(), by, find(s.tables["agent"], by).Text("name")
	if a["outcome"] == nil {
		a["outcome"] = outcome.Text("outcome")
	}
	if a["hiddenfromuser"] == nil {
		a["hiddenfromuser"] = outcome.Flag("hidefromuser")
	}
	if a["note"] == nil {
		a["note"] = plain(a.Text("note_html"))
	}
	s.tables["actions"] = append(s.tables["actions"], a)
	t["last_update"] = desk.Now()
	s.effect("ticket.note", t, a.Text("note"))
	if to := in.Int("new_status"); to != 0 {
		if _, text := s.ticket(desk.Record{"id": t.Int("id"), "status_id": to}, by); text != "" {
			return nil, text
		}
	}
	return a, ""
}

func (s *Service) delete(table, id string) (int, any) {
	for _, rec := range s.tables[table] {
		if rec.Int("id") == number(id) && number(id) != 0 || rec.Text("id") == id {
			s.tables[table] = slices.DeleteFunc(s.tables[table], func(r desk.Record) bool { return r["id"] == rec["id"] })
			if table == "tickets" {
				s.deleted = append(s.deleted, rec)
				s.effect("ticket.delete", rec, "")
			}
			return http.StatusOK, s.shown(table, rec)
		}
	}
	return http.StatusNotFound, desk.Record{"Message": "The requested record was not found."}
}

// detailed is a record as it is shown alone: a webhook with its events, if they are asked for.
func (s *Service) detailed(r *http.Request, table string, rec desk.Record) desk.Record {
	out := s.shown(table, rec)
	if table == "webhook" && r.URL.Query().Get("includedetails") == "true" {
		out["events"] = s.subscribed(rec)
	}
	return out
}

// shown is a record without the secrets of webhooks.
func (s *Service) shown(table string, r desk.Record) desk.Record {
	out := r.Clone()
	if table == "webhook" {
		delete(out, "basic_password")
		delete(out, "authentication_header")
	}
	return out
}

func (s *Service) effect(kind string, t desk.Record, detail string) {
	s.cfg.Log.Effect(wire.Effect{Vendor: vendor, Kind: kind, Target: strconv.Itoa(t.Int("id")), Detail: detail})
}
