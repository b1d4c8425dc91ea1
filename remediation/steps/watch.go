package steps

import (
	"context"
	"errors"
	"time"

	"responsehub"
)

const (
	// watchConfirms is the pause before a reading that shows the account open is taken
	// for true: reads of the directory may come from a replica that is behind.
	watchConfirms = 2 * time.Second
	// After this many failed turns in a row the watch no longer counts them: it goes on for
	// as long as the lock has to hold.
	watchTries  = 10
	watchRetry  = time.Minute
	relockAgain = 5 * time.Second
	// signInsWait bounds one reading of the sign-ins, which comes after that of the account.
	signInsWait = 20 * time.Second
)

// Watch looks after a lock that was read back, and does it again when directory sync or
// a person undid it. It never works against step 5: before it locks it saves that it is
// about to, which the store refuses when somebody asked for step 5 meanwhile; and step 5
// waits for what was saved before it was asked for.
type Watch struct {
	Directory Directory
	Schedule  responsehub.WatchSchedule // zero: the real one
}

var _ responsehub.Follower = (*Watch)(nil)

// Lane returns the watch's lane.
func (w *Watch) Lane() responsehub.Lane { return responsehub.LaneWatch }

// Wake reports whether a watch has to begin or to end.
func (w *Watch) Wake(inc *responsehub.Incident, events []responsehub.Event) bool {
	if inc.Watched() != inc.Watch.Active() {
		return true
	}
	for _, e := range events {
		if e.Kind == responsehub.EventDone && e.Step == responsehub.Lock {
			return true
		}
	}
	return false
}

// Follow looks at the account when that is due.
func (w *Watch) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	switch {
	case !t.Incident.Watched() && !t.Incident.Watch.Active():
		return responsehub.Settle(nil)
	case !t.Incident.Watched():
		return responsehub.Settle(func(inc *responsehub.Incident) error {
			if !inc.Watched() {
				inc.EndWatch(time.Now())
			}
			return nil
		})
	case !t.Incident.Watch.Active():
		if err := t.Save(ctx, func(inc *responsehub.Incident) error {
			if inc.Watched() && !inc.Watch.Active() {
				inc.BeginWatch(false, time.Time{}, time.Now())
			}
			return nil
		}); err != nil {
			return responsehub.TryAgain(err, nil)
		}
	}
	if left := time.Until(t.Incident.Watch.Due(w.Schedule)); left > 0 {
		return responsehub.ComeBack(left, nil)
	}
	if r := t.Incident.Watch.Relock; r != nil && r.Failed == "" {
		// A turn before this one was killed at it.
		return w.relock(ctx, t, r.SeenAt, func(inc *responsehub.Incident, seen time.Time) { inc.Undid(seen, time.Now(), false, time.Time{}) })
	}
	return w.look(ctx, t)
}

// look reads the account, twice before it is taken for undone.
func (w *Watch) look(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	var acct Account
	for _, pause := range []time.Duration{0, watchConfirms} {
		if err := sleep(ctx, pause); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		var err error
		if acct, err = w.Directory.Account(ctx, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident)); err != nil {
			return w.blind(ctx, t, err)
		}
		if inPlace(t.Incident.Watch, acct) {
			return w.sessions(ctx, t, acct)
		}
	}
	return w.relock(ctx, t, time.Now(), func(inc *responsehub.Incident, seen time.Time) {
		inc.Watch.Synced = acct.Synced
		inc.Undid(seen, time.Now(), acct.Enabled, acct.SessionsValidFrom)
	})
}

