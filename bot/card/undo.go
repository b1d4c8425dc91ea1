package card

import (
	"fmt"
	"strings"

	"responsehub"
)

// The verbs of the buttons that take things back.
const (
	Undo       = "undo"        // of the step that the data names
	FalseAlarm = "false_alarm" // of the whole incident
)

// undoCard is the way back: a card behind a button of its own, so that it takes a second
// press, which says what is taken back and what cannot be. It is nil where there is no
// way back.
func undoCard(inc *responsehub.Incident, d detail) obj {
	if inc.State != responsehub.Active || inc.Tenant.ID == "" || inc.Withdrawal.Running() {
		return nil
	}
	body := []obj{{"type": "Input.Text", "id": KeyWhy, "label": wordsUndoReason, "isMultiline": true, "maxLength": 500}}
	var acts []obj
	for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
		s := inc.Step(id)
		if s == nil || s.State.Busy() || !inc.Reversible(id) {
			continue
		}
		acts = append(acts, execute(inc, id, fmt.Sprintf("Undo step %d: %s", id.Number(), inc.Reversal(id)), nil))
		act := acts[len(acts)-1]
		act["verb"] = Undo
		act["fallback"].(obj)["data"].(obj)[KeyVerb] = Undo
	}
	for i, text := range inc.Irreversible() {
		if i == 0 {
			body = append(body, line(nil, bold(wordsLasting)))
		}
		body = append(body, line(obj{"spacing": "None"}, plain("• "+Clean(text, max(d.text, 200)))))
	}
	title := wordsFalseAlarm
	if w := inc.Withdrawal; w != nil {
		title = wordsCloseAnyway
	}
	data := obj{KeyIncident: inc.ID}
	acts = append(acts, obj{
		"type": "Action.Execute", "title": title, "verb": FalseAlarm, "data": data,
		"fallback": obj{"type": "Action.Submit", "title": title, "data": merge(obj{KeyVerb: FalseAlarm}, data)},
	})
	return obj{"type": "Action.ShowCard", "title": wordsUndo, "card": adaptive(body, acts)}
}

// withdrawn says how far a false alarm is taken back.
func withdrawn(inc *responsehub.Incident, d detail) []obj {
	w := inc.Withdrawal
	if w == nil || inc.State.Closed() {
		return nil
	}
	text := fmt.Sprintf("False alarm, declared by %s %s: what was done is being taken back, the account last.", Clean(w.By.Name, 80), moment(inc, w.At))
	if !w.Running() {
		text = fmt.Sprintf("False alarm, declared by %s %s. It waits for a person: %s", Clean(w.By.Name, 80), moment(inc, w.At), Clean(strings.Join(w.Left, " "), max(d.text, 300)))
	}
	return []obj{line(obj{"spacing": "Medium"}, bold(text))}
}
