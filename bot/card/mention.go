package card

import (
	"strings"

	"responsehub"
)

// Mention is a person whose Teams tells them that the card asks for them.
type Mention struct {
	ID   string // Entra object id
	Name string
}

// mentioned is the line that asks the person on call, and what Teams needs to find them:
// while nobody has taken a severe incident, and on no other card, since a mention rings.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format#mention-support-within-adaptive-cards
func mentioned(inc *responsehub.Incident, view View) (body, entities []obj) {
	m := view.Mention
	severe := inc.Severity == responsehub.High || inc.Severity == responsehub.Critical
	if m.ID == "" || view.ReadOnly || !severe || inc.Acknowledged != nil || inc.State.Closed() {
		return nil, nil
	}
	at := "<at>" + mentionName(m.Name) + "</at>"
	// A mention works in a text block only, which reads markdown: the name has none left.
	body = []obj{words(at+wordsOnCall, obj{"wrap": true})}
	entities = []obj{{"type": "mention", "text": at, "mentioned": obj{"id": m.ID, "name": mentionName(m.Name)}}}
	return body, entities
}

// mentionName is a name without what markdown or the mark of a mention is made of.
func mentionName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("<>[]()*_`~#|!\\&", r) {
			return -1
		}
		return r
	}, name)
	if name = Clean(name, 60); name == "" {
		return "On call"
	}
	return name
}

const wordsOnCall = ", you are on call: nobody has taken this incident yet."