// sessions ends a look at an account that is locked: somebody who signed in since the
// revocation is in, and is put out again. What the log of sign-ins does not tell is said,
// and the watch goes on with what it can read.
func (w *Watch) sessions(ctx context.Context, t *responsehub.Turn, acct Account) responsehub.Outcome {
	log, ok := w.Directory.(SignIns)
	if !ok || t.Incident.Watch.Relock != nil {
		return w.next(ctx, t, func(inc *responsehub.Incident) error { return held(inc, acct) })
	}
	var ins []responsehub.Session
	var err error
	for _, pause := range []time.Duration{0, watchConfirms} {
		if sleep(ctx, pause) != nil {
			return responsehub.TryAgain(context.Cause(ctx), nil)
		}
		bounded, cancel := context.WithTimeout(ctx, signInsWait)
		ins, err = log.SignIns(bounded, t.Incident.Tenant.MicrosoftTenantID, user(t.Incident), t.Incident.Watch.SessionsFrom())
		cancel()
		if err == nil || hopeless(err) {
			break
		}
	}
	if s, ok := t.Incident.Watch.NewSession(ins); ok {
		return w.relock(ctx, t, time.Now(), func(inc *responsehub.Incident, seen time.Time) {
			inc.Watch.Synced = acct.Synced
			inc.Unread(time.Now(), "")
			inc.Entered(seen, time.Now(), s, acct.SessionsValidFrom)
		})
	}
	return w.next(ctx, t, func(inc *responsehub.Incident) error {
		if !inc.Watch.Active() {
			return nil
		}
		why := ""
		if err != nil {
			why = responsehub.Sentence(err)
		}
		inc.Unread(time.Now(), why)
		return held(inc, acct)
	})
}

// inPlace reports whether the lock is in place: sign-in off, and the sessions' start not
// moved back. A guest's sessions live in the home tenant.
func inPlace(w *responsehub.Watch, a Account) bool {
	if r := w.Relock; r != nil && r.Session && !a.Guest && !a.SessionsValidFrom.After(r.Sessions) {
		return false // whoever signed in has not been put out yet
	}
	return !a.Enabled && (a.Guest || !a.SessionsValidFrom.Before(w.Sessions))
}

// held notes that the lock is in place, and settles a step that the hub could not do
// again and that somebody did by hand.
func held(inc *responsehub.Incident, a Account) error {
	w := inc.Watch
	if !w.Active() {
		return nil
	}
	w.Synced = a.Synced
	if w.Sessions.IsZero() && !a.Guest {
		w.Sessions = a.SessionsValidFrom.UTC()
	}
	if w.Relock != nil {
		return relocked(inc, a)
	}
	inc.Looked(time.Now())
	return nil
}

// relock disables and revokes again and reads both back, within this turn. note says in
// the incident what was seen.
func (w *Watch) relock(ctx context.Context, t *responsehub.Turn, seen time.Time, note func(*responsehub.Incident, time.Time)) responsehub.Outcome {
	if err := t.Save(ctx, func(inc *responsehub.Incident) error {
		if !inc.Watched() || !inc.Watch.Active() {
			return nil // somebody wants the account open, or settled it otherwise
		}
		note(inc, seen)
		return nil
	}); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	if !t.Incident.Watched() || t.Incident.Watch.Relock == nil {
		return responsehub.ComeBack(time.Millisecond, nil)
	}
	bounded, cancel := context.WithTimeout(ctx, responsehub.RelockTime)
	defer cancel()
	tenant, id := t.Incident.Tenant.MicrosoftTenantID, user(t.Incident)
	_, disable := w.Directory.SetEnabled(bounded, tenant, id, false)
	_, revoke := w.Directory.RevokeSessions(bounded, tenant, id)
	if err := errors.Join(disable, revoke); err != nil {
		return w.unlocked(ctx, t, worse(disable, revoke))
	}
	for _, pause := range polls {
		if err := sleep(bounded, pause); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		acct, err := w.Directory.Account(bounded, tenant, id)
		if err != nil {
			return w.unlocked(ctx, t, err)
		}
		if !acct.Enabled && (acct.Guest || acct.SessionsValidFrom.After(t.Incident.Watch.Relock.Sessions)) {
			return w.next(ctx, t, func(inc *responsehub.Incident) error { return relocked(inc, acct) })
		}
	}
	// Accepted and not shown yet: sent again, less often when that does not help.
	again := relockAgain
	if time.Since(t.Incident.Watch.Relock.SeenAt) > 2*watchRetry {
		again = watchRetry
	}
	return responsehub.ComeBack(again, nil)
}

