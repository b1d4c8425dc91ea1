package remediation

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"responsehub"
)

// packed marks a stored incident that is deflated JSON; plain JSON begins with a brace.
// Closed incidents are kept for years and seldom read, so they are packed.
const packed = 0x01

// maxUnpacked bounds what a stored record may unfold to, in bytes.
const maxUnpacked = 64 << 20

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
	var b bytes.Buffer
	b.WriteByte(packed)
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(doc); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Decode reads a stored incident. A record of a later version is an error: an old
// binary must not write what it does not understand.
func Decode(st State) (*responsehub.Incident, error) {
	doc, err := unpack(st.Doc)
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

func unpack(doc []byte) ([]byte, error) {
	if len(doc) == 0 || doc[0] != packed {
		return doc, nil
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(doc[1:])), maxUnpacked+1))
	if err == nil && len(plain) > maxUnpacked {
		err = errors.New("the record unfolds to more than the hub reads")
	}
	return plain, err
}
