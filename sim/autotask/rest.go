package autotask

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"responsehub/sim/desk"
)

// Handler is the service below Config.URL. Requests are recorded with vendor "autotask".
func (s *Service) Handler() http.Handler {
	return s.threadLimit(s.cfg.Log.Middleware(vendor, http.HandlerFunc(s.serve)))
}

// refusal is an error as the API answers it.
type refusal struct {
	status int
	errors []string
}

// invalid is what cannot be taken: 500, as at the vendor's.
func invalid(texts ...string) *refusal { return &refusal{http.StatusInternalServerError, texts} }

var (
	noPath    = &refusal{status: http.StatusNotFound}
	noAccess  = &refusal{status: http.StatusUnauthorized}
	noMethod  = &refusal{http.StatusMethodNotAllowed, []string{"The requested resource does not support this http method."}}
	noJSON    = invalid("The request body is not valid JSON.")
	noMatches = invalid("No matching records found. The logged in Resource may not have the required permissions to update the data.")
	noThread  = &refusal{http.StatusTooManyRequests, []string{"The thread threshold of 3 threads has been exceeded for the Tracking Identifier and endpoint."}}
	noCalls   = &refusal{http.StatusTooManyRequests, []string{"The request threshold of this database has been exceeded."}}
)

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	zone, rest, ok := strings.Cut(r.URL.Path, "/ATServicesRest/")
	version, rest, found := strings.Cut(rest, "/")
	if !ok || !found || !strings.EqualFold(version, "v1.0") {
		s.unexpected(r.Method + " " + r.URL.Path)
		answer(w, 0, nil, noPath)
		return
	}
	if strings.EqualFold(rest, "zoneInformation") && r.Method == http.MethodGet {
		s.serveZone(w, r)
		return
	}
	s.mu.Lock()
	here := s.zone
	s.mu.Unlock()
	if !s.authentic(r) || strings.Trim(zone, "/") != here {
		answer(w, 0, nil, noAccess)
		return
	}
	total := s.limits.count(1, false)
	if r.Context().Value(overThreads{}) != nil {
		answer(w, 0, nil, noThread)
		return
	}
	if !s.cfg.NoLimits && total > s.cfg.Threshold {
		answer(w, 0, nil, noCalls)
		return
	}
	if d := s.slow(total); d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		}
	}
	s.mu.Lock()
	v, bad := s.route(r, strings.Split(strings.Trim(rest, "/"), "/"))
	var raw json.RawMessage
	if bad == nil {
		raw = desk.Compact(v) // before anybody changes what the answer shows
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, raw, bad)
}

func answer(w http.ResponseWriter, status int, v any, bad *refusal) {
	if bad != nil {
		status = bad.status
		if v = nil; len(bad.errors) > 0 {
			v = desk.Record{"errors": bad.errors}
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if v != nil {
		_, _ = w.Write(desk.Compact(v)) //nolint:gosec // JSON by its Content-Type: no browser draws it; whoever is gone is told nothing
	}
}

func (s *Service) unexpected(what string) { s.cfg.Log.Unexpected(vendor, what) }

// serveZone says where a user's database is. An unknown user is answered with 500.
func (s *Service) serveZone(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.URL.Query().Get("user"), s.cfg.Username) {
		answer(w, 0, nil, invalid("Zone information could not be determined"))
		return
	}
	answer(w, http.StatusOK, desk.Record{"zoneName": "Simulated", "url": s.zoneURL(), "webUrl": s.cfg.URL + "/", "ci": 1}, nil)
}

func (s *Service) zoneURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimRight(s.cfg.URL+"/"+s.zone, "/") + "/ATServicesRest/"
}

func (s *Service) authentic(r *http.Request) bool {
	same := func(name, want string) bool {
		return subtle.ConstantTimeCompare([]byte(r.Header.Get(name)), []byte(want)) == 1
	}
	return same("UserName", s.cfg.Username) && same("Secret", s.cfg.Secret) && same("ApiIntegrationCode", s.cfg.Code)
}

// entities are the tables by lower-case name, with their model.
var entities = map[string]string{
	"tickets": "Tickets", "ticketnotes": "TicketNotes", "companies": "Companies", "contacts": "Contacts", "resources": "Resources", "ticketwebhooks": "TicketWebhooks",
	"ticketwebhookfields": "TicketWebhookFields", "webhookeventerrorlogs": "WebhookEventErrorLogs",
}

// children are the tables below a record: their table and the field that names the parent.
var children = map[string][2]string{
	"tickets/notes": {"TicketNotes", "ticketID"}, "ticketwebhooks/fields": {"TicketWebhookFields", "webhookID"},
	"ticketwebhooks/excludedresources": {"TicketWebhookExcludedResources", "webhookID"},
}

