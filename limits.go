package responsehub

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// PasswordMode says who resets the passwords of a tenant's accounts.
type PasswordMode string

// The modes. Empty is [PasswordCloud]. An account from on-premises AD, where its password
// is mastered, is reset by hand in all of them but [PasswordWriteback].
const (
	PasswordCloud     PasswordMode = "cloud"     // the hub, for cloud accounts
	PasswordWriteback PasswordMode = "writeback" // the hub, also for accounts from on-premises AD, in the name of a person who signed in for the tenant
	PasswordManual    PasswordMode = "manual"    // a person, for every account
)

// PasswordModes lists the modes.
var PasswordModes = []PasswordMode{PasswordCloud, PasswordWriteback, PasswordManual}

// Limits bound what runs by itself in a tenant.
type Limits struct {
	AutomaticLocksPerHour *int `json:"automatic_locks_per_hour,omitempty"` // accounts locked by policy within any hour; nil is 20, 0 is none
}

// DefaultLocksPerHour is the limit of a tenant that says none: enough for a wave of
// phishing, little enough that a detector gone mad does not shut out a company.
const DefaultLocksPerHour = 20

// LocksPerHour is how many accounts of the tenant may be locked by themselves within an
// hour; 0 is none.
func (t *Tenant) LocksPerHour() int {
	if n := t.Limits.AutomaticLocksPerHour; n != nil {
		return *n
	}
	return DefaultLocksPerHour
}

// Admins stands in [Tenant.SecondPersonFor] for every account with a directory role.
const Admins = "admins"

// IsBreakGlass reports whether the account is one that is never locked by itself.
func (t *Tenant) IsBreakGlass(a Account) bool { return names(t.BreakGlass, a) }

// NeedsSecondPerson reports whether two people have to ask for the steps that lock or
// open the account. admin says that it holds a directory role.
func (t *Tenant) NeedsSecondPerson(a Account, admin bool) bool {
	return names(t.SecondPersonFor, a) || admin && t.AsksForAdmins()
}

// AsksForAdmins reports whether an account's directory roles matter to the second person.
func (t *Tenant) AsksForAdmins() bool { return slices.Contains(t.SecondPersonFor, Admins) }

var objectID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// NamesAccount reports whether a text can name an account: a principal name or an object id.
func NamesAccount(s string) bool {
	name, domain, ok := strings.Cut(s, "@")
	return objectID.MatchString(s) || ok && name != "" && domain != "" && !strings.ContainsAny(s, " \t\r\n,;")
}

// names reports whether a list of principal names and object ids names the account.
func names(list []string, a Account) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		return s != "" && (strings.EqualFold(s, a.UserPrincipalName) || strings.EqualFold(s, a.ObjectID))
	})
}

// Settings are the switches of the whole hub.
type Settings struct {
	V       int   `json:"v"`
	Stopped *Stop `json:"stopped,omitempty"` // nothing runs by itself; nil: it does where Response is on

	Signing map[string]Signing `json:"signing,omitempty"` // of outgoing webhooks, by [AddressID]; none: the first generation
}

// Stop says who stopped all automatic action, and when.
type Stop struct {
	By By        `json:"by"`
	At time.Time `json:"at"`
}

// Holds returns what the settings hold back.
func (s Settings) Holds() []Hold {
	if s.Stopped == nil {
		return nil
	}
	why := fmt.Sprintf("%s stopped all automatic action on %s at %s.", s.Stopped.By.Name, s.Stopped.At.UTC().Format("2006-01-02"), clock(s.Stopped.At))
	return []Hold{{Steps: []StepID{Lock, Retract, Persistence}, Why: why}}
}

// Hold keeps the policy from asking for steps. People may ask for them as always.
type Hold struct {
	Steps []StepID
	Why   string // a sentence
}

// BreakGlassHold keeps a break-glass account from being locked by itself.
func BreakGlassHold(a Account) Hold {
	return Hold{Steps: []StepID{Lock}, Why: a.Label() + " is a break-glass account."}
}

// LimitHold keeps an account from being locked by itself past the tenant's limit.
func LimitHold(tenant string, limit int) Hold {
	why := fmt.Sprintf("%d accounts of %s were locked by themselves within the hour, which is its limit.", limit, tenant)
	if limit <= 0 {
		why = tenant + " wants no account locked by itself."
	}
	return Hold{Steps: []StepID{Lock}, Why: why}
}

