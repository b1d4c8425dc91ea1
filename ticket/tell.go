package ticket

import (
	"context"
	"strings"
	"time"

	"responsehub"
)

// recover finds out which notes of a turn that was cut off were written.
func (v *visit) recover(ctx context.Context) (time.Duration, error) {
	inc, ref := v.inc(), v.ref()
	if ref.Intent != intentNote {
		return 0, nil
	}
	if wait := time.Until(ref.IntentAt.Add(settles)); wait > 0 {
		return wait, nil
	}
	texts, err := v.conn.Notes(ctx, ref.ID)
	if responsehub.KindOf(err) == responsehub.NotFound && err != nil {
		return 0, v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) { ref.Intent, ref.Hints = "", ref.Hints+1 })
	}
	if err != nil {
		return 0, err
	}
	all, err := v.notes(ctx)
	if err != nil {
		return 0, err
	}
	var written []string
	for _, n := range all {
		for _, text := range texts {
			if strings.Contains(text, marker(inc.Ref, n.key)) {
				written = append(written, n.key)
				break
			}
		}
	}
	return 0, v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) {
		ref.Intent = ""
		ref.Noted = union(ref.Noted, written)
	})
}

func union(a, b []string) []string {
	for _, s := range b {
		found := false
		for _, t := range a {
			found = found || s == t
		}
		if !found {
			a = append(a, s)
		}
	}
	return a
}

// tell writes the notes that are missing, and says when the held ones are due.
func (v *visit) tell(ctx context.Context) (time.Duration, error) {
	pending, held, err := v.pending(ctx)
	if err != nil || len(pending) == 0 {
		return held, err
	}
	ref := v.ref()
	missed := !ref.Since.IsZero() && time.Since(ref.Since) >= outage
	groups := v.grouped(pending)
	if err := v.intend(ctx, intentNote); err != nil {
		return 0, err
	}
	for i, ns := range groups {
		err := v.conn.Note(ctx, v.ref().ID, Note{Title: noteTitle(v.inc(), ns), Text: text(v.inc().Ref, ns, missed), Resolution: ns[0].resolution})
		if lasting(err) && err != nil && ns[0].resolution && v.ref().Closed {
			// Some desks take no note on what is closed. It was closed by a person, and is.
			err = nil
		}
		if err != nil {
			return 0, v.untold(ctx, err)
		}
		last := i == len(groups)-1
		if err := v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) {
			ref.Noted = union(ref.Noted, keys(ns))
			if ref.IntentAt = time.Now().UTC(); last {
				ref.Intent = ""
			}
		}); err != nil {
			return 0, err
		}
	}
	return held, nil
}

// untold keeps the intent only where the note may have been written.
func (v *visit) untold(ctx context.Context, err error) error {
	if responsehub.KindOf(err) != responsehub.UnknownOutcome && ctx.Err() == nil {
		if serr := v.intend(ctx, ""); serr != nil {
			return serr
		}
	}
	return err
}

func (v *visit) intend(ctx context.Context, what string) error {
	return v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) {
		ref.Intent, ref.IntentAt = what, time.Now().UTC()
	})
}
