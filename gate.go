package responsehub

import (
	"fmt"
	"strings"
)

const unpublishedSentence = "Nothing runs before the incident is published. Press Publish Incident first."

func (inc *Incident) closedSentence() string {
	return fmt.Sprintf("%s is closed (%s); its steps cannot be run any more.", inc.Ref, strings.ReplaceAll(string(inc.State), "_", " "))
}

// Gate returns nil when the step may be asked for now, and otherwise a Refused error
// that says what has to happen first.
func (inc *Incident) Gate(id StepID) error {
	switch {
	case inc.State.Closed():
		return Refuse(inc.closedSentence())
	case inc.Withdrawal.Running():
		return Refuse(inc.withdrawalSentence())
	case inc.Tenant.ID == "" && id != Publish:
		return Refuse(fmt.Sprintf("The hub does not know the tenant %s. Add it to the tenant list, then run the steps.", inc.Tenant.Name))
	case inc.State == Unpublished && id != Publish:
		return Refuse(unpublishedSentence)
	}
	switch id {
	case Password:
		return inc.passwordGate()
	case Reenable:
		if s := inc.Step(Password).State; s != Done && s != Skipped {
			return Refuse("The account stays locked until its password is reset. Do step 4, Reset password, first.")
		}
	case Close:
		return inc.closeGate()
	}
	return nil
}

// passwordGate keeps the reset shut while anything may survive it. What could not be
// read is not clean.
func (inc *Incident) passwordGate() error {
	s := inc.Step(Persistence)
	var open []string
	for i := range s.Items {
		if it := &s.Items[i]; it.Kind.Blocks() && !it.State.Settled() {
			open = append(open, it.Title())
		}
	}
	if len(open) > 0 {
		return Refuse("The password is not reset while the attacker can come back. Still open in step 3: " + list(open, 5) + ". Disable them, or set them aside with a reason.")
	}
	switch s.State {
	case Done, Skipped, NeedsHuman, Undone:
		return nil
	case Queued, Running, Sent:
		return Refuse("Step 3, Disable persistence, is under way. Wait until it is done; then reset the password.")
	case Failed, Partial:
		return Refuse("Step 3, Disable persistence, did not end clean: " + s.Reason + " Ask for it again, or set it aside with a reason.")
	}
	return Refuse("Nobody has looked for persistence yet. Do step 3, Disable persistence, first.")
}

func (inc *Incident) closeGate() error {
	var open []string
	for _, id := range StepIDs[1 : len(StepIDs)-1] {
		if s := inc.Step(id); !s.State.Settled() {
			open = append(open, fmt.Sprintf("%d %s", id.Number(), id.Title()))
		}
	}
	if len(open) == 0 {
		return nil
	}
	return Refuse("Still open: " + list(open, 5) + ". Do them or set them aside with a reason; then mark the incident as remediated.")
}

// Blocked returns the sentence of a shut gate, or "" when the step may be asked for.
func (inc *Incident) Blocked(id StepID) string {
	if err := inc.Gate(id); err != nil {
		return Sentence(err)
	}
	return ""
}