// route finds what a path below V1.0 means. s.mu is held.
func (s *Service) route(r *http.Request, p []string) (any, *refusal) {
	for i := range p {
		p[i] = strings.ToLower(p[i])
	}
	if len(p) == 1 && p[0] == "thresholdinformation" && r.Method == http.MethodGet {
		return desk.Record{"externalRequestThreshold": s.cfg.Threshold, "requestThresholdTimeframe": int(frame.Minutes()), "currentTimeframeRequestCount": s.limits.count(0, false)}, nil
	}
	entity, ok := entities[p[0]]
	if !ok {
		s.unexpected(r.Method + " " + r.URL.Path)
		return nil, noPath
	}
	last := strings.Join(p[1:], "/")
	switch {
	case last == "":
		return s.writeTo(r, entity, desk.Record{})
	case last == "query" && r.Method == http.MethodPost, last == "query" && r.Method == http.MethodGet, strings.HasPrefix(last, "query/next"):
		return s.query(r, entity, false)
	case last == "query/count":
		return s.query(r, entity, true)
	case last == "entityinformation" && r.Method == http.MethodGet:
		return desk.Record{"info": desk.Record{"name": entity, "canCreate": true, "canUpdate": true, "canQuery": true, "canDelete": false, "hasUserDefinedFields": false}}, nil
	case last == "entityinformation/fields" && r.Method == http.MethodGet:
		return desk.Record{"fields": s.fields(entity)}, nil
	case last == "entityinformation/userdefinedfields" && r.Method == http.MethodGet:
		return desk.Record{"fields": []any{}}, nil
	}
	id, err := strconv.Atoi(p[1])
	if err != nil {
		s.unexpected(r.Method + " " + r.URL.Path)
		return nil, noPath
	}
	if len(p) == 2 {
		return s.one(r, entity, id)
	}
	child, ok := children[p[0]+"/"+p[2]]
	if !ok {
		s.unexpected(r.Method + " " + r.URL.Path)
		return nil, noPath
	}
	return s.child(r, entity, id, child, p[3:])
}

// one is a record by id. There is no PATCH of it.
func (s *Service) one(r *http.Request, entity string, id int) (any, *refusal) {
	found := find(s.tables[entity], id)
	switch {
	case r.Method == http.MethodGet && found == nil && s.missing404:
		return nil, noPath
	case r.Method == http.MethodGet && found == nil:
		return desk.Record{"item": nil}, nil
	case r.Method == http.MethodGet:
		return desk.Record{"item": shown(found)}, nil
	case r.Method == http.MethodDelete && entity == "TicketWebhooks" && found != nil:
		s.drop("TicketWebhooks", id)
		return desk.Record{"itemId": id}, nil
	case r.Method == http.MethodDelete:
		return nil, invalid("No matching records found. The logged in Resource may not have the required permissions to delete the data.")
	}
	s.unexpected(r.Method + " " + r.URL.Path)
	return nil, noMethod
}

// child is a table below a record.
func (s *Service) child(r *http.Request, entity string, parent int, child [2]string, rest []string) (any, *refusal) {
	own := []desk.Record{}
	for _, c := range s.tables[child[0]] {
		if c.Int(child[1]) == parent {
			own = append(own, c)
		}
	}
	switch {
	case len(rest) == 2 && rest[0] == "entityinformation" && rest[1] == "fields":
		return desk.Record{"fields": s.fields(child[0])}, nil
	case len(rest) == 1 && r.Method == http.MethodGet:
		id, _ := strconv.Atoi(rest[0]) // no number is no record
		return desk.Record{"item": shown(find(own, id))}, nil
	case len(rest) == 1 && r.Method == http.MethodDelete && entity == "TicketWebhooks":
		id, _ := strconv.Atoi(rest[0])
		s.drop(child[0], id)
		s.ready(parent)
		return desk.Record{"itemId": id}, nil
	case len(rest) > 0:
		return nil, noPath
	case r.Method == http.MethodGet:
		return desk.Record{"items": shownAll(own), "pageDetails": desk.Record{"count": len(own), "requestCount": maxRecords, "prevPageUrl": nil, "nextPageUrl": nil}}, nil
	}
	if find(s.tables[entity], parent) == nil {
		return nil, invalid("Value does not reference an existing entity for " + child[1] + " . ")
	}
	return s.writeTo(r, child[0], desk.Record{child[1]: parent})
}

// shown is a record as answers show it: with every field, secrets left out.
func shown(r desk.Record) any {
	if r == nil {
		return nil
	}
	out := r.Clone()
	delete(out, "secretKey")
	return out
}

func shownAll(list []desk.Record) []any {
	out := []any{}
	for _, r := range list {
		out = append(out, shown(r))
	}
	return out
}

// read decodes the body.
func read(r *http.Request, into any) *refusal {
	if !desk.Decode(io.LimitReader(r.Body, 1<<20), into) {
		return noJSON
	}
	return nil
}
