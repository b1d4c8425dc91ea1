package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"responsehub"
)

const (
	credentialsRest = 5 * time.Minute  // of a connection whose credentials were refused
	personRest      = 15 * time.Minute // of a ticket that only a person can mend
	tellAfter       = 3                // failures in a row before the record says so
	longestRest     = 5 * time.Minute
	alarmAgain      = 24 * time.Hour // is when the operators hear again of credentials that stay refused
)

// failed notes what the PSA did not do, and says when it is tried again.
func (v *visit) failed(ctx context.Context, err error) (time.Duration, error) {
	kind, sentence, asked := responsehub.KindOf(err), responsehub.Sentence(err), retryAfter(err)
	log := v.f.cfg.Log.With("incident", v.inc().ID, "connection", v.name)
	if kind == responsehub.NotFound && v.ref().ID == "" {
		kind = responsehub.Permanent // not the ticket but its company, board or queue
	}
	var rest time.Duration
	tell, look := false, false
	switch kind {
	case responsehub.Throttled:
		rest = max(asked, 2*time.Second)
		log.Info("psa asks to wait", "after", rest)
		if berr := v.f.cfg.Queue.Block(ctx, v.name, rest); berr != nil {
			return 0, berr
		}
		return v.staggered(rest), nil
	case responsehub.UnknownOutcome:
		rest = max(asked, settles)
	case responsehub.Unauthorized:
		rest, tell = max(asked, credentialsRest), true
		log.Error("PSA CREDENTIALS ARE REFUSED: no ticket is made or kept until they are mended", "error", err)
		if berr := v.f.cfg.Queue.Block(ctx, v.name, rest); berr != nil {
			return 0, berr
		}
		v.alarm(ctx, sentence)
		rest = jitter(rest)
	case responsehub.Unavailable:
		rest = jitter(max(asked, min(2*time.Second<<min(v.ref().Tries, 10), longestRest)))
	case responsehub.NotFound:
		rest, look = time.Second, true // the ticket is gone
	default:
		rest, tell = max(asked, personRest), true
		if v.ref().ID != "" && v.ref().Tries == 0 {
			// Somebody may have deleted, merged or closed the ticket since it was read, which
			// not every PSA says so that a program understands it.
			rest, tell, look = max(asked, time.Second), false, true
		}
	}
	log.Warn("ticket cannot be kept in step", "kind", string(kind), "after", rest, "error", err)
	now := time.Now()
	return rest, v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		if ref.Since.IsZero() {
			ref.Since = now.UTC()
		}
		ref.Tries++
		if kind == responsehub.NotFound && ref.Tries > tellAfter {
			rest = personRest
		}
		ref.RetryAt, ref.Failure = now.Add(rest).UTC(), sentence
		if kind == responsehub.UnknownOutcome {
			ref.IntentAt = now.UTC() // from now on nothing of it is under way
		}
		if look {
			ref.Hints++
		}
		if (tell || ref.Tries > tellAfter) && !ref.Told {
			ref.Told = true
			record(inc, responsehub.EventNoticeFailed, responsehub.Hub.By(), fmt.Sprintf("Ticket in %s (%s): %s", v.conn.Product, v.name, sentence))
		}
	})
}

// refused is what an alarm and its end are about: that the connection's credentials are.
func (v *visit) refused() string { return "psa refused|" + v.name }

// alarm tells the operators that the credentials are refused: every incident's record
// says so, but who reads it there cannot mend it.
func (v *visit) alarm(ctx context.Context, sentence string) {
	v.f.cfg.Alarm(ctx, responsehub.Alarm{Subject: v.refused(), Again: alarmAgain, Words: fmt.Sprintf("No ticket is made or kept in %s (%s). %s Once that is mended, run responsehub doctor, and what waits is tried at once; otherwise within %d minutes. Nothing is lost: each ticket gets one note of what it missed.",
		v.conn.Product, v.name, sentence, int(credentialsRest/time.Minute)+2)})
}

// worked forgets earlier failures once everything was done.
func (v *visit) worked(ctx context.Context, later time.Duration) error {
	ref := v.ref()
	if ref.Tries == 0 || later > 0 && ref.Intent != "" {
		return nil
	}
	v.f.cfg.Alarm(ctx, responsehub.Alarm{Subject: v.refused(), Over: true, Words: fmt.Sprintf("Tickets are made and kept in %s (%s) again. What waited is written now.", v.conn.Product, v.name)})
	return v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		if ref.Told {
			record(inc, responsehub.EventNoticeSent, responsehub.Hub.By(), fmt.Sprintf("Ticket %s in %s (%s) is in step again", ref.Number, v.conn.Product, v.name))
		}
		ref.Failure, ref.Told, ref.Tries, ref.Since, ref.RetryAt = "", false, 0, time.Time{}, time.Time{}
	})
}

// flaw notes something that the PSA refuses and that trying again would not mend.
func (v *visit) flaw(ctx context.Context, what string, err error, edit func(*responsehub.TicketRef)) error {
	sentence := what + ": " + responsehub.Sentence(err)
	v.f.cfg.Log.Warn("psa refused", "incident", v.inc().ID, "connection", v.name, "what", what, "error", err)
	return v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		edit(ref)
		record(inc, responsehub.EventNoticeFailed, responsehub.Hub.By(), fmt.Sprintf("Ticket %s in %s (%s): %s", ref.Number, v.conn.Product, v.name, sentence))
	})
}

// lasting reports whether trying again would not mend the error.
func lasting(err error) bool {
	switch responsehub.KindOf(err) {
	case responsehub.Forbidden, responsehub.Permanent, responsehub.Invalid, responsehub.Refused, responsehub.Conflict:
		return true
	}
	return false
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
