package oncall

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// finish ends the paging of an incident that somebody has or that needs nobody: no
// request is repeated, what rings is hung up, everybody who was paged is told, and the
// codes go into quarantine. It may be done again.
func (p *Pager) finish(ctx context.Context, t *responsehub.Turn, now time.Time) error {
	var live, ended []string
	err := t.Save(ctx, func(inc *responsehub.Incident) error {
		live, ended = live[:0], ended[:0]
		page := inc.Page
		switch {
		case inc.Acknowledged != nil:
			page.State = responsehub.PageAcknowledged
		default:
			page.State = responsehub.PageStopped
		}
		for i := range page.Attempts {
			a := &page.Attempts[i]
			switch {
			case a.State.Over() || a.For != responsehub.ToWake || a.Unsure:
			case a.Way == responsehub.ByCall && a.SID != "":
				live = append(live, a.ID)
			case a.SID == "":
				p.moved(inc, a, responsehub.AttemptCancelled, now, "somebody has the incident")
				ended = append(ended, a.ID)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := p.after(ctx, t.Incident, t.Incident.Page.Attempt(id)); err != nil {
			return err
		}
	}
	for _, id := range live {
		if err := p.hangUp(ctx, t, id, now); err != nil {
			return err
		}
	}
	return p.settle(ctx, t, now)
}

// hangUp ends a call, unless it carries other incidents that still need somebody. One
// that cannot be ended yet keeps nothing else waiting: it is looked at again.
func (p *Pager) hangUp(ctx context.Context, t *responsehub.Turn, id string, now time.Time) error {
	a := t.Incident.Page.Attempt(id)
	if a == nil || a.State.Over() {
		return nil
	}
	phone := p.person(a.Person).Phone
	open, _, err := p.open(ctx, phone)
	if err != nil {
		return err
	}
	carried := func(inc *responsehub.Incident) bool {
		return inc.ID != t.Incident.ID && slices.ContainsFunc(inc.Page.Attempts, func(o responsehub.Attempt) bool { return o.Joined == id && !o.State.Over() })
	}
	if slices.ContainsFunc(open, carried) {
		return nil
	}
	for _, sid := range append([]string{a.SID}, a.Also...) {
		if err := p.Phone.HangUp(ctx, sid); err != nil {
			p.log.Warn("a call cannot be ended yet, it is tried again", "error", err)
			return t.Save(ctx, func(inc *responsehub.Incident) error {
				if a := inc.Page.Attempt(id); a != nil && !a.State.Over() {
					a.Again = now.Add(hangUpAgain).UTC()
				}
				return nil
			})
		}
	}
	if err := t.Save(ctx, func(inc *responsehub.Incident) error {
		if a := inc.Page.Attempt(id); a != nil {
			p.moved(inc, a, responsehub.AttemptCancelled, now, "hung up: nobody is needed any more")
		}
		return nil
	}); err != nil {
		return err
	}
	return p.after(ctx, t.Incident, t.Incident.Page.Attempt(id))
}

// settle tells those who were paged and closes the codes.
func (p *Pager) settle(ctx context.Context, t *responsehub.Turn, now time.Time) error {
	page := t.Incident.Page
	var pl plan
	phones := map[string]bool{}
	for i := range page.Attempts {
		a := &page.Attempts[i]
		if a.For != responsehub.ToWake {
			continue
		}
		if phone := p.person(a.Person).Phone; phone != "" {
			phones[phone] = true
		}
		if p.isToldOf(t.Incident, a) && !slices.ContainsFunc(pl.place, func(x action) bool { return x.person == a.Person }) {
			pl.place = append(pl.place, action{person: a.Person, way: responsehub.ByText, errand: responsehub.ToTell})
		}
	}
	for phone := range phones {
		if err := p.Book.Close(ctx, phone, t.Incident.ID); err != nil {
			return err
		}
	}
	var fresh []responsehub.Attempt
	for _, act := range pl.place {
		a, err := p.prepare(ctx, t.Incident, act, now)
		if err != nil {
			return err
		}
		if !a.State.Over() {
			fresh = append(fresh, a)
		}
	}
	ids := make([]string, 0, len(fresh))
	if err := t.Save(ctx, func(inc *responsehub.Incident) error {
		if inc.Page.Going() || inc.Page.Settled { // begun anew meanwhile
			return errOver
		}
		inc.Page.Settled, inc.Page.Now = true, nil
		inc.Page.Attempts = append(inc.Page.Attempts, fresh...)
		return nil
	}); err != nil {
		return err
	}
	for _, a := range fresh {
		ids = append(ids, a.ID)
	}
	return p.send(ctx, t, ids)
}

// isToldOf reports whether the person of an attempt was reached since paging began, and
// is not the one who answered.
func (p *Pager) isToldOf(inc *responsehub.Incident, a *responsehub.Attempt) bool {
	if ack := inc.Acknowledged; ack != nil && ack.By.ID == "person:"+a.Person {
		return false
	}
	if a.At.Before(inc.Page.Begun) || a.SID == "" && a.Joined == "" {
		return false
	}
	return a.State != responsehub.AttemptFailed && a.State != responsehub.AttemptUndelivered
}

// nobody says who was tried and with what outcome.
func (p *Pager) nobody(page *responsehub.Page, now time.Time) string {
	var names []string
	last := map[string]string{}
	for i := range page.Attempts {
		a := &page.Attempts[i]
		if a.For != responsehub.ToWake || a.At.Before(page.Begun) {
			continue
		}
		name := p.person(a.Person).Name
		if _, known := last[name]; !known {
			names = append(names, name)
			last[name] = "no answer yet"
		}
		if a.Way == responsehub.ByCall && a.State.Over() {
			last[name] = a.State.Words()
		}
	}
	for i, name := range names {
		names[i] = name + " (" + last[name] + ")"
	}
	tried := "Nobody could be tried."
	if len(names) > 0 {
		tried = "Tried: " + strings.Join(names, ", ") + "."
	}
	return fmt.Sprintf("Nobody has been reached by phone in %s. %s", responsehub.Age(now.Sub(page.Begun)), tried)
}

// faultWords says what the operators have to do about a refusal.
func faultWords(r Refusal, name, number string) string {
	switch r {
	case BadNumber:
		return fmt.Sprintf("The number of %s (%s) does not work. Correct it in the list of people.", name, number)
	case OptedOut:
		return stopWords(name, number)
	case Filtered:
		return fmt.Sprintf("The carrier drops texts to %s (%s) as unwanted. See to the registration of the sender.", name, number)
	case BadAccount:
		return "The phone account refuses: nobody can be called or texted until it is mended. Run responsehub doctor."
	case OurFault:
		return "A call or text was refused as malformed. Nobody is reached that way; please report it."
	}
	return ""
}
