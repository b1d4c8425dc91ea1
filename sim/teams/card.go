package teams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	cardType   = "application/vnd.microsoft.card.adaptive"
	maxCard    = 28 << 10  // bytes of a card's JSON that Teams shows for sure
	maxMessage = 100 << 10 // bytes of a whole message as UTF-16
	maxActions = 6         // per bar of buttons, maxActions of the Teams host config
	maxDepth   = 40        // nesting at which a card is refused
)

// Properties by element of adaptive cards 1.5, written from the published schema.
// https://adaptivecards.io/explorer/ and https://github.com/microsoft/AdaptiveCards (schemas/1.5.0)
const (
	common  = "type id isVisible separator spacing height fallback requires "
	input   = common + "label isRequired errorMessage "
	action  = "type id title iconUrl style fallback tooltip isEnabled mode requires msteams msTeams "
	textual = "color fontType isSubtle size weight "
)

var elements = map[string]string{
	"TextBlock":               common + textual + "text horizontalAlignment maxLines wrap style",
	"RichTextBlock":           common + "inlines horizontalAlignment",
	"Container":               common + "items selectAction style verticalContentAlignment bleed backgroundImage minHeight rtl",
	"ColumnSet":               common + "columns selectAction style bleed minHeight horizontalAlignment",
	"FactSet":                 common + "facts",
	"ActionSet":               common + "actions",
	"Image":                   common + "url altText backgroundColor horizontalAlignment selectAction size style width msteams msTeams",
	"ImageSet":                common + "images imageSize",
	"Table":                   common + "columns rows firstRowAsHeaders showGridLines gridStyle horizontalCellContentAlignment verticalCellContentAlignment",
	"Input.Text":              input + "isMultiline maxLength placeholder regex style inlineAction value",
	"Input.ChoiceSet":         input + "choices choices.data isMultiSelect style value placeholder wrap",
	"Input.Toggle":            input + "title value valueOff valueOn wrap",
	"Input.Date":              input + "max min placeholder value",
	"Input.Time":              input + "max min placeholder value",
	"Input.Number":            input + "max min placeholder value",
	"Action.Execute":          action + "verb data associatedInputs",
	"Action.Submit":           action + "data associatedInputs",
	"Action.OpenUrl":          action + "url",
	"Action.ShowCard":         action + "card",
	"Action.ToggleVisibility": action + "targetElements",
	"AdaptiveCard": "type version refresh authentication body actions selectAction fallbackText backgroundImage minHeight " +
		"rtl speak lang verticalContentAlignment $schema msteams msTeams",
	"Column":    common + "items backgroundImage bleed minHeight rtl selectAction style verticalContentAlignment width",
	"TextRun":   "type text highlight italic selectAction strikethrough underline " + textual,
	"TableRow":  common + "cells style horizontalCellContentAlignment verticalCellContentAlignment",
	"TableCell": common + "items selectAction style verticalContentAlignment bleed backgroundImage minHeight rtl",
}

// words are the values that a property may take, compared without case as the renderers do. Style
// means other things on text and on inputs and is looked up by element first.
var words = map[string]string{
	"color": "default dark light accent good warning attention", "fontType": "default monospace",
	"size": "default small medium large extralarge auto stretch", "weight": "default lighter bolder",
	"spacing": "default none small medium large extralarge padding", "horizontalAlignment": "left center right",
	"verticalContentAlignment": "top center bottom", "mode": "primary secondary", "associatedInputs": "auto none",
	"style":           "default emphasis good attention warning accent",
	"TextBlock.style": "default heading columnheader", "Input.Text.style": "text tel url email password",
	"Input.ChoiceSet.style": "compact expanded filtered", "Image.style": "default person",
	"Action.Execute.style": "default positive destructive", "Action.Submit.style": "default positive destructive",
	"Action.OpenUrl.style": "default positive destructive", "Action.ShowCard.style": "default positive destructive",
}

// requiredText are properties without which an element means nothing; they must be strings.
var requiredText = map[string]string{
	"TextBlock": "text", "TextRun": "text", "Image": "url", "Action.Execute": "verb", "Action.OpenUrl": "url",
	"Input.Text": "id", "Input.ChoiceSet": "id", "Input.Toggle": "id", "Input.Date": "id", "Input.Time": "id", "Input.Number": "id",
}

// CheckCard says why raw is no adaptive card that Teams would show in full: every fault, joined.
func CheckCard(raw []byte) error {
	if len(raw) > maxCard {
		return fmt.Errorf("card: %d bytes of JSON, Teams shows at most %d", len(raw), maxCard)
	}
	card, err := decode(raw)
	if err != nil {
		return fmt.Errorf("card: %w", err)
	}
	c := &cardCheck{ids: map[string]bool{}}
	c.root("card", card, 0)
	return errors.Join(c.errs...)
}

type cardCheck struct {
	errs []error
	ids  map[string]bool
}

func (c *cardCheck) fault(at, format string, args ...any) {
	if len(c.errs) < 20 {
		c.errs = append(c.errs, fmt.Errorf("%s: "+format, append([]any{at}, args...)...))
	}
}

func (c *cardCheck) root(at string, v any, depth int) {
	m, ok := v.(map[string]any)
	if !ok || m["type"] != "AdaptiveCard" {
		c.fault(at, "not an object of type AdaptiveCard")
		return
	}
	if version, given := m["version"]; given || at == "card" {
		switch version {
		case "1.0", "1.1", "1.2", "1.3", "1.4", "1.5":
		default:
			c.fault(at, "version %v is not one of 1.0 to 1.5", version)
		}
	}
	if r, ok := m["refresh"].(map[string]any); ok {
		c.only(at+".refresh", r, "action userIds expires")
		c.element(at+".refresh.action", r["action"], depth+1, "Action.Execute")
	}
	if depth == 0 {
		c.mentions(at, m)
	}
	c.element(at, m, depth, "AdaptiveCard")
}

