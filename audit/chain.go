package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"responsehub"
)

// Chain verifies the stored entries of a record that ends in head and returns them. head
// may be "" where nothing but the entries is known. The error names the entry at fault.
func Chain(stored []json.RawMessage, head string) ([]responsehub.Event, error) {
	raw := make([][]byte, len(stored))
	events := make([]responsehub.Event, len(stored))
	for i, b := range stored {
		raw[i] = b
		if err := json.Unmarshal(b, &events[i]); err != nil {
			return nil, fmt.Errorf("entry %d cannot be read: %w", i+1, err)
		}
	}
	if head == "" && len(raw) > 0 {
		head = responsehub.EventHash(raw[len(raw)-1])
	}
	if err := responsehub.CheckChain(raw, head); err != nil {
		return nil, err
	}
	return events, nil
}

// State verifies that the record says of the incident what is stored of it. It returns
// false for a record of a version that did not write down what moved.
func State(inc *responsehub.Incident, events []responsehub.Event) (rebuilt bool, err error) {
	if len(events) == 0 || events[0].Set == nil {
		return false, nil
	}
	want, got := inc.Standing(), responsehub.Rebuild(events)
	if maps.Equal(want, got) {
		return true, nil
	}
	var faults []string
	for name, word := range responsehub.Moved(got, want) {
		faults = append(faults, fmt.Sprintf("%s is %q and was recorded as %q", name, word, got[name]))
	}
	slices.Sort(faults)
	return true, fmt.Errorf("the stored state is not what the record says: %s", strings.Join(faults, "; "))
}
