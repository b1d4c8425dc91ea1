package teams

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"responsehub/sim/wire"
)

// createConversation starts a thread in a channel, or a chat with one person.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
func (s *Service) createConversation(w http.ResponseWriter, r *http.Request) *refusal {
	raw, ok, bad := s.body(w, r)
	if !ok {
		return bad
	}
	m, bad := s.strictObject("conversation", raw, conversationFields)
	if bad != nil {
		return bad
	}
	if id := text(m, "bot", "id"); id != s.botID() {
		return refuse("BadArgument", "bot.id is not "+s.botID())
	}
	tenant := text(m, "tenantId")
	if tenant == "" {
		tenant = text(m, "channelData", "tenant", "id")
	}
	if tenant != s.cfg.TenantID {
		return refuse("BadArgument", "tenantId is not the tenant the bot is installed in")
	}
	channel := text(m, "channelData", "channel", "id")
	if channel == "" {
		return s.createChat(w, m)
	}
	s.mu.Lock()
	_, known := s.convs[channel]
	s.mu.Unlock()
	if !known || !strings.HasPrefix(channel, "19:") {
		return refuse("ConversationNotFound", "")
	}
	if group, _ := m["isGroup"].(bool); !group {
		return refuse("BadArgument", "isGroup must be true for a channel")
	}
	first, err := json.Marshal(m["activity"])
	if err != nil || m["activity"] == nil {
		return refuse("BadArgument", "activity is required to start a thread")
	}
	out, bad := s.checkActivity(first)
	if bad != nil {
		return bad
	}
	if bad := s.throttle("create "+channel, sendRules); bad != nil {
		return bad
	}
	id := s.post(channel, "", out)
	if out.split {
		writeJSON(w, http.StatusAccepted, map[string]any{})
		return nil
	}
	writeJSON(w, http.StatusCreated, map[string]any{"id": channel + ";messageid=" + id, "activityId": id})
	return nil
}

// createChat opens the chat between the bot and the one member named.
func (s *Service) createChat(w http.ResponseWriter, m map[string]any) *refusal {
	members, bad := list(m, "members")
	if bad != nil {
		return bad
	}
	if len(members) != 1 {
		return refuse("BadArgument", "one member or channelData.channel.id is required")
	}
	who, _ := members[0].(map[string]any)
	p, ok := s.member(text(who, "id"))
	if !ok {
		return refuse("BadArgument", "members[0].id is not known to the bot")
	}
	writeJSON(w, http.StatusCreated, map[string]any{"id": s.chat(p)})
	return nil
}

// chat returns the id of the chat with a person.
func (s *Service) chat(p Person) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "a:1" + strings.ReplaceAll(p.EntraID, "-", "")
	if s.convs[id] == nil {
		s.convs[id] = &conversation{id: id, name: "Chat with " + p.Name, kind: "personal", person: p.Key}
	}
	return id
}

// conversation finds the one that a path names, and the thread in it.
func (s *Service) conversation(r *http.Request) (base, root string, bad *refusal) {
	base, root = splitConversation(r.PathValue("conv"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.convs[base] == nil {
		return "", "", refuse("ConversationNotFound", "")
	}
	if root != "" {
		if m := s.messages[root]; m == nil || m.conv != base || m.root != root {
			return "", "", refuse("ConversationNotFound", "")
		}
	}
	return base, root, nil
}

func (s *Service) postActivity(w http.ResponseWriter, r *http.Request) *refusal {
	base, root, bad := s.conversation(r)
	if bad != nil {
		return bad
	}
	raw, ok, bad := s.body(w, r)
	if !ok {
		return bad
	}
	out, bad := s.checkActivity(raw)
	if bad != nil {
		return bad
	}
	if bad := s.throttle(base, sendRules); bad != nil {
		return bad
	}
	if out.kind == "typing" {
		writeJSON(w, http.StatusAccepted, map[string]any{})
		return nil
	}
	id := s.post(base, root, out)
	if out.split {
		writeJSON(w, http.StatusAccepted, map[string]any{})
		return nil
	}
	writeJSON(w, http.StatusCreated, map[string]any{"id": id})
	return nil
}

// post puts a message of the bot into a conversation and returns its id.
func (s *Service) post(base, root string, out outgoing) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if out.split { // two messages; the bot learns the id of neither
		first := out
		first.card = nil
		s.add(base, root, "bot", first)
		out.text = ""
	}
	id := s.add(base, root, "bot", out)
	kind := "message.post"
	if out.card != nil {
		kind = "card.post"
	}
	s.cfg.Log.Effect(wire.Effect{Vendor: "teams", Tenant: s.cfg.TenantID, Kind: kind, Target: base + "/" + id, Detail: out.summary + out.text})
	return id
}

// add appends a message; s.mu must be held.
func (s *Service) add(base, root, from string, out outgoing) string {
	m := &message{
		id: s.nextID(), conv: base, root: root, from: from, text: out.text, summary: out.summary, card: out.card,
		at: time.Now().UTC(), views: map[string][]byte{},
	}
	if m.root == "" || s.convs[base].kind == "personal" {
		m.root = m.id
	}
	if m.card != nil {
		m.history = []Version{{At: m.at, Card: m.card}}
	}
	s.messages[m.id] = m
	c := s.convs[base]
	c.order = append(c.order, m.id)
	return m.id
}

// own finds the bot's message that a path names; s.mu must be held.
func (s *Service) own(base, root, id string) (*message, *refusal) {
	m := s.messages[id]
	switch {
	case m == nil || m.deleted || m.conv != base || (root != "" && m.root != root):
		return nil, refuse("ActivityNotFoundInConversation", "")
	case m.from != "bot":
		return nil, refuse("NotEnoughPermissions", "")
	}
	return m, nil
}

// putActivity replaces a message for everyone, also for those who had clicked on it.
func (s *Service) putActivity(w http.ResponseWriter, r *http.Request) *refusal {
	base, root, bad := s.conversation(r)
	if bad != nil {
		return bad
	}
	raw, ok, bad := s.body(w, r)
	if !ok {
		return bad
	}
	out, bad := s.checkActivity(raw)
	if bad != nil {
		return bad
	}
	if out.split || out.kind != "message" {
		return refuse("BadArgument", "an update is one message with text or with a card")
	}
	if bad := s.throttle(base, sendRules); bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, bad := s.own(base, root, r.PathValue("activity"))
	if bad != nil {
		return bad
	}
	now := time.Now().UTC()
	m.text, m.summary, m.card, m.views = out.text, out.summary, out.card, map[string][]byte{}
	m.edits = append(m.edits, now)
	if m.card != nil {
		m.history = append(m.history, Version{At: now, Card: m.card})
	}
	s.cfg.Log.Effect(wire.Effect{Vendor: "teams", Tenant: s.cfg.TenantID, Kind: "card.update", Target: base + "/" + m.id, Detail: out.summary + out.text})
	writeJSON(w, http.StatusOK, map[string]any{"id": m.id})
	return nil
}

func (s *Service) deleteActivity(w http.ResponseWriter, r *http.Request) *refusal {
	base, root, bad := s.conversation(r)
	if bad != nil {
		return bad
	}
	if bad := s.throttle(base, sendRules); bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, bad := s.own(base, root, r.PathValue("activity"))
	if bad != nil {
		return bad
	}
	m.deleted = true
	s.cfg.Log.Effect(wire.Effect{Vendor: "teams", Tenant: s.cfg.TenantID, Kind: "message.delete", Target: base + "/" + m.id})
	w.WriteHeader(http.StatusOK)
	return nil
}
