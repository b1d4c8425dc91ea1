package steps

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"responsehub"
	"responsehub/remediation"
)

// maxPasswords is how many passwords are tried when the tenant's policy refuses one.
const maxPasswords = 3

// reset is what the password step keeps in its snapshot.
type reset struct {
	ChangedBefore time.Time `json:"changed_before,omitzero"` // last change before this round
	Round         int       `json:"round"`                   // the round the sealed password belongs to
	Tried         int       `json:"tried,omitempty"`         // passwords the policy refused
	Operation     string    `json:"operation,omitempty"`     // address of the writeback under way
	AskedAt       time.Time `json:"asked_at,omitzero"`       // when it was asked for
	Written       int       `json:"written,omitempty"`       // writebacks that succeeded in this round
}

// password is step 4. The password is sealed into the incident before it is sent, so
// that a repeat after a crash sets the same one.
func (a *AccountLane) password(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if t.Incident.Step(responsehub.Password).State == responsehub.Sent {
		return a.verifyPassword(ctx, t)
	}
	tenant := t.Incident.Tenant.MicrosoftTenantID
	acct, err := a.Directory.Account(ctx, tenant, user(t.Incident))
	if err != nil {
		return failed(responsehub.Password, err)
	}
	reason := a.cannotReset(t.Incident, acct)
	if t.Incident.Step(responsehub.Password).ByHand && !acct.Guest {
		return a.byHand(t.Incident, acct)
	}
	if reason != "" {
		snapshot, err := json.Marshal(reset{ChangedBefore: acct.PasswordChangedAt.UTC(), Round: t.Incident.Step(responsehub.Password).Round})
		if err != nil {
			return responsehub.TryAgain(err, nil)
		}
		return responsehub.Settle(func(inc *responsehub.Incident) error {
			inc.Step(responsehub.Password).Snapshot = snapshot
			return ended(inc, inc.Step(responsehub.Password), responsehub.NeedsHuman, reason, time.Now())
		})
	}
	if a.writesBack(t.Incident, acct) {
		return a.writeBack(ctx, t, acct)
	}
	secret, err := a.prepare(ctx, t, acct)
	if err != nil {
		return responsehub.TryAgain(err, nil)
	}
	if _, err := a.Directory.SetPassword(ctx, tenant, acct.ObjectID, secret); err != nil {
		if responsehub.KindOf(err) == responsehub.Invalid {
			return a.refused(err)
		}
		return failed(responsehub.Password, err)
	}
	_, revoke := a.Directory.RevokeSessions(ctx, tenant, acct.ObjectID)
	if err := t.Save(ctx, func(inc *responsehub.Incident) error {
		text := "New password accepted by Microsoft, sessions revoked again, reading back"
		if revoke != nil {
			text = "New password accepted by Microsoft; the sessions could not be revoked again: " + responsehub.Sentence(revoke)
		}
		return sent(inc, inc.Step(responsehub.Password), time.Now(), text)
	}); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	return a.verifyPassword(ctx, t)
}

// cannotReset says why the hub does not set this account's password and what a person has
// to do, or "".
func (a *AccountLane) cannotReset(inc *responsehub.Incident, acct Account) string {
	mode := a.mode(inc)
	switch {
	case a.writesBack(inc, acct):
		return ""
	case acct.Guest:
		return "This is a guest: the password belongs to the home tenant. Tell the guest's company, then set this step aside with a reason."
	case acct.Synced:
		return "This account comes from on-premises AD, so the password has to be reset there, twice, by hand. Then say that it is done, with a reason."
	case mode == responsehub.PasswordManual:
		return "The passwords of this tenant are reset by hand: reset it in the Microsoft admin center. Then say that it is done, with a reason."
	}
	return ""
}

// mode is who resets the passwords of the incident's tenant.
func (a *AccountLane) mode(inc *responsehub.Incident) responsehub.PasswordMode {
	if a.Mode == nil {
		return responsehub.PasswordCloud
	}
	return a.Mode(inc.Tenant.ID)
}

// byHand settles the step on a person's word, with what Microsoft shows of it.
func (a *AccountLane) byHand(inc *responsehub.Incident, acct Account) responsehub.Outcome {
	since := inc.OpenedAt
	if raw := inc.Step(responsehub.Password).Snapshot; len(raw) > 0 {
		var r reset
		if err := json.Unmarshal(raw, &r); err != nil {
			return failed(responsehub.Password, fmt.Errorf("password snapshot: %w", err))
		}
		since = r.ChangedBefore
	}
	proof := responsehub.Proof{Value: "reset by hand, said by " + inc.Step(responsehub.Password).RequestedBy.Name, RequestID: acct.RequestID, At: time.Now()}
	text := "Password reset by hand, says " + inc.Step(responsehub.Password).RequestedBy.Name
	if acct.PasswordChangedAt.After(since) {
		changed := acct.PasswordChangedAt.UTC().Format(time.RFC3339)
		proof.Value += "; password last changed " + changed
		text += "; Microsoft shows that it was changed " + changed
	} else {
		proof.Value += "; Microsoft does not show a change yet"
		text += "; Microsoft does not show a change yet"
	}
	return responsehub.ComeBack(time.Millisecond, func(inc *responsehub.Incident) error {
		delete(inc.Sealed, remediation.SealedPassword) // of an earlier round, and not valid any more
		if t := inc.Todo(TodoReset); t != nil && !t.Done() {
			t.DoneBy, t.DoneAt = inc.Step(responsehub.Password).RequestedBy, proof.At.UTC()
		}
		return done(inc, inc.Step(responsehub.Password), proof, text)
	})
}

