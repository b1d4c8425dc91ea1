package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// reach is how far back a phish is looked for whose window the detector left open. A
// message trace spans no more in one query.
const reach = 10 * 24 * time.Hour

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

// plan decides which mailboxes are searched: those that the message trace names, and
// the victim's own; or all of them, with the reason.
type plan struct {
	boxes []Mailbox // in a fixed order; nil: all
	set   string    // hash of boxes
	why   string    // why not by trace
}

// plan asks the message trace who got the phish, unless everywhere was asked for. That
// it cannot say is no fault: then everybody is looked at.
func (r *Retract) plan(ctx context.Context, inc *responsehub.Incident, at cursor) (plan, error) {
	s := inc.Step(responsehub.Retract)
	switch {
	case s.Everywhere:
		return plan{why: "All mailboxes are searched, as asked for."}, nil
	case at.Began && at.Set == "":
		return plan{why: at.Why}, nil // what was begun everywhere goes on everywhere
	}
	named := map[string]Mailbox{}
	for _, p := range windows(inc) {
		boxes, err := r.Mail.Recipients(ctx, inc.Tenant.MicrosoftTenantID, p)
		if ctx.Err() != nil {
			return plan{}, context.Cause(ctx)
		}
		if err != nil {
			return plan{why: "Message trace is not available here: " + strings.TrimRight(responsehub.Sentence(err), ".") + "; all mailboxes are searched instead."}, nil
		}
		for _, b := range boxes {
			named[b.ID] = b
		}
	}
	if len(named) == 0 {
		return plan{why: "Message trace knows no delivery of the phish (yet); all mailboxes are searched instead."}, nil
	}
	if id := inc.Account.ObjectID; id != "" && named[id].ID == "" {
		named[id] = Mailbox{ID: id, Address: inc.Account.UserPrincipalName}
	}
	var pl plan
	h := sha256.New()
	for _, id := range sorted(named) {
		pl.boxes = append(pl.boxes, named[id])
		h.Write([]byte(id + "\n"))
	}
	pl.set = hex.EncodeToString(h.Sum(nil)[:12])
	return pl, nil
}

func sorted(m map[string]Mailbox) []string {
	ids := make([]string, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
