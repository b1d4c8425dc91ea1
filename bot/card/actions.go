package card

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub"
)

// maxActions is how many actions Teams shows at one level.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
const maxActions = 6

// Reveal is the verb of the button that shows the one-time password. It is no step.
const Reveal = "reveal"

// Tick is the verb of the button by which a person says that a to-do is done. It is no
// step either.
const Tick = "todo"

// The keys of a button's data and of the inputs behind "More". All values are strings:
// numbers would come back as floats.
const (
	KeyIncident   = "incident"
	KeyStep       = "step"
	KeyRound      = "round"
	KeyVerb       = "verb"
	KeySkip       = "skip"
	KeyItems      = "items"
	KeyReason     = "reason"
	KeyWhy        = "why" // the reason beside the buttons that take things back: ids of inputs are unique on a card
	KeyAction     = "action"
	KeyTodo       = "todo"
	KeyEverywhere = "everywhere"
	KeyPreview    = "preview"
	KeyDone       = "done"
	KeyChosen     = "chosen" // the button is about the chosen items only: none chosen is not all
)

// sealedPassword is the name under which an incident keeps its one-time password.
const sealedPassword = "password"

// actions are the buttons that make sense now: the steps whose gate is open, the
// password while it can be read, and the rest behind "More".
func actions(inc *responsehub.Incident, view View, d detail) []obj {
	if inc.State.Closed() {
		return links(inc, view)
	}
	var acts []obj
	for _, id := range responsehub.StepIDs {
		if askable(inc, id) {
			acts = append(acts, execute(inc, id, title(id), nil))
		}
	}
	if revealable(inc, view.Now) {
		acts = append(acts, obj{"type": "Action.Submit", "title": wordsShow, "data": obj{
			"msteams": obj{"type": "task/fetch"}, KeyVerb: Reveal, KeyIncident: inc.ID,
		}})
	}
	rest := moreActions(inc)
	ways := links(inc, view)
	// A card that is shown by a button shows no further ones, so the way back stands
	// beside "More" and not behind it.
	var back []obj
	if undo := undoCard(inc, d); undo != nil {
		back = []obj{undo}
	}
	if len(rest) == 0 && len(acts)+len(ways)+len(back) <= maxActions {
		return slices.Concat(acts, ways, back) // nothing that has to hide behind another press
	}
	// The console has everything, so the way there is never behind anything.
	var door []obj
	if address(view.Console, true) != "" {
		door, ways = ways[:1], ways[1:]
	}
	room := maxActions - len(back) - len(door) - 1
	if len(acts) > room {
		rest = append(acts[room:len(acts):len(acts)], rest...)
		acts = acts[:room]
	}
	behind := []obj{}
	if len(rest) > 0 {
		behind = inputs(inc, view, d)
	}
	if left := len(rest) + len(ways) - maxActions; left > 0 {
		rest = rest[:len(rest)-left]
		behind = append(behind, line(nil, more(inc, view, left, "requests")...))
	}
	rest = append(rest, ways...)
	if len(rest) > 0 {
		acts = append(acts, obj{"type": "Action.ShowCard", "title": wordsMore, "card": adaptive(behind, rest)})
	}
	return slices.Concat(acts, door, back)
}

// askable reports whether a step's own button is shown: its gate is open, and it is
// neither at work nor settled. What is settled can be done again behind "More".
func askable(inc *responsehub.Incident, id responsehub.StepID) bool {
	s := inc.Step(id)
	return s != nil && !s.State.Busy() && !s.State.Settled() && inc.Gate(id) == nil
}

// revealable reports whether there is a one-time password that somebody may read.
func revealable(inc *responsehub.Incident, now time.Time) bool {
	sealed, ok := inc.Sealed[sealedPassword]
	s := inc.Step(responsehub.Password)
	if !ok || sealed.For == "" || s == nil || s.State == responsehub.Waiting || s.State == responsehub.Failed || s.State.Busy() {
		return false
	}
	return now.IsZero() || now.Before(sealed.Expires)
}

