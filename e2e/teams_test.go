package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"responsehub/sim"
	"responsehub/sim/teams"
)

// cards are the cards of an incident, in any channel.
func (s *stage) cards(ref string) []teams.MessageState {
	var out []teams.MessageState
	for _, ch := range s.world.Teams.Snapshot().Channels {
		for _, m := range ch.Messages {
			if m.Card != nil && !m.Deleted && strings.Contains(string(m.Card), ref) {
				out = append(out, m)
			}
		}
	}
	return out
}

// card waits until the incident's card, as everybody sees it, has all the words.
func (s *stage) card(ref string, words ...string) teams.MessageState {
	s.Helper()
	var m teams.MessageState
	defer func() {
		if s.Failed() {
			s.Logf("the card of %s says: %s", ref, cardText(m.Card))
		}
	}()
	s.until(fmt.Sprintf("the card of %s says %q", ref, words), func() bool {
		cards := s.cards(ref)
		if len(cards) == 0 {
			return false
		}
		m = cards[len(cards)-1]
		return hasAll(cardText(m.Card), words)
	})
	return m
}

// cardText is every text on a card, in order, without the buttons.
func cardText(card []byte) string {
	var v any
	if json.Unmarshal(card, &v) != nil {
		return ""
	}
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok {
				b.WriteString(text)
			}
			for _, k := range []string{"body", "items", "inlines"} {
				walk(v[k])
			}
			if v["type"] == "RichTextBlock" || v["type"] == "TextBlock" {
				b.WriteByte('\n')
			}
		}
	}
	walk(v)
	return b.String()
}

// click waits until the person sees the button on the incident's card and presses it.
func (s *stage) click(person, ref, title string, inputs map[string]string) teams.Outcome {
	s.Helper()
	var out teams.Outcome
	var err error
	s.until(fmt.Sprintf("%s sees %q on the card of %s", person, title, ref), func() bool {
		cards := s.cards(ref)
		if len(cards) == 0 {
			return false
		}
		out, err = s.press(person, cards[len(cards)-1].ID, title, inputs)
		// Whoever pressed on a card from before the step's last end is asked to look again, and
		// whoever pressed while the card was being posted to press again. A person does.
		return err == nil && !strings.Contains(cardText(out.Card), "older than the incident") && !strings.Contains(out.Message, "Press again in a moment")
	})
	if out.Status != http.StatusOK {
		s.Errorf("%s pressed %q: the hub answered %d %s", person, title, out.Status, out.Message)
	}
	if out.Millis > 10_000 {
		s.Errorf("%s waited %d ms for %q", person, out.Millis, title)
	}
	return out
}

// sure presses a button that asks back, and answers with yes. An update of the card takes
// the question away, as in Teams; then a person presses again.
func (s *stage) sure(person, ref, title, yes string, inputs map[string]string) {
	s.Helper()
	s.until(fmt.Sprintf("%s presses %q and answers %q", person, title, yes), func() bool {
		cards := s.cards(ref)
		if len(cards) == 0 {
			return false
		}
		id := cards[len(cards)-1].ID
		if out, err := s.press(person, id, title, inputs); err != nil || !strings.Contains(string(out.Card), yes) {
			return false
		}
		out, err := s.press(person, id, yes, nil)
		return err == nil && out.Replaced
	})
}

// press presses a button of one card at once.
func (s *stage) press(person, activity, title string, inputs map[string]string) (teams.Outcome, error) {
	seen, err := s.world.Play(s.Context(), sim.Act{Do: "click", Press: teams.Press{Person: person, Activity: activity, Title: title, Inputs: inputs}})
	if err != nil {
		return teams.Outcome{}, err
	}
	return seen.(teams.Outcome), nil
}
