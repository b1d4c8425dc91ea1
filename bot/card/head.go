package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// head says what happened to whom, what is asked of the reader, and how far it is.
func head(inc *responsehub.Incident, view View, d detail) []obj {
	body := []obj{
		line(nil, run(inc.Ref+"  "+Clean(inc.Title, min(d.text, 200)), obj{"weight": "Bolder", "size": "Large"})),
		banner(inc, d),
	}
	return append(body, facts(inc, view)...)
}

// banner is the one thing to read when there is time for one only. Its background tells
// at a glance what its first words say.
func banner(inc *responsehub.Incident, d detail) obj {
	style := "accent"
	var body []obj
	switch {
	case inc.State.Closed():
		closed := inc.State.Words() + " " + when(inc.ClosedAt)
		if s := inc.Step(responsehub.Close); s != nil && s.RequestedBy.Name != "" {
			closed += ", " + Clean(s.RequestedBy.Name, 80)
		}
		style = "good"
		body = append(body, line(nil, bold("Closed: "), plain(closed)))
	case inc.State == responsehub.Unpublished:
		style = "attention"
		body = append(body,
			words(wordsActNow, obj{"weight": "Bolder"}),
			words(wordsPublish, nil))
	case inc.Withdrawal.Running():
	default:
		if style, body = standing(inc); inc.Withdrawal != nil {
			style = "attention"
		}
	}
	body = append(body, withdrawn(inc, d)...)
	return obj{"type": "Container", "style": style, "items": body, "spacing": "Small"}
}

// standing says what was done and what is left, in the style of what is asked of the
// reader.
func standing(inc *responsehub.Incident) (style string, body []obj) {
	wanted := false
	groups := map[string][]string{}
	for _, id := range responsehub.StepIDs[1:] {
		s := inc.Step(id)
		if s == nil {
			continue
		}
		word := wordsLeft
		switch {
		case s.State == responsehub.Skipped:
			word = wordsSetAside
		case s.State == responsehub.Undone:
			word = wordsTakenBack
		case s.State.Settled():
			word = wordsDone
		case s.State.Busy():
			word = wordsUnderWay
		case troubled(s):
			wanted = true
		}
		groups[word] = append(groups[word], fmt.Sprintf("%d %s", id.Number(), shortTitles[id]))
	}
	style, first := "accent", wordsOn
	switch {
	case !inc.Response && len(groups[wordsLeft]) > 0 && !wanted && contained(inc):
		style, first = "warning", wordsOffYours
	case !inc.Response && len(groups[wordsLeft]) > 0:
		style, first = "attention", wordsPublished
	case !inc.Response:
		first = wordsOff
	case wanted:
		style, first = "attention", wordsWanted
	case unheard(inc):
		style, first = "attention", wordsUnheard
	case len(groups[wordsLeft]) > 0 && len(groups[wordsUnderWay]) == 0:
		style, first = "warning", wordsYours
	}
	body = []obj{words(first, obj{"weight": "Bolder"})}
	for _, word := range []string{wordsDone, wordsSetAside, wordsTakenBack, wordsUnderWay, wordsLeft} {
		if names := groups[word]; len(names) > 0 {
			body = append(body, line(obj{"spacing": "None"}, bold(word+": "), plain(strings.Join(names, ", ")+".")))
		}
	}
	return style, body
}

// contained reports whether the steps that throw the attacker out are settled.
func contained(inc *responsehub.Incident) bool {
	return !slices.ContainsFunc([]responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence}, func(id responsehub.StepID) bool {
		s := inc.Step(id)
		return s == nil || !s.State.Settled()
	})
}

// unheard reports whether those on call were tried in vain: everybody, or for so long
// that the fallback contacts were told.
func unheard(inc *responsehub.Incident) bool {
	p := inc.Page
	return p.Going() && inc.Acknowledged == nil && (p.State == responsehub.PageExhausted || !p.Alarmed.IsZero())
}