// moreActions are the rarer requests, the likeliest first: some items only, setting
// aside, doing again.
func moreActions(inc *responsehub.Incident) []obj {
	if inc.State != responsehub.Active || inc.Tenant.ID == "" {
		return nil
	}
	var acts []obj
	if choosable(inc) {
		acts = append(acts,
			execute(inc, responsehub.Persistence, wordsDisable, obj{KeyChosen: "true"}),
			execute(inc, responsehub.Persistence, wordsAside, obj{KeySkip: "true", KeyChosen: "true"}))
	}
	acts = append(acts, asides(inc, responsehub.Failed, responsehub.Partial, responsehub.NeedsHuman)...)
	acts = append(byHand(inc), acts...)
	acts = append(acts, ticks(inc)...)
	acts = append(acts, retractActions(inc)...)
	acts = append(acts, agains(inc)...)
	return append(acts, asides(inc, responsehub.Waiting)...)
}

// byHand says that a password was reset by a person, where the hub could not.
func byHand(inc *responsehub.Incident) []obj {
	s := inc.Step(responsehub.Password)
	if s == nil || s.Confirm != nil || s.State != responsehub.NeedsHuman && s.State != responsehub.Failed || inc.Gate(responsehub.Password) != nil {
		return nil
	}
	return []obj{execute(inc, responsehub.Password, wordsByHand, obj{KeyDone: "true"})}
}

// ticks say that something is done which the hub can neither do nor see.
func ticks(inc *responsehub.Incident) []obj {
	var acts []obj
	for i := range inc.Todos {
		t := &inc.Todos[i]
		if t.Done() {
			continue
		}
		data := obj{KeyIncident: inc.ID, KeyTodo: t.ID}
		what := "Done: " + Clean(strings.TrimPrefix(t.Text, "In on-premises AD: "), 60)
		acts = append(acts, obj{
			"type": "Action.Execute", "title": what, "verb": Tick, "data": data,
			"fallback": obj{"type": "Action.Submit", "title": what, "data": merge(obj{KeyVerb: Tick}, data)},
		})
	}
	return acts
}

// asides set a whole step aside that stands in one of the states.
func asides(inc *responsehub.Incident, states ...responsehub.StepState) []obj {
	var acts []obj
	for _, id := range responsehub.StepIDs {
		s := inc.Step(id)
		if s == nil || !id.Skippable() || id == responsehub.Persistence && choosable(inc) {
			continue
		}
		if slices.Contains(states, s.State) && inc.Gate(id) == nil {
			acts = append(acts, execute(inc, id, fmt.Sprintf("Set %d aside", id.Number()), obj{KeySkip: "true"}))
		}
	}
	return acts
}

// agains do a settled step again, for a reason.
func agains(inc *responsehub.Incident) []obj {
	var acts []obj
	for _, id := range responsehub.StepIDs {
		s := inc.Step(id)
		if s != nil && id.Skippable() && s.State.Settled() && inc.Gate(id) == nil {
			if id == responsehub.Retract && s.State == responsehub.Done && !s.Everywhere && len(inc.Phish) > 0 {
				acts = append(acts, wider(inc))
				continue
			}
			again := fmt.Sprintf("Do %d again", id.Number())
			if id == responsehub.Password && s.State == responsehub.Done {
				again = wordsShowAgain
			}
			acts = append(acts, execute(inc, id, again, nil))
		}
	}
	return acts
}

func links(inc *responsehub.Incident, view View) []obj {
	var acts []obj
	for _, l := range []struct {
		title, to string
		ours      bool
	}{{wordsConsole, view.Console, true}, {wordsDetector, inc.Link, false}} {
		if to := address(l.to, l.ours); to != "" {
			acts = append(acts, obj{"type": "Action.OpenUrl", "title": l.title, "url": to})
		}
	}
	return acts
}

