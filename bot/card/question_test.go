package card

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"responsehub"
	"responsehub/sim/teams"
)

// teamsSize is a message as Teams counts it: UTF-16.
func teamsSize(card []byte) int { return 2 * len(utf16.Encode([]rune(string(card)))) }

// TestQuestion: a question has its yes, a cancel that no needed input holds back, and is a
// card that Teams shows.
func TestQuestion(t *testing.T) {
	inc := open(true, alert())
	inc.Title = "[click](https://evil.example) <b>**now**</b>"
	got := Ask(inc, Question{
		Text: "Delete it?", Lines: make([]string, 40), Reason: true, Yes: "Yes", Verb: "persistence",
		Data: map[string]string{KeyStep: "persistence", KeyRound: "1", KeyItems: "a,b"},
	})
	if err := teams.CheckCard(got); err != nil {
		t.Error(err)
	}
	var c struct {
		Body []struct {
			Type, ID   string
			IsRequired bool
		}
		Actions []struct {
			Title, Verb, AssociatedInputs string
			Data                          map[string]string
		}
	}
	if err := json.Unmarshal(got, &c); err != nil || len(c.Actions) != 2 {
		t.Fatal(err, string(got))
	}
	yes, no := c.Actions[0], c.Actions[1]
	if yes.Verb != "persistence" || yes.Data[KeySure] != "true" || yes.Data[KeyItems] != "a,b" || yes.Data[KeyIncident] != inc.ID {
		t.Errorf("yes: %+v", yes)
	}
	if no.Verb != Cancel || no.AssociatedInputs != "none" || no.Data[KeySure] != "" {
		t.Errorf("cancel: %+v", no)
	}
	if last := c.Body[len(c.Body)-2]; last.ID != KeyWhy || !last.IsRequired {
		t.Errorf("the reason: %+v", last)
	}
	for _, el := range c.Body[:len(c.Body)-1] { // the last is a sentence of ours
		if el.Type == "TextBlock" {
			t.Error("a stranger's title in a block that reads markdown")
		}
	}
}

// TestMentioned: only a severe incident that nobody has taken asks for a person, and a
// name is no markdown.
func TestMentioned(t *testing.T) {
	ask := View{Mention: Mention{ID: "0a000000-0000-4000-8000-000000000001", Name: "Ann </at>[x](https://evil.example)"}}
	for name, tc := range map[string]struct {
		view View
		edit func(*responsehub.Incident)
		want bool
	}{
		"severe":   {ask, func(*responsehub.Incident) {}, true},
		"nobody":   {View{}, func(*responsehub.Incident) {}, false},
		"a copy":   {View{Mention: ask.Mention, ReadOnly: true}, func(*responsehub.Incident) {}, false},
		"medium":   {ask, func(inc *responsehub.Incident) { inc.Severity = responsehub.Medium }, false},
		"taken":    {ask, func(inc *responsehub.Incident) { inc.Acknowledged = &responsehub.Acknowledgement{At: t0} }, false},
		"closed":   {ask, func(inc *responsehub.Incident) { inc.State, inc.ClosedAt = responsehub.Remediated, t0 }, false},
		"critical": {ask, func(inc *responsehub.Incident) { inc.Severity = responsehub.Critical }, true},
	} {
		inc := open(true, alert())
		inc.Severity = responsehub.High
		tc.edit(inc)
		got := Card(inc, tc.view)
		if err := teams.CheckCard(got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(string(got), "<at>Ann /atxhttps://evil.example</at>, you are on call") != tc.want || strings.Contains(string(got), `"entities"`) != tc.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestHostileText: whatever an alert says is shown as text, on a card that Teams takes.
func TestHostileText(t *testing.T) {
	for name, text := range map[string]string{
		"markdown":       "**bold** _it_ [click](https://evil.example) ![x](https://evil.example/p.png) # big",
		"html":           `<script>alert(1)</script><img src=x onerror=alert(1)><a href="https://evil.example">x</a>`,
		"a mention":      "<at>Everybody</at>",
		"a date":         "{{DATE(2026-11-23T09:00:00Z)}} ${secret}",
		"64 KB of emoji": strings.Repeat("👩‍👩‍👧‍👦", 64<<10/25),
		"right to left":  "\u202egnp.exe\u2066\u200f abc\u2069",
		"marks":          strings.Repeat("Z\u0351\u0352\u0353\u0354\u0355", 5000),
		"lines":          strings.Repeat("a\r\n\u2028", 20000),
		"not UTF-8":      strings.Repeat("\xff\xfe", 5000),
		"a check mark":   "✓ verified ✅",
	} {
		a := alert()
		a.Title, a.Summary = text, text
		a.Account.DisplayName = text
		for range 50 {
			a.Evidence = append(a.Evidence, responsehub.Evidence{At: t0, Kind: "sign_in", Text: text, IP: text, Country: text})
			a.Persistence = append(a.Persistence, responsehub.AlertFoothold{Kind: responsehub.InboxRule, ID: text, Name: text})
		}
		inc := responsehub.NewIncident("i", "RH-7K2M", t0.Add(time.Second), "petra", a, contoso(), false)
		for _, got := range [][]byte{Card(inc, View{}), Short(inc, View{}), Card(inc, View{Answer: text, ReadOnly: true})} {
			if err := teams.CheckCard(got); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if n := teamsSize(got); n > 80_000 {
				t.Errorf("%s: %d bytes as Teams counts; it advises 80 KB at most", name, n)
			}
			check(t, got)
			for _, bad := range []string{"\u202e", "\u2066", "\u200f", "✓", "✅"} {
				if strings.Contains(string(got), bad) {
					t.Errorf("%s: %q is on the card", name, bad)
				}
			}
		}
		if s := Summary(inc); len([]rune(s)) > 400 {
			t.Errorf("%s: the notification has %d characters", name, len([]rune(s)))
		}
	}
}
