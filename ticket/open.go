package ticket

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// open finds the incident's ticket or makes it. The intent is saved before the request,
// and what may have been made is looked for before it is asked for again.
func (v *visit) open(ctx context.Context) (time.Duration, error) {
	inc, ref := v.inc(), v.ref()
	intended := ref.Intent == intentCreate
	if intended {
		if wait := time.Until(ref.IntentAt.Add(settles)); wait > 0 {
			return wait, nil
		}
	}
	found, err := v.conn.Find(ctx, inc.Ref)
	if err != nil {
		return 0, err
	}
	found = slices.DeleteFunc(found, func(t Ticket) bool { return slices.Contains(ref.Left, t.ID) })
	if len(found) > 0 {
		return 0, v.adopt(ctx, found, intended)
	}
	if v.tooLate() {
		return 0, v.save(ctx, func(_ *responsehub.Incident, ref *responsehub.TicketRef) { ref.Intent = "" })
	}
	company := v.f.company(inc, v.name)
	t, err := v.create(ctx, company, "")
	if responsehub.KindOf(err) == responsehub.NotFound && err != nil && company != "" {
		lost := fmt.Sprintf("The company %q of the tenant's mapping is not in %s.", clean(company, 60), v.conn.Product)
		v.f.cfg.Log.Error("company of a tenant is not in the psa", "tenant", inc.Tenant.ID, "connection", v.name)
		t, err = v.create(ctx, "", lost)
	}
	if err != nil {
		return 0, err
	}
	return 0, v.take(ctx, t, "made", company)
}

// create asks for the ticket. What its description tells is not noted again.
func (v *visit) create(ctx context.Context, company, lost string) (Ticket, error) {
	if lost == "" && company == "" {
		lost = v.unmapped()
	}
	ns, err := v.notes(ctx)
	if err != nil {
		return Ticket{}, err
	}
	ns = slices.DeleteFunc(ns, func(n note) bool { return n.resolution || n.held })
	var former *responsehub.Former
	if v.f.cfg.Before != nil && v.inc().Former == nil {
		former = v.f.cfg.Before(ctx, v.inc())
	}
	if err := v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		inc.Follows(former)
		ref.Intent, ref.IntentAt, ref.Company = intentCreate, time.Now().UTC(), company
		ref.Noted = keys(ns)
	}); err != nil {
		return Ticket{}, err
	}
	return v.conn.Create(ctx, v.draft(ns, company, lost))
}

// take notes the ticket that was made.
func (v *visit) take(ctx context.Context, t Ticket, how, company string) error {
	// First the way from the ticket to the incident: without it events would be lost.
	if err := v.f.cfg.Index.PutTicket(ctx, v.name, t.ID, v.inc().ID); err != nil {
		return &storeError{err}
	}
	v.ticket = &t
	return v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		hold(ref, t)
		ref.Intent, ref.Stage = "", string(New)
		record(inc, responsehub.EventNoticeSent, responsehub.Hub.By(), fmt.Sprintf("Ticket %s %s in %s (%s)%s", t.Number, how, v.conn.Product, v.name, forCompany(company)))
	})
}

func forCompany(company string) string {
	if company == "" {
		return ", for the catch-all company"
	}
	return ", for " + company
}

// adopt takes over a ticket that carries the incident's reference.
func (v *visit) adopt(ctx context.Context, found []Ticket, intended bool) error {
	first := found[0]
	if f, ok := v.conn.Desk.(Finisher); ok && intended {
		d, err := v.intended(ctx)
		if err != nil {
			return err
		}
		if err := f.Finish(ctx, first.ID, d); err != nil {
			return err
		}
	}
	if err := v.take(ctx, first, "found", v.ref().Company); err != nil {
		return err
	}
	var others []string
	for _, t := range found[1:] {
		others = append(others, t.Number)
	}
	if len(others) > 0 {
		v.f.cfg.Log.Warn("several tickets carry one reference", "incident", v.inc().ID, "connection", v.name, "tickets", len(found))
	}
	return v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		if !intended {
			ref.Noted, ref.Intent, ref.IntentAt = nil, intentNote, time.Time{} // its notes tell what was noted
			ref.Company = v.f.company(inc, v.name)
		}
		if len(others) > 0 {
			record(inc, responsehub.EventNoticeFailed, responsehub.Hub.By(), fmt.Sprintf("Several tickets in %s (%s) carry %s: the hub keeps %s and leaves %s alone", v.conn.Product, v.name, inc.Ref, first.Number, strings.Join(others, ", ")))
		}
	})
}

// intended is the draft of a ticket whose making was cut short.
func (v *visit) intended(ctx context.Context) (Draft, error) {
	ns, err := v.notes(ctx)
	if err != nil {
		return Draft{}, err
	}
	ref, lost := v.ref(), ""
	ns = slices.DeleteFunc(ns, func(n note) bool { return !slices.Contains(ref.Noted, n.key) })
	if ref.Company == "" {
		lost = v.unmapped()
	}
	return v.draft(ns, ref.Company, lost), nil
}

func (v *visit) unmapped() string {
	return fmt.Sprintf("UNMAPPED TENANT %s %s", clean(v.inc().Tenant.Name, 80), clean(v.inc().Tenant.MicrosoftTenantID, 40))
}

// leave lets go of a ticket, so that another takes its place.
func leave(ref *responsehub.TicketRef, why string) {
	ref.Old, ref.Left, ref.Why = append(ref.Old, ref.Number), append(ref.Left, ref.ID), why
	ref.ID, ref.Number, ref.URL, ref.Stage, ref.Status, ref.Owner, ref.Intent = "", "", "", "", "", "", ""
	ref.Noted, ref.Flips, ref.Closed, ref.ClosedBy, ref.ClosedAt, ref.Foreign = nil, nil, false, "", time.Time{}, false
	ref.Quiet = time.Time{}
}

// assign moves a ticket of the catch-all company to the tenant's own once it is mapped.
func (v *visit) assign(ctx context.Context) error {
	company := v.f.company(v.inc(), v.name)
	if !v.f.moves(v.inc(), v.name, v.ref()) {
		return nil
	}
	err := v.conn.Assign(ctx, v.ref().ID, company)
	if lasting(err) || responsehub.KindOf(err) == responsehub.NotFound {
		if err != nil {
			return v.flaw(ctx, "it cannot be moved to the company "+company, err, func(ref *responsehub.TicketRef) { ref.Company = company })
		}
	}
	if err != nil {
		return err
	}
	return v.save(ctx, func(inc *responsehub.Incident, ref *responsehub.TicketRef) {
		ref.Company = company
		record(inc, responsehub.EventNoticeSent, responsehub.Hub.By(), fmt.Sprintf("Ticket %s moved to the company %s", ref.Number, company))
	})
}