// prepare saves the sealed password of this round, or opens the one already saved.
func (a *AccountLane) prepare(ctx context.Context, t *responsehub.Turn, acct Account) (responsehub.Secret, error) {
	s := t.Incident.Step(responsehub.Password)
	var r reset
	if len(s.Snapshot) > 0 {
		if err := json.Unmarshal(s.Snapshot, &r); err != nil {
			return "", fmt.Errorf("password snapshot: %w", err)
		}
	}
	bound := remediation.BoundTo(t.Incident.ID, remediation.SealedPassword)
	if sealed, ok := t.Incident.Sealed[remediation.SealedPassword]; ok && r.Round == s.Round && s.State == responsehub.Running {
		return a.Vault.Open(sealed.Box, bound)
	}
	secret, err := NewPassword(acct.UPN, acct.DisplayName)
	if err != nil {
		return "", err
	}
	if r.Round != s.Round {
		r = reset{ChangedBefore: acct.PasswordChangedAt.UTC(), Round: s.Round}
	}
	snapshot, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	box := a.Vault.Seal(secret, bound)
	return secret, t.Save(ctx, func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Password)
		if inc.Sealed == nil {
			inc.Sealed = map[string]responsehub.Sealed{}
		}
		inc.Sealed[remediation.SealedPassword] = responsehub.Sealed{Box: box, For: s.RequestedBy.ID, Expires: time.Now().UTC().Add(24 * time.Hour)}
		s.Snapshot = snapshot
		return begin(s, time.Now())
	})
}

// refused drops a password that the tenant's policy did not take, and tries another.
func (a *AccountLane) refused(err error) responsehub.Outcome {
	reason := responsehub.Sentence(err)
	return responsehub.ComeBack(time.Millisecond, func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Password)
		var r reset
		if err := json.Unmarshal(s.Snapshot, &r); err != nil {
			return fmt.Errorf("password snapshot: %w", err)
		}
		delete(inc.Sealed, remediation.SealedPassword)
		r.Operation = ""
		if r.Tried++; r.Tried >= maxPasswords {
			return ended(inc, s, responsehub.Failed, fmt.Sprintf("%s The hub tried %d passwords. Reset it by hand, then say that it is done, with a reason.", reason, r.Tried), time.Now())
		}
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		s.Snapshot = raw
		return waits(inc, responsehub.Password, reason+" Another password is made.")
	})
}

func (a *AccountLane) verifyPassword(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	var r reset
	if err := json.Unmarshal(t.Incident.Step(responsehub.Password).Snapshot, &r); err != nil {
		return failed(responsehub.Password, fmt.Errorf("password snapshot: %w", err))
	}
	return a.readBack(ctx, t, responsehub.Password, func(acct Account) (responsehub.Proof, bool) {
		proof := responsehub.Proof{Value: "password last changed " + acct.PasswordChangedAt.UTC().Format(time.RFC3339), RequestID: acct.RequestID, At: time.Now()}
		return proof, acct.PasswordChangedAt.After(r.ChangedBefore)
	}, "Password reset, read back from Microsoft")
}

// The classes a password is made of: no letters or digits that are misread over the
// phone, no symbols that Entra is known to refuse.
const (
	upper   = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	lower   = "abcdefghijkmnpqrstuvwxyz"
	digits  = "23456789"
	symbols = "-_!@#%*+=?"

	passwordLength = 18
)

// NewPassword makes a random password of 18 characters with at least two of each
// class and none of the given names in it, in groups that can be told by phone.
func NewPassword(names ...string) (responsehub.Secret, error) {
	for range 100 {
		b := make([]byte, 0, passwordLength)
		for len(b) < passwordLength {
			class := []string{upper, lower, digits, symbols}[len(b)%4]
			c, err := pick(class)
			if err != nil {
				return "", err
			}
			b = append(b, c)
		}
		if err := shuffle(b); err != nil {
			return "", err
		}
		if p := string(b); !containsName(p, names) {
			return responsehub.Secret(p), nil
		}
	}
	return "", fmt.Errorf("no password without a part of the account's names was found")
}

func pick(class string) (byte, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(len(class))))
	if err != nil {
		return 0, err
	}
	return class[n.Int64()], nil
}

func shuffle(b []byte) error {
	for i := len(b) - 1; i > 0; i-- {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return err
		}
		b[i], b[n.Int64()] = b[n.Int64()], b[i]
	}
	return nil
}

// containsName reports whether a part of a name of three letters or more is in p:
// Entra refuses such passwords.
func containsName(p string, names []string) bool {
	p = strings.ToLower(p)
	for _, name := range names {
		for _, part := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" .,@-_'+#", r) }) {
			if len(part) >= 3 && strings.Contains(p, part) {
				return true
			}
		}
	}
	return false
}
