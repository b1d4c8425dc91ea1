package card

import "responsehub"

// Short draws the incident with as little as it can be told with, for the case that Teams
// finds the usual card too large: the state of each step, the buttons, and the link.
func Short(inc *responsehub.Incident, view View) []byte {
	view.Lacks = nil
	return encode(draw(inc, view, details[len(details)-1]))
}
