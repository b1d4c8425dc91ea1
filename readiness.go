package responsehub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Grade is how a check of a tenant came out. The values are stored.
type Grade string

// The grades. Missing keeps a step from working; a warning costs part of a step, or a
// step only for some accounts; unknown could not be found out.
const (
	CheckOK      Grade = "ok"
	CheckMissing Grade = "missing"
	CheckWarning Grade = "warning"
	CheckUnknown Grade = "unknown"
)

// Check is one thing that was looked at before an incident.
type Check struct {
	Name     string   `json:"check"` // a permission, a role, or a short word such as "consent"
	Grade    Grade    `json:"grade"`
	Sentence string   `json:"sentence"`         // what it is, and how to mend it
	Step     string   `json:"step,omitempty"`   // one sentence for a step that waits, where the grade is missing
	Blocks   []StepID `json:"blocks,omitempty"` // the steps that fail without it
}

// Readiness is what a preflight of a tenant found. It is kept with its time: rights come
// and go, so that an old one is a hint only.
type Readiness struct {
	V      int       `json:"v"`
	Tenant TenantRef `json:"tenant"`
	At     time.Time `json:"at"`
	Checks []Check   `json:"checks"`
}

// Missing counts the checks that keep a step from working.
func (r *Readiness) Missing() int { return r.count(CheckMissing) }

func (r *Readiness) count(g Grade) int {
	n := 0
	for i := range r.Checks {
		if r.Checks[i].Grade == g {
			n++
		}
	}
	return n
}

// Lacks is one sentence on what keeps the step from working, or "".
func (r *Readiness) Lacks(step StepID) string {
	if r == nil {
		return ""
	}
	first, more := "", 0
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Grade != CheckMissing || !slices.Contains(c.Blocks, step) {
			continue
		}
		if first == "" {
			first = c.Step
		} else {
			more++
		}
	}
	if more > 0 {
		first += fmt.Sprintf(" (and %d more, see the tenant's preflight)", more)
	}
	return first
}

// Words is the readiness as a list shows it: ready, or how much is missing, and its age.
func (r *Readiness) Words(now time.Time) string {
	if r == nil || r.At.IsZero() {
		return "unknown"
	}
	text := "ready"
	switch unknown := r.count(CheckUnknown); {
	case r.Missing() > 0:
		text = fmt.Sprintf("%d missing", r.Missing())
	case unknown > 0:
		text = fmt.Sprintf("%d unknown", unknown)
	}
	return text + ", " + Age(now.Sub(r.At)) + " ago"
}

// Age is a span in the one unit that fits.
func Age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d/time.Second)))
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// Plan is what the steps would do for one account if they were asked for now. Nothing
// was changed to find it out.
type Plan struct {
	Tenant  TenantRef  `json:"tenant"`
	Account Account    `json:"account"`
	At      time.Time  `json:"at"`
	Ref     string     `json:"ref,omitempty"` // of the incident, where there is one
	Found   []string   `json:"found"`         // what the account is, as sentences
	Steps   []PlanStep `json:"steps"`
}

// PlanStep is what one step would do.
type PlanStep struct {
	Step      StepID     `json:"step"`
	Title     string     `json:"title"`
	Would     []string   `json:"would"`             // what it would do, as sentences
	Stops     []string   `json:"stops"`             // what would keep it, or part of it, from working
	Lasting   []string   `json:"irreversible"`      // what an undo would not take back
	Items     []PlanItem `json:"items,omitempty"`   // persistence as it is now
	Mailboxes int        `json:"mailboxes"`         // that would be searched; of all, at least so many
	Messages  int        `json:"messages"`          // found in those that were looked into
	LookedAt  int        `json:"looked_at"`         // mailboxes that were looked into
	Bounded   bool       `json:"bounded,omitempty"` // there are more mailboxes than were counted or looked into
}

// PlanItem is one item of persistence and what would become of it.
type PlanItem struct {
	Kind  ItemKind `json:"kind"`
	Name  string   `json:"name"`
	Would string   `json:"would"`
	Why   string   `json:"why,omitempty"`
}

// Stop adds a sentence on what would keep the step from working, once.
func (p *PlanStep) Stop(sentence string) {
	if sentence = strings.TrimSpace(sentence); sentence != "" && !slices.Contains(p.Stops, sentence) {
		p.Stops = append(p.Stops, sentence)
	}
}
