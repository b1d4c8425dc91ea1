package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// reach is how far back a phish is looked for whose window the detector left open. A
// message trace spans no more in one query.
const reach = 10 * 24 * time.Hour

const (
	traceTries = 3
	tracePause = 10 * time.Second // the longest between two of them
)

// windows returns the incident's phish, each with a window: sender and subject alone
// would take honest mail away.
func windows(inc *responsehub.Incident) []responsehub.Phish {
	phish := slices.Clone(inc.Phish)
	for i := range phish {
		if p := &phish[i]; p.ReceivedAfter.IsZero() {
			end := inc.DetectedAt
			if end.IsZero() {
				end = inc.OpenedAt
			}
			if !p.ReceivedBefore.IsZero() && p.ReceivedBefore.Before(end) {
				end = p.ReceivedBefore
			}
			p.ReceivedAfter = end.Add(-reach)
		}
	}
	return phish
}

// scope says which mailboxes are searched: those that the message trace names, and
// the victim's own; or all of them, with the reason.
type scope struct {
	boxes []Mailbox // in a fixed order; nil: all
	set   string    // hash of boxes
	why   string    // why not by trace
}

// plan asks the message trace who got the phish, unless everywhere was asked for. That
// it cannot say is no fault: then everybody is looked at.
func (r *Retract) plan(ctx context.Context, inc *responsehub.Incident, at cursor) (scope, error) {
	s := inc.Step(responsehub.Retract)
	switch {
	case s.Everywhere:
		return scope{why: "All mailboxes are searched, as asked for."}, nil
	case at.Began && at.Set == "":
		return scope{why: at.Why}, nil // what was begun everywhere goes on everywhere
	}
	named := map[string]Mailbox{}
	for _, p := range windows(inc) {
		boxes, err := r.recipients(ctx, inc.Tenant.MicrosoftTenantID, p)
		if ctx.Err() != nil {
			return scope{}, context.Cause(ctx)
		}
		if err != nil {
			return scope{why: "Message trace is not available here: " + strings.TrimRight(responsehub.Sentence(err), ".") + "; all mailboxes are searched instead."}, nil
		}
		for _, b := range boxes {
			named[b.ID] = b
		}
	}
	if len(named) == 0 {
		return scope{why: "Message trace knows no delivery of the phish (yet); all mailboxes are searched instead."}, nil
	}
	if id := inc.Account.ObjectID; id != "" && named[id].ID == "" {
		named[id] = Mailbox{ID: id, Address: inc.Account.UserPrincipalName}
	}
	var pl scope
	h := sha256.New()
	for _, id := range sorted(named) {
		pl.boxes = append(pl.boxes, named[id])
		h.Write([]byte(id + "\n"))
	}
	pl.set = hex.EncodeToString(h.Sum(nil)[:12])
	return pl, nil
}

// recipients asks the trace, and again when it only has to be waited for.
func (r *Retract) recipients(ctx context.Context, tenant string, p responsehub.Phish) ([]Mailbox, error) {
	for try := 1; ; try++ {
		boxes, err := r.Mail.Recipients(ctx, tenant, p)
		if err == nil || hopeless(err) || try == traceTries {
			return boxes, err
		}
		pause := time.Second
		if e, ok := errors.AsType[*responsehub.Error](err); ok {
			pause = max(pause, e.RetryAfter)
		}
		if pause > tracePause {
			return nil, err // all mailboxes are searched sooner
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func sorted(m map[string]Mailbox) []string {
	ids := make([]string, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
