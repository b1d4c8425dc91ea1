package teams

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// keptVersions is how many states of each card are saved, the present one included. A long-lived
// card has hundreds, and nobody presses a button that old.
const keptVersions = 5

// saved is a Service as Save writes it.
type saved struct {
	Installed     bool                `json:"installed"`
	Disabled      bool                `json:"disabled"`
	LastID        int64               `json:"last_id"`
	Notices       map[string]Notice   `json:"notices"`
	Conversations []savedConversation `json:"conversations"`
	Keys          savedKeys           `json:"keys"`
}

type savedConversation struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`
	Person   string         `json:"person,omitempty"`
	Messages []savedMessage `json:"messages"`
}

type savedMessage struct {
	ID      string                     `json:"id"`
	Root    string                     `json:"root"`
	From    string                     `json:"from"`
	At      time.Time                  `json:"at"`
	Text    string                     `json:"text,omitempty"`
	Summary string                     `json:"summary,omitempty"`
	Card    json.RawMessage            `json:"card,omitempty"`
	History []savedVersion             `json:"history,omitempty"`
	Views   map[string]json.RawMessage `json:"views,omitempty"`
	Edits   []time.Time                `json:"edits,omitempty"`
	Deleted bool                       `json:"deleted,omitempty"`
}

type savedVersion struct {
	At   time.Time       `json:"at"`
	Card json.RawMessage `json:"card"`
}

type savedKeys struct {
	Serial    int       `json:"serial"`
	Current   *savedKey `json:"current"`
	Previous  *savedKey `json:"previous"`
	Webchat   *savedKey `json:"webchat"`
	Unrelated *savedKey `json:"unrelated"`
}

type savedKey struct {
	Kid          string   `json:"kid"`
	Endorsements []string `json:"endorsements"`
	Key          []byte   `json:"key"` // PKCS #8
}

// Save encodes what Teams shows and signs with, for Restore. What was sent to the bot, the counts of
// the rate limits and all but the newest states of each card are not in it. The same state gives the
// same bytes.
func (s *Service) Save() (json.RawMessage, error) {
	keys, err := s.keys.save()
	if err != nil {
		return nil, fmt.Errorf("sim/teams: save: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := saved{Installed: s.installed, Disabled: s.disabled, LastID: s.lastID, Notices: s.notices, Keys: keys}
	for _, id := range slices.Sorted(maps.Keys(s.convs)) {
		c := s.convs[id]
		one := savedConversation{ID: c.id, Name: c.name, Kind: c.kind, Person: c.person}
		for _, id := range c.order {
			one.Messages = append(one.Messages, s.messages[id].save())
		}
		out.Conversations = append(out.Conversations, one)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("sim/teams: save: %w", err)
	}
	return raw, nil
}

func (m *message) save() savedMessage {
	out := savedMessage{
		ID: m.id, Root: m.root, From: m.from, At: m.at, Text: m.text, Summary: m.summary, Card: m.card,
		Views: map[string]json.RawMessage{}, Edits: m.edits, Deleted: m.deleted,
	}
	for who, card := range m.views {
		out.Views[who] = card
	}
	for _, v := range m.history[max(0, len(m.history)-keptVersions):] {
		out.History = append(out.History, savedVersion{v.At, v.Card})
	}
	return out
}

// Restore is New with the state that Save encoded.
func Restore(cfg Config, raw json.RawMessage) (*Service, error) {
	var in saved
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("sim/teams: restore: %w", err)
	}
	s, err := build(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.keys.restore(in.Keys); err != nil {
		return nil, fmt.Errorf("sim/teams: restore: %w", err)
	}
	s.installed, s.disabled, s.lastID = in.Installed, in.Disabled, in.LastID
	maps.Copy(s.notices, in.Notices)
	for _, c := range in.Conversations {
		if c.Kind != "channel" && c.Kind != "personal" {
			return nil, fmt.Errorf("sim/teams: restore: conversation %q of kind %q", c.ID, c.Kind)
		}
		conv := &conversation{id: c.ID, name: c.Name, kind: c.Kind, person: c.Person}
		s.convs[c.ID] = conv
		for _, m := range c.Messages {
			if m.ID == "" || s.messages[m.ID] != nil {
				return nil, fmt.Errorf("sim/teams: restore: message id %q is empty or there twice", m.ID)
			}
			conv.order = append(conv.order, m.ID)
			s.messages[m.ID] = m.restore(c.ID)
		}
	}
	return s, nil
}

func (m savedMessage) restore(conv string) *message {
	out := &message{
		id: m.ID, conv: conv, root: m.Root, from: m.From, text: m.Text, summary: m.Summary, card: m.Card, views: map[string][]byte{},
		at: m.At, edits: m.Edits, deleted: m.Deleted,
	}
	for who, card := range m.Views {
		out.views[who] = card
	}
	for _, v := range m.History {
		out.history = append(out.history, Version{v.At, v.Card})
	}
	return out
}

func (k *keyring) save() (savedKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := savedKeys{Serial: k.serial}
	var errs []error
	for _, p := range []struct {
		to   **savedKey
		from *signingKey
	}{{&out.Current, k.current}, {&out.Previous, k.previous}, {&out.Webchat, k.webchat}, {&out.Unrelated, k.unrelated}} {
		if p.from == nil {
			continue
		}
		der, err := x509.MarshalPKCS8PrivateKey(p.from.private)
		errs = append(errs, err)
		*p.to = &savedKey{Kid: p.from.kid, Endorsements: p.from.endorsements, Key: der}
	}
	return out, errors.Join(errs...)
}

func (k *keyring) restore(in savedKeys) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.serial = in.Serial
	for _, p := range []struct {
		name     string
		to       **signingKey
		from     *savedKey
		optional bool
	}{
		{"current", &k.current, in.Current, false}, {"previous", &k.previous, in.Previous, true},
		{"webchat", &k.webchat, in.Webchat, false}, {"unrelated", &k.unrelated, in.Unrelated, false},
	} {
		if p.from == nil && p.optional {
			continue
		}
		if p.from == nil {
			return fmt.Errorf("the %s key is missing", p.name)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(p.from.Key)
		if err != nil {
			return fmt.Errorf("the %s key: %w", p.name, err)
		}
		private, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return fmt.Errorf("the %s key is no RSA key", p.name)
		}
		*p.to = &signingKey{kid: p.from.Kid, endorsements: p.from.Endorsements, private: private}
	}
	return nil
}
