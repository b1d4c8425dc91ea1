package card

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"responsehub"
)

// allowed lists the elements we use and the keys each may have, from the adaptive
// card schema 1.5 (msteams is Teams' own addition).
// https://adaptivecards.io/explorer/
var allowed = map[string]string{
	"AdaptiveCard":    "$schema version body actions fallbackText msteams",
	"TextBlock":       "text wrap weight color spacing separator isSubtle",
	"RichTextBlock":   "inlines spacing",
	"TextRun":         "text weight size isSubtle fontType selectAction",
	"Container":       "style items spacing",
	"Input.ChoiceSet": "id isMultiSelect style wrap label value choices",
	"Input.Text":      "id label isMultiline maxLength",
	"Action.Execute":  "title verb data fallback style",
	"Action.Submit":   "title data",
	"Action.ShowCard": "title card",
	"Action.OpenUrl":  "title url",
}

// check holds a card to the rules of Teams that we rely on.
func check(t testing.TB, card []byte) {
	t.Helper()
	if len(card) > MaxSize {
		t.Errorf("card has %d bytes, more than %d", len(card), MaxSize)
	}
	if !utf8.Valid(card) {
		t.Error("card is not valid UTF-8")
	}
	var root map[string]any
	if err := json.Unmarshal(card, &root); err != nil {
		t.Fatalf("card is not JSON: %v", err)
	}
	if root["version"] != "1.5" || root["type"] != "AdaptiveCard" {
		t.Errorf("type %v, version %v", root["type"], root["version"])
	}
	walk(t, "card", root)
}

func walk(t testing.TB, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			walk(t, at, e)
		}
	case map[string]any:
		kind, _ := v["type"].(string)
		keys, known := allowed[kind]
		if !known {
			t.Errorf("%s: unknown element %q", at, kind)
			return
		}
		for k, e := range v {
			if k != "type" && !strings.Contains(" "+keys+" ", " "+k+" ") {
				t.Errorf("%s: %s has no %q", at, kind, k)
			}
			switch k {
			case "body", "items", "inlines", "card", "fallback", "selectAction":
				walk(t, at+"/"+k, e)
			case "actions":
				if n := len(e.([]any)); n > 6 || n == 0 {
					t.Errorf("%s: %d actions at one level", at, n)
				}
				walk(t, at+"/"+k, e)
			case "choices":
				if len(e.([]any)) == 0 {
					t.Errorf("%s: a choice without choices", at)
				}
			}
		}
		rules(t, at, kind, v)
	default:
		t.Errorf("%s: %T where an element should be", at, v)
	}
}

var ownTime = regexp.MustCompile(`^Your time: \{\{DATE\([\dTZ:-]{20}, SHORT\)\}\} \{\{TIME\([\dTZ:-]{20}\)\}\}$`)

var plainURL = regexp.MustCompile(`^https?://`)

func rules(t testing.TB, at, kind string, v map[string]any) {
	t.Helper()
	switch kind {
	case "TextBlock":
		// Only the hub's own constant sentences may be read as markdown.
		switch text := v["text"].(string); text {
		case wordsActNow, wordsPublish, wordsSeen, wordsSteps, wordsReadOnly, wordsPublished, wordsOff, wordsOffYours, wordsOn, wordsWanted, wordsYours, wordsUnheard:
		default:
			if !ownTime.MatchString(text) {
				t.Errorf("%s: text block with foreign text %q", at, text)
			}
		}
	case "TextRun":
		text := v["text"].(string)
		if strings.Contains(text, "{{") {
			t.Errorf("%s: a function that clients carry out in %q", at, text)
		}
		for _, r := range text {
			if unicode.Is(unicode.C, r) {
				t.Errorf("%s: hidden character %U in %q", at, r, text)
			}
		}
	case "Action.Execute":
		verb, _ := v["verb"].(string)
		if !responsehub.StepID(verb).Valid() && verb != Tick && verb != Undo && verb != FalseAlarm {
			t.Errorf("%s: verb %q is no step", at, verb)
		}
		data(t, at, v["data"], "")
		fallback, ok := v["fallback"].(map[string]any)
		if !ok || fallback["type"] != "Action.Submit" || fallback["title"] != v["title"] {
			t.Errorf("%s: Action.Execute without its Action.Submit", at)
			return
		}
		data(t, at, fallback["data"], verb)
	case "Action.Submit":
		if strings.Contains(at, "fallback") {
			return
		}
		d := v["data"].(map[string]any)
		if ms, _ := d["msteams"].(map[string]any); ms["type"] != "task/fetch" || d["verb"] != Reveal || d["incident"] == "" {
			t.Errorf("%s: reveal button has data %v", at, d)
		}
	case "Action.ShowCard":
		// Teams does not draw a card within a card that is shown by a button.
		if strings.Contains(at, "/card") {
			t.Errorf("%s: %q is behind another press", at, v["title"])
		}
	case "Action.OpenUrl":
		if !plainURL.MatchString(v["url"].(string)) {
			t.Errorf("%s: link to %q", at, v["url"])
		}
	}
}