// Sentence is what people read on the step that is held back.
func (h Hold) Sentence(id StepID) string {
	if id == Lock {
		return fmt.Sprintf("Not locked by itself: %s Press %d to lock it.", h.Why, id.Number())
	}
	return fmt.Sprintf("Not run by itself: %s Press %d to run it.", h.Why, id.Number())
}

// policy asks for a step on behalf of the tenant's policy, unless it is held back. A
// step that was held back once waits for a person, also for what comes later.
func (inc *Incident) policy(id StepID, r StepRequest, holds []Hold, now time.Time) {
	s := inc.Step(id)
	if s.State.Busy() {
		inc.queue(id, Policy, r, now) // the round under way may have overlooked it
		return
	}
	for _, h := range holds {
		if slices.Contains(h.Steps, id) {
			inc.HoldBack(id, h.Sentence(id), now)
			return
		}
	}
	if s.Held {
		inc.reopen(id, true)
		return
	}
	inc.queue(id, Policy, r, now)
}

// HoldBack notes why the policy does not run a step, and leaves the step to people. One
// that had ended is shown as open again.
func (inc *Incident) HoldBack(id StepID, sentence string, now time.Time) {
	s := inc.Step(id)
	inc.reopen(id, true)
	s.Held = true
	if s.State == Waiting || s.State == Queued || s.State == Partial {
		s.Reason = sentence
	}
	if s.State == Queued {
		s.State = NeedsHuman
	}
	inc.Record(Event{At: now, Kind: EventHeldBack, By: Policy.By(), Step: id, Text: id.Title() + ": " + sentence})
}

// Confirmation is the first of two people who have to ask for a step.
type Confirmation struct {
	By  By        `json:"by"`
	At  time.Time `json:"at"`
	For Purpose   `json:"for,omitempty"` // what was asked; a second person confirms only the same
}

// Purpose is what the first of two people asked of a step.
type Purpose string

// The purposes. The empty one is to run the step.
const (
	ToUndo     Purpose = "undo"        // take the lock back, which opens the account
	ToWithdraw Purpose = "false_alarm" // declare a false alarm, which takes the lock back
)

// Sentence is what people read where the second person is awaited.
func (c *Confirmation) Sentence() string {
	switch c.For {
	case ToUndo:
		return c.By.Name + " asked to take it back; a second person has to confirm by asking again."
	case ToWithdraw:
		return c.By.Name + " declared a false alarm, which opens the account; a second person has to confirm by declaring it again."
	}
	return c.By.Name + " asked; a second person has to confirm by pressing again."
}

// confirm notes the first person who asks for a step that needs two, and reports whether
// the step has to wait. The same person asking again is told so. Who asked for something
// else confirms nothing.
func (inc *Incident) confirm(s *Step, purpose Purpose, actor Actor, reason string, now time.Time) (Answer, bool) {
	what := s.ID.Title() + " is not started yet"
	switch purpose {
	case ToUndo:
		what = fmt.Sprintf("Step %d is not taken back yet", s.ID.Number())
	case ToWithdraw:
		what = "The false alarm takes the lock back, so it does not begin yet"
	}
	switch c := s.Confirm; {
	case c == nil || c.For != purpose:
		s.Confirm = &Confirmation{By: actor.By(), At: now.UTC(), For: purpose}
		sentence := s.Confirm.Sentence()
		if purpose == "" && (s.State == Waiting || s.State == NeedsHuman) {
			s.State, s.Reason = NeedsHuman, sentence
		}
		text := s.ID.Title() + ": " + sentence
		if purpose != "" {
			text += " The reason: " + reason
		}
		inc.Record(Event{At: now, Kind: EventNeedsHuman, By: actor.By(), Step: s.ID, Text: text})
		inc.acknowledge(actor, now)
		return Answer{Sentence: what + ": this account needs two people. Somebody else has to confirm by " + c.again(purpose) + "."}, true
	case c.By.ID == actor.ID:
		return Answer{Joined: true, Sentence: fmt.Sprintf("You asked for this at %s. Somebody else has to confirm by %s.", clock(c.At), c.again(purpose))}, true
	}
	return Answer{}, false
}

// again is how the second person confirms.
func (*Confirmation) again(purpose Purpose) string {
	switch purpose {
	case ToUndo:
		return "asking for the undo again"
	case ToWithdraw:
		return "declaring the false alarm again"
	}
	return "pressing again"
}
