package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// looks is when the hub looks again: access tokens that are out live on for up to an
// hour, and with one an attacker makes again what was disabled.
var looks = []time.Duration{15 * time.Minute, 65 * time.Minute}

func (d *DisablePersistence) after() []time.Duration {
	if d.Looks != nil {
		return d.Looks
	}
	return looks
}

func (d *DisablePersistence) firstLook() time.Duration {
	if all := d.after(); len(all) > 0 {
		return all[0]
	}
	return 0
}

// schedule stores when to look again after a round has ended.
func (d *DisablePersistence) schedule(s *responsehub.Step, now time.Time) {
	s.Looks = nil
	if s.State.Busy() {
		return // another round follows at once
	}
	for _, after := range d.after() {
		s.Looks = append(s.Looks, now.Add(after).UTC())
	}
}

// look is what one look after the step's end brought.
type look struct {
	scan     *scanned
	returned map[string]bool // items that were done and work again
	ended    bool            // everything could be asked: the next look may be awaited
	holds    []responsehub.Hold
}

// lookAgain looks, when it is time, whether something came back or is new, and opens the
// step again when it is so. It changes nothing at Microsoft.
func (d *DisablePersistence) lookAgain(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	s := t.Incident.Step(responsehub.Persistence)
	if t.Incident.State != responsehub.Active || s.State == responsehub.Undone || len(s.Looks) == 0 {
		return responsehub.Settle(nil)
	}
	if wait := time.Until(s.Looks[0]); wait > 0 {
		return responsehub.ComeBack(wait, nil)
	}
	l := &look{scan: d.scan(ctx, t), returned: map[string]bool{}}
	if d.Settings != nil {
		l.holds = d.Settings().Holds()
	}
	if d.Paused != nil {
		l.holds = append(l.holds, d.Paused(t.Incident.Tenant.ID)...)
	}
	run := &disabling{step: d, target: target(t.Incident), results: map[string]result{}}
	run.each(ctx, d.readable(s), run.alive)
	if ctx.Err() != nil {
		return responsehub.TryAgain(context.Cause(ctx), nil)
	}
	for id, r := range run.results {
		if r.state == responsehub.Waiting {
			l.returned[id] = true
		}
		if r.state == responsehub.Failed {
			l.scan.miss(&responsehub.Error{Kind: responsehub.Permanent, Message: r.why})
		}
	}
	if later := cmpErr(run.later(), l.scan.later); later != nil {
		return responsehub.TryAgain(later, l.write)
	}
	l.ended = true
	left := remaining(s.Looks, time.Now())
	if len(left) == 0 {
		return responsehub.Settle(l.write)
	}
	return responsehub.ComeBack(max(time.Until(left[0]), time.Millisecond), l.write)
}

func remaining(all []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(all), func(at time.Time) bool { return !at.After(now) })
}

// readable returns the items that are done and that the hub can read.
func (d *DisablePersistence) readable(s *responsehub.Step) []responsehub.Item {
	var out []responsehub.Item
	for i := range s.Items {
		it := s.Items[i]
		if it.State == responsehub.Done && (d.Kinds[it.Kind] != nil || it.Hidden && d.Hidden != nil) {
			out = append(out, it)
		}
	}
	return out
}

// alive reads whether an item that was disabled works again.
func (d *disabling) alive(ctx context.Context, it *responsehub.Item, r *result) {
	reading, err := d.look(ctx, it, r)
	switch {
	case err != nil && !hopeless(err):
		r.later = err
	case err != nil:
		r.state, r.why = responsehub.Failed, responsehub.Sentence(err)
	case reading != nil && reading.Active && reading.Guard == "":
		r.state = responsehub.Waiting
	}
}

