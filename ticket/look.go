package ticket

import (
	"context"
	"fmt"
	"time"

	"responsehub"
)

const (
	// Past so many changes of its status by others within the time, a ticket's status is
	// left alone: two programs are correcting each other.
	flipsMost   = 5
	flipsWithin = 10 * time.Minute
	quietFor    = time.Hour
	mergesMost  = 5
)

// hold notes a ticket as it was just read.
func hold(ref *responsehub.TicketRef, t Ticket) {
	ref.ID, ref.Number, ref.URL = t.ID, t.Number, t.URL
	ref.Status, ref.Owner, ref.SeenAt = t.Status, t.Owner, time.Now().UTC()
}

// look reads the ticket, unless that was just done, and notes what people did to it. It
// reports whether another ticket has taken its place.
func (v *visit) look(ctx context.Context) (again bool, err error) {
	ref := v.ref()
	heard := ref.Hints
	if heard == ref.Heard && ref.Intent != intentMove && time.Since(ref.SeenAt) < fresh {
		return false, nil
	}
	t, err := v.conn.Get(ctx, ref.ID)
	if responsehub.KindOf(err) == responsehub.NotFound && err != nil {
		return v.gone(ctx, heard)
	}
	if err != nil {
		return false, err
	}
	if t.MergedInto != "" && t.MergedInto != t.ID && len(ref.Left) < mergesMost {
		return true, v.follow(ctx, t, heard)
	}
	v.ticket = &t
	return false, v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		v.saw(inc, ref, t)
		hold(ref, t)
		if ref.Intent == intentMove {
			ref.Intent = ""
		}
		ref.Heard = max(ref.Heard, heard)
	})
}

// gone takes note that the ticket was deleted. An open incident gets another.
func (v *visit) gone(ctx context.Context, heard int64) (bool, error) {
	over := v.inc().State.Closed()
	err := v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		ref.Heard = max(ref.Heard, heard)
		text := fmt.Sprintf("Ticket %s is not in %s (%s) any more", ref.Number, v.conn.Product, v.name)
		if over {
			if !ref.Closed {
				ref.Closed, ref.Stage = true, string(Closed)
				record(inc, responsehub.EventTicketChanged, responsehub.Hub.By(), text)
			}
			return
		}
		record(inc, responsehub.EventTicketChanged, responsehub.Hub.By(), text+"; another is made")
		leave(ref, "was deleted, or is out of the hub's reach")
	})
	return !over, err
}

// follow goes on in the ticket into which the incident's was merged.
func (v *visit) follow(ctx context.Context, t Ticket, heard int64) error {
	parent, err := v.conn.Get(ctx, t.MergedInto)
	if err != nil {
		return err
	}
	// Another incident's ticket stays its own: that one hears its events. This one is
	// compared with it every ten minutes.
	owner, err := v.f.cfg.Index.TicketOf(ctx, v.name, parent.ID)
	if err == nil && owner == "" {
		err = v.f.cfg.Index.PutTicket(ctx, v.name, parent.ID, v.inc().ID)
	}
	if err != nil {
		return &storeError{err}
	}
	return v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		record(inc, responsehub.EventTicketChanged, by(v.name, t.UpdatedBy), fmt.Sprintf("Ticket %s was merged into %s; the hub goes on there", ref.Number, parent.Number))
		noted, stage := ref.Noted, ref.Stage
		leave(ref, "was merged into this one")
		hold(ref, parent)
		// The notes came along. The other ticket's status is about something else.
		ref.Noted, ref.Stage, ref.Foreign = noted, stage, parent.Ref != inc.Ref
		ref.Closed, ref.Heard = parent.Closed, max(ref.Heard, heard)
	})
}

// by is a person of the PSA.
func by(connection, name string) responsehub.By { return actor(connection, name).By() }

// actor is a person of the PSA as one who acts.
func actor(connection, name string) responsehub.Actor {
	name = clean(name, 80)
	if name == "" {
		name = "somebody"
	}
	return responsehub.Actor{ID: "psa:" + connection + ":" + name, Name: name, Role: responsehub.Responder, Via: responsehub.ViaPSA, Tenants: []string{"*"}}
}

