package remediation

import (
	"encoding/json"
	"fmt"

	"responsehub"
)

// Encode writes an incident as it is stored. Steps that nobody touched are left out;
// they are most of what there is of a new incident.
func Encode(inc *responsehub.Incident) ([]byte, error) {
	stored := *inc
	stored.Steps = []responsehub.Step{} // never null
	for i := range inc.Steps {
		if s := &inc.Steps[i]; !s.Untouched() {
			stored.Steps = append(stored.Steps, *s)
		}
	}
	doc, err := encode(&stored)
	if err != nil || !inc.State.Closed() {
		return doc, err
	}
	return Pack(doc) // closed incidents are kept for years and seldom read
}

// Decode reads a stored incident. A record of a later version is an error: an old
// binary must not write what it does not understand.
func Decode(st State) (*responsehub.Incident, error) {
	doc, err := Unpack(st.Doc)
	inc := &responsehub.Incident{}
	if err == nil {
		err = json.Unmarshal(doc, inc)
	}
	if err != nil {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: "The stored incident cannot be read.", Err: fmt.Errorf("incident %s: %w", st.ID, err)}
	}
	if inc.V < 1 || inc.V > responsehub.IncidentVersion {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("The incident was stored by another version of the hub (record version %d).", inc.V)}
	}
	inc.Steps = whole(inc)
	inc.Revision = st.Version
	return inc, nil
}

// whole puts the steps that were left out back in their places.
func whole(inc *responsehub.Incident) []responsehub.Step {
	steps := make([]responsehub.Step, 0, len(responsehub.StepIDs))
	for _, id := range responsehub.StepIDs {
		if s := inc.Step(id); s != nil {
			steps = append(steps, *s)
		} else {
			steps = append(steps, responsehub.Step{ID: id, State: responsehub.Waiting})
		}
	}
	return steps
}
