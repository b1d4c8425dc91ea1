package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"responsehub"
	"responsehub/bot/card"
)

// click is what a button says, read strictly. It names things; it gives no rights.
type click struct {
	verb       string
	incident   string
	step       string
	round      string
	skip       bool
	chosen     bool
	everywhere bool
	preview    bool
	items      []string
	reason     string
	action     responsehub.Action
	todo       string
	done       bool
	sure       bool // was asked and said yes
}

const (
	maxName   = 100
	maxItems  = responsehub.MaxPersistence
	maxClicks = 20 // keys of a button's data
)

// readExecute reads the value of an adaptiveCard/action invoke.
func readExecute(value map[string]any) (c click, automatic bool, err error) {
	action, ok := value["action"].(map[string]any)
	if !ok || action["type"] != "Action.Execute" {
		return click{}, false, errors.New("there is no Action.Execute")
	}
	verb, ok := action["verb"].(string)
	if !ok || verb == "" {
		return click{}, false, errors.New("there is no verb")
	}
	trigger, present := value["trigger"]
	if present && trigger != "manual" && trigger != "automatic" {
		return click{}, false, errors.New("the trigger is not known")
	}
	data, ok := action["data"].(map[string]any)
	if !ok {
		return click{}, false, errors.New("the data is no object")
	}
	c, err = readData(data)
	if err != nil {
		return click{}, false, err
	}
	if c.verb != "" && c.verb != verb {
		return click{}, false, errors.New("the data names another verb")
	}
	c.verb = verb
	return c, trigger == "automatic", nil
}

// readData reads a button's data with the inputs merged in: known keys, strings only.
func readData(data map[string]any) (click, error) {
	var c click
	why := "" // typed beside the buttons that take things back
	if len(data) > maxClicks {
		return c, errors.New("the data has too many keys")
	}
	for k, v := range data {
		if k == "msteams" {
			continue // Teams' own, which comes back as it likes
		}
		s, ok := v.(string)
		if !ok {
			return click{}, fmt.Errorf("data %.40q is not a string", k)
		}
		most := maxName
		switch k {
		case card.KeyVerb:
			c.verb = s
		case card.KeyIncident:
			c.incident = s
		case card.KeyStep:
			c.step = s
		case card.KeyRound:
			c.round = s
		case card.KeySkip:
			c.skip = s == "true"
		case card.KeyChosen:
			c.chosen = s == "true"
		case card.KeyDone:
			c.done = s == "true"
		case card.KeySure:
			c.sure = s == "true"
		case card.KeyTodo:
			c.todo = s
		case card.KeyEverywhere:
			c.everywhere = s == "true"
		case card.KeyPreview:
			c.preview = s == "true"
		case card.KeyAction:
			c.action = responsehub.Action(s)
		case card.KeyReason:
			c.reason, most = strings.TrimSpace(s), responsehub.MaxReason*4
		case card.KeyWhy:
			why, most = strings.TrimSpace(s), responsehub.MaxReason*4
		case card.KeyItems:
			most = maxItems * 40
			for id := range strings.SplitSeq(s, ",") {
				if id = strings.TrimSpace(id); id != "" && !slices.Contains(c.items, id) && len(c.items) < maxItems {
					c.items = append(c.items, id)
				}
			}
		default:
			return click{}, fmt.Errorf("data %.40q is not known", k)
		}
		if len(s) > most {
			return click{}, fmt.Errorf("data %.40q is too long", k)
		}
	}
	if why != "" {
		c.reason = why
	}
	return c, nil
}

// request is what the click asks of a step.
func (c *click) request(command string) responsehub.StepRequest {
	r := responsehub.StepRequest{CommandID: command, Skip: c.skip, Reason: c.reason, Done: c.done}
	if responsehub.StepID(c.verb) == responsehub.Retract && !c.skip {
		r.Everywhere, r.Preview = c.everywhere, c.preview
	}
	// The inputs behind "More" are shared by all its buttons; only step 3 has items.
	if responsehub.StepID(c.verb) == responsehub.Persistence {
		r.Items = c.items
		if !c.skip {
			r.Action = c.action
		}
	}
	return r
}
