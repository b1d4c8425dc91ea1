package responsehub

import (
	"fmt"
	"slices"
	"time"
)

// HoldsFor returns what is held back for an account of the tenant before anything is
// counted: by the hub's switch, a pause, a break-glass list, or a limit of no lock at all.
func (t *Tenant) HoldsFor(s Settings, a Account) []Hold {
	if holds := append(s.Holds(), t.Holds()...); len(holds) > 0 {
		return holds
	}
	switch most := t.LocksPerHour(); {
	case t.IsBreakGlass(a):
		return []Hold{BreakGlassHold(a)}
	case most <= 0:
		return []Hold{LimitHold(t.Name, most)}
	}
	return nil
}

// Offers returns those of a tenant's open incidents on which the actor is offered to run
// steps 1 to 3: Response was turned on after they were opened, and nobody asked since.
func (t *Tenant) Offers(s Settings, actor Actor, open []*Incident) []*Incident {
	if !t.Automatic() || actor.May(Act, t.Ref()) != nil {
		return nil
	}
	var offered []*Incident
	for _, inc := range open {
		if len(inc.Offers(actor, t.HoldsFor(s, inc.Account)...)) > 0 {
			offered = append(offered, inc)
		}
	}
	return offered
}

// OfferSentence says that n open incidents of a tenant wait for the answer.
func OfferSentence(tenant string, n int) string {
	incidents := "1 incident is open in which"
	if n != 1 {
		incidents = Grouped(n) + " incidents are open in which"
	}
	return fmt.Sprintf("Response is on for %s. %s not all of steps 1 to 3 were asked for.", tenant, incidents)
}

// Offers returns the automatic steps that [Incident.RunOpen] would ask for: those that
// nobody asked for, nobody set aside, and nothing holds back.
func (inc *Incident) Offers(actor Actor, holds ...Hold) []StepID {
	var offered []StepID
	for _, id := range StepIDs {
		if id.Automatic() && inc.keeps(id, actor, holds) == "" {
			offered = append(offered, id)
		}
	}
	return offered
}

// keeps says why a step is left alone when open incidents are run, or "".
func (inc *Incident) keeps(id StepID, actor Actor, holds []Hold) string {
	s := inc.Step(id)
	switch c := inc.Step(Lock).Confirm; {
	case inc.State.Closed():
		return inc.closedSentence()
	case inc.Withdrawal.Running():
		return inc.withdrawalSentence()
	case inc.Withdrawal != nil: // it ended and waits for a person; going on would call it off
		return fmt.Sprintf("%s declared a false alarm at %s.", inc.Withdrawal.By.Name, clock(inc.Withdrawal.At))
	case c != nil && c.For == ToWithdraw:
		return c.Sentence()
	case s.Round > 0:
		return fmt.Sprintf("%s was asked for by %s at %s: %s.", id.Title(), s.RequestedBy.Name, clock(s.RequestedAt), s.State.Words())
	case s.Held:
		return s.Reason
	case s.State.Settled():
		return id.Title() + " was set aside: " + s.Reason
	case s.Confirm != nil && s.Confirm.By.ID == actor.ID:
		return fmt.Sprintf("You asked for this at %s. Somebody else has to confirm by %s.", clock(s.Confirm.At), s.Confirm.again(s.Confirm.For))
	}
	for _, h := range holds {
		if slices.Contains(h.Steps, id) {
			return h.Sentence(id)
		}
	}
	return ""
}

// OpenRun is what became of one incident when the open incidents of a tenant were run.
type OpenRun struct {
	Asked []StepID // without Publish, which comes before any of them
	Left  []LeftAlone
}

// LeftAlone is a step that was not asked for.
type LeftAlone struct {
	Step StepID
	Why  string // a sentence
}

// RunOpen asks for the automatic steps of an incident that was open when its tenant's
// Response was turned on: publish, where that is missing, then each step that
// [Incident.Offers] names, once. What was asked before, set aside, held back or closed
// stays as it is. twoPeople says that the account needs a second person to ask.
func (inc *Incident) RunOpen(actor Actor, twoPeople bool, now time.Time, holds ...Hold) OpenRun {
	var run OpenRun
	offered := inc.Offers(actor, holds...)
	if inc.State == Unpublished && len(offered) > 0 {
		inc.settleAtOnce(inc.Step(Publish), actor, StepRequest{}, now)
	}
	for _, id := range StepIDs {
		if !id.Automatic() {
			continue
		}
		why := inc.keeps(id, actor, holds)
		if why == "" {
			answer, err := inc.Ask(id, actor, StepRequest{TwoPeople: twoPeople}, now)
			switch {
			case err != nil:
				why = Sentence(err)
			case !inc.Step(id).State.Busy():
				why = answer.Sentence // a second person is asked for
			default:
				run.Asked = append(run.Asked, id)
				continue
			}
		} else if len(offered) > 0 && inc.heldNow(id, holds) {
			inc.HoldBack(id, why, now) // people see on the incident why this one did not run with the others
		}
		run.Left = append(run.Left, LeftAlone{Step: id, Why: why})
	}
	return run
}

// heldNow reports whether a step that nobody asked for is held back, and that is not yet
// on record.
func (inc *Incident) heldNow(id StepID, holds []Hold) bool {
	s := inc.Step(id)
	return s.Round == 0 && !s.Held && !s.State.Settled() && s.Confirm == nil && slices.ContainsFunc(holds, func(h Hold) bool { return slices.Contains(h.Steps, id) })
}
