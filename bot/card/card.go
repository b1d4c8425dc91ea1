package card

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"responsehub"
)

// MaxSize is the largest card, in bytes of JSON. Teams allows about 100 KB counted in
// UTF-16 with the whole message around it, and older notes say 40 KB; 28 KB is safe
// under all of them.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
const MaxSize = 28 << 10

// View is what differs between two drawings of the same incident.
type View struct {
	Answer   string                          // sentence above the card for the person who just clicked; empty on the posted card
	ReadOnly bool                            // a copy without buttons
	Console  string                          // https address of the incident's page in the console; empty: no link
	Mention  Mention                         // person on call; zero: nobody is mentioned
	Lacks    func(responsehub.StepID) string // what is known to keep a waiting step from working; nil: nothing
	Now      time.Time                       // to tell whether a one-time password has expired; zero: it has not
	Person   func(id string) string          // name of a person who is called; nil or "": the id is shown
}

// detail is how much of long lists and texts is drawn; the richest that fits is used.
type detail struct{ evidence, items, text, choices int }

var details = []detail{
	{evidence: 5, items: 8, text: 400, choices: 40},
	{evidence: 3, items: 6, text: 200, choices: 20},
	{evidence: 2, items: 4, text: 100, choices: 10},
	{evidence: 0, items: 0, text: 60, choices: 0},
}

// Card draws the incident. The result is at most [MaxSize] bytes of JSON.
func Card(inc *responsehub.Incident, view View) []byte {
	var b []byte
	for _, d := range details {
		if b = encode(draw(inc, view, d)); len(b) <= MaxSize {
			return b
		}
	}
	return b
}

// Hash names what a drawn card shows, for comparing it with the one that was posted.
func Hash(card []byte) string {
	sum := sha256.Sum256(card)
	return hex.EncodeToString(sum[:16])
}

func draw(inc *responsehub.Incident, view View, d detail) obj {
	var body []obj
	if view.Answer != "" {
		body = append(body, obj{"type": "Container", "style": "emphasis", "items": []obj{line(nil, bold(Clean(view.Answer, 600)))}})
	}
	body = append(body, head(inc, view, d)...)
	ask, entities := mentioned(inc, view)
	body = append(body, ask...)
	if !inc.State.Closed() {
		body = append(body, seen(inc, view, d)...)
	}
	body = append(body, steps(inc, view, d)...)
	var acts []obj
	switch {
	case view.ReadOnly && !inc.State.Closed():
		body = append(body, words(wordsReadOnly, obj{"isSubtle": true, "separator": true}))
	case !view.ReadOnly:
		acts = actions(inc, view, d)
	}
	c := adaptive(body, acts)
	c["fallbackText"] = wordsCannot
	teams := obj{"width": "Full"}
	if len(entities) > 0 {
		teams["entities"] = entities
	}
	c["msteams"] = teams
	return c
}

// seen shows the detector's words.
func seen(inc *responsehub.Incident, view View, d detail) []obj {
	if inc.Summary == "" && len(inc.Evidence) == 0 {
		return nil
	}
	body := []obj{words(wordsSeen, obj{"weight": "Bolder", "separator": true, "spacing": "Medium"})}
	if s := Clean(inc.Summary, d.text); s != "" {
		body = append(body, line(nil, plain(s)))
	}
	for i, e := range inc.Evidence {
		if i == d.evidence {
			body = append(body, line(nil, more(inc, view, len(inc.Evidence)-i, "of evidence")...))
			break
		}
		text := Clean(e.Text, d.text)
		if !e.At.IsZero() {
			text = moment(inc, e.At) + "  " + text
		}
		if from := strings.TrimSpace(Clean(e.IP, 64) + " " + Clean(e.Country, 40)); from != "" {
			text += " (" + from + ")"
		}
		body = append(body, line(nil, plain(text)))
	}
	return body
}
