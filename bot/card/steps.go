package card

import (
	"fmt"

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
		body = append(body, line(nil, bold(title(id)), plain(" — "+standOf(s))))
		if inc.State.Closed() {
			continue
		}
		for _, text := range append(lacks(s, view, d), because(inc, s, d)...) {
			// Six steps behind one shut gate need its reason once.
			if !said[text] {
				said[text] = true
				body = append(body, line(obj{"spacing": "None"}, subtle(text)))
			}
		}
		if id == responsehub.Lock {
			body = append(body, after(inc, s, d)...)
		}
		if id == responsehub.Persistence {
			body = append(body, items(s, d)...)
		}
	}
	return body
}

// standOf is a step's state in words, with the exact time of it and who asked.
func standOf(s *responsehub.Step) string {
	text := stateWords[s.State]
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
		text += " " + when(at)
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
	if why := inc.Blocked(s.ID); why != "" {
		lines = append(lines, Clean(why, max(d.text, 200)))
	}
	return lines
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
func items(s *responsehub.Step, d detail) []obj {
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
			text := "• " + Clean(it.Title(), 100) + " — " + stateWords[it.State]
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
		body = append(body, line(obj{"spacing": "None"}, subtle(more(left, "items"))))
	}
	return body
}
