package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"responsehub"
)

// takeBack gives the account back as it was before the lock. One that was disabled
// before stays disabled. Allowing sign-in is idempotent, so a turn that died is simply
// done again.
func (l *Lock) takeBack(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	var b Before
	if err := json.Unmarshal(t.Incident.Step(responsehub.Lock).Snapshot, &b); err != nil {
		return stays(responsehub.Lock, &responsehub.Error{Kind: responsehub.Permanent, Message: "What the account was before the lock is not known.", Err: fmt.Errorf("lock snapshot: %w", err)})
	}
	if t.Incident.Step(responsehub.Lock).State != responsehub.Sent {
		if err := t.Save(ctx, func(inc *responsehub.Incident) error { return begin(inc.Step(responsehub.Lock), time.Now()) }); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		if err := letIn(ctx, t, l.Groups); err != nil {
			return stays(responsehub.Lock, err)
		}
		if b.Enabled {
			if _, err := l.Directory.SetEnabled(ctx, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident), true); err != nil {
				return stays(responsehub.Lock, err)
			}
			if err := t.Save(ctx, func(inc *responsehub.Incident) error {
				return sent(inc, inc.Step(responsehub.Lock), time.Now(), "Undo of the lock accepted by Microsoft, reading back")
			}); err != nil {
				return responsehub.TryAgain(err, nil)
			}
		}
	}
	return l.readOpen(ctx, t, b)
}

// readOpen reads back that the account is as it was.
func (l *Lock) readOpen(ctx context.Context, t *responsehub.Turn, b Before) responsehub.Outcome {
	for _, pause := range polls {
		if err := sleep(ctx, pause); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		acct, err := l.Directory.Account(ctx, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident))
		if err != nil {
			return stays(responsehub.Lock, err)
		}
		if value, ok := asBefore(b, acct); ok {
			return responsehub.Settle(func(inc *responsehub.Incident) error {
				text := "Lock taken back: " + value + ", read back from Microsoft"
				if b.Enabled {
					text += opened(inc, acct)
				}
				return undone(inc, inc.Step(responsehub.Lock), responsehub.Proof{Value: value, RequestID: acct.RequestID, At: time.Now()}, text)
			})
		}
	}
	if time.Since(t.Incident.Step(responsehub.Lock).SentAt) < lockSettles {
		return responsehub.ComeBack(lockRechecks, func(inc *responsehub.Incident) error {
			return waits(inc, responsehub.Lock, "Microsoft accepted the undo of the lock but does not show it yet.")
		})
	}
	return responsehub.ComeBack(time.Millisecond, func(inc *responsehub.Incident) error {
		if err := waits(inc, responsehub.Lock, "Microsoft accepted the undo of the lock a minute ago and does not show it; it is sent again."); err != nil {
			return err
		}
		return inc.Step(responsehub.Lock).To(responsehub.Running)
	})
}

// asBefore compares the account with what it was. One that was disabled before and that
// somebody has enabled since is theirs: the hub leaves it.
func asBefore(b Before, acct Account) (value string, ok bool) {
	switch {
	case b.Enabled && acct.Enabled:
		return "accountEnabled=true, as before the lock", true
	case b.Enabled:
		return "", false
	case acct.Enabled:
		return "accountEnabled=true: it was disabled before the lock, and somebody has enabled it since", true
	}
	return "accountEnabled=false: it was disabled before the lock and stays so", true
}
