package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// Rehearsal tells what the steps would do for an account if they were asked for now. It
// reads only: none of its parts is called for anything else.
type Rehearsal struct {
	Directory   Directory
	Roles       Roles // nil: directory roles are not looked at
	Mail        Mail
	Persistence *DisablePersistence
	Account     *AccountLane               // says whether a password can be reset
	LockGroup   func(tenant string) string // as in Lock
	// NeedsRole names the role that the hub's app lacks to lock somebody with these
	// roles, "" when it lacks none. nil is not asked.
	NeedsRole func(ctx context.Context, tenant string, roles []string) (string, error)
	// Trace says why the tenant's message trace does not answer, nil when it does.
	Trace func(ctx context.Context, tenant string) error
}

// rehearsing is one rehearsal.
type rehearsing struct {
	*Rehearsal
	inc  responsehub.Incident // a copy: the real one is somebody else's
	acct Account
	plan responsehub.Plan
}

// Plan rehearses the steps of an incident; one that was only made up for an account
// will do. lacks says what is known to keep a step from working, "" for nothing. What
// cannot be read is said in the plan; it is an error only when ctx ended.
func (r *Rehearsal) Plan(ctx context.Context, inc *responsehub.Incident, lacks func(responsehub.StepID) string) (responsehub.Plan, error) {
	w := &rehearsing{Rehearsal: r, inc: *inc, plan: responsehub.Plan{
		Tenant: inc.Tenant, Account: inc.Account, At: time.Now().UTC(), Ref: inc.Ref, Found: []string{},
	}}
	for _, id := range responsehub.StepIDs[1:] {
		w.plan.Steps = append(w.plan.Steps, responsehub.PlanStep{Step: id, Title: id.Title(), Would: []string{}, Stops: []string{}, Lasting: []string{}})
		if lacks != nil {
			w.step(id).Stop(lacks(id))
		}
	}
	if w.account(ctx) {
		w.lock(ctx)
		w.retract(ctx)
		w.persistence(ctx)
		w.password()
	}
	w.would(responsehub.Close, "Close the incident everywhere. Nothing changes at Microsoft.")
	return w.plan, ctx.Err()
}

func (w *rehearsing) step(id responsehub.StepID) *responsehub.PlanStep {
	return &w.plan.Steps[id.Number()-1]
}

func (w *rehearsing) would(id responsehub.StepID, sentences ...string) {
	w.step(id).Would = append(w.step(id).Would, sentences...)
}

func (w *rehearsing) found(sentence string) { w.plan.Found = append(w.plan.Found, sentence) }

// account reads the account; without one there is nothing to rehearse.
func (w *rehearsing) account(ctx context.Context) bool {
	acct, err := w.Directory.Account(ctx, w.inc.Tenant.MicrosoftTenantID, user(&w.inc))
	if err != nil {
		w.found(w.inc.Account.Label() + " cannot be looked at: " + responsehub.Sentence(err))
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Persistence, responsehub.Password, responsehub.Reenable} {
			w.step(id).Stop(responsehub.Sentence(err))
		}
		return false
	}
	w.acct = acct
	w.inc.Account.ObjectID = acct.ObjectID
	if acct.UPN != "" {
		w.inc.Account.UserPrincipalName = acct.UPN
	}
	if w.inc.Account.DisplayName == "" {
		w.inc.Account.DisplayName = acct.DisplayName
	}
	w.plan.Account = w.inc.Account
	state := "sign-in is allowed"
	if !acct.Enabled {
		state = "sign-in is blocked already"
	}
	w.found(fmt.Sprintf("The account %s (%s) is there: %s.", acct.UPN, acct.ObjectID, state))
	if !acct.SessionsValidFrom.IsZero() {
		w.found("Sessions from before " + clockOf(acct.SessionsValidFrom) + " are revoked already.")
	}
	if acct.Synced {
		w.found("It comes from on-premises AD, which is its master: the directory sync may undo a lock, and the password is reset there.")
	}
	if acct.Guest {
		w.found("It is a guest: sign-in, sessions and password belong to the home tenant.")
	}
	if acct.Restricted {
		w.found("It is in a restricted management administrative unit.")
	}
	w.protected(ctx)
	return true
}

func clockOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// protected says what stands in the way of changing the account itself.
func (w *rehearsing) protected(ctx context.Context) {
	stop := func(sentence string) {
		for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Password, responsehub.Reenable} {
			w.step(id).Stop(sentence)
		}
	}
	if w.acct.Restricted {
		stop("Microsoft would refuse: the account is in a restricted management administrative unit. Give the hub's app a role scoped to that unit, or let one of its administrators do it by hand.")
	}
	if w.Roles == nil {
		return
	}
	tenant := w.inc.Tenant.MicrosoftTenantID
	roles, err := w.Roles.Roles(ctx, tenant, w.acct.ObjectID)
	if err != nil {
		w.found("Whether it is an administrator's account cannot be told: " + responsehub.Sentence(err))
		return
	}
	if len(roles) == 0 {
		return
	}
	w.found("It is an administrator's account: " + strings.Join(roles, ", ") + ".")
	if w.NeedsRole == nil {
		return
	}
	switch role, err := w.NeedsRole(ctx, tenant, roles); {
	case err != nil:
		w.found("Whether the hub may change an administrator's account cannot be told: " + responsehub.Sentence(err))
	case role != "":
		stop(fmt.Sprintf("Microsoft would refuse: the account is protected by its own role (%s), and the hub's app lacks the role %s in %s. Assign it, or let a Global Administrator do it by hand in the Entra admin center.", strings.Join(roles, ", "), role, w.inc.Tenant.Name))
	}
}

// lock is steps 1 and 5.
func (w *rehearsing) lock(ctx context.Context) {
	block := "Block sign-in of " + w.acct.UPN + "."
	if !w.acct.Enabled {
		block = "Sign-in of " + w.acct.UPN + " is blocked already; it is blocked once more."
	}
	w.would(responsehub.Lock, block)
	if w.acct.Guest {
		w.would(responsehub.Lock, "Revoke the sessions, which has no effect on a guest's: they are the home tenant's. Tell the guest's company.")
	} else {
		w.would(responsehub.Lock, "Revoke all sessions. Access tokens that are out already work for up to an hour.")
	}
	if w.LockGroup != nil && w.LockGroup(w.inc.Tenant.ID) != "" {
		w.would(responsehub.Lock, "Put the account into the tenant's lock group.")
	}
	if w.acct.Synced {
		w.would(responsehub.Lock, "Watch the account and lock it again when the directory sync undoes it or somebody signs in, until step 5.")
		var todo responsehub.Incident
		onPremises(&todo, w.acct)
		for i := range todo.Todos {
			w.would(responsehub.Lock, "Ask somebody: "+todo.Todos[i].Text)
		}
	} else {
		w.would(responsehub.Lock, "Watch the account and lock it again when somebody re-enables it or signs in, until step 5.")
	}
	w.step(responsehub.Lock).Lasting = append(w.step(responsehub.Lock).Lasting, "The account's sessions are revoked: the user signs in anew on every device.")
	again := "Allow sign-in again, after revoking the sessions once more, and end the watch."
	if open, err := wasEnabled(&w.inc); err == nil && !open || err == nil && !w.acct.Enabled && len(w.inc.Step(responsehub.Lock).Snapshot) == 0 {
		again = "Leave the account blocked: it was before the lock."
	}
	w.would(responsehub.Reenable, again)
}

// password is step 4.
func (w *rehearsing) password() {
	s := w.step(responsehub.Password)
	if why := w.Account.cannotReset(&w.inc, w.acct); why != "" {
		s.Would = append(s.Would, "Nothing by itself. "+why)
		return
	}
	s.Would = append(s.Would, "Once step 3 is settled: set a new random password that has to be changed at the next sign-in, revoke the sessions once more, and show the password once to whoever asked for it.")
	s.Lasting = append(s.Lasting, "The old password cannot be brought back.")
}
