package teams

import "strings"

// mentions checks that each mention of a card names somebody and stands in a text block, where
// Teams looks for it; a mark without its entity would be shown as it is written.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format#mention-support-within-adaptive-cards
func (c *cardCheck) mentions(at string, card map[string]any) {
	var blocks strings.Builder
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if v["type"] == "TextBlock" {
				blocks.WriteString(text(v, "text") + "\n")
			}
			for name, e := range v {
				if name != "actions" {
					walk(e)
				}
			}
		}
	}
	walk(card["body"])
	shown := blocks.String()
	teams, _ := card["msteams"].(map[string]any)
	entities, _ := teams["entities"].([]any)
	for _, e := range entities {
		m, _ := e.(map[string]any)
		mark := text(m, "text")
		switch {
		case m["type"] != "mention":
			c.fault(at+".msteams", "an entity of type %v", m["type"])
		case text(m, "mentioned", "id") == "" || text(m, "mentioned", "name") == "":
			c.fault(at+".msteams", "a mention of nobody")
		case !strings.HasPrefix(mark, "<at>") || !strings.HasSuffix(mark, "</at>") || !strings.Contains(shown, mark):
			c.fault(at+".msteams", "the mention %q stands in no text block", mark)
		}
		shown = strings.ReplaceAll(shown, mark, "")
	}
	if strings.Contains(shown, "<at>") {
		c.fault(at, "a mention without its entity")
	}
}
