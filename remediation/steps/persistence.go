package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"responsehub"
)

const (
	// disablers is how many items are worked on at once.
	disablers = 4
	// scanBefore is how long before the detection the hub looks for footholds: the
	// attacker was in before anybody noticed.
	scanBefore = 7 * 24 * time.Hour
)

// DisablePersistence is step 3: scan, save each item's content, disable it, read it
// back. What could not be read is not clean: it leaves the step partial.
type DisablePersistence struct {
	Kinds    map[responsehub.ItemKind]Foothold
	Hidden   Foothold // inbox rules that Graph does not show; nil where there is no Exchange surface
	Scanners []Scanner
}

var _ responsehub.Follower = (*DisablePersistence)(nil)

// Lane returns the lane of step 3.
func (d *DisablePersistence) Lane() responsehub.Lane { return responsehub.LanePersistence }

// Wake reports whether the step was asked for.
func (d *DisablePersistence) Wake(_ *responsehub.Incident, events []responsehub.Event) bool {
	return requested(events, responsehub.Persistence)
}

// Abandon marks the step as failed when the lane is given up. The look for footholds did
// not end then, and what was not read is not clean.
func (d *DisablePersistence) Abandon(inc *responsehub.Incident, sentence string) error {
	inc.Step(responsehub.Persistence).Unread = []string{"The look for persistence did not end."}
	return abandon(inc, responsehub.Persistence, sentence)
}

// Follow scans and works the items off.
func (d *DisablePersistence) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if !t.Incident.Step(responsehub.Persistence).State.Busy() {
		return responsehub.Settle(nil)
	}
	scan := d.scan(ctx, t)
	if ctx.Err() != nil {
		return responsehub.TryAgain(context.Cause(ctx), nil)
	}
	if err := t.Save(ctx, scan.save); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	run := &disabling{step: d, target: target(t.Incident), by: t.Incident.Step(responsehub.Persistence).RequestedBy, action: t.Incident.Step(responsehub.Persistence).Action, results: map[string]result{}}
	items := wanted(t.Incident.Step(responsehub.Persistence))
	run.each(ctx, items, run.read)
	if err := t.Save(ctx, run.saveIntent); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	run.each(ctx, items, run.neutralise)
	run.each(ctx, d.judged(t.Incident.Step(responsehub.Persistence), items), run.judge)
	if ctx.Err() != nil {
		return responsehub.TryAgain(context.Cause(ctx), nil)
	}
	if later := cmpErr(run.later(), scan.later); later != nil {
		return responsehub.TryAgain(later, func(inc *responsehub.Incident) error {
			run.write(inc)
			return waits(inc, responsehub.Persistence, responsehub.Sentence(later))
		})
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error {
		run.write(inc)
		return settlePersistence(inc, scan.unread)
	})
}

func target(inc *responsehub.Incident) Target {
	return Target{Tenant: inc.Tenant.MicrosoftTenantID, User: user(inc), UPN: inc.Account.UserPrincipalName}
}

// scanned is what the hub's own look brought.
type scanned struct {
	mu     sync.Mutex
	items  []responsehub.Item
	unread []string // what could not be read, as sentences
	later  error
}

// scan asks every scanner at once.
func (d *DisablePersistence) scan(ctx context.Context, t *responsehub.Turn) *scanned {
	res := &scanned{}
	var wg sync.WaitGroup
	since := t.Incident.DetectedAt.Add(-scanBefore)
	for _, s := range d.Scanners {
		wg.Go(func() {
			items, err := s.Scan(ctx, target(t.Incident), since)
			res.mu.Lock()
			defer res.mu.Unlock()
			res.items = append(res.items, items...)
			switch {
			case err == nil:
			case hopeless(err):
				res.unread = append(res.unread, responsehub.Sentence(err))
			default:
				res.later = err
			}
		})
	}
	wg.Wait()
	return res
}

