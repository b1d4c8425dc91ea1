package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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
	// Looks says how long after the step's end the hub looks whether something came back:
	// an attacker's token lives on for up to an hour. nil is after 15 and 65 minutes.
	Looks []time.Duration
	// Settings are the hub's switches as they are now: what came back is not disabled by
	// itself while they hold that back. nil: they hold nothing back.
	Settings func() responsehub.Settings
	// Paused is what a pause of the tenant holds back now. Nil: no tenant is ever paused.
	Paused func(tenant string) []responsehub.Hold
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
	if s := inc.Step(responsehub.Persistence); s.State.Busy() {
		s.Unread = []string{"The look for persistence did not end."}
	}
	abandonLook(inc, sentence)
	return abandon(inc, responsehub.Persistence, sentence)
}

// Follow scans and works the items off.
func (d *DisablePersistence) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if !t.Incident.Step(responsehub.Persistence).State.Busy() {
		return d.lookAgain(ctx, t)
	}
	if t.Incident.Step(responsehub.Persistence).Undo {
		return d.takeBack(ctx, t)
	}
	scan := d.scan(ctx, t)
	if ctx.Err() != nil {
		return responsehub.TryAgain(context.Cause(ctx), nil)
	}
	if err := t.Save(ctx, scan.save); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	step := t.Incident.Step(responsehub.Persistence)
	run := &disabling{step: d, target: target(t.Incident), by: step.RequestedBy, action: step.Action, byName: len(step.Asked) > 0, results: map[string]result{}}
	items := wanted(step)
	run.each(ctx, items, run.read)
	if err := t.Save(ctx, run.saveIntent); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	run.each(ctx, items, run.neutralise)
	run.each(ctx, d.judged(t.Incident.Step(responsehub.Persistence), items, scan), run.judge)
	if ctx.Err() != nil {
		return responsehub.TryAgain(context.Cause(ctx), nil)
	}
	if later := cmpErr(run.later(), scan.later); later != nil {
		return responsehub.TryAgain(later, func(inc *responsehub.Incident) error {
			run.write(inc)
			return waits(inc, responsehub.Persistence, responsehub.Sentence(later))
		})
	}
	return responsehub.ComeBack(d.firstLook(), func(inc *responsehub.Incident) error {
		run.write(inc)
		if err := settlePersistence(inc, scan.unread, scan.absent); err != nil {
			return err
		}
		d.schedule(inc.Step(responsehub.Persistence), time.Now())
		return nil
	})
}

func target(inc *responsehub.Incident) Target {
	return Target{Tenant: inc.Tenant.MicrosoftTenantID, User: user(inc), UPN: inc.Account.UserPrincipalName}
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
// done to the others may have settled them, as a consent to an app that is off now, and
// what this turn's scan does not bring any more may be gone.
func (d *DisablePersistence) judged(s *responsehub.Step, worked []responsehub.Item, scan *scanned) []responsehub.Item {
	var out []responsehub.Item
	for i := range s.Items {
		it := s.Items[i]
		done := slices.ContainsFunc(worked, func(w responsehub.Item) bool { return w.ID == it.ID })
		known := scan.found(it.ID) && it.Kind != responsehub.OAuthGrant
		if it.State == responsehub.NeedsHuman && !it.Kind.Blocks() && d.Kinds[it.Kind] != nil && !done && !known {
			out = append(out, it)
		}
	}
	return out
}

// settlePersistence settles the step from its items and from what could not be read.
func settlePersistence(inc *responsehub.Incident, unread, absent []string) error {
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
		return ended(inc, s, responsehub.Partial, firstFew(bad, len(bad)), now)
	case len(open) > 0:
		return ended(inc, s, responsehub.Partial, "Still open: "+strings.Join(open, ", ")+".", now)
	case len(human) > 0:
		return ended(inc, s, responsehub.NeedsHuman, "Only a person can judge these: "+strings.Join(human, ", ")+". Look at them, then set them aside with a reason.", now)
	}
	proof := responsehub.Proof{Value: settledWords(len(s.Items)), At: now}
	if len(absent) > 0 {
		proof.Value += " (" + strings.Join(absent, " ") + ")"
	}
	return done(inc, s, proof, "Persistence disabled: "+proof.Value+", read back from Microsoft")
}

// settledWords says of n items that none of them works any more.
func settledWords(n int) string {
	switch n {
	case 0:
		return "no persistence was found"
	case 1:
		return "1 item of persistence, disabled, gone or set aside"
	default:
		return fmt.Sprintf("%d items of persistence, all disabled, gone or set aside", n)
	}
}
