package halopsa

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"responsehub/sim/desk"
)

// How a webhook shows who it is.
const (
	authNone = iota
	authBearer
	authBasic
)

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

// happened tells the active webhooks of a ticket. s.mu is held.
func (s *Service) happened(event string, t desk.Record, by int) {
	for _, h := range s.tables["webhook"] {
		if h.Flag("active") && !h.Flag("disabled") {
			s.sender.Send(s.event(h, event, t, by))
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
		"webhook_id": h.Text("id"), "id": rand.Text(), "timestamp": desk.Now(), "event": map[string]string{"new": "New Ticket Logged", "update": "Ticket Updated", "action": "Ticket Action Added", "delete": "Ticket Deleted"}[event],
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
			p = s.event(h, "update", t, clerks)
		}
		s.mu.Unlock()
	}
	if !ok || kind != "forged" && kind != "replay" {
		return "", fmt.Errorf("sim/halopsa: no event %q of ticket %d can be posted", kind, ticket)
	}
	status, err := s.sender.Once(ctx, p)
	if err != nil {
		return "", fmt.Errorf("sim/halopsa: %w", err)
	}
	return fmt.Sprintf("The hub answered %d.", status), nil
}
