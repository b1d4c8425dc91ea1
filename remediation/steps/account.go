package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"responsehub"
	"responsehub/remediation"
)

// AccountLane does steps 4 and 5, which must not overlap, and erases the one-time
// password when its time is up.
type AccountLane struct {
	Directory Directory
	Groups    Groups // to take the account out of a lock group; nil: none
	Vault     *remediation.Vault
	Writeback Writeback                                    // for accounts from on-premises AD where the tenant's mode is writeback; nil: none
	Mode      func(tenant string) responsehub.PasswordMode // of a tenant (the hub's id); nil: the hub resets the passwords of cloud accounts
}

var _ responsehub.Follower = (*AccountLane)(nil)

// Lane returns the account lane.
func (a *AccountLane) Lane() responsehub.Lane { return responsehub.LaneAccount }

// Wake reports whether a reset or a re-enable was asked for.
func (a *AccountLane) Wake(_ *responsehub.Incident, events []responsehub.Event) bool {
	return requested(events, responsehub.Password, responsehub.Reenable)
}

// Abandon marks the step at work as failed when the lane is given up.
func (a *AccountLane) Abandon(inc *responsehub.Incident, sentence string) error {
	if err := abandon(inc, responsehub.Password, sentence); err != nil {
		return err
	}
	return abandon(inc, responsehub.Reenable, sentence)
}

// Follow does what was asked for, then waits for the password's end.
func (a *AccountLane) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if t.Incident.Step(responsehub.Password).State.Busy() {
		return a.password(ctx, t)
	}
	if t.Incident.Step(responsehub.Reenable).State.Busy() {
		return a.reenable(ctx, t)
	}
	return a.erase(t)
}

// erase removes a one-time password that nobody read in time. A TTL in Redis would not
// do: time that means something is data.
func (a *AccountLane) erase(t *responsehub.Turn) responsehub.Outcome {
	sealed, ok := t.Incident.Sealed[remediation.SealedPassword]
	if !ok {
		return responsehub.Settle(nil)
	}
	if left := time.Until(sealed.Expires); left > 0 {
		return responsehub.ComeBack(left, nil)
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		sealed, ok := inc.Sealed[remediation.SealedPassword]
		if !ok || time.Now().Before(sealed.Expires) {
			return nil
		}
		delete(inc.Sealed, remediation.SealedPassword)
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventErased, By: responsehub.Hub.By(), Step: responsehub.Password, Text: "The one-time password was not read in time and is erased"})
		return nil
	})
}

// relockEnds is the pause of step 5 while a relock that began before it was asked for is
// under way: opening the account now could be overtaken by it.
const relockEnds = 300 * time.Millisecond

// reenable is step 5: give the account back as it was before the incident, and end
// the sessions that opened with the old state once more.
func (a *AccountLane) reenable(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if t.Incident.Watch.Relocking(time.Now()) {
		return responsehub.ComeBack(relockEnds, func(inc *responsehub.Incident) error {
			return waits(inc, responsehub.Reenable, "The account was just being locked again; that ends first.")
		})
	}
	enable, err := wasEnabled(t.Incident)
	if err != nil {
		return failed(responsehub.Reenable, err)
	}
	if t.Incident.Step(responsehub.Reenable).State != responsehub.Sent {
		if err := letIn(ctx, t, a.Groups); err != nil {
			return failed(responsehub.Reenable, err)
		}
	}
	if !enable {
		return responsehub.Settle(func(inc *responsehub.Incident) error {
			return done(inc, inc.Step(responsehub.Reenable), responsehub.Proof{Value: "the account was disabled before the incident and stays so", At: time.Now()},
				"The account was disabled before the incident, so it stays disabled")
		})
	}
	tenant, id := t.Incident.Tenant.MicrosoftTenantID, user(t.Incident)
	if t.Incident.Step(responsehub.Reenable).State != responsehub.Sent {
		if err := t.Save(ctx, func(inc *responsehub.Incident) error { return begin(inc.Step(responsehub.Reenable), time.Now()) }); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		// Revoked before the door opens, so that no old session walks in.
		if _, err := a.Directory.RevokeSessions(ctx, tenant, id); err != nil {
			return failed(responsehub.Reenable, err)
		}
		if _, err := a.Directory.SetEnabled(ctx, tenant, id, true); err != nil {
			return failed(responsehub.Reenable, err)
		}
		if err := t.Save(ctx, func(inc *responsehub.Incident) error {
			return sent(inc, inc.Step(responsehub.Reenable), time.Now(), "Re-enabling accepted by Microsoft, reading back")
		}); err != nil {
			return responsehub.TryAgain(err, nil)
		}
	}
	return a.readBack(ctx, t, responsehub.Reenable, func(acct Account) (responsehub.Proof, bool) {
		return responsehub.Proof{Value: "accountEnabled=true", RequestID: acct.RequestID, At: time.Now()}, acct.Enabled
	}, "Account re-enabled, read back from Microsoft")
}

// wasEnabled tells whether the account was open before the hub locked it.
func wasEnabled(inc *responsehub.Incident) (bool, error) {
	raw := inc.Step(responsehub.Lock).Snapshot
	if len(raw) == 0 {
		return true, nil // never locked by the hub: the person who asks wants it open
	}
	var b Before
	if err := json.Unmarshal(raw, &b); err != nil {
		return false, fmt.Errorf("lock snapshot: %w", err)
	}
	return b.Enabled, nil
}

// readBack polls the account until it shows the effect, then settles the step.
func (a *AccountLane) readBack(ctx context.Context, t *responsehub.Turn, id responsehub.StepID, shows func(Account) (responsehub.Proof, bool), text string) responsehub.Outcome {
	for _, pause := range polls {
		if err := sleep(ctx, pause); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		acct, err := a.Directory.Account(ctx, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident))
		if err != nil {
			return failed(id, err)
		}
		if proof, ok := shows(acct); ok {
			return responsehub.ComeBack(time.Millisecond, func(inc *responsehub.Incident) error {
				keepUntil(inc, id, proof.At.Add(remediation.PasswordLife))
				said := text
				if id == responsehub.Reenable {
					said += opened(inc, acct)
				}
				return done(inc, inc.Step(id), proof, said)
			})
		}
	}
	if time.Since(t.Incident.Step(id).SentAt) < lockSettles {
		return responsehub.ComeBack(lockRechecks, func(inc *responsehub.Incident) error {
			return waits(inc, id, "Microsoft accepted it but does not show it yet.")
		})
	}
	return responsehub.ComeBack(time.Millisecond, func(inc *responsehub.Incident) error {
		if err := waits(inc, id, "Microsoft accepted it and still does not show it; it is sent again."); err != nil {
			return err
		}
		return inc.Step(id).To(responsehub.Running)
	})
}

// keepUntil starts the clock of the one-time password when the reset is done.
func keepUntil(inc *responsehub.Incident, id responsehub.StepID, end time.Time) {
	if sealed, ok := inc.Sealed[remediation.SealedPassword]; ok && id == responsehub.Password {
		sealed.Expires = end.UTC()
		inc.Sealed[remediation.SealedPassword] = sealed
	}
}
