package card

import (
	"fmt"
	"strconv"
	"strings"

	"responsehub"
)

// steps draws the six numbered steps, each with its state, its time and who asked.
func steps(inc *responsehub.Incident, view View, d detail) []obj {
	body := []obj{words(wordsSteps, obj{"weight": "Bolder", "separator": true, "spacing": "Medium"})}
	said := map[string]bool{}
	for _, id := range responsehub.StepIDs[1:] {
		s := inc.Step(id)
		if s == nil {
			continue
		}
		rows := []obj{line(nil, bold(title(id)), plain(" — "+standOf(inc, s)))}
		if inc.State.Closed() {
			body = append(body, rows...)
			continue
		}
		for _, text := range append(lacks(s, view, d), because(inc, s, d)...) {
			// Six steps behind one shut gate need its reason once.
			if !said[text] {
				said[text] = true
				rows = append(rows, line(obj{"spacing": "None"}, subtle(text)))
			}
		}
		if id == responsehub.Lock {
			rows = append(rows, after(inc, s, view, d)...)
		}
		if id == responsehub.Persistence {
			rows = append(rows, items(inc, s, view, d)...)
		}
		if !troubled(s) {
			body = append(body, rows...)
			continue
		}
		body = append(body, obj{"type": "Container", "style": "warning", "items": rows, "spacing": "Small"})
	}
	return body
}

// standOf is a step's state in words, with the exact time of it and who asked.
func standOf(inc *responsehub.Incident, s *responsehub.Step) string {
	text := s.State.Words()
	at := s.RequestedAt
	if s.Undo && s.State.Busy() {
		text = wordsTakingBack
	}
	switch {
	case s.State == responsehub.Undone && !s.VerifiedAt.IsZero():
		at = s.VerifiedAt
	case s.State == responsehub.Done && s.ByHand:
		at = s.VerifiedAt // a person's word, not read back
	case s.State == responsehub.Done && !s.VerifiedAt.IsZero():
		text, at = checkMark+" verified", s.VerifiedAt
	case s.State == responsehub.Sent && !s.SentAt.IsZero():
		at = s.SentAt
	case s.State == responsehub.Running && !s.StartedAt.IsZero():
		at = s.StartedAt
	case s.State == responsehub.Waiting:
		return text
	}
	if !at.IsZero() {
		text += " " + moment(inc, at)
	}
	if s.RequestedBy.Name != "" {
		text += ", " + Clean(s.RequestedBy.Name, 80)
	}
	return text
}

// because gives the lines below a step: why it is so, how far it is, what has to
// happen first.
func because(inc *responsehub.Incident, s *responsehub.Step, d detail) []string {
	var lines []string
	if s.Progress != nil && (s.Progress.Mailboxes > 0 || s.Progress.Searched > 0) {
		lines = append(lines, retraction(s.Progress))
	}
	if s.Note != "" && s.State != responsehub.Queued {
		lines = append(lines, Clean(s.Note, d.text))
	}
	if s.Reason != "" && s.State != responsehub.Done {
		lines = append(lines, Clean(s.Reason, d.text))
	}
	if s.State == responsehub.Done && s.Proof != nil && s.Proof.Value != "" {
		said := "Read back: "
		if s.ByHand {
			said = "By hand: "
		}
		lines = append(lines, said+Clean(s.Proof.Value, min(d.text, 160)))
	}
	if c := s.Confirm; c != nil && s.State != responsehub.NeedsHuman && !s.State.Busy() {
		lines = append(lines, Clean(c.Sentence(), 200))
	}
	if s.State.Busy() || s.State.Settled() || inc.State == responsehub.Unpublished && inc.Tenant.ID != "" {
		return lines
	}
	if why := shut(inc, s.ID); why != "" {
		lines = append(lines, Clean(why, max(d.text, 200)))
	}
	return lines
}

// shut is why a gate is shut. What keeps an incident from being closed stands with each
// step already, so the last gate only counts them up.
func shut(inc *responsehub.Incident, id responsehub.StepID) string {
	why := inc.Blocked(id)
	if why == "" || id != responsehub.Close || inc.State != responsehub.Active || inc.Tenant.ID == "" || inc.Withdrawal.Running() {
		return why
	}
	var open []string
	for _, other := range responsehub.StepIDs[1 : len(responsehub.StepIDs)-1] {
		if s := inc.Step(other); s != nil && !s.State.Settled() {
			open = append(open, strconv.Itoa(other.Number()))
		}
	}
	if len(open) == 0 {
		return why
	}
	return "Waits for " + strings.Join(open, ", ") + ": done, or set aside with a reason."
}

// lacks warns below a step that waits of what it would fail for.
func lacks(s *responsehub.Step, view View, d detail) []string {
	if view.Lacks == nil || s.State != responsehub.Waiting && s.State != responsehub.Queued {
		return nil
	}
	if why := view.Lacks(s.ID); why != "" {
		return []string{Clean(why, max(d.text, 200))}
	}
	return nil
}

// items draws the persistence that was found, each with its state.
func items(inc *responsehub.Incident, s *responsehub.Step, view View, d detail) []obj {
	if len(s.Items) == 0 {
		return nil
	}
	body := []obj{line(obj{"spacing": "None"}, subtle(fmt.Sprintf("%s: %d", wordsItems, len(s.Items))))}
	shown := 0
	// What is still open comes first: that is what a person has to look at.
	for _, settled := range []bool{false, true} {
		for i := range s.Items {
			it := &s.Items[i]
			if it.State.Settled() != settled || shown == d.items {
				continue
			}
			shown++
			text := "• " + Clean(it.Title(), 100) + " — " + it.State.Words()
			if it.State.Settled() && !it.At.IsZero() {
				text += " " + moment(inc, it.At)
				if it.By.Name != "" {
					text += ", " + Clean(it.By.Name, 60)
				}
			}
			if it.Hidden {
				text += ", hidden"
			}
			if it.Why != "" && it.State != responsehub.Done {
				text += ": " + Clean(it.Why, min(d.text, 160))
			}
			body = append(body, line(obj{"spacing": "None"}, plain(text)))
		}
	}
	if left := len(s.Items) - shown; left > 0 {
		body = append(body, line(obj{"spacing": "None"}, more(inc, view, left, "items")...))
	}
	return body
}
