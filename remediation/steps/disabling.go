package steps

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"responsehub"
)

// result is what became of one item in this turn.
type result struct {
	state   responsehub.StepState // "" while undecided
	why     string
	reading Reading
	proof   *responsehub.Proof
	hidden  bool
	later   error
}

// disabling works off the items of one turn.
type disabling struct {
	step    *DisablePersistence
	target  Target
	by      responsehub.By
	action  responsehub.Action
	byName  bool // the items were asked for one by one
	mu      sync.Mutex
	results map[string]result
}

// each runs f over the items that are still undecided, a few at a time.
func (d *disabling) each(ctx context.Context, items []responsehub.Item, f func(context.Context, *responsehub.Item, *result)) {
	var group errgroup.Group
	group.SetLimit(disablers)
	for _, it := range items {
		d.mu.Lock()
		r := d.results[it.ID]
		d.mu.Unlock()
		if r.state != "" || r.later != nil {
			continue
		}
		group.Go(func() error {
			it.Hidden = it.Hidden || r.hidden
			f(ctx, &it, &r)
			d.mu.Lock()
			d.results[it.ID] = r
			d.mu.Unlock()
			return nil
		})
	}
	_ = group.Wait() // the functions report through their results
}

// foothold returns who can deal with the item.
func (d *disabling) foothold(it *responsehub.Item) (Foothold, error) {
	f := d.step.Kinds[it.Kind]
	if it.Hidden {
		f = d.step.Hidden
	}
	if f == nil {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: "This hub has no access to " + it.Kind.Words() + "s. Remove it by hand, then set it aside with a reason."}
	}
	return f, nil
}

// read looks at an item as it is now, before anything is changed.
func (d *disabling) read(ctx context.Context, it *responsehub.Item, r *result) {
	reading, err := d.look(ctx, it, r)
	switch {
	case err != nil:
		r.fail(it, err)
	case reading == nil:
		r.ok("it is not there any more", "")
	case reading.Guard != "":
		r.state, r.why = responsehub.NeedsHuman, reading.Guard
	case reading.Ask != "" && reading.Active && !d.byName && it.Action == "":
		r.state, r.why = responsehub.NeedsHuman, reading.Ask
	case !reading.Active && d.action != responsehub.Delete && d.action != responsehub.Remove:
		r.reading = *reading
		r.ok("disabled", reading.RequestID)
	default:
		r.reading = *reading
	}
}

// look reads an item; nil means that it is gone. A rule that Graph does not know may be
// a hidden one.
func (d *disabling) look(ctx context.Context, it *responsehub.Item, r *result) (*Reading, error) {
	f, err := d.foothold(it)
	if err != nil {
		return nil, err
	}
	reading, err := f.Read(ctx, d.target, it)
	if isGone(err) && it.Kind == responsehub.InboxRule && !it.Hidden && d.step.Hidden != nil {
		it.Hidden = true
		if reading, err = d.step.Hidden.Read(ctx, d.target, it); err == nil {
			r.hidden = true
		}
	}
	if isGone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &reading, nil
}

func isGone(err error) bool { return err != nil && responsehub.KindOf(err) == responsehub.NotFound }

// judge settles an item that cannot do harm any more; otherwise it is left to a person.
func (d *disabling) judge(ctx context.Context, it *responsehub.Item, r *result) {
	reading, err := d.look(ctx, it, r)
	switch {
	case err != nil && !hopeless(err):
		r.later = err
	case err != nil:
	case reading == nil:
		r.ok("it is not there any more", "")
	case !reading.Active:
		r.ok("it has no effect any more", reading.RequestID)
	}
}

// neutralise disables or deletes an item and reads it back until Microsoft shows it.
func (d *disabling) neutralise(ctx context.Context, it *responsehub.Item, r *result) {
	f, err := d.foothold(it)
	if err != nil {
		r.fail(it, err)
		return
	}
	if _, err := f.Neutralise(ctx, d.target, it, d.action); err != nil && !isGone(err) {
		r.fail(it, err)
		return
	}
	for _, pause := range polls {
		if err := sleep(ctx, pause); err != nil {
			r.later = err
			return
		}
		reading, err := f.Read(ctx, d.target, it)
		if isGone(err) {
			r.ok("it is not there any more", "")
			return
		}
		if err != nil {
			r.fail(it, err)
			return
		}
		if !reading.Active {
			r.ok("disabled", reading.RequestID)
			return
		}
	}
	r.later = &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft accepted the change to " + it.Title() + " but still shows it as active."}
}

func (r *result) ok(value, requestID string) {
	r.state, r.why = responsehub.Done, ""
	r.proof = &responsehub.Proof{Value: value, RequestID: requestID, At: time.Now().UTC()}
}

func (r *result) fail(_ *responsehub.Item, err error) {
	if !hopeless(err) {
		r.later = err
		return
	}
	r.state, r.why = responsehub.Failed, responsehub.Sentence(err)
}

// later returns an error that may pass, if any item met one.
func (d *disabling) later() error {
	for _, r := range d.results {
		if r.later != nil {
			return r.later
		}
	}
	return nil
}

// saveIntent keeps the items' content, for undo, before anything is changed.
func (d *disabling) saveIntent(inc *responsehub.Incident) error {
	for i, s := 0, inc.Step(responsehub.Persistence); i < len(s.Items); i++ {
		it := &s.Items[i]
		r, ok := d.results[it.ID]
		if !ok {
			continue
		}
		it.Hidden = it.Hidden || r.hidden
		if it.Name == "" {
			it.Name = r.reading.Name
		}
		if r.state == "" && r.later == nil {
			it.State = responsehub.Running
		}
		// The first snapshot is the customer's state; a later one would be the hub's.
		if len(it.Snapshot) == 0 && json.Valid(r.reading.Snapshot) {
			it.Snapshot = r.reading.Snapshot
		}
	}
	return nil
}

// write puts the results into the incident.
func (d *disabling) write(inc *responsehub.Incident) {
	now := time.Now()
	for i, s := 0, inc.Step(responsehub.Persistence); i < len(s.Items); i++ {
		it := &s.Items[i]
		r, ok := d.results[it.ID]
		if !ok || r.state == "" {
			continue
		}
		changed := it.State != r.state || r.why != "" && it.Why != r.why
		wasDone := it.State == responsehub.Done
		it.State = r.state
		if r.why != "" {
			it.Why = r.why
		}
		if r.state == responsehub.Done {
			it.Proof = r.proof
			// What was disabled before and is deleted now has to be made anew by an undo.
			if !wasDone || d.action == responsehub.Delete || d.action == responsehub.Remove {
				it.Action, it.By, it.At = actionOr(d.action), d.by, now.UTC()
			}
		}
		if changed {
			inc.Record(itemEvent(it, now, d.by, r))
		}
	}
}

func actionOr(a responsehub.Action) responsehub.Action {
	if a == "" {
		return responsehub.Disable
	}
	return a
}

func itemEvent(it *responsehub.Item, now time.Time, by responsehub.By, r result) responsehub.Event {
	e := responsehub.Event{At: now, Kind: responsehub.EventItemFailed, By: by, Step: responsehub.Persistence, Item: it.ID, Text: it.Title() + ": " + r.why}
	if r.state == responsehub.Done {
		e.Kind, e.Text = responsehub.EventItemDone, it.Title()+": "+r.proof.Value+", read back from Microsoft"
	}
	return e
}
