package teams

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// State is everything that Teams shows and has sent, for tests and for the page. Dialogs are not in it.
type State struct {
	Tenant    string            `json:"tenant"`
	Team      string            `json:"team"`
	Installed bool              `json:"installed"`
	Disabled  bool              `json:"disabled"`
	People    []Person          `json:"people"`
	Channels  []ChannelState    `json:"channels"`
	Chats     []ChannelState    `json:"chats"`
	Notices   map[string]Notice `json:"notices"` // last line shown under a card, by person
	Sent      []Delivery        `json:"sent"`    // what the bot was sent
}

// ChannelState is a channel or a chat with its messages, oldest first.
type ChannelState struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Person   string         `json:"person,omitempty"`
	Messages []MessageState `json:"messages"`
}

// MessageState is one message as everyone sees it, and how it differs for those who clicked.
type MessageState struct {
	ID      string                     `json:"id"`
	Root    string                     `json:"root"` // first message of the thread; its own id for that one
	From    string                     `json:"from"` // "bot" or a person's key
	At      time.Time                  `json:"at"`
	Text    string                     `json:"text,omitempty"`
	Summary string                     `json:"summary,omitempty"`
	Card    json.RawMessage            `json:"card,omitempty"`
	Views   map[string]json.RawMessage `json:"views,omitempty"` // by person
	Edits   int                        `json:"edits"`
	Edited  []time.Time                `json:"edited,omitempty"` // when each PUT came
	Deleted bool                       `json:"deleted,omitempty"`
}

// CardFor returns the card as a person sees it, nil when the message has none.
func (m MessageState) CardFor(person string) json.RawMessage {
	if v, ok := m.Views[person]; ok {
		return v
	}
	return m.Card
}

// Snapshot copies the state.
func (s *Service) Snapshot() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{
		Tenant: s.cfg.TenantID, Team: s.cfg.TeamName, Installed: s.installed, Disabled: s.disabled,
		People: slices.Clone(s.cfg.People), Notices: maps.Clone(s.notices), Sent: slices.Clone(s.sent),
	}
	for _, c := range s.cfg.Channels {
		st.Channels = append(st.Channels, s.channelState(s.convs[c.ID]))
	}
	for _, id := range slices.Sorted(maps.Keys(s.convs)) {
		if c := s.convs[id]; c.kind == "personal" {
			st.Chats = append(st.Chats, s.channelState(c))
		}
	}
	return st
}

func (s *Service) channelState(c *conversation) ChannelState {
	out := ChannelState{ID: c.id, Name: c.name, Person: c.person, Messages: []MessageState{}}
	for _, id := range c.order {
		m := s.messages[id]
		ms := MessageState{
			ID: m.id, Root: m.root, From: m.from, At: m.at, Text: m.text, Summary: m.summary, Card: m.card,
			Edits: len(m.edits), Edited: slices.Clone(m.edits), Deleted: m.deleted,
		}
		for who, card := range m.views {
			if ms.Views == nil {
				ms.Views = map[string]json.RawMessage{}
			}
			ms.Views[who] = card
		}
		out.Messages = append(out.Messages, ms)
	}
	return out
}
