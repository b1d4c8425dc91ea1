package responsehub

import "maps"

// open stands for every state in which a step or item is not settled: which one it is
// changes with each turn and says nothing that the record has to keep.
const open = "open"

// Standing is where an incident stands, by name: its state, who took it, each step and
// each item. What has nothing to say is left out. It is what [Event.Set] is made of: the
// sets of all events, one after the other, give the Standing of the stored incident.
func (inc *Incident) Standing() map[string]string {
	out := map[string]string{"state": string(inc.State)}
	if a := inc.Acknowledged; a != nil {
		out["acknowledged"] = a.By.ID
	}
	for i := range inc.Steps {
		s := &inc.Steps[i]
		if word := settledWord(s.State); word != open {
			out[string(s.ID)] = word
		}
		for j := range s.Items {
			if word := settledWord(s.Items[j].State); word != open {
				out[string(s.ID)+"/"+s.Items[j].ID] = word
			}
		}
	}
	return out
}

func settledWord(s StepState) string {
	switch s {
	case Done, Partial, Failed, NeedsHuman, Skipped, Undone:
		return string(s)
	}
	return open
}

// Moved is what differs between two standings: the new words, and "" for a name that is
// gone. before may be nil.
func Moved(before, after map[string]string) map[string]string {
	moved := map[string]string{}
	for name, word := range after {
		if before[name] != word {
			moved[name] = word
		}
	}
	for name := range before {
		if _, there := after[name]; !there {
			moved[name] = ""
		}
	}
	return moved
}

// Rebuild puts the sets of events together again, in their order.
func Rebuild(events []Event) map[string]string {
	out := map[string]string{}
	for _, e := range events {
		maps.Copy(out, e.Set)
		for name, word := range e.Set {
			if word == "" {
				delete(out, name)
			}
		}
	}
	return out
}
