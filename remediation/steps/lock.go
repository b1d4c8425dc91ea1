package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"responsehub"
)

const (
	// lockSettles is how long a block may take to be seen in the directory before it is
	// sent again: reads of the directory may lag behind writes, and somebody may have
	// undone it. Sending it twice does no harm.
	lockSettles = 20 * time.Second
	// lockRechecks is the pause between turns that wait for the directory.
	lockRechecks = 5 * time.Second
	// rolesWait and maxRoles bound what is asked about an administrator's account.
	rolesWait = 2 * time.Second
	maxRoles  = 5
)

// polls are the pauses between read-backs inside one turn.
var polls = []time.Duration{0, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond}

// Before is the account as it was before the hub touched it.
type Before struct {
	Enabled       bool      `json:"enabled"`
	Synced        bool      `json:"synced,omitempty"`
	Guest         bool      `json:"guest,omitempty"`
	SessionsValid time.Time `json:"sessions_valid_from,omitzero"` // before this round's revocation
	Groups        []string  `json:"groups,omitempty"`             // lock groups into which the hub puts it
}

// Lock is step 1: disable sign-in, then revoke the sessions, then read both back.
// Disabling first keeps a client from refreshing its token in between; each is tried
// even when the other fails.
type Lock struct {
	Directory Directory
	Groups    Groups                     // nil: no lock groups
	LockGroup func(tenant string) string // object id of the group of a tenant (the hub's id), "" for none; nil: none
	// BreakGlass reports whether the tenant (the hub's id) never has the account locked by
	// itself. An alert may name it otherwise than the list, so it is asked again here; nil: none.
	BreakGlass func(tenant string, a responsehub.Account) bool
}

var (
	_ responsehub.Follower = (*Lock)(nil)
)

// Lane returns the lock's own lane, which waits for nobody.
func (l *Lock) Lane() responsehub.Lane { return responsehub.LaneLock }

// Wake reports whether a lock was asked for.
func (l *Lock) Wake(_ *responsehub.Incident, events []responsehub.Event) bool {
	return requested(events, responsehub.Lock)
}

// Abandon marks the step as failed when the lane is given up.
func (l *Lock) Abandon(inc *responsehub.Incident, sentence string) error {
	return abandon(inc, responsehub.Lock, sentence)
}

// Follow locks the account, or checks a lock that was sent.
func (l *Lock) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if s := t.Incident.Step(responsehub.Lock); s.Undo && s.State.Busy() {
		if t.Incident.Watch.Relocking(time.Now()) {
			return responsehub.ComeBack(relockEnds, nil)
		}
		return l.takeBack(ctx, t)
	}
	switch t.Incident.Step(responsehub.Lock).State {
	case responsehub.Queued, responsehub.Running:
		return l.act(ctx, t)
	case responsehub.Sent:
		return l.verify(ctx, t)
	}
	return responsehub.Settle(nil)
}

func (l *Lock) act(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	acct, err := l.Directory.Account(ctx, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident))
	if err != nil && !l.blind(t.Incident, err) {
		return failed(responsehub.Lock, err)
	}
	if err == nil && l.spared(t.Incident, acct) {
		return responsehub.Settle(func(inc *responsehub.Incident) error {
			as := responsehub.Account{ObjectID: acct.ObjectID, UserPrincipalName: acct.UPN}
			inc.HoldBack(responsehub.Lock, responsehub.BreakGlassHold(as).Sentence(responsehub.Lock), time.Now())
			return nil
		})
	}
	if err == nil {
		if err := t.Save(ctx, snapshot(acct, l.lockGroup(t.Incident))); err != nil {
			return responsehub.TryAgain(err, nil)
		}
	}
	tenant, id := t.Incident.Tenant.MicrosoftTenantID, user(t.Incident)
	_, disable := l.Directory.SetEnabled(ctx, tenant, id, false)
	_, revoke := l.Directory.RevokeSessions(ctx, tenant, id)
	inGroup := l.early(ctx, t)
	if disable != nil || revoke != nil {
		return halfLocked(disable, revoke, inGroup)
	}
	if err := t.Save(ctx, func(inc *responsehub.Incident) error {
		return sent(inc, inc.Step(responsehub.Lock), time.Now(), "Sign-in block and revocation accepted by Microsoft, reading back")
	}); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	return l.verify(ctx, t)
}