// troubled reports whether a step does not go on without a person.
func troubled(s *responsehub.Step) bool {
	switch s.State {
	case responsehub.Failed, responsehub.Partial, responsehub.NeedsHuman:
		return true
	case responsehub.Waiting:
		return s.Held || s.Confirm != nil
	}
	return false
}

// facts say to whom, where, how bad, since when, how fast, and who is at it.
func facts(inc *responsehub.Incident, view View) []obj {
	row := func(runs ...obj) obj { return line(obj{"spacing": "None"}, runs...) }
	rows := []obj{
		line(nil, bold("Account: "), plain(Clean(inc.Account.Label(), 200))),
		row(bold("Tenant: "), plain(Clean(tenantName(inc), 120))),
		row(bold("Severity: "), plain(severity(inc))),
		row(bold("State: "), plain(inc.State.Words())),
		row(bold("Alert: "), plain(alerted(inc))),
		words(local(inc.ReceivedAt), obj{"spacing": "None", "isSubtle": true}),
		row(bold("Lock: "), plain(lockTime(inc))),
	}
	if inc.Former != nil {
		rows = append(rows, row(append([]obj{bold(responsehub.FormerTitle + ": ")}, former(inc, view)...)...))
	}
	// Nobody draws a card anew because time goes by. So its age is the distance of two
	// times that stand still.
	if last := changed(inc); last.After(inc.ReceivedAt) && !inc.State.Closed() {
		rows = append(rows, row(bold("Last change: "), plain(moment(inc, last)+", "+responsehub.Span(last.Sub(inc.ReceivedAt))+" after the alert")))
	}
	if !inc.State.Closed() {
		taken := wordsNobody
		if a := inc.Acknowledged; a != nil {
			taken = strings.TrimSpace(Clean(a.By.Name, 80) + ", " + moment(inc, a.At) + " " + a.By.Via.Words())
		}
		rows = append(rows, row(bold("Taken by: "), plain(taken)))
	}
	if text := told(inc, view); text != "" {
		rows = append(rows, row(bold("Told: "), plain(text)))
	}
	return rows
}

// former names the incident that the account had before, with the way to it.
func former(inc *responsehub.Incident, view View) []obj {
	name := plain(inc.Former.Ref)
	if to := address(strings.TrimSuffix(view.Console, inc.ID)+inc.Former.ID, true); strings.HasSuffix(view.Console, "/"+inc.ID) && to != "" {
		name = run(inc.Former.Ref, obj{"selectAction": obj{"type": "Action.OpenUrl", "title": wordsConsole, "url": to}})
	}
	return []obj{name, plain(inc.Former.Rest())}
}

// lockTime is how long the attacker was in after the alert, once that is over.
func lockTime(inc *responsehub.Incident) string {
	s := inc.Step(responsehub.Lock)
	switch {
	case s == nil:
		return responsehub.Waiting.Words()
	case s.State == responsehub.Done && !s.ByHand && s.VerifiedAt.After(inc.ReceivedAt):
		return "locked " + responsehub.Span(s.VerifiedAt.Sub(inc.ReceivedAt)) + " after the alert came in"
	case s.State.Settled():
		return s.State.Words()
	case s.State.Busy():
		return "not locked yet, " + s.State.Words()
	}
	return "not locked"
}

// changed is the newest time that the card shows.
func changed(inc *responsehub.Incident) time.Time {
	last := inc.ReceivedAt
	later := func(ts ...time.Time) {
		for _, t := range ts {
			if t.After(last) {
				last = t
			}
		}
	}
	for i := range inc.Steps {
		s := &inc.Steps[i]
		later(s.RequestedAt, s.StartedAt, s.SentAt, s.VerifiedAt)
		for j := range s.Items {
			later(s.Items[j].At)
		}
	}
	for i := range inc.Todos {
		later(inc.Todos[i].DoneAt)
	}
	if a := inc.Acknowledged; a != nil {
		later(a.At)
	}
	if w := inc.Withdrawal; w != nil {
		later(w.At)
	}
	return last
}
