package halopsa

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"responsehub/sim/desk"
)

// How a webhook shows who it is.
const (
	authNone = iota
	authBasic
	authBearer
)

// numbers are events by name. Only people know the number of the last one: it is a guess.
var numbers = map[string]int{"New Ticket Logged": 3, "Ticket Updated by User": 19, "Closed": 39, "Ticket Status Changed": 76, "Ticket Deleted": 1072, reassigned: 4}

const reassigned = "Ticket Reassigned"

// notification adds an event to a webhook. The text says what is wrong.
func (s *Service) notification(in desk.Record) (desk.Record, string) {
	hook := slices.IndexFunc(s.tables["webhook"], func(h desk.Record) bool { return h.Text("id") == in.Text("webhook_id") && in.Text("webhook_id") != "" })
	no := number(in.Text("eventno"))
	switch {
	case hook < 0:
		return nil, "The webhook was not found."
	case in.Int("type") != -2 || in.Int("delivery_method") != 6:
		return nil, "Please select a valid delivery method."
	case !slices.Contains(slices.Collect(maps.Values(numbers)), no):
		return nil, "Please select a valid event."
	}
	n := in.Clone()
	n["id"], n["eventno"] = s.id(), no
	s.tables["notification"] = append(s.tables["notification"], n)
	return n, ""
}

// subscribed are the events of a webhook.
func (s *Service) subscribed(h desk.Record) []desk.Record {
	out := []desk.Record{}
	for _, n := range s.tables["notification"] {
		if n.Text("webhook_id") == h.Text("id") {
			out = append(out, n)
		}
	}
	return out
}

// tick adds an event to every webhook, as an administrator does in the setup; untick takes it, or all, away.
func (s *Service) tick(name string, on bool) error {
	no, known := numbers[name]
	if !known && (on || name != "") {
		return fmt.Errorf("sim/halopsa: there is no event %q", name)
	}
	if !on {
		s.tables["notification"] = slices.DeleteFunc(s.tables["notification"], func(n desk.Record) bool { return name == "" || n.Int("eventno") == no })
		return nil
	}
	for _, h := range s.tables["webhook"] {
		s.tables["notification"] = append(s.tables["notification"], desk.Record{"id": s.id(), "webhook_id": h.Text("id"), "type": -2, "delivery_method": 6, "eventno": no})
	}
	return nil
}

// webhook makes or changes one. The text says what is wrong.
func (s *Service) webhook(in desk.Record) (desk.Record, string) {
	i := slices.IndexFunc(s.tables["webhook"], func(h desk.Record) bool { return h.Text("id") == in.Text("id") && in.Text("id") != "" })
	h := desk.Record{"id": fmt.Sprintf("b0a7c0de-0000-4000-8000-%012d", s.id()), "active": true}
	if i >= 0 {
		h = s.tables["webhook"][i]
	} else if in.Text("id") != "" {
		return nil, "The webhook was not found."
	}
	after := h.Clone()
	maps.Copy(after, in)
	after["id"] = h["id"]
	u, err := url.Parse(after.Text("url"))
	switch {
	case after.Text("name") == "":
		return nil, "Please enter a name."
	case err != nil || u.Hostname() == "":
		return nil, "Please enter a valid URL."
	case after.Int("authentication_type") == authBearer && after.Text("authentication_header") == "",
		after.Int("authentication_type") == authBasic && (after.Text("basic_username") == "" || after.Text("basic_password") == ""):
		return nil, "Please enter the credentials of the webhook."
	}
	clear(h)
	maps.Copy(h, after)
	if i < 0 {
		s.tables["webhook"] = append(s.tables["webhook"], h)
	}
	return h, ""
}

// happened tells the active webhooks of a ticket, those that have the event. s.mu is held.
func (s *Service) happened(event string, t desk.Record, by int) {
	for _, h := range s.tables["webhook"] {
		if !h.Flag("active") || h.Flag("disabled") {
			continue
		}
		for _, n := range s.subscribed(h) {
			if n.Int("eventno") == numbers[event] {
				s.sender.Send(s.event(h, event, t, by))
			}
		}
	}
}

// changed tells of a change by what it changed.
func (s *Service) changed(before, after desk.Record, by int) {
	if before == nil {
		s.happened("New Ticket Logged", after, by)
		return
	}
	if before.Int("agent_id") != after.Int("agent_id") || before.Text("team") != after.Text("team") {
		s.happened(reassigned, after, by)
	}
	if before.Int("status_id") != after.Int("status_id") {
		s.happened("Ticket Status Changed", after, by)
		if after.Int("status_id") == closed {
			s.happened("Closed", after, by)
		}
	}
}

func (s *Service) event(h desk.Record, event string, t desk.Record, by int) desk.Post {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	r := http.Request{Header: header}
	switch h.Int("authentication_type") {
	case authBearer:
		header.Set("Authorization", "Bearer "+h.Text("authentication_header"))
	case authBasic:
		r.SetBasicAuth(h.Text("basic_username"), h.Text("basic_password"))
	}
	return desk.Post{Queue: h.Text("id"), URL: h.Text("url"), Header: header, Body: desk.Compact(desk.Record{
		"webhook_id": h.Text("id"), "id": rand.Text(), "timestamp": desk.Now(), "event": strings.ToLower(event),
		"object_id": t.Int("id"), "agent_id": by, "ticket": desk.Record{"id": t.Int("id"), "summary": t.Text("summary"), "status_id": t.Int("status_id"), "hasbeenclosed": t.Flag("hasbeenclosed")},
	})}
}

// hostile posts an event that the hub must not believe, or not count twice, and returns its answer.
func (s *Service) hostile(ctx context.Context, kind string, ticket int) (string, error) {
	p, ok := s.sender.Last()
	if kind == "forged" {
		s.mu.Lock()
		t, hooks := find(s.tables["tickets"], ticket), s.tables["webhook"]
		if ok = t != nil && len(hooks) > 0; ok {
			h := hooks[len(hooks)-1].Clone()
			h["authentication_header"], h["basic_password"] = "guessed", "guessed"
			p = s.event(h, "Ticket Status Changed", t, clerks)
		}
		s.mu.Unlock()
	}
	if kind == "unsigned" {
		p.Header = p.Header.Clone()
		p.Header.Del("Authorization")
	}
	if !ok || kind != "forged" && kind != "replay" && kind != "unsigned" {
		return "", fmt.Errorf("sim/halopsa: no event %q of ticket %d can be posted", kind, ticket)
	}
	status, err := s.sender.Once(ctx, p)
	if err != nil {
		return "", fmt.Errorf("sim/halopsa: %w", err)
	}
	return fmt.Sprintf("The hub answered %d.", status), nil
}