func (c *cardCheck) only(at string, m map[string]any, allowed string) {
	for name := range m {
		if !slices.Contains(strings.Fields(allowed), name) {
			c.fault(at, "unknown property %q", name)
		}
	}
}

// element checks one typed object and what it contains. kind is its type where that may be left out.
func (c *cardCheck) element(at string, v any, depth int, kind string) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fault(at, "not an object")
		return
	}
	if depth > maxDepth {
		c.fault(at, "nested deeper than %d", maxDepth)
		return
	}
	t, _ := m["type"].(string)
	if kind != "" {
		if m["type"] != nil && t != kind {
			c.fault(at, "type %q where %s belongs", t, kind)
			return
		}
		t = kind
	}
	allowed, ok := elements[t]
	if !ok {
		c.fault(at, "unknown type %q", t)
		return
	}
	c.only(at, m, allowed)
	if name, ok := requiredText[t]; ok {
		if s, isText := m[name].(string); !isText || (s == "" && name != "text") {
			c.fault(at, "%s needs %s", t, name)
		}
	}
	c.values(at, t, m)
	c.children(at, t, m, depth)
}

func (c *cardCheck) values(at, t string, m map[string]any) {
	for name, v := range m {
		allowed, ok := words[t+"."+name]
		if !ok {
			if allowed, ok = words[name]; !ok || (name == "style" && strings.HasPrefix(t, "Action.")) {
				continue
			}
		}
		if s, isText := v.(string); !isText || !slices.Contains(strings.Fields(allowed), strings.ToLower(s)) {
			c.fault(at, "%s is %v, not one of: %s", name, v, allowed)
		}
	}
	for _, name := range []string{"wrap", "isSubtle", "separator", "isVisible", "isEnabled", "isRequired", "isMultiSelect", "isMultiline", "bleed"} {
		if v, given := m[name]; given {
			if _, isBool := v.(bool); !isBool {
				c.fault(at, "%s is not true or false", name)
			}
		}
	}
	if id, ok := m["id"].(string); ok && strings.HasPrefix(t, "Input.") {
		if c.ids[id] {
			c.fault(at, "a second input has the id %q", id)
		}
		c.ids[id] = true
	}
	if u, ok := m["url"].(string); ok && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "data:image/") {
		c.fault(at, "url %q is not http(s)", u)
	}
}

// children checks the lists and single objects inside an element.
func (c *cardCheck) children(at, t string, m map[string]any, depth int) {
	list := func(name string, required bool, each func(at string, v any)) {
		v, given := m[name]
		if !given && !required {
			return
		}
		items, ok := v.([]any)
		if !ok {
			c.fault(at, "%s is not a list", name)
			return
		}
		if name == "actions" && len(items) > maxActions {
			c.fault(at, "%d actions, Teams shows %d", len(items), maxActions)
		}
		for i, item := range items {
			each(at+"."+name+"["+strconv.Itoa(i)+"]", item)
		}
	}
	typed := func(kind string) func(string, any) {
		return func(at string, v any) { c.element(at, v, depth+1, kind) }
	}
	pairs := func(names ...string) func(string, any) {
		return func(at string, v any) { c.strings(at, v, names...) }
	}
	switch t {
	case "AdaptiveCard":
		list("body", false, typed(""))
		list("actions", false, c.button(depth))
	case "Container", "Column", "TableCell":
		list("items", true, typed(""))
	case "ColumnSet":
		list("columns", true, typed("Column"))
	case "ActionSet":
		list("actions", true, c.button(depth))
	case "FactSet":
		list("facts", true, pairs("title", "value"))
	case "Input.ChoiceSet":
		list("choices", m["choices.data"] == nil, pairs("title", "value"))
	case "ImageSet":
		list("images", true, typed("Image"))
	case "Table":
		list("rows", true, typed("TableRow"))
	case "TableRow":
		list("cells", true, typed("TableCell"))
	case "RichTextBlock":
		list("inlines", true, func(at string, v any) {
			if _, plain := v.(string); !plain {
				c.element(at, v, depth+1, "TextRun")
			}
		})
	case "Action.ShowCard":
		c.root(at+".card", m["card"], depth+1)
	}
	if v, given := m["selectAction"]; given {
		c.button(depth)(at+".selectAction", v)
	}
	if v, given := m["fallback"]; given && v != "drop" {
		c.element(at+".fallback", v, depth+1, "")
	}
}

func (c *cardCheck) button(depth int) func(at string, v any) {
	return func(at string, v any) {
		if m, ok := v.(map[string]any); ok {
			if t, _ := m["type"].(string); !strings.HasPrefix(t, "Action.") {
				c.fault(at, "%q is not an action", t)
				return
			}
		}
		c.element(at, v, depth+1, "")
	}
}

func (c *cardCheck) strings(at string, v any, names ...string) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fault(at, "not an object")
		return
	}
	c.only(at, m, strings.Join(append(names, "type"), " "))
	for _, name := range names {
		if _, isText := m[name].(string); !isText {
			c.fault(at, "%s is not text", name)
		}
	}
}

// decode reads exactly one JSON value, numbers as written.
func decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("not JSON: more than one value")
	}
	return v, nil
}
