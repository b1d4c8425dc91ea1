package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub"
)

// takeBack gives the items that the hub disabled or deleted back as their snapshots say.
// The intent is saved before: an item that is being restored is running, so that after a
// crash what cannot be repeated is looked for before it is made again.
func (d *DisablePersistence) takeBack(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	run := &disabling{step: d, target: target(t.Incident), by: t.Incident.Step(responsehub.Persistence).RequestedBy, results: map[string]result{}}
	items := restorable(t.Incident.Step(responsehub.Persistence))
	if err := t.Save(ctx, intendRestore(items)); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	made := &objects{ids: map[string]string{}}
	run.each(ctx, items, made.restoring(run))
	run.each(ctx, d.revived(t.Incident.Step(responsehub.Persistence)), run.revive)
	if ctx.Err() != nil {
		return responsehub.TryAgain(context.Cause(ctx), nil)
	}
	write := func(inc *responsehub.Incident) { run.writeUndone(inc, made.ids) }
	if later := run.later(); later != nil {
		return responsehub.TryAgain(later, func(inc *responsehub.Incident) error {
			write(inc)
			return waits(inc, responsehub.Persistence, responsehub.Sentence(later))
		})
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		write(inc)
		return settleUndo(inc, run.results)
	})
}

// restorable returns the items of the running undo, as they were before it is announced:
// one that is running already may have been restored by a turn that died.
func restorable(s *responsehub.Step) []responsehub.Item {
	var out []responsehub.Item
	for i := range s.Items {
		it := s.Items[i]
		if s.Wants(it.ID) && it.Kind.Restorable() && len(it.Snapshot) > 0 && (it.State == responsehub.Done || it.State == responsehub.Running) {
			out = append(out, it)
		}
	}
	return out
}

// revived returns what the hub never touched and holds for harmless since something else
// was disabled: a consent to an app that is switched on again works again.
func (d *DisablePersistence) revived(s *responsehub.Step) []responsehub.Item {
	var out []responsehub.Item
	for i := range s.Items {
		it := s.Items[i]
		if it.State == responsehub.Done && len(it.Snapshot) == 0 && !it.Kind.Blocks() && d.Kinds[it.Kind] != nil {
			out = append(out, it)
		}
	}
	return out
}

func intendRestore(items []responsehub.Item) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Persistence)
		for i := range items {
			if it := s.Item(items[i].ID); it != nil && it.State == responsehub.Done {
				it.State = responsehub.Running
			}
		}
		return begin(s, time.Now())
	}
}

// restoring restores one item and reads it back until Microsoft shows it as it was.
func (o *objects) restoring(d *disabling) func(context.Context, *responsehub.Item, *result) {
	return func(ctx context.Context, it *responsehub.Item, r *result) {
		f, err := d.foothold(it)
		if err != nil {
			r.kept(err)
			return
		}
		restorer, ok := f.(Restorer)
		if !ok {
			r.kept(&responsehub.Error{Kind: responsehub.Permanent, Message: "The hub cannot give back " + it.Kind.Words() + "s; a person has to."})
			return
		}
		was := it.Object
		_, err = restorer.Restore(ctx, d.target, it)
		if it.Object != was {
			o.note(it.ID, it.Object)
		}
		if err != nil {
			r.kept(err)
			return
		}
		for _, pause := range polls {
			if err := sleep(ctx, pause); err != nil {
				r.later = err
				return
			}
			reading, err := restorer.Read(ctx, d.target, it)
			if err != nil && !isGone(err) { // made a moment ago, it may not show yet
				r.kept(err)
				return
			}
			if err == nil && restorer.Restored(it.Snapshot, reading.Snapshot) {
				r.state, r.proof = responsehub.Undone, &responsehub.Proof{Value: "as it was before", RequestID: reading.RequestID, At: time.Now().UTC()}
				return
			}
		}
		r.later = &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft accepted to give " + it.Title() + " back but does not show it as it was."}
	}
}

// revive reads whether an item works again.
func (d *disabling) revive(ctx context.Context, it *responsehub.Item, r *result) {
	reading, err := d.look(ctx, it, r)
	switch {
	case err != nil && !hopeless(err):
		r.later = err
	case err == nil && reading != nil && reading.Active:
		r.state, r.why = responsehub.Undone, "It works again since what it belongs to was given back."
		r.proof = &responsehub.Proof{Value: "it works again", RequestID: reading.RequestID, At: time.Now().UTC()}
	}
}

// kept notes an item that could not be given back: it stays disabled.
func (r *result) kept(err error) {
	if !hopeless(err) {
		r.later = err
		return
	}
	r.state, r.why = responsehub.Done, "Could not be given back: "+responsehub.Sentence(err)
}

// objects are the new ids of what was made anew.
type objects struct {
	mu  sync.Mutex
	ids map[string]string // by item id
}

func (o *objects) note(item, object string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ids[item] = object
}

// writeUndone puts the results of an undo into the incident.
func (d *disabling) writeUndone(inc *responsehub.Incident, made map[string]string) {
	now := time.Now()
	for i, s := 0, inc.Step(responsehub.Persistence); i < len(s.Items); i++ {
		it := &s.Items[i]
		if object := made[it.ID]; object != "" {
			it.Object = object
		}
		r, ok := d.results[it.ID]
		if !ok || r.state == "" {
			continue
		}
		it.State = r.state
		if r.why != "" {
			it.Why = r.why
		}
		e := responsehub.Event{At: now, Kind: responsehub.EventItemFailed, By: d.by, Step: responsehub.Persistence, Item: it.ID, Text: it.Title() + ": " + r.why}
		if r.state == responsehub.Undone {
			it.Proof, it.By, it.At = r.proof, d.by, now.UTC()
			e.Kind, e.Text = responsehub.EventItemUndone, it.Title()+": "+r.proof.Value+", read back from Microsoft"
		}
		inc.Record(e)
	}
}

// settleUndo settles the step after an undo: taken back when nothing of the hub's is
// left, and otherwise what its items say.
func settleUndo(inc *responsehub.Incident, results map[string]result) error {
	s := inc.Step(responsehub.Persistence)
	var stuck, left []string
	back := 0
	for i := range s.Items {
		it := &s.Items[i]
		switch r := results[it.ID]; {
		case r.state == responsehub.Done:
			stuck = append(stuck, it.Title()+": "+r.why)
		case it.State == responsehub.Undone:
			back++
		case it.State == responsehub.Done && len(it.Snapshot) > 0:
			left = append(left, it.Title())
		}
	}
	switch {
	case len(stuck) > 0:
		slices.Sort(stuck)
		return ended(inc, s, responsehub.NeedsHuman, "Not everything could be given back. "+strings.Join(stuck, " "), time.Now())
	case len(left) > 0 && len(s.Asked) > 0:
		return settlePersistence(inc, s.Unread, nil)
	case len(left) > 0:
		return ended(inc, s, responsehub.NeedsHuman, "The hub cannot give these back; a person has to: "+strings.Join(left, ", ")+".", time.Now())
	}
	value := "1 item of persistence is as it was"
	if back != 1 {
		value = fmt.Sprintf("%d items of persistence are as they were", back)
	}
	return undone(inc, s, responsehub.Proof{Value: value, At: time.Now()}, "Step 3 taken back: "+value+", read back from Microsoft")
}
