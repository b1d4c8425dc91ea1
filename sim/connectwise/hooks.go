package connectwise

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"responsehub/sim/desk"
)

var hookFields = strings.Fields("id description url objectId type level memberId payloadVersion inactiveFlag isSoapCallbackFlag isSelfSuppressedFlag _info")

// levels are those of tickets; objectId means the board where the level is board.
var levels = []string{"owner", "board", "status", "ticket"}

// routeHooks is everything below system/callbacks. s.mu is held.
func (s *Service) routeHooks(w http.ResponseWriter, r *http.Request, p []string) (int, any, *refusal) {
	switch {
	case len(p) == 0 && r.Method == http.MethodGet:
		return s.list(w, r, s.hooks, func(name string) bool { return slices.Contains(hookFields, name) })
	case len(p) == 0 && r.Method == http.MethodPost:
		return s.register(r)
	case len(p) == 1 && p[0] == "count" && r.Method == http.MethodGet:
		return s.count(r, s.hooks, nil)
	case len(p) != 1:
		return 0, nil, noEndpoint
	}
	id, _ := strconv.Atoi(p[0]) // no number is no callback
	h := find(s.hooks, id)
	if h == nil {
		return 0, nil, missing("Callback", p[0])
	}
	switch r.Method {
	case http.MethodGet:
		return http.StatusOK, h, nil
	case http.MethodDelete:
		s.hooks = slices.DeleteFunc(s.hooks, func(k desk.Record) bool { return k.Int("id") == id })
		return http.StatusNoContent, nil, nil
	case http.MethodPatch, http.MethodPut:
		return s.changeHook(r, h)
	}
	return 0, nil, noEndpoint
}

// register takes a callback. The refusals are recorded ones of the vendor.
func (s *Service) register(r *http.Request) (int, any, *refusal) {
	var in desk.Record
	if bad := s.read(r, &in); bad != nil {
		return 0, nil, bad
	}
	if faults := s.judgeHook(in, 0); len(faults) > 0 {
		return 0, nil, invalid("callbackEntry", faults...)
	}
	if !strings.HasSuffix(in.Text("url"), "recordId=") {
		s.unexpected("a callback whose url does not end in recordId=: the id is appended to it")
	}
	h := in.Clone()
	h["id"], h["memberId"] = s.id(), hubMember
	for _, flag := range []string{"inactiveFlag", "isSoapCallbackFlag", "isSelfSuppressedFlag"} {
		h[flag] = in.Flag(flag)
	}
	h["_info"] = desk.Record{"lastUpdated": desk.Now(), "updatedBy": s.member(hubMember)}
	s.hooks = append(s.hooks, h)
	s.effect("callback.register", h, "")
	return http.StatusCreated, h.Clone(), nil
}

func (s *Service) judgeHook(in desk.Record, self int) (faults []fault) {
	wrong := func(code, message, field string) {
		faults = append(faults, fault{Code: code, Message: message, Field: field})
	}
	for _, name := range names(in) {
		if !slices.Contains(hookFields, name) {
			s.unexpected("a callback with the unknown field " + name)
			wrong("InvalidField", "The field "+name+" does not exist", name)
		}
	}
	if u, err := url.Parse(in.Text("url")); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		wrong("InvalidField", "Invalid URL", "url")
	}
	if in.Text("type") != "ticket" {
		wrong("InvalidObject", "Unrecognized type, see documentation for supported types", "type")
	}
	if !slices.Contains(levels, in.Text("level")) {
		wrong("InvalidObject", "Unrecognized level for type, see documentation for supported levels for each type", "level")
	}
	if in.Int("objectId") == 0 {
		wrong("MissingRequiredField", "objectId is required", "objectId")
	}
	if utf8.RuneCountInString(in.Text("description")) > maxDescription {
		wrong("InvalidField", fmt.Sprintf("description is longer than %d characters", maxDescription), "description")
	}
	for _, h := range s.hooks {
		if h.Int("id") != self && h.Text("url") == in.Text("url") && h.Int("objectId") == in.Int("objectId") && h.Text("level") == in.Text("level") {
			wrong("ObjectExists", "A matching callback entry already exists", "objectId")
		}
	}
	return faults
}

// changeHook takes PATCH operations or, with PUT, the whole entry.
func (s *Service) changeHook(r *http.Request, h desk.Record) (int, any, *refusal) {
	after := h.Clone()
	if r.Method == http.MethodPut {
		var in desk.Record
		if bad := s.read(r, &in); bad != nil {
			return 0, nil, bad
		}
		in["id"], in["memberId"] = h["id"], h["memberId"]
		after = in
	} else {
		var ops []operation
		if bad := s.read(r, &ops); bad != nil {
			return 0, nil, bad
		}
		for _, op := range ops {
			after[op.Path] = op.Value
		}
	}
	if faults := s.judgeHook(after, h.Int("id")); len(faults) > 0 {
		return 0, nil, invalid("callbackEntry", faults...)
	}
	if !after.Flag("inactiveFlag") {
		delete(s.failing, h.Int("id"))
	}
	for k, v := range after {
		h[k] = v
	}
	return http.StatusOK, h.Clone(), nil
}

// retry is the vendor's rule: again after 2 s and 4 s, and only for these answers.
func retry(attempt, status int) (time.Duration, bool) {
	switch status {
	case 404, 409, 419, 429:
		return time.Duration(attempt) * 2 * time.Second, attempt < 3
	}
	return 0, false
}

// maxFailingDays is after how many days with nothing but failures a callback is switched off.
const maxFailingDays = 3

// settled counts the days on which a callback failed.
func (s *Service) settled(p desk.Post, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.Atoi(p.Queue) // queues are named after callbacks
	h := find(s.hooks, id)
	if h == nil {
		return
	}
	if ok {
		delete(s.failing, id)
		return
	}
	if today := time.Now().UTC().Format(time.DateOnly); !slices.Contains(s.failing[id], today) {
		s.failing[id] = append(s.failing[id], today)
	}
	if len(s.failing[id]) >= maxFailingDays {
		h["inactiveFlag"] = true
	}
}
