package card

import (
	"responsehub"
)

// Cancel is the verb of the button that answers a question with no. It is no step.
const Cancel = "cancel"

// KeySure says that the person who pressed was asked and said yes.
const KeySure = "sure"

// Question is what the person who pressed is asked before something is done, in place of
// their card: whether they mean what cannot be taken back, or for the reason it needs.
type Question struct {
	Text   string            // what is asked
	Lines  []string          // what to know before answering
	Reason bool              // a reason has to be typed
	Yes    string            // title of the button that goes on
	Verb   string            // its verb
	Data   map[string]string // its data, besides the incident and that the person is sure
}

// Ask draws a question about the incident. Only the person who pressed sees it.
func Ask(inc *responsehub.Incident, q Question) []byte {
	body := []obj{
		line(nil, run(inc.Ref+"  "+Clean(inc.Title, 120), obj{"weight": "Bolder", "size": "Large"})),
		line(obj{"spacing": "Medium"}, bold(Clean(q.Text, 400))),
	}
	for i, text := range q.Lines {
		if i == maxLines {
			body = append(body, line(nil, subtle("…")))
			break
		}
		body = append(body, line(obj{"spacing": "None"}, plain("• "+Clean(text, 200))))
	}
	if q.Reason {
		body = append(body, obj{
			"type": "Input.Text", "id": KeyWhy, "label": wordsWhy, "isMultiline": true, "maxLength": 500,
			"isRequired": true, "errorMessage": wordsWhyNeeded,
		})
	}
	// The next update of the card shows the card in place of the question.
	body = append(body, words(wordsNotYet, obj{"isSubtle": true}))
	data := obj{KeyIncident: inc.ID, KeySure: "true"}
	for k, v := range q.Data {
		data[k] = v
	}
	yes := obj{
		"type": "Action.Execute", "title": Clean(q.Yes, 80), "verb": q.Verb, "data": data,
		"fallback": obj{"type": "Action.Submit", "title": Clean(q.Yes, 80), "data": merge(obj{KeyVerb: q.Verb}, data)},
	}
	// An input that is needed must not keep anybody from going back.
	no := obj{
		"type": "Action.Execute", "title": wordsCancel, "verb": Cancel, "data": obj{KeyIncident: inc.ID}, "associatedInputs": "none",
		"fallback": obj{"type": "Action.Submit", "title": wordsCancel, "data": obj{KeyVerb: Cancel, KeyIncident: inc.ID}, "associatedInputs": "none"},
	}
	c := adaptive(body, []obj{yes, no})
	c["fallbackText"] = wordsCannot
	return encode(c)
}

const (
	wordsWhy       = "Reason (kept in the record)"
	wordsWhyNeeded = "Write why, or press Cancel."
	wordsNotYet    = "Nothing has been done yet. If the card comes back before you answer, press the button again."
	wordsCancel    = "Cancel"
	wordsShowAgain = "4 Show again: a new password"
)
