package steps

import (
	"context"
	"fmt"

	"responsehub"
)

// persistence is step 3: the items of the incident, and those that the hub's own look
// brings, each as it is now.
func (w *rehearsing) persistence(ctx context.Context) {
	d, s := w.Persistence, w.step(responsehub.Persistence)
	if d == nil {
		return
	}
	scan := d.scan(ctx, responsehub.NewTurn(&w.inc, 1, nil))
	var items []responsehub.Item
	if step := w.inc.Step(responsehub.Persistence); step != nil {
		items = append(items, step.Items...)
	}
	known := map[string]bool{}
	for i := range items {
		known[items[i].ID] = true
	}
	for _, it := range scan.items {
		if it.ID = responsehub.ItemID(it.Kind, it.Object); !known[it.ID] {
			known[it.ID] = true
			items = append(items, it)
		}
	}
	run := &disabling{step: d, target: target(&w.inc), results: map[string]result{}}
	run.each(ctx, items, run.read)
	off := 0
	for i := range items {
		it := &items[i]
		r, name := run.results[it.ID], it.Name
		if name == "" {
			name = r.reading.Name
		}
		would, why := fate(it, &r)
		if would == wouldDisable {
			off++
		}
		s.Items = append(s.Items, responsehub.PlanItem{Kind: it.Kind, Name: name, Would: would, Why: why})
	}
	switch {
	case len(items) == 0 && len(scan.unread) == 0 && scan.later == nil:
		s.Would = append(s.Would, "Nothing: no persistence was found.")
	case len(items) > 0:
		s.Would = append(s.Would, fmt.Sprintf("Items found: %d. Disable %d of them; each is named below.", len(items), off))
	}
	s.Would = append(s.Would, scan.absent...)
	for _, text := range scan.unread {
		s.Stop("Not everything can be read, and what is not read is not clean: " + text)
	}
	if scan.later != nil {
		s.Stop("Not everything could be read just now: " + responsehub.Sentence(scan.later))
	}
	s.Lasting = append(s.Lasting, "Access tokens that an app has already live on for up to an hour; a deleted sign-in method has to be registered anew.")
}

const wouldDisable = "disabled"

// fate is what would become of an item, and why.
func fate(it *responsehub.Item, r *result) (would, why string) {
	switch {
	case it.State == responsehub.Skipped:
		return "left alone", it.Why
	case r.state == responsehub.Done:
		return "nothing to do", r.proof.Value
	case r.state == responsehub.NeedsHuman:
		return "left to a person", r.why
	case r.state == responsehub.Failed:
		return "could not be read", r.why
	case r.later != nil:
		return "could not be read", responsehub.Sentence(r.later)
	case !it.Kind.Blocks():
		return "left to a person", it.Why
	}
	return wouldDisable, it.Why
}