// spared reports whether the policy asked for a break-glass account.
func (l *Lock) spared(inc *responsehub.Incident, acct Account) bool {
	s := inc.Step(responsehub.Lock)
	return l.BreakGlass != nil && s.RequestedBy.Via == responsehub.ViaPolicy && s.State == responsehub.Queued &&
		l.BreakGlass(inc.Tenant.ID, responsehub.Account{ObjectID: acct.ObjectID, UserPrincipalName: acct.UPN})
}

// blind reports whether the lock should go on although the account cannot be read:
// the right to read may be missing where the right to disable is there.
func (l *Lock) blind(inc *responsehub.Incident, err error) bool {
	return inc.Account.ObjectID != "" && responsehub.KindOf(err) == responsehub.Forbidden
}

// snapshot keeps the account as it was, once per incident: a second lock must not take
// the hub's own block for the customer's.
func snapshot(acct Account, group string) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Lock)
		var b Before
		if len(s.Snapshot) > 0 {
			if err := json.Unmarshal(s.Snapshot, &b); err != nil {
				return fmt.Errorf("lock snapshot: %w", err)
			}
		} else {
			b = Before{Enabled: acct.Enabled, Synced: acct.Synced, Guest: acct.Guest}
		}
		if s.State == responsehub.Queued || b.SessionsValid.IsZero() {
			b.SessionsValid = acct.SessionsValidFrom.UTC()
		}
		b.joins(group)
		raw, err := json.Marshal(b)
		if err != nil {
			return err
		}
		s.Snapshot = raw
		inc.Account.ObjectID = acct.ObjectID
		if acct.UPN != "" {
			inc.Account.UserPrincipalName = acct.UPN
		}
		if inc.Account.DisplayName == "" {
			inc.Account.DisplayName = acct.DisplayName
		}
		if acct.Synced {
			onPremises(inc, acct)
		}
		return begin(s, time.Now())
	}
}

// halfLocked says which half worked. Only where both errors are hopeless does the step
// end; otherwise it is tried again, both halves being harmless to repeat.
func halfLocked(disable, revoke error, inGroup bool) responsehub.Outcome {
	var err error
	var reason string
	switch {
	case disable == nil:
		err, reason = revoke, "Sign-in is blocked, but the sessions could not be revoked: "+responsehub.Sentence(revoke)
	case revoke == nil:
		err, reason = disable, "The sessions were revoked, but sign-in could not be blocked: "+responsehub.Sentence(disable)
	default:
		if hopeless(disable) && !hopeless(revoke) {
			err = revoke
		} else {
			err = disable
		}
		reason = responsehub.Sentence(disable)
		if other := responsehub.Sentence(revoke); other != reason {
			reason += " " + other
		}
	}
	if inGroup {
		reason += " The account is in the lock group, where Conditional Access shuts it out."
	}
	if !hopeless(err) {
		return responsehub.TryAgain(err, func(inc *responsehub.Incident) error { return waits(inc, responsehub.Lock, reason) })
	}
	state := responsehub.Failed
	if disable == nil || revoke == nil {
		state = responsehub.Partial
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Lock)
		if err := begin(s, time.Now()); err != nil {
			return err
		}
		return ended(inc, s, state, reason, time.Now())
	})
}