// saw compares the ticket with what was last known, and draws the consequences. None of
// them is a step: what is in a ticket comes from outside.
func (v *visit) saw(inc *responsehub.Incident, ref *responsehub.TicketRef, t Ticket) {
	now := time.Now()
	lost := ref.Intent == intentMove // a change of the hub's own may have been carried out
	moved := ref.Status != "" && t.Status != ref.Status && !lost
	taken := t.Owner != "" && t.Owner != ref.Owner
	if moved {
		v.flipped(inc, ref, now)
	}
	who := t.UpdatedBy
	switch {
	case taken && v.conn.AcknowledgeOn == "assignment":
		inc.Acknowledge(actor(v.name, t.Owner), now)
	case moved && v.conn.AcknowledgeOn == "status" && !ref.Foreign:
		if who == "" {
			who = t.Owner
		}
		inc.Acknowledge(actor(v.name, who), now)
	}
	switch ours := ref.Stage == string(Closed) || lost && inc.State.Closed(); {
	case t.Closed && !ref.Closed && (ours || ref.Foreign):
		ref.Closed, ref.ClosedAt = true, now.UTC()
	case t.Closed && !ref.Closed:
		v.closedByHand(inc, ref, t, now)
	case !t.Closed && ref.Closed:
		ref.Closed, ref.ClosedBy, ref.ClosedAt = false, "", time.Time{}
		record(inc, responsehub.EventTicketChanged, by(v.name, t.UpdatedBy), fmt.Sprintf("Ticket %s was opened again in %s", ref.Number, v.conn.Product))
	}
}

// flipped counts a change of status that was not the hub's.
func (v *visit) flipped(inc *responsehub.Incident, ref *responsehub.TicketRef, now time.Time) {
	var recent []time.Time
	for _, at := range append(ref.Flips, now.UTC()) {
		if now.Sub(at) < flipsWithin {
			recent = append(recent, at)
		}
	}
	ref.Flips = recent
	if len(recent) <= flipsMost {
		return
	}
	if !now.Before(ref.Quiet) {
		record(inc, responsehub.EventNoticeFailed, responsehub.Hub.By(), fmt.Sprintf("The status of ticket %s in %s was changed %d times within %s by others: the hub leaves it alone for %s. Look for a workflow rule that works against it", ref.Number, v.conn.Product, len(recent), flipsWithin, quietFor))
		v.f.cfg.Log.Warn("ticket's status is flapping", "incident", inc.ID, "connection", v.name)
	}
	ref.Quiet = now.Add(quietFor).UTC()
	ref.Flips = recent[len(recent)-flipsMost:]
}

// closedByHand tells that a person closed the ticket of an open incident. The account
// stays as it is; whether that was the end is asked, or taken so where the tenant says.
func (v *visit) closedByHand(inc *responsehub.Incident, ref *responsehub.TicketRef, t Ticket, now time.Time) {
	who := t.ClosedBy
	if who == "" {
		who = t.UpdatedBy
	}
	a := actor(v.name, who)
	ref.Closed, ref.ClosedBy, ref.ClosedAt = true, a.Name, now.UTC()
	if !t.ClosedAt.IsZero() && t.ClosedAt.Before(now) {
		ref.ClosedAt = t.ClosedAt.UTC()
	}
	record(inc, responsehub.EventTicketChanged, a.By(), fmt.Sprintf("Ticket %s was closed in %s by %s", ref.Number, v.conn.Product, a.Name))
	if inc.State.Closed() {
		return
	}
	tenant, _ := v.f.cfg.Tenant(inc.Tenant.ID)
	desk, _ := tenant.Notify.PSA.At(v.name)
	if (v.conn.CloseOnTicketClose || desk.CloseOnTicketClose) && settled(inc) {
		if _, err := inc.Ask(responsehub.Close, a, responsehub.StepRequest{}, now); err == nil {
			return
		}
	}
	inc.AddTodo("ticket-closed-"+v.name+"-"+ref.Number, fmt.Sprintf("Ticket %s was closed in %s by %s. Mark the incident as remediated?", ref.Number, v.conn.Product, a.Name))
}

// settled reports whether every step before the last is.
func settled(inc *responsehub.Incident) bool {
	return inc.State == responsehub.Active && inc.Gate(responsehub.Close) == nil
}
