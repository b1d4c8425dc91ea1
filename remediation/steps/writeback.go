package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"responsehub"
	"responsehub/remediation"
)

const (
	// writebacks is how many resets an account from on-premises AD needs: the second one
	// ends what a stolen hash of the first would still open (pass-the-hash).
	// https://learn.microsoft.com/entra/identity/users/users-revoke-access
	writebacks = 2
	// writebackEnds is how long a reset may be under way before a person is asked.
	writebackEnds = 10 * time.Minute
	// writebackPolls is the pause between turns that wait for one.
	writebackPolls = 3 * time.Second
)

// Writeback sets the password of an account from on-premises AD there, in the name of a
// person who signed in for the tenant.
type Writeback interface {
	// Reset asks for it and names the operation that goes on by itself. Invalid says that
	// the policy refuses the password.
	Reset(ctx context.Context, tenant, user string, password responsehub.Secret) (operation string, r Receipt, err error)
	// Follow reads whether the operation has succeeded. Invalid says that the policy
	// on-premises refused the password; any other hopeless error that it failed.
	Follow(ctx context.Context, tenant, operation string) (done bool, r Receipt, err error)
}

// writesBack reports whether the hub resets this account's password in on-premises AD.
func (a *AccountLane) writesBack(inc *responsehub.Incident, acct Account) bool {
	return acct.Synced && !acct.Guest && a.Writeback != nil && a.mode(inc) == responsehub.PasswordWriteback
}

// writeBack resets the password in on-premises AD twice: first to one that nobody ever
// sees, then to the sealed one. After a crash a reset whose operation was not saved is
// asked for again, with the same sealed password; where the domain refuses it as one it
// had already, another is made.
func (a *AccountLane) writeBack(ctx context.Context, t *responsehub.Turn, acct Account) responsehub.Outcome {
	secret, err := a.prepare(ctx, t, acct)
	if err != nil {
		return responsehub.TryAgain(err, nil)
	}
	var r reset
	if err := json.Unmarshal(t.Incident.Step(responsehub.Password).Snapshot, &r); err != nil {
		return failed(responsehub.Password, fmt.Errorf("password snapshot: %w", err))
	}
	tenant := t.Incident.Tenant.MicrosoftTenantID
	if r.Operation == "" {
		if r.Written < writebacks-1 {
			if secret, err = NewPassword(acct.UPN, acct.DisplayName); err != nil {
				return responsehub.TryAgain(err, nil)
			}
		}
		operation, _, err := a.Writeback.Reset(ctx, tenant, acct.ObjectID, secret)
		switch {
		case err != nil && responsehub.KindOf(err) == responsehub.Invalid:
			return a.refused(err)
		case err != nil:
			return a.notWritten(err)
		}
		r.Operation, r.AskedAt = operation, time.Now().UTC()
		if err := t.Save(ctx, a.note(r, fmt.Sprintf("Password writeback %d of %d accepted by Microsoft, waiting for on-premises AD", r.Written+1, writebacks))); err != nil {
			return responsehub.TryAgain(err, nil)
		}
	}
	for _, pause := range polls {
		if err := sleep(ctx, pause); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		done, receipt, err := a.Writeback.Follow(ctx, tenant, r.Operation)
		switch {
		case err != nil && responsehub.KindOf(err) == responsehub.Invalid:
			return a.refused(err)
		case err != nil:
			return a.notWritten(err)
		case done:
			return a.written(ctx, t, acct, r, receipt)
		}
	}
	if time.Since(r.AskedAt) > writebackEnds {
		return a.notWritten(&responsehub.Error{Kind: responsehub.Permanent, Message: "Microsoft has not written the password back to on-premises AD within ten minutes. Look whether the Entra Connect server is up, then ask for the step again; or reset the password in AD, twice, by hand."})
	}
	return responsehub.ComeBack(writebackPolls, func(inc *responsehub.Incident) error {
		return waits(inc, responsehub.Password, "Microsoft is writing the password back to on-premises AD.")
	})
}

// note saves how far the resets are.
func (a *AccountLane) note(r reset, text string) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		s := inc.Step(responsehub.Password)
		s.Snapshot, s.SentAt = raw, time.Now().UTC()
		if text != "" {
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventSent, By: s.RequestedBy, Step: s.ID, Text: text})
		}
		return nil
	}
}

// written goes on to the second reset, or ends the step.
func (a *AccountLane) written(ctx context.Context, t *responsehub.Turn, acct Account, r reset, receipt Receipt) responsehub.Outcome {
	r.Operation, r.Written = "", r.Written+1
	if r.Written < writebacks {
		return responsehub.ComeBack(time.Millisecond, a.note(r, ""))
	}
	_, revoke := a.Directory.RevokeSessions(ctx, t.Incident.Tenant.MicrosoftTenantID, acct.ObjectID)
	text := "Password reset in on-premises AD, twice, by writeback: Microsoft says that both succeeded"
	if revoke != nil {
		text += "; the sessions could not be revoked again: " + responsehub.Sentence(revoke)
	}
	proof := responsehub.Proof{Value: "written back to on-premises AD twice, both operations succeeded", RequestID: receipt.RequestID, At: time.Now()}
	return responsehub.ComeBack(time.Millisecond, func(inc *responsehub.Incident) error {
		if err := a.note(r, "")(inc); err != nil {
			return err
		}
		if todo := inc.Todo(TodoReset); todo != nil && !todo.Done() {
			todo.DoneBy, todo.DoneAt = responsehub.Hub.By(), proof.At.UTC()
		}
		keepUntil(inc, responsehub.Password, proof.At.Add(remediation.PasswordLife))
		return done(inc, inc.Step(responsehub.Password), proof, text)
	})
}

// notWritten ends a reset that did not succeed. What only a person can mend leaves the
// step to one, and the password that was meant is nobody's.
func (a *AccountLane) notWritten(err error) responsehub.Outcome {
	if !hopeless(err) {
		return failed(responsehub.Password, err)
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		delete(inc.Sealed, remediation.SealedPassword)
		return ended(inc, inc.Step(responsehub.Password), responsehub.NeedsHuman, responsehub.Sentence(err), time.Now())
	})
}
