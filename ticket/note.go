package ticket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// automatic is how long the notes of the steps that run by themselves wait for each
// other, so that one note tells of all of them.
const automatic = time.Minute

// note is something that a ticket has to tell, once.
type note struct {
	key        string // stored: what it is about
	line       string
	resolution bool
	held       bool // waits for others
	activity   bool // a closed ticket is opened again for it
}

func keys(ns []note) []string {
	var out []string
	for _, n := range ns {
		out = append(out, n.key)
	}
	return out
}

// marker is the text by which a note is found again.
func marker(ref, key string) string { return "[" + ref + " " + key + "]" }

// notes is everything that the ticket has to tell by now.
func (v *visit) notes(ctx context.Context) ([]note, error) {
	inc := v.inc()
	var ns []note
	add := func(key, line string) { ns = append(ns, note{key: key, line: line, activity: true}) }
	if n := len(inc.Alerts); n > 1 {
		add(fmt.Sprintf("alert.%d", n), fmt.Sprintf("New evidence for the same account came in: %d alerts by now.", n))
	}
	if a := inc.Acknowledged; a != nil {
		ns = append(ns, note{key: "acknowledged", line: fmt.Sprintf("Acknowledged by %s%s at %s.", clean(a.By.Name, 80), surface(a.By.Via), clock(a.At))})
	}
	hold := waits(inc, time.Now())
	for _, id := range responsehub.StepIDs {
		if s := inc.Step(id); id != responsehub.Close {
			for _, n := range stepNotes(s) {
				n.held = hold > 0 && id.Automatic() && s.RequestedBy.Via == responsehub.ViaPolicy
				ns = append(ns, n)
			}
		}
	}
	if w := inc.Watch; w != nil {
		for i, r := range w.Reversals {
			add(fmt.Sprintf("watch.%d", w.Reversed-len(w.Reversals)+i+1), fmt.Sprintf("%s at %s; locked again at %s.", clean(r.Why, 200), clock(r.SeenAt), clock(r.LockedAt)))
		}
	}
	shown, err := v.shown(ctx)
	if err != nil {
		return nil, err
	}
	ns = append(ns, shown...)
	if inc.State.Closed() {
		ns = append(ns, note{key: "resolution", line: resolution(inc), resolution: true})
	}
	if ref := v.ref(); ref.Refused != "" {
		ns = append(ns, note{key: "not-closed", line: "The hub could not close this ticket: " + ref.Refused + " The incident is over all the same."})
	}
	return ns, nil
}

// waits is for how long the notes of the automatic steps are held back.
func waits(inc *responsehub.Incident, now time.Time) time.Duration {
	var last time.Time
	busy := false
	for _, id := range []responsehub.StepID{responsehub.Lock, responsehub.Retract, responsehub.Persistence} {
		s := inc.Step(id)
		busy = busy || s.State.Busy()
		if s.RequestedBy.Via == responsehub.ViaPolicy && s.RequestedAt.After(last) {
			last = s.RequestedAt
		}
	}
	if !busy || last.IsZero() || inc.State.Closed() {
		return 0
	}
	return max(last.Add(automatic).Sub(now), 0)
}

// shown tells that the one-time password was shown to somebody; never what it is.
func (v *visit) shown(ctx context.Context) ([]note, error) {
	s := v.inc().Step(responsehub.Password)
	if v.f.cfg.Record == nil || s.Round == 0 || s.State == responsehub.Queued {
		return nil, nil
	}
	events, err := v.f.cfg.Record(ctx, v.inc().ID)
	if err != nil {
		return nil, &storeError{err}
	}
	var ns []note
	for _, e := range events {
		if e.Kind == responsehub.EventRevealed {
			ns = append(ns, note{key: fmt.Sprintf("shown.%d", e.Seq), activity: true, line: fmt.Sprintf("The one-time password was shown to %s at %s.", clean(e.By.Name, 80), clock(e.At))})
		}
	}
	return ns, nil
}