// verify reads the lock back: sign-in off, and the sessions' start moved.
func (l *Lock) verify(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	var b Before
	s := t.Incident.Step(responsehub.Lock)
	if len(s.Snapshot) > 0 {
		if err := json.Unmarshal(s.Snapshot, &b); err != nil {
			return failed(responsehub.Lock, fmt.Errorf("lock snapshot: %w", err))
		}
	}
	var acct Account
	for _, pause := range polls {
		if err := sleep(ctx, pause); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		var err error
		if acct, err = l.Directory.Account(ctx, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident)); err != nil {
			return l.unread(err)
		}
		// A guest's sessions live in the home tenant; only the block can be seen here.
		if !acct.Enabled && (acct.Guest || acct.SessionsValidFrom.After(b.SessionsValid)) {
			proof := lockProof(acct)
			group, why := l.inGroup(ctx, t)
			proof.Value += group
			roles := l.roles(ctx, t)
			return responsehub.Settle(func(inc *responsehub.Incident) error {
				grouped(inc, group, why)
				return locked(inc, acct, proof, roles)
			})
		}
	}
	if time.Since(s.SentAt) < lockSettles {
		return responsehub.ComeBack(lockRechecks, func(inc *responsehub.Incident) error {
			return waits(inc, responsehub.Lock, "Microsoft accepted the lock but does not show it yet.")
		})
	}
	return responsehub.ComeBack(time.Millisecond, func(inc *responsehub.Incident) error {
		if err := waits(inc, responsehub.Lock, "Microsoft accepted the lock and still shows the account as open; it is sent again."); err != nil {
			return err
		}
		return inc.Step(responsehub.Lock).To(responsehub.Running)
	})
}

// unread ends a turn whose read-back failed. A missing right to read does not undo the
// lock, so the step says what is known and leaves the judgement to a person.
func (l *Lock) unread(err error) responsehub.Outcome {
	if !hopeless(err) {
		return failed(responsehub.Lock, err)
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		return ended(inc, inc.Step(responsehub.Lock), responsehub.NeedsHuman, "Microsoft accepted the lock, but it cannot be read back: "+responsehub.Sentence(err), time.Now())
	})
}

// locked settles the step and begins the watch in the same write, so that no moment is
// without either.
func locked(inc *responsehub.Incident, a Account, proof responsehub.Proof, roles []string) error {
	text := "Account locked: sign-in is off and the sessions are revoked, read back from Microsoft"
	if a.Synced {
		text += ". The account comes from on-premises AD, whose sync may undo this: the hub looks after it and locks it again"
	}
	sessions := a.SessionsValidFrom
	if a.Guest {
		text = "The guest is locked out of this tenant: sign-in is off here, read back from Microsoft. Sessions and password belong to the home tenant and go on there. Tell the guest's company"
		sessions = time.Time{}
	}
	inc.BeginWatch(a.Synced, sessions, time.Now())
	inc.Watch.Roles = roles
	if len(roles) > 0 {
		text += ". The account holds directory roles: " + strings.Join(roles, ", ")
	}
	return done(inc, inc.Step(responsehub.Lock), proof, text)
}

// roles names the account's directory roles, a few of them: whoever reads the card has to
// know that an administrator was taken over. Not to know them is no failure of the lock.
func (l *Lock) roles(ctx context.Context, t *responsehub.Turn) []string {
	r, ok := l.Directory.(Roles)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, rolesWait)
	defer cancel()
	names, err := r.Roles(ctx, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident))
	if err != nil {
		return nil
	}
	return names[:min(len(names), maxRoles)]
}

// cutOff is when a lock reaches whoever is signed in: apps with continuous access
// evaluation hear of it within minutes, the others trust the token they have for as long
// as it lives. https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation
const cutOff = "; Exchange, Teams, SharePoint are cut off within 15 min, other apps within 60"

func lockProof(a Account) responsehub.Proof {
	value := "accountEnabled=false, sessions valid from " + a.SessionsValidFrom.UTC().Format(time.RFC3339) + cutOff
	if a.Guest {
		value = "accountEnabled=false (guest: sessions end in the home tenant)"
	}
	return responsehub.Proof{Value: value, RequestID: a.RequestID, At: time.Now()}
}

// user is the id to ask Microsoft for: the object id once it is known.
func user(inc *responsehub.Incident) string {
	if inc.Account.ObjectID != "" {
		return inc.Account.ObjectID
	}
	return inc.Account.UserPrincipalName
}

// sleep pauses unless the turn ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