// write puts what the look brought into the incident. A step that somebody asked for
// meanwhile sees it all by itself.
func (l *look) write(inc *responsehub.Incident) error {
	s, now := inc.Step(responsehub.Persistence), time.Now()
	if inc.State != responsehub.Active || s.State.Busy() || s.State == responsehub.Undone {
		return nil
	}
	if l.ended {
		s.Looks = remaining(s.Looks, now)
	}
	back := l.restore(inc, s, now)
	again, fresh := l.add(inc, s, now)
	back = append(back, again...)
	if len(back)+len(fresh) == 0 {
		unreadable(inc, l.scan.unread, now)
		return nil
	}
	var reason []string
	if len(back) > 0 {
		reason = append(reason, "Came back after it had been disabled: "+strings.Join(back, ", ")+".")
	}
	if len(fresh) > 0 {
		reason = append(reason, "New since the step ended: "+strings.Join(fresh, ", ")+".")
	}
	if len(l.scan.unread) > 0 {
		s.Unread = l.scan.unread
		reason = append(reason, "Not everything could be read: "+strings.Join(l.scan.unread, " "))
	}
	inc.Reopen(strings.Join(reason, " "), now, l.holds...)
	return nil
}

// restore opens the items that work again and returns their titles.
func (l *look) restore(inc *responsehub.Incident, s *responsehub.Step, now time.Time) (back []string) {
	for i := range s.Items {
		it := &s.Items[i]
		if !l.returned[it.ID] || it.State != responsehub.Done {
			continue
		}
		inc.Restore(it, fmt.Sprintf("The hub disabled it at %s, and it works again.", it.At.UTC().Format("2006-01-02 15:04:05 UTC")), now)
		back = append(back, it.Title())
	}
	return back
}

// add puts new items in and returns their titles. One that is called like an item which
// is done is that one, made again under another id.
func (l *look) add(inc *responsehub.Incident, s *responsehub.Step, now time.Time) (back, fresh []string) {
	for _, it := range l.scan.items {
		if known := s.Item(responsehub.ItemID(it.Kind, it.Object)); known != nil {
			learn(known, it)
			continue
		}
		old := twin(s, it)
		if old != nil {
			it.Why, it.Returned = "Made again after the hub had disabled the one before. "+it.Why, old.Returned+1
		}
		if !inc.AddFoothold(it) {
			continue
		}
		e := responsehub.Event{At: now, Kind: responsehub.EventItemFound, By: responsehub.Hub.By(), Step: responsehub.Persistence, Item: responsehub.ItemID(it.Kind, it.Object), Text: "Found " + it.Title() + ": " + it.Why}
		if it.Returned > 0 {
			e.Kind, e.Text = responsehub.EventItemReturned, it.Title()+" came back: "+it.Why
			back = append(back, it.Title())
		} else {
			fresh = append(fresh, it.Title())
		}
		inc.Record(e)
	}
	return back, fresh
}

func twin(s *responsehub.Step, it responsehub.Item) *responsehub.Item {
	for i := range s.Items {
		if old := &s.Items[i]; old.State == responsehub.Done && old.Kind == it.Kind && it.Name != "" && old.Name == it.Name {
			return old
		}
	}
	return nil
}

// unreadable shows a step that had ended as not clean any more, since what the hub cannot
// read may hold what came back. A step that a person set aside stays so.
func unreadable(inc *responsehub.Incident, sentences []string, now time.Time) {
	s := inc.Step(responsehub.Persistence)
	if len(sentences) == 0 || s.State != responsehub.Done && s.State != responsehub.NeedsHuman {
		return
	}
	s.Unread = sentences
	s.Proof, s.VerifiedAt = nil, time.Time{}
	// Both states may become partial, and the step is at rest: nothing follows.
	_ = ended(inc, s, responsehub.Partial, "The hub looked again and could not read everything, and what is not read is not clean: "+strings.Join(sentences, " "), now)
}

// abandonLook tells that the hub gave up looking.
func abandonLook(inc *responsehub.Incident, sentence string) {
	if s := inc.Step(responsehub.Persistence); inc.State == responsehub.Active && !s.State.Busy() && len(s.Looks) > 0 {
		unreadable(inc, []string{sentence}, time.Now())
	}
}
