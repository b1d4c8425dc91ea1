// Package wire records what reaches the simulated vendors and scripts their faults.
//
// It promises three ledgers that a test may compare with what the program under test believes:
// the requests received with the answers given (Requests), the effects the simulated world really
// underwent (Effects), and everything a real vendor would not have known (UnexpectedAll). A request
// stands in the ledger from the moment it arrives; its status and answer are filled in before the
// client can read the end of the answer. Effects are written by the simulators, once per effect, so
// a lost answer (Fault.After) still shows there.
//
// What may go wrong: a Log keeps the newest 131072 requests only, bodies are cut at 64 KiB, and
// secrets are blanked in what is recorded (never in what the simulator sees).
package wire

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxBody is how much of a request or answer body is kept, in bytes.
const maxBody = 64 << 10

// maxRequests is how many requests a Log keeps before it forgets the oldest half.
const maxRequests = 1 << 17

// Request is one request as received, with the answer given. Status 0 means that no answer was
// sent: the request is still running, or the connection was dropped by a fault.
type Request struct {
	Seq    int         `json:"seq"` // 1 for the first, in order of arrival
	At     time.Time   `json:"at"`
	Vendor string      `json:"vendor"`
	Method string      `json:"method"`
	Path   string      `json:"path"`  // decoded
	Query  string      `json:"query"` // raw
	Header http.Header `json:"header"`
	Body   string      `json:"body"` // decompressed when it was honest gzip
	Status int         `json:"status"`
	Answer string      `json:"answer"`
	Fault  string      `json:"fault"` // what a scripted fault did to it, "" for nothing
}

// Effect is one change of the simulated world that a person could see or that cannot be repeated
// without harm, such as "disable", "move", "call" or "card.post".
type Effect struct {
	Seq    int       `json:"seq"` // 1 for the first
	At     time.Time `json:"at"`
	Vendor string    `json:"vendor"`
	Tenant string    `json:"tenant"`
	Kind   string    `json:"kind"`
	Target string    `json:"target"`
	Detail string    `json:"detail"`
}

// Log is the three ledgers and the scripted faults. It is safe for concurrent use.
type Log struct {
	mu         sync.Mutex
	seq        int
	requests   []*Request
	faults     []Fault
	effectSeq  int
	effects    []Effect
	unexpected []string
}

// NewLog returns an empty log without faults.
func NewLog() *Log { return &Log{} }

// Requests returns copies of the requests in order of arrival.
func (l *Log) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Request, len(l.requests))
	for i, r := range l.requests {
		out[i] = *r
	}
	return out
}

// Reset forgets requests, effects and unexpected things; scripted faults stay (see ClearFaults).
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests, l.effects, l.unexpected = nil, nil, nil
}

// Unexpected records something the vendor would not know: an unknown path, field or filter.
func (l *Log) Unexpected(vendor, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unexpected = append(l.unexpected, vendor+": "+what)
}

// UnexpectedAll returns everything given to Unexpected, oldest first, as "vendor: what".
func (l *Log) UnexpectedAll() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.unexpected)
}

// Effect enters e in the ledger of effects. Seq is always set; At only when it is zero.
func (l *Log) Effect(e Effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effectSeq++
	e.Seq = l.effectSeq
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	l.effects = append(l.effects, e)
}

// Effects returns the ledger of effects, oldest first.
func (l *Log) Effects() []Effect {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.effects)
}

// arrive enters a request and returns its place in the ledger.
func (l *Log) arrive(r Request) *Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	r.Seq, r.At = l.seq, time.Now().UTC()
	if len(l.requests) >= maxRequests {
		l.requests = slices.Clone(l.requests[maxRequests/2:])
	}
	l.requests = append(l.requests, &r)
	return &r
}

// settle fills in what was answered.
func (l *Log) settle(r *Request, status int, answer []byte, fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Status, r.Answer, r.Fault = status, blankAnswer(answer), fault
}
