package card

import "responsehub"

// retractActions are the other ways of doing step 2: a look beforehand, where people run
// the steps themselves, and a search that does not stop at what the message trace names.
func retractActions(inc *responsehub.Incident) []obj {
	s := inc.Step(responsehub.Retract)
	if s == nil || s.State.Busy() || len(inc.Phish) == 0 || inc.Gate(responsehub.Retract) != nil {
		return nil
	}
	var acts []obj
	if !inc.Response && (s.State == responsehub.Waiting || s.State == responsehub.NeedsHuman) {
		acts = append(acts, execute(inc, responsehub.Retract, wordsPreview, obj{KeyPreview: "true"}))
	}
	if s.State != responsehub.Waiting && !s.State.Settled() && !s.Everywhere {
		acts = append(acts, wider(inc))
	}
	return acts
}

// wider is also how a retraction that is settled is done again, unless it was as wide.
func wider(inc *responsehub.Incident) obj {
	return execute(inc, responsehub.Retract, wordsEverywhere, obj{KeyEverywhere: "true"})
}