// address is a link that may stand on a card, or "". Only the hub's own may be without
// TLS.
func address(to string, ours bool) string {
	u, err := url.Parse(to)
	if err != nil || to == "" || u.Host == "" || u.User != nil || len(to) > 2000 || u.Scheme != "https" && (u.Scheme != "http" || !ours) {
		return ""
	}
	return u.String()
}

// choosable reports whether there are items a person can pick now.
func choosable(inc *responsehub.Incident) bool {
	s := inc.Step(responsehub.Persistence)
	if s == nil || s.State.Busy() || inc.State != responsehub.Active || inc.Gate(responsehub.Persistence) != nil {
		return false
	}
	for i := range s.Items {
		if !s.Items[i].State.Settled() {
			return true
		}
	}
	return false
}

// inputs are what the requests behind "More" need.
func inputs(inc *responsehub.Incident, view View, d detail) []obj {
	if inc.State != responsehub.Active || inc.Tenant.ID == "" {
		return []obj{}
	}
	var body []obj
	if choosable(inc) {
		s := inc.Step(responsehub.Persistence)
		choices := []obj{}
		open := 0
		for i := range s.Items {
			if it := &s.Items[i]; !it.State.Settled() {
				if open++; open <= d.choices {
					choices = append(choices, obj{"title": Clean(it.Title(), 80), "value": it.ID})
				}
			}
		}
		body = append(body, about(s, d)...)
		if len(choices) > 0 {
			body = append(body, obj{"type": "Input.ChoiceSet", "id": KeyItems, "isMultiSelect": true, "style": "expanded", "wrap": true, "label": wordsChoose, "choices": choices})
		}
		if open > d.choices {
			body = append(body, line(nil, more(inc, view, open-d.choices, "items")...))
		}
		body = append(body, obj{"type": "Input.ChoiceSet", "id": KeyAction, "style": "compact", "label": wordsAction, "value": string(responsehub.Disable), "choices": []obj{
			{"title": "Disable", "value": string(responsehub.Disable)},
			{"title": "Delete (rules)", "value": string(responsehub.Delete)},
			{"title": "Remove (connectors)", "value": string(responsehub.Remove)},
		}})
	}
	return append(body, obj{"type": "Input.Text", "id": KeyReason, "label": wordsReason, "isMultiline": true, "maxLength": 500})
}

// about says of each item that can be chosen when it was made, by whom, and what
// disabling it does.
func about(s *responsehub.Step, d detail) []obj {
	var body []obj
	for i := range s.Items {
		it := &s.Items[i]
		if it.State.Settled() || len(body) == d.items {
			continue
		}
		text := Clean(it.Title(), 80) + ": "
		if !it.MadeAt.IsZero() {
			text += wordsMade + " " + when(it.MadeAt)
			if it.MadeBy != "" {
				text += " " + wordsBy + " " + Clean(it.MadeBy, 60)
			}
			text += ". "
		}
		body = append(body, line(obj{"spacing": "Small"}, subtle(text+it.Effect())))
	}
	return body
}

// execute is a button that asks for a step. Clients that do not know Action.Execute
// send the same data as a message.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards
func execute(inc *responsehub.Incident, id responsehub.StepID, text string, with obj) obj {
	round := strconv.Itoa(inc.Step(id).Round)
	data := merge(obj{KeyIncident: inc.ID, KeyStep: string(id), KeyRound: round}, with)
	submit := merge(obj{KeyIncident: inc.ID, KeyStep: string(id), KeyRound: round, KeyVerb: string(id)}, with)
	act := obj{
		"type": "Action.Execute", "title": text, "verb": string(id), "data": data,
		"fallback": obj{"type": "Action.Submit", "title": text, "data": submit},
	}
	// Clients that know styles show the first step in red; the title says it to all.
	if id == responsehub.Lock && text == title(id) {
		act["style"] = "destructive"
	}
	return act
}
