package teams

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// button is one action of a card with where it stands and the values that its inputs have when
// nobody has typed anything.
type button struct {
	pointer string // JSON pointer into the card
	action  map[string]any
	inputs  map[string]string
}

// buttons lists the actions of a card that a person can press, in document order. ShowCard is
// opened, not pressed, and stands there for the buttons in it.
func buttons(card []byte) []button {
	v, err := decode(card)
	if err != nil {
		return nil
	}
	var found []button
	var walk func(v any, at string, inputs map[string]string)
	walk = func(v any, at string, inputs map[string]string) {
		m, ok := v.(map[string]any)
		if !ok || m["isVisible"] == false {
			return
		}
		for _, name := range []string{"body", "items", "columns", "rows", "cells", "actions"} {
			items, _ := m[name].([]any)
			for i, item := range items {
				walk(item, at+"/"+name+"/"+strconv.Itoa(i), inputs)
			}
		}
		t, _ := m["type"].(string)
		switch {
		case t == "Action.ShowCard":
			if sub, ok := m["card"].(map[string]any); ok {
				all := map[string]string{}
				collect(sub, all)
				for id, value := range inputs {
					all[id] = value
				}
				walk(sub, at+"/card", all)
			}
		case strings.HasPrefix(t, "Action."):
			found = append(found, button{pointer: at, action: m, inputs: inputs})
		}
		if tap, ok := m["selectAction"].(map[string]any); ok {
			walk(tap, at+"/selectAction", inputs)
		}
	}
	root := map[string]string{}
	collect(v, root)
	walk(v, "", root)
	return found
}

// collect gathers the inputs of a card, not those of cards shown by its actions.
func collect(v any, into map[string]string) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	if t, _ := m["type"].(string); strings.HasPrefix(t, "Input.") {
		value, _ := m["value"].(string)
		if t == "Input.Toggle" && value == "" {
			value = "false"
			if off, ok := m["valueOff"].(string); ok {
				value = off
			}
		}
		into[text(m, "id")] = value
	}
	for _, name := range []string{"body", "items", "columns", "rows", "cells"} {
		items, _ := m[name].([]any)
		for _, item := range items {
			collect(item, into)
		}
	}
}

// Press names a button on a card. At least one of Verb, Title and Pointer is needed; the first
// button that fits all that are given is meant.
type Press struct {
	Person   string            `json:"person"`   // key of who presses
	Activity string            `json:"activity"` // id of the card's message; "" = the newest card that has the button
	Verb     string            `json:"verb"`     // verb of an Action.Execute, or data.verb or data.step of an Action.Submit
	Title    string            `json:"title"`
	Pointer  string            `json:"pointer"`  // JSON pointer of the action in the card
	Inputs   map[string]string `json:"inputs"`   // what was typed or chosen; the card's own values otherwise
	Data     map[string]any    `json:"data"`     // overrides fields of the action's data, as a forger would
	Stale    int               `json:"stale"`    // press on the card as it was so many updates ago
	Disabled bool              `json:"disabled"` // press although the button is disabled
	Times    int               `json:"times"`    // deliver the same activity so often, one after the other; 0 = once
	Tamper   Tamper            `json:"tamper"`
}

// aimed is a press with its button found.
type aimed struct {
	Press
	person Person
	msg    *message
	conv   string // with ;messageid= in a channel
	button button
}

// aim finds the button.
func (s *Service) aim(p Press) (aimed, error) {
	who, err := s.person(p.Person)
	if err != nil {
		return aimed{}, err
	}
	if p.Verb == "" && p.Title == "" && p.Pointer == "" {
		return aimed{}, fmt.Errorf("no button is named: give verb, title or pointer")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var tried []string
	for _, m := range s.candidates(p.Activity) {
		card := m.cardFor(who.Key)
		if p.Stale > 0 {
			if p.Stale >= len(m.history) {
				return aimed{}, fmt.Errorf("the card has only %d earlier states", len(m.history)-1)
			}
			card = m.history[len(m.history)-1-p.Stale].Card
		}
		for _, b := range buttons(card) {
			title := text(b.action, "title")
			tried = append(tried, fmt.Sprintf("%q", title))
			if !fits(p, b) {
				continue
			}
			if b.action["isEnabled"] == false && !p.Disabled {
				return aimed{}, fmt.Errorf("the button %q is disabled: %s", title, text(b.action, "tooltip"))
			}
			return aimed{Press: p, person: who, msg: m, conv: s.place(m), button: b}, nil
		}
	}
	return aimed{}, fmt.Errorf("%s sees no button with verb %q, title %q, only: %s", who.Name, p.Verb, p.Title, strings.Join(tried, ", "))
}

// place is the conversation id that activities about a message name; s.mu must be held.
func (s *Service) place(m *message) string {
	if s.convs[m.conv].kind == "channel" {
		return m.conv + ";messageid=" + m.root
	}
	return m.conv
}

// candidates are the messages with cards that may be meant, newest first; s.mu must be held.
func (s *Service) candidates(id string) []*message {
	if id != "" {
		if m := s.messages[id]; m != nil && m.card != nil && !m.deleted {
			return []*message{m}
		}
		return nil
	}
	var all []*message
	for _, m := range s.messages {
		if m.card != nil && !m.deleted {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *message) int { return strings.Compare(b.id, a.id) })
	return all
}

func fits(p Press, b button) bool {
	if p.Pointer != "" && p.Pointer != b.pointer || p.Title != "" && p.Title != text(b.action, "title") {
		return false
	}
	if p.Verb == "" {
		return true
	}
	data, _ := b.action["data"].(map[string]any)
	return p.Verb == text(b.action, "verb") || p.Verb == text(data, "verb") || p.Verb == text(data, "step")
}

// data is what the client sends: the action's data with the inputs merged in.
func (a aimed) data() (map[string]any, error) {
	out := map[string]any{}
	switch d := a.button.action["data"].(type) {
	case nil:
	case map[string]any:
		raw, err := json.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("copy the action's data: %w", err)
		}
		if err := json.Unmarshal(raw, &out); err != nil {
			return nil, fmt.Errorf("copy the action's data: %w", err)
		}
	default:
		return nil, fmt.Errorf("the action's data is not an object; inputs cannot be merged into it")
	}
	if a.button.action["associatedInputs"] != "none" {
		for id, value := range a.button.inputs {
			out[id] = value
		}
	}
	for id, value := range a.Inputs {
		if _, ok := a.button.inputs[id]; !ok {
			return nil, fmt.Errorf("the card has no input %q for this button", id)
		}
		out[id] = value
	}
	for name, v := range a.Data {
		out[name] = v
	}
	return out, nil
}
