package clients_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// maxActions is how many actions of one level Teams shows as buttons.
const maxActions = 6

// drawnCard is what the renderer made of a card.
type drawnCard struct {
	Name    string   `json:"name"`
	Faults  []string `json:"faults"`
	Kept    int      `json:"kept"`   // actions of the first level that are shown
	Spills  []string `json:"spills"` // what is wider than the card
	Dim     []string `json:"dim"`    // texts that can hardly be read
	Pressed []struct {
		Type, Title, Verb string
		Data              map[string]any
	} `json:"pressed"`
}

// TestCards draws every golden card with Microsoft's renderer in a browser: nothing to
// complain about, nothing beyond the card's edge on a desktop and on a phone, no text that
// cannot be read in light or dark, and a press of each button does what the card says.
func TestCards(t *testing.T) {
	files, err := filepath.Glob("../bot/card/testdata/*.golden")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d golden cards found (%v)", len(files), err)
	}
	type card struct {
		Name string          `json:"name"`
		Card json.RawMessage `json:"card"`
	}
	in := struct {
		Chromium string `json:"chromium"`
		Folder   string `json:"folder"`
		Cards    []card `json:"cards"`
	}{chromium(t), artifacts(t, "cards"), nil}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in.Cards = append(in.Cards, card{strings.TrimSuffix(filepath.Base(file), ".golden"), b})
	}
	var drawn []drawnCard
	ask(t, 180*time.Second, "cards.cjs", in, &drawn)
	if len(drawn) != len(files) {
		t.Errorf("%d cards drawn of %d", len(drawn), len(files))
	}
	for i, d := range drawn {
		for _, f := range d.Faults {
			t.Errorf("%s: %s", d.Name, f)
		}
		for _, s := range d.Spills {
			t.Errorf("%s: wider than the card: %q", d.Name, s)
		}
		for _, s := range d.Dim {
			t.Errorf("%s: contrast below 4.5: %s", d.Name, s)
		}
		if i >= len(in.Cards) {
			continue
		}
		var payload map[string]any
		if err := json.Unmarshal(in.Cards[i].Card, &payload); err != nil {
			t.Fatal(err)
		}
		if top, _ := payload["actions"].([]any); len(top) > maxActions || d.Kept != len(top) {
			t.Errorf("%s: %d actions, of which the renderer shows %d", d.Name, len(top), d.Kept)
		}
		var got []string
		for _, p := range d.Pressed {
			got = append(got, press(p.Type, p.Title, p.Verb, p.Data))
		}
		want := buttons(payload)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: buttons of the card (-) and what pressing them did (+):\n%s", d.Name, diff)
		}
	}
}

// buttons lists what pressing everything on a card must do, behind "More" and "Undo..."
// too.
func buttons(card map[string]any) []string {
	var own, behind []string
	actions, _ := card["actions"].([]any)
	for _, a := range actions {
		action := a.(map[string]any)
		kind, _ := action["type"].(string)
		if kind == "Action.ShowCard" {
			behind = append(behind, buttons(action["card"].(map[string]any))...)
			continue
		}
		title, _ := action["title"].(string)
		verb, _ := action["verb"].(string)
		data, _ := action["data"].(map[string]any)
		own = append(own, press(kind, title, verb, data))
	}
	return append(own, behind...)
}

// press is one press in a line. Of the data only what the card sets counts: inputs are
// mixed in by the client.
func press(kind, title, verb string, data map[string]any) string {
	fixed := map[string]any{}
	for _, k := range []string{"incident", "step", "round", "skip", "chosen", "verb", "msteams"} {
		if v, ok := data[k]; ok {
			fixed[k] = v
		}
	}
	b, _ := json.Marshal(fixed)
	return strings.Join([]string{kind, title, verb, string(b)}, " | ")
}
