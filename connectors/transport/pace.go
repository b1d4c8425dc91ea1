package transport

import "time"

const (
	// paceWindow is what counts as recent, and the shortest time between two halvings.
	paceWindow = time.Second
	// minComplaints is how many recent complaints are needed to be many.
	minComplaints = 3
	// forgetAfter is how long a gate that nobody uses remembers what it learnt.
	forgetAfter = time.Minute
)

// pace is how many requests a gate lets go at once, and what it learns that from. Like
// TCP it starts slowly and doubles with each round until the first complaint, and is
// careful from then on. https://www.rfc-editor.org/rfc/rfc5681#section-3.1
type pace struct {
	limit   int
	careful bool      // was halved
	changed time.Time // of limit
	halved  time.Time // the last time

	window      time.Time // when recent began
	recent, old tally     // of the window and of the one before
}

// tally is how many requests of some time were answered, and how many of them badly.
type tally struct{ answers, complaints int }

// turn begins a new window when the last is over.
func (p *pace) turn(now time.Time) {
	switch d := now.Sub(p.window); {
	case d >= 2*paceWindow:
		p.window, p.recent, p.old = now, tally{}, tally{}
	case d >= paceWindow:
		p.window, p.recent, p.old = now, tally{}, p.recent
	}
}

// stale reports whether a request went out under the limit before this one: what becomes
// of it says nothing about this one.
func (p *pace) stale(sent time.Time) bool { return sent.Before(p.halved) }

// answered counts a request that came back.
func (p *pace) answered(sent, now time.Time) {
	if !p.stale(sent) {
		p.turn(now)
		p.recent.answers++
	}
}

// complain counts a complaint.
func (p *pace) complain(sent, now time.Time) {
	if !p.stale(sent) {
		p.turn(now)
		p.recent.complaints++
	}
}

// many reports whether complaints are more than the share of the recent requests, those
// that are under way included.
func (p *pace) many(share float64, busy int) bool {
	complaints := p.recent.complaints + p.old.complaints
	return complaints >= minComplaints && float64(complaints) > share*float64(p.recent.answers+p.old.answers+busy)
}

// halve lets half as many go, but not fewer than floor. One burst of complaints is one
// complaint: all of them were sent under the same limit.
func (p *pace) halve(sent, now time.Time, floor int) {
	if p.stale(sent) || now.Sub(p.halved) < paceWindow {
		return
	}
	*p = pace{limit: max(floor, p.limit/2), careful: true, changed: now, halved: now, window: now}
}

// grow lets one more go: for each answer in the beginning, once a second after a complaint.
func (p *pace) grow(now time.Time, most int) {
	if p.limit < most && (!p.careful || now.Sub(p.changed) >= time.Second) {
		p.limit, p.changed = p.limit+1, now
	}
}
