package card

import (
	"bytes"
	"encoding/json"
)

// obj is one JSON object of a card. Its keys are sorted when it is written, so that
// the same card has the same bytes.
type obj map[string]any

// ContentType is the attachment type of an adaptive card; the same value answers a
// click with a card.
const ContentType = "application/vnd.microsoft.card.adaptive"

// words is a line of the hub's own, constant text.
func words(text string, with obj) obj {
	return merge(obj{"type": "TextBlock", "text": text, "wrap": true, "spacing": "Small"}, with)
}

// line is a line of text runs, which are never read as markdown: whatever stands in
// them is shown as it is written.
func line(with obj, runs ...obj) obj {
	return merge(obj{"type": "RichTextBlock", "inlines": runs, "spacing": "Small"}, with)
}

// run is a piece of a line.
func run(text string, with obj) obj {
	return merge(obj{"type": "TextRun", "text": text}, with)
}

func plain(text string) obj  { return run(text, nil) }
func bold(text string) obj   { return run(text, obj{"weight": "Bolder"}) }
func subtle(text string) obj { return run(text, obj{"isSubtle": true}) }

func merge(o, with obj) obj {
	for k, v := range with {
		o[k] = v
	}
	return o
}

// adaptive is a whole card.
func adaptive(body []obj, actions []obj) obj {
	c := obj{"type": "AdaptiveCard", "version": "1.5", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "body": body}
	if len(actions) > 0 {
		c["actions"] = actions
	}
	return c
}

// encode writes a card without the HTML escapes of encoding/json, which would triple
// the size of some texts.
func encode(c obj) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		// Maps of strings, bools and maps always encode.
		panic("card: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
