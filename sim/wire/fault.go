package wire

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one scripted misbehaviour. Empty matching fields match everything. The first fault of
// the list that matches, and has nothing left to skip, is applied; a request suffers one fault.
//
// With Status 0 and Drop false only the delay is applied and the vendor's own answer follows, so
// {DelayMS: 300} is a slow vendor and {DelayMS: 300, After: true} one whose answer is late.
type Fault struct {
	Vendor  string            `json:"vendor"`
	Method  string            `json:"method"`
	Match   string            `json:"match"`    // substring of the decoded path + "?" + decoded query
	Body    string            `json:"body"`     // substring of the (decompressed) request body
	Skip    int               `json:"skip"`     // matching requests to let pass first
	Every   int               `json:"every"`    // of the matching requests only every n-th; 0 and 1 = each
	Times   int               `json:"times"`    // how often to apply it; 0 = for ever
	Status  int               `json:"status"`   // status to answer with; 0 = the vendor's own
	Header  map[string]string `json:"header"`   // headers of the answer, e.g. Retry-After
	Answer  string            `json:"answer"`   // body of the answer
	DelayMS int               `json:"delay_ms"` // milliseconds to wait before answering
	After   bool              `json:"after"`    // do the effect first, then answer with the fault
	Drop    bool              `json:"drop"`     // close the connection without an answer

	seen int // matching requests, for Every
}

// String says what the fault does, for Request.Fault.
func (f Fault) String() string {
	var parts []string
	if f.DelayMS > 0 {
		parts = append(parts, fmt.Sprintf("delay %d ms", f.DelayMS))
	}
	switch {
	case f.Drop:
		parts = append(parts, "drop")
	case f.Status != 0:
		parts = append(parts, fmt.Sprintf("status %d", f.Status))
	}
	if f.After {
		parts = append(parts, "after the effect")
	}
	return strings.Join(parts, ", ")
}

// AddFault appends a fault to the script.
func (l *Log) AddFault(f Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, f)
}

// ClearFaults removes every fault.
func (l *Log) ClearFaults() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = nil
}

// Faults returns the faults still in force; Skip and Times are what is left of them.
func (l *Log) Faults() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.faults)
}

// Pick returns the fault that applies to a request, counting it, or false. The middleware does this
// for every request; simulators call it for requests inside one request, such as a batch's items.
func (l *Log) Pick(vendor, method, where, body string) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.faults {
		f := &l.faults[i]
		if !f.matches(vendor, method, where, body) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Every > 1 {
			if f.seen++; f.seen%f.Every != 0 {
				continue
			}
		}
		hit := *f
		if f.Times > 0 {
			f.Times--
			if f.Times == 0 {
				l.faults = slices.Delete(l.faults, i, i+1)
			}
		}
		return hit, true
	}
	return Fault{}, false
}

func (f *Fault) matches(vendor, method, where, body string) bool {
	return (f.Vendor == "" || f.Vendor == vendor) &&
		(f.Method == "" || strings.EqualFold(f.Method, method)) &&
		strings.Contains(where, f.Match) &&
		strings.Contains(body, f.Body)
}
