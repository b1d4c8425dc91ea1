package mail

import (
	"slices"
	"strconv"
	"strings"

	"responsehub"
)

// news is what is so with an incident and worth a mail, as short words that are stored:
// each once, in the order in which they are told. They never change.
type news []string

const (
	saysOpened = "opened"
	saysLocked = "locked" // locked:<round>
	saysOpen   = "open"   // open:<round>: the account is enabled again
	saysNeeds  = "needs"  // needs:<step>:<round>
	saysAcked  = "acknowledged"
	saysNobody = "nobody"
	saysClosed = "closed" // closed:<state>
)

// newsOf reads what is so now.
func newsOf(inc *responsehub.Incident) news {
	n := news{saysOpened}
	if s := inc.Step(responsehub.Lock); s.State == responsehub.Done {
		n = append(n, word(saysLocked, strconv.Itoa(s.Round)))
	}
	if s := inc.Step(responsehub.Reenable); s.State == responsehub.Done {
		n = append(n, word(saysOpen, strconv.Itoa(s.Round)))
	}
	if !inc.State.Closed() {
		for i := range inc.Steps {
			if s := &inc.Steps[i]; s.State == responsehub.NeedsHuman || s.State == responsehub.Failed {
				n = append(n, word(saysNeeds, string(s.ID), strconv.Itoa(s.Round)))
			}
		}
	}
	if inc.Page != nil && inc.Page.State == responsehub.PageExhausted && inc.Acknowledged == nil {
		n = append(n, saysNobody)
	}
	if inc.Acknowledged != nil {
		n = append(n, saysAcked)
	}
	if inc.State.Closed() {
		n = append(n, word(saysClosed, string(inc.State)))
	}
	return n
}

// since is what of n was not told yet.
func (n news) since(told string) news {
	known := parse(told)
	var fresh news
	for _, w := range n {
		if !slices.Contains(known, w) {
			fresh = append(fresh, w)
		}
	}
	return fresh
}

func (n news) String() string { return strings.Join(n, " ") }

func parse(s string) news { return strings.Fields(s) }

func word(parts ...string) string { return strings.Join(parts, ":") }