// stepNotes is what is to be told of a step as it is now.
func stepNotes(s *responsehub.Step) []note {
	key := func(what string) string { return fmt.Sprintf("%s.%d.%s", s.ID, s.Round, what) }
	one := func(key, line string) []note { return []note{{key: key, line: line, activity: true}} }
	title := stepTitle(s.ID)
	who := fmt.Sprintf("asked for by %s%s at %s", clean(s.RequestedBy.Name, 80), surface(s.RequestedBy.Via), clock(s.RequestedAt))
	switch s.State {
	case responsehub.Queued, responsehub.Running, responsehub.Sent:
		if s.Undo {
			return one(key("undo"), fmt.Sprintf("%s: being taken back, %s.", title, who))
		}
		return one(key("asked"), fmt.Sprintf("%s: %s.", title, who))
	case responsehub.Done:
		if s.ID == responsehub.Publish && s.RequestedBy.Via == responsehub.ViaPolicy {
			return nil
		}
		return one(key("done"), fmt.Sprintf("%s: done, %s%s.", title, who, verified(s)))
	case responsehub.Partial:
		return one(key("partial-"+short(s.Reason)), fmt.Sprintf("%s: partly done%s. %s", title, counts(s), clean(s.Reason, 500)))
	case responsehub.Failed:
		return one(key("failed-"+short(s.Reason)), fmt.Sprintf("%s: failed. %s", title, clean(s.Reason, 500)))
	case responsehub.NeedsHuman:
		return one(key("person-"+short(s.Reason)), fmt.Sprintf("%s: waits for a person. %s", title, clean(s.Reason, 500)))
	case responsehub.Skipped:
		return one(key("aside"), fmt.Sprintf("%s: %s", title, clean(s.Reason, 500)))
	case responsehub.Undone:
		return one(key("undone"), fmt.Sprintf("%s: taken back, %s.", title, who))
	}
	return nil
}

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:2])
}

// pending is what was not told yet; held says when the rest may be.
func (v *visit) pending(ctx context.Context) (ns []note, held time.Duration, err error) {
	all, err := v.notes(ctx)
	if err != nil {
		return nil, 0, err
	}
	noted := v.ref().Noted
	for _, n := range all {
		switch {
		case slices.Contains(noted, n.key):
		case len(noted) >= notesMost && !n.resolution:
		case n.held:
			held = waits(v.inc(), time.Now()) + 10*time.Millisecond
		default:
			ns = append(ns, n)
		}
	}
	return ns, held, nil
}

// notesMost bounds the notes of one ticket: something that fails in ever new words must
// not fill it.
const notesMost = 200

// grouped says which notes are written as one: those of the steps that ran by
// themselves, and all of them when the PSA was away for long. The resolution is last.
func (v *visit) grouped(ns []note) [][]note {
	ref := v.ref()
	missed := !ref.Since.IsZero() && time.Since(ref.Since) >= outage
	var together, rest, last [][]note
	for _, n := range ns {
		switch {
		case n.resolution:
			last = append(last, []note{n})
		case missed || v.byItself(n):
			if together == nil {
				together = [][]note{nil}
			}
			together[0] = append(together[0], n)
		default:
			rest = append(rest, []note{n})
		}
	}
	return slices.Concat(together, rest, last)
}

// byItself reports whether the note is of a step that ran by itself.
func (v *visit) byItself(n note) bool {
	name, _, _ := strings.Cut(n.key, ".")
	s := v.inc().Step(responsehub.StepID(name))
	return s != nil && s.ID.Automatic() && s.RequestedBy.Via == responsehub.ViaPolicy
}

// text is a note as it is written: its lines, and the markers at the end.
func text(ref string, ns []note, missed bool) string {
	var b strings.Builder
	if missed && len(ns) > 1 {
		b.WriteString("While the ticket could not be reached:\n")
	}
	for _, n := range ns {
		b.WriteString(n.line + "\n")
	}
	for i, n := range ns {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(marker(ref, n.key))
	}
	return b.String()
}
