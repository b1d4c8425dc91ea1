package remediation

import (
	"context"
	"fmt"
	"time"

	"responsehub"
)

// SealedPassword is the name under which an incident keeps the one-time password.
const SealedPassword = "password"

// PasswordLife is how long a one-time password can be read before it is erased.
const PasswordLife = 15 * time.Minute

// Reveal is a one-time password on its way to the person who asked for it.
type Reveal struct {
	Password responsehub.Secret
	For      string // the account
	Advice   string
}

// BoundTo is the text a sealed value is bound to.
func BoundTo(incident, name string) string { return incident + "|" + name }

// Reveal returns the one-time password, once, to the actor who asked for the reset,
// and erases it in the same write: when the write fails nothing is shown, when it
// succeeds nobody else can read it. Errors: Refused while there is none, Forbidden
// for anybody else, Gone after it was shown or has expired.
func (e *Engine) Reveal(ctx context.Context, actor responsehub.Actor, idOrRef string) (Reveal, error) {
	id, err := e.resolve(ctx, idOrRef)
	if err != nil {
		return Reveal{}, err
	}
	var r Reveal
	_, err = e.command(ctx, actor, id, "", responsehub.Act, func(inc *responsehub.Incident) (responsehub.Answer, error) {
		now := time.Now()
		sealed, ok := inc.Sealed[SealedPassword]
		if err := mayReveal(inc, actor, sealed, ok, now); err != nil {
			return responsehub.Answer{}, err
		}
		password, err := e.vault.Open(sealed.Box, BoundTo(inc.ID, SealedPassword))
		if err != nil {
			return responsehub.Answer{}, &responsehub.Error{Kind: responsehub.Permanent, Message: "The password cannot be read any more. Ask for a new one with a reason.", Err: err}
		}
		delete(inc.Sealed, SealedPassword)
		inc.Record(responsehub.Event{At: now, Kind: responsehub.EventRevealed, By: actor.By(), Step: responsehub.Password, Text: "One-time password shown to " + actor.Name})
		r = Reveal{Password: password, For: inc.Account.Label(), Advice: "Tell it by phone, to somebody whose voice you know. It is shown only this once and has to be changed at the first sign-in."}
		return responsehub.Answer{}, nil
	})
	if err != nil {
		return Reveal{}, err
	}
	return r, nil
}

// mayReveal says whether the actor may read the password now.
func mayReveal(inc *responsehub.Incident, actor responsehub.Actor, sealed responsehub.Sealed, ok bool, now time.Time) error {
	step := inc.Step(responsehub.Password)
	switch {
	case step.State == responsehub.Waiting || step.State.Busy():
		return responsehub.Refuse("There is no new password yet. It can be shown when step 4, Reset password, is done.")
	case step.State == responsehub.Failed:
		return responsehub.Refuse("The password was not reset: " + step.Reason)
	case !ok && step.State == responsehub.NeedsHuman:
		return responsehub.Refuse("The hub made no password: " + step.Reason)
	case !ok && step.State == responsehub.Skipped:
		return responsehub.Refuse("The hub made no password: step 4, Reset password, was set aside.")
	case !ok && step.ByHand:
		return responsehub.Refuse("The hub made no password: a person reset it by hand.")
	case !ok || !now.Before(sealed.Expires):
		return &responsehub.Error{Kind: responsehub.Gone, Message: "The password was shown already or has expired. Ask for a new one with a reason."}
	case sealed.For != actor.ID:
		return &responsehub.Error{Kind: responsehub.Forbidden, Message: fmt.Sprintf("Only %s, who asked for the reset, can see the password. Ask for a new one with a reason if you need it.", step.RequestedBy.Name)}
	}
	return nil
}