// worse is the error to go by: the one that is worth another try.
func worse(disable, revoke error) error {
	if disable == nil || revoke != nil && hopeless(disable) {
		return revoke
	}
	return disable
}

// relocked notes the lock that was read back again, in the step too: its proof is the
// newest one, its time stays that of the first.
func relocked(inc *responsehub.Incident, a Account) error {
	if !inc.Watch.Active() || inc.Watch.Relock == nil {
		return nil
	}
	inc.Relocked(a.SessionsValidFrom, time.Now())
	s := inc.Step(responsehub.Lock)
	if s.State != responsehub.Done && s.State != responsehub.NeedsHuman {
		return nil
	}
	proof := lockProof(a)
	proof.At = proof.At.UTC()
	s.Proof, s.Reason = &proof, ""
	return s.To(responsehub.Done)
}

// unlocked ends a relock that did not work. What only a person can mend is said once;
// the hub tries again at each look.
func (w *Watch) unlocked(ctx context.Context, t *responsehub.Turn, err error) responsehub.Outcome {
	why := responsehub.Sentence(err)
	if !hopeless(err) {
		return w.later(t, err, func(inc *responsehub.Incident) error {
			if w := inc.Watch; w.Active() && w.Relock != nil && responsehub.KindOf(err) == responsehub.Throttled {
				w.Relock.At = time.Time{} // refused before it had an effect: step 5 need not wait
			}
			return nil
		})
	}
	return w.next(ctx, t, func(inc *responsehub.Incident) error {
		w := inc.Watch
		if !w.Active() || w.Relock == nil {
			return nil
		}
		w.TriedAt, w.Relock.At, w.Relock.Failed = time.Now().UTC(), time.Time{}, why
		s := inc.Step(responsehub.Lock)
		reason := w.Relock.Why + ", and the hub cannot lock it again: " + why
		if !inc.Watched() || s.State == responsehub.NeedsHuman && s.Reason == reason {
			return nil
		}
		return ended(inc, s, responsehub.NeedsHuman, reason, time.Now())
	})
}

// blind ends a look that got no answer.
func (w *Watch) blind(ctx context.Context, t *responsehub.Turn, err error) responsehub.Outcome {
	if !hopeless(err) {
		return w.later(t, err, nil)
	}
	return w.next(ctx, t, blinded(err))
}

func blinded(err error) responsehub.Edit {
	why := responsehub.Sentence(err)
	return func(inc *responsehub.Incident) error {
		if inc.Watch.Active() {
			inc.Blinded(time.Now(), why)
		}
		return nil
	}
}

// later tries again soon, and never gives the lane up.
func (w *Watch) later(t *responsehub.Turn, err error, edit responsehub.Edit) responsehub.Outcome {
	if t.Attempt < watchTries {
		return responsehub.TryAgain(err, edit)
	}
	note := blinded(err)
	return responsehub.ComeBack(watchRetry, func(inc *responsehub.Incident) error {
		tried := inc.Watch
		if edit != nil {
			if err := edit(inc); err != nil {
				return err
			}
		}
		if !tried.Active() {
			return nil
		}
		at := tried.TriedAt
		err := note(inc)
		tried.TriedAt = at // the look is still due
		return err
	})
}

// next saves what was found and comes back for the next look.
func (w *Watch) next(ctx context.Context, t *responsehub.Turn, edit responsehub.Edit) responsehub.Outcome {
	if err := t.Save(ctx, edit); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	if !t.Incident.Watched() || !t.Incident.Watch.Active() {
		return responsehub.ComeBack(time.Millisecond, nil)
	}
	return responsehub.ComeBack(max(time.Until(t.Incident.Watch.Due(w.Schedule)), time.Millisecond), nil)
}
