package responsehub

import "time"

// FormerTitle stands before what [Former.Words] says.
const FormerTitle = "Before"

// Words names the incident that the account had before, as every surface says it. It
// begins with the ref, which is a link where there can be one.
func (f *Former) Words() string {
	return f.Ref + f.Rest()
}

// Rest is what follows the ref in [Former.Words].
func (f *Former) Rest() string {
	return ", the same account, " + f.State.Words() + " " + f.ClosedAt.UTC().Format("2 Jan 2006 15:04:05 UTC")
}

// ResumeWithin is how long after an incident was closed a new one of the same account
// names it, and goes on in its thread. A closed ticket is opened again for as long.
const ResumeWithin = 7 * 24 * time.Hour

// Follows notes which incident the account had before, unless that is known already.
func (inc *Incident) Follows(former *Former) {
	if inc.Former == nil && former != nil {
		inc.Former = former
	}
}
