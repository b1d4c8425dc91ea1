package card

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"responsehub"
)

// maxTold is how many calls and texts a card tells of: the latest.
const maxTold = 4

// told says in one line who heard of the incident by phone, ticket and mail, and what
// became of it. No number and no address stands in it.
func told(inc *responsehub.Incident, view View) string {
	parts := paged(inc, view)
	for _, name := range slices.Sorted(maps.Keys(inc.Tickets)) {
		ref := inc.Tickets[name]
		number := ref.Number
		if number == "" {
			number = ref.ID
		}
		switch {
		case number == "" && ref.Failure != "":
			parts = append(parts, "no ticket at "+Clean(name, 40)+": "+reason(ref.Failure))
		case number == "":
			parts = append(parts, "ticket at "+Clean(name, 40)+" is being made")
		case ref.Failure != "":
			parts = append(parts, "ticket "+Clean(number, 40)+", not kept up: "+reason(ref.Failure))
		default:
			parts = append(parts, "ticket "+Clean(number, 40))
		}
	}
	if text := mailed(inc); text != "" {
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

// paged tells of the latest calls and texts, and how the paging ended.
func paged(inc *responsehub.Incident, view View) []string {
	p := inc.Page
	if p == nil {
		return nil
	}
	var parts []string
	switch n := len(p.Attempts) - maxTold; {
	case n == 1:
		parts = append(parts, "1 earlier try")
	case n > 1:
		parts = append(parts, fmt.Sprintf("%d earlier tries", n))
	}
	for _, a := range p.Attempts[max(len(p.Attempts)-maxTold, 0):] {
		name := a.Person
		if view.Person != nil {
			if known := view.Person(a.Person); known != "" {
				name = known
			}
		}
		what := "called "
		if a.Way == responsehub.ByText {
			what = "texted "
		}
		parts = append(parts, what+Clean(name, 60)+" "+moment(inc, a.At)+", "+became(a))
	}
	if unheard(inc) {
		parts = append(parts, wordsExhausted)
	}
	return parts
}

// became is what came of an attempt. Who asked for the next person did press something.
func became(a responsehub.Attempt) string {
	word := a.State.Words()
	switch {
	case a.Passed:
		word = wordsPassed
	case a.For == responsehub.ToTell:
		word += wordsToTell
	case a.For == responsehub.ToShare:
		word += wordsToShare
	}
	return word
}

// mailed counts the recipients; their addresses are nobody's business in a channel.
func mailed(inc *responsehub.Incident) string {
	sent, failed := 0, 0
	for _, m := range inc.Mails {
		switch {
		case m.Failure != "":
			failed++
		case m.Sent > 0:
			sent++
		}
	}
	var parts []string
	if sent > 0 {
		parts = append(parts, fmt.Sprintf("mail to %d", sent))
	}
	if failed > 0 {
		parts = append(parts, fmt.Sprintf("mail to %d could not be sent", failed))
	}
	return strings.Join(parts, ", ")
}

// reason is a sentence as part of a longer one.
func reason(s string) string { return strings.TrimRight(Clean(s, 120), ".") }
