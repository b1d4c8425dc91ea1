package bot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"responsehub"
	"responsehub/bot/card"
)

// question decides whether the person who pressed is asked before the click is carried
// out: for the reason that it needs, or whether they mean what cannot be taken back.
// Nothing has happened then; the answer is a click of its own, held to the same rules.
// What would be refused anyway is not asked: the engine says why.
func question(inc *responsehub.Incident, actor responsehub.Actor, c click, now time.Time) (card.Question, bool) {
	if actor.May(responsehub.Act, inc.Tenant) != nil {
		return card.Question{}, false
	}
	switch c.verb {
	case card.Undo:
		return askUndo(inc, actor, c, now)
	case card.FalseAlarm:
		return askFalseAlarm(inc, actor, c, now)
	}
	id := responsehub.StepID(c.verb)
	s := inc.Step(id)
	if s == nil {
		return card.Question{}, false
	}
	q := card.Question{Verb: c.verb, Reason: c.reason == "", Data: carried(c)}
	switch {
	case c.skip && c.reason == "":
		q.Text, q.Yes = fmt.Sprintf("Setting %s aside needs a reason. It then counts as settled without having been done.", part(s, c)), "Set aside"
	case c.done && c.reason == "":
		q.Text, q.Yes = "Saying that the password was reset by hand needs a reason, such as where it was done.", "It was reset by hand"
	case repeats(s, c) && c.reason == "":
		q.Text, q.Yes = fmt.Sprintf("%s is done. Doing it again needs a reason.", id.Title()), "Do it again"
		if id == responsehub.Password {
			q.Text, q.Yes = "A password is shown only once. Showing it again makes a new one, which needs a reason; the one before stops working.", "Make a new password"
		}
	case !c.skip && !c.sure && id == responsehub.Persistence && s.State != responsehub.Done:
		q.Reason = false
		if q.Lines = lasting(s, c); len(q.Lines) == 0 {
			return q, false
		}
		q.Text, q.Yes = "This cannot be taken back as it was. Do it?", "Yes, do it"
	default:
		return q, false
	}
	trial := c.request("trial")
	if trial.Reason == "" {
		trial.Reason = "asked for next"
	}
	if _, err := copied(inc).Ask(id, actor, trial, now); err != nil {
		return q, false
	}
	return q, true
}

// repeats reports whether the button that was pressed does a step again that is done. One
// that was drawn before it was done belongs to somebody who came second.
func repeats(s *responsehub.Step, c click) bool {
	n, err := strconv.Atoi(c.round)
	once := s.ID == responsehub.Publish || s.ID == responsehub.Close
	return s.State == responsehub.Done && !once && !c.skip && !c.everywhere && !c.preview && !c.chosen && err == nil && n == s.Round
}

func part(s *responsehub.Step, c click) string {
	switch n := len(c.items); {
	case n == 1 && s.Item(c.items[0]) != nil:
		return s.Item(c.items[0]).Title()
	case n > 0:
		return fmt.Sprintf("%d items", n)
	}
	return fmt.Sprintf("step %d, %s,", s.ID.Number(), s.ID.Title())
}

// lasting says of the chosen items what is gone for good afterwards.
func lasting(s *responsehub.Step, c click) []string {
	var out []string
	for i := range s.Items {
		it := &s.Items[i]
		if it.State.Settled() || len(c.items) > 0 && !slices.Contains(c.items, it.ID) {
			continue
		}
		switch {
		case c.action == responsehub.Delete || c.action == responsehub.Remove:
			out = append(out, it.Title()+" is deleted. It can be made anew from its copy at best, under a new id.")
		case len(c.items) > 0 && it.Kind == responsehub.AuthMethod:
			out = append(out, it.Title()+": "+it.Kind.Effect())
		}
	}
	return out
}

func askUndo(inc *responsehub.Incident, actor responsehub.Actor, c click, now time.Time) (card.Question, bool) {
	step := responsehub.StepID(c.step)
	if c.reason != "" || inc.Reversal(step) == "" {
		return card.Question{}, false
	}
	if _, err := copied(inc).AskUndo(step, actor, responsehub.UndoRequest{Reason: "asked for next"}, now); err != nil {
		return card.Question{}, false
	}
	return card.Question{
		Text:  fmt.Sprintf("Taking step %d back needs a reason. It %s.", step.Number(), inc.Reversal(step)),
		Lines: inc.Irreversible(step), Reason: true, Yes: "Take it back", Verb: c.verb, Data: carried(c),
	}, true
}

func askFalseAlarm(inc *responsehub.Incident, actor responsehub.Actor, c click, now time.Time) (card.Question, bool) {
	lines := inc.Irreversible()
	if c.sure && c.reason != "" || c.reason != "" && len(lines) == 0 {
		return card.Question{}, false
	}
	if _, err := copied(inc).FalseAlarm(actor, "asked for next", now); err != nil {
		return card.Question{}, false
	}
	q := card.Question{Text: "Declare a false alarm? What was done is taken back and the incident is closed.", Lines: lines, Yes: "Yes, a false alarm", Verb: c.verb, Data: carried(c)}
	if c.reason == "" {
		q.Reason, q.Text = true, "A false alarm needs a reason. What was done is taken back and the incident is closed."
	}
	if len(lines) > 0 {
		q.Text += " This stays:"
	}
	return q, true
}

// carried is what the question's button has to say again.
func carried(c click) map[string]string {
	d := map[string]string{}
	put := func(k, v string) {
		if v != "" && v != "false" {
			d[k] = v
		}
	}
	put(card.KeyStep, c.step)
	put(card.KeyRound, c.round)
	put(card.KeySkip, strconv.FormatBool(c.skip))
	put(card.KeyChosen, strconv.FormatBool(c.chosen))
	put(card.KeyEverywhere, strconv.FormatBool(c.everywhere))
	put(card.KeyPreview, strconv.FormatBool(c.preview))
	put(card.KeyDone, strconv.FormatBool(c.done))
	put(card.KeyItems, strings.Join(c.items, ","))
	put(card.KeyAction, string(c.action))
	put(card.KeyReason, c.reason)
	return d
}

// asked carries a question to where the click is answered. A client that cannot be asked
// back reads the sentence.
type asked struct{ card.Question }

func (a *asked) Error() string { return a.Text }

// asks answers a click with the question.
func asks(inc *responsehub.Incident, q card.Question) answer {
	return answer{http.StatusOK, card.ContentType, json.RawMessage(card.Ask(inc, q))}
}

// copied is the incident for trying something out on.
func copied(inc *responsehub.Incident) *responsehub.Incident {
	out := *inc
	out.Steps = slices.Clone(inc.Steps)
	for i := range out.Steps {
		out.Steps[i].Items = slices.Clone(inc.Steps[i].Items)
	}
	if inc.Withdrawal != nil {
		w := *inc.Withdrawal
		out.Withdrawal = &w
	}
	if inc.Watch != nil {
		w := *inc.Watch
		out.Watch = &w
	}
	return &out
}