// data checks that a button carries strings only, and names its incident and step.
func data(t testing.TB, at string, v any, verb string) {
	t.Helper()
	d, _ := v.(map[string]any)
	for k, e := range d {
		if _, ok := e.(string); !ok {
			t.Errorf("%s: data %q is a %T, not a string", at, k, e)
		}
	}
	if d[KeyTodo] != nil && d[KeyStep] == nil {
		if d[KeyIncident] == nil || d[KeyTodo] == "" || verb != "" && d[KeyVerb] != Tick {
			t.Errorf("%s: data of a to-do lacks its names: %v", at, d)
		}
		return
	}
	if d[KeyVerb] == FalseAlarm || verb == "" && d[KeyStep] == nil {
		if d[KeyIncident] == nil || d[KeyStep] != nil {
			t.Errorf("%s: data of a false alarm: %v", at, d)
		}
		return
	}
	if d[KeyIncident] == nil || !responsehub.StepID(d[KeyStep].(string)).Valid() || d[KeyRound] == nil {
		t.Errorf("%s: data lacks its names: %v", at, d)
	}
	if verb != "" && d[KeyVerb] != verb {
		t.Errorf("%s: fallback has verb %v, want %s", at, d[KeyVerb], verb)
	}
}

func FuzzCard(f *testing.F) {
	for _, g := range goldens {
		b, err := json.Marshal(g.inc())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "answer", true)
	}
	f.Fuzz(func(t *testing.T, doc []byte, answer string, readOnly bool) {
		inc := open(true, alert())
		if json.Unmarshal(doc, inc) != nil || len(inc.Ref) > 20 || len(inc.ID) > 40 || len(inc.Steps) > 20 {
			return
		}
		for i := range inc.Steps {
			for j := range inc.Steps[i].Items {
				if len(inc.Steps[i].Items[j].ID) > 40 {
					return // the hub's own, always twelve characters
				}
			}
			if len(inc.Steps[i].ID) > 20 {
				return
			}
		}
		inc.Ref, inc.ID = Clean(inc.Ref, 20), Clean(inc.ID, 40) // the hub's own
		check(t, Card(inc, View{Answer: answer, ReadOnly: readOnly, Now: t0}))
		Summary(inc)
	})
}

func FuzzClean(f *testing.F) {
	f.Add("a\u202eb ✓ \xff", 10)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = min(max(most, 1), 1000)
		got := Clean(s, most)
		if n := utf8.RuneCountInString(got); n > most+2 {
			t.Errorf("%d characters, want at most %d", n, most)
		}
		if strings.ContainsAny(got, "\n\r\x00✓✅\u202e") {
			t.Errorf("Clean left something in %q", got)
		}
		if strings.Contains(got, "{{") {
			t.Errorf("Clean left a function that clients carry out in %q", got)
		}
	})
}

// TestEveryMixture draws steps in every state beside each other: however many buttons
// could make sense at once, the rules hold.
func TestEveryMixture(t *testing.T) {
	states := responsehub.StepStates
	for n := range 2000 {
		inc := open(true, alert())
		mix := n * 7919
		for i := range inc.Steps[1:] {
			inc.Steps[i+1].State = states[mix%len(states)]
			mix = mix/len(states) + n*31
		}
		inc.Sealed = map[string]responsehub.Sealed{sealedPassword: {For: ann.ID}}
		for i := range n % 9 {
			inc.AddTodo(string(rune('a'+i)), "In on-premises AD: Disable-ADAccount pat")
		}
		if n%3 == 0 {
			inc.BeginWatch(true, t0, t0)
			inc.Undid(t0, t0, true, t0)
		}
		check(t, Card(inc, View{Console: "https://hub.example/i"}))
	}
}