// save adds what the scan found.
func (s *scanned) save(inc *responsehub.Incident) error {
	now := time.Now()
	step := inc.Step(responsehub.Persistence)
	for _, it := range s.items {
		if known := step.Item(responsehub.ItemID(it.Kind, it.Object)); known != nil {
			known.Hidden, known.Mailbox = it.Hidden, it.Mailbox
			if known.Name == "" {
				known.Name = it.Name
			}
			continue
		}
		if inc.AddFoothold(it) {
			inc.Record(responsehub.Event{At: now, Kind: responsehub.EventItemFound, By: responsehub.Hub.By(), Step: responsehub.Persistence, Item: responsehub.ItemID(it.Kind, it.Object), Text: "Found " + it.Title() + ": " + it.Why})
		}
	}
	return begin(step, now)
}

// wanted returns the items the running request covers and the hub can act on. Settled
// ones are read again: an attacker with a live token may have switched them back on.
// What a person set aside stays so unless it is asked for by name.
func wanted(s *responsehub.Step) []responsehub.Item {
	var out []responsehub.Item
	for i := range s.Items {
		it := s.Items[i]
		byName := len(s.Asked) > 0
		setAside := it.State == responsehub.Skipped || it.State == responsehub.Undone
		if s.Wants(it.ID) && (byName || it.Kind.Blocks() && !setAside) {
			out = append(out, it)
		}
	}
	return out
}

// judged returns the items that wait for a person and that the hub can read: what was
// done to the others may have settled them, as a consent to an app that is off now.
func (d *DisablePersistence) judged(s *responsehub.Step, worked []responsehub.Item) []responsehub.Item {
	var out []responsehub.Item
	for i := range s.Items {
		it := s.Items[i]
		done := slices.ContainsFunc(worked, func(w responsehub.Item) bool { return w.ID == it.ID })
		if it.State == responsehub.NeedsHuman && !it.Kind.Blocks() && d.Kinds[it.Kind] != nil && !done {
			out = append(out, it)
		}
	}
	return out
}

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
		changed := it.State != r.state || it.Why != r.why
		wasDone := it.State == responsehub.Done
		it.State = r.state
		if r.why != "" {
			it.Why = r.why
		}
		if r.state == responsehub.Done {
			it.Proof = r.proof
			if !wasDone {
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

// settlePersistence settles the step from its items and from what could not be read.
func settlePersistence(inc *responsehub.Incident, unread []string) error {
	s := inc.Step(responsehub.Persistence)
	var bad, human, open []string
	for i := range s.Items {
		it := &s.Items[i]
		switch {
		case it.State == responsehub.Failed:
			bad = append(bad, it.Title()+": "+it.Why)
		case it.State == responsehub.NeedsHuman:
			human = append(human, it.Title())
		case !it.State.Settled():
			open = append(open, it.Title())
		}
	}
	now := time.Now()
	if len(s.Items) >= responsehub.MaxPersistence {
		unread = append(unread, fmt.Sprintf("There are %d items or more, and the hub lists no further ones: look at the rest by hand.", responsehub.MaxPersistence))
	}
	s.Unread = unread
	switch {
	case len(unread) > 0:
		return ended(inc, s, responsehub.Partial, "Not everything could be read, and what is not read is not clean: "+strings.Join(unread, " "), now)
	case len(bad) > 0:
		return ended(inc, s, responsehub.Partial, firstFew(bad), now)
	case len(open) > 0:
		return ended(inc, s, responsehub.Partial, "Still open: "+strings.Join(open, ", ")+".", now)
	case len(human) > 0:
		return ended(inc, s, responsehub.NeedsHuman, "Only a person can judge these: "+strings.Join(human, ", ")+". Look at them, then set them aside with a reason.", now)
	}
	proof := responsehub.Proof{Value: fmt.Sprintf("%d items of persistence, all disabled, gone or set aside", len(s.Items)), At: now}
	return done(inc, s, proof, "Persistence disabled: "+proof.Value+", read back from Microsoft")
}
