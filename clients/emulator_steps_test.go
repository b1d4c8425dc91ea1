package clients_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"
)

// throughSteps presses the buttons of the steps that are left, one after the other. After
// each the card in the channel is updated in place, for everybody.
func throughSteps(t *testing.T, e *emulator, l *ledger, thread, message string, shown func() string) {
	t.Helper()
	for _, step := range []struct{ title, end string }{
		{"3 Disable persistence", "4 Reset password"}, {"4 Reset password", "5 Re-enable account"},
		{"5 Re-enable account", "6 Mark as remediated"}, {"6 Mark as remediated", ""},
	} {
		until(t, 20*time.Second, "the channel's card offers "+step.title, func() bool { return hasButton(shown(), step.title) })
		updates := len(l.calls("PUT", "/activities/"+message))
		if answer := e.press(t, ann, thread, message, button(t, shown(), step.title)); answer["type"] != cardType {
			t.Fatalf("%s was answered with %v %v", step.title, answer["type"], answer["value"])
		}
		asideAsked := false
		until(t, 30*time.Second, "the channel's card shows the end of "+step.title, func() bool {
			if step.end == "" {
				return strings.Contains(shown(), "Closed: ")
			}
			if aside := chosenAside(shown()); aside != nil && !asideAsked && strings.Contains(shown(), "Needs a person") {
				asideAsked = true // what the hub leaves to people, a person looks at
				e.press(t, ann, thread, message, aside)
			}
			return hasButton(shown(), step.end)
		})
		if len(l.calls("PUT", "/activities/"+message)) == updates {
			t.Errorf("%s brought no update of the card", step.title)
		}
	}
	l.said(t, thread, "Marked as remediated by Ann")
}

// chosenAside is the press of "Set chosen aside" with every item chosen, or nil.
func chosenAside(card string) map[string]any {
	type level struct {
		Body []struct {
			ID      string
			Choices []struct{ Value string }
		}
		Actions []struct {
			Title, Type, Verb string
			Data              map[string]any
			Card              json.RawMessage
		}
	}
	var top level
	_ = json.Unmarshal([]byte(card), &top)
	for _, more := range top.Actions {
		var behind level
		_ = json.Unmarshal(more.Card, &behind)
		var ids []string
		for _, el := range behind.Body {
			for _, c := range el.Choices {
				if el.ID == "items" {
					ids = append(ids, c.Value)
				}
			}
		}
		for _, a := range behind.Actions {
			if a.Title == "Set chosen aside" && len(ids) > 0 {
				data := maps.Clone(a.Data)
				data["items"], data["reason"] = strings.Join(ids, ","), "Looked at with the customer."
				return map[string]any{"type": a.Type, "title": a.Title, "verb": a.Verb, "data": data}
			}
		}
	}
	return nil
}
