package oncall

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// progress takes what the network says of an attempt, from a report, an answer or a
// look: in any order and as often as it comes it ends the same.
func (p *Pager) progress(inc *responsehub.Incident, a *responsehub.Attempt, g Progress, now time.Time) {
	switch {
	case g.SID == "" || g.SID == a.SID || slices.Contains(a.Also, g.SID):
	case a.SID == "":
		p.known(inc, a, g.SID, now)
	default:
		a.Also = append(a.Also, g.SID)
	}
	state := g.State
	if g.Machine && a.Way == responsehub.ByCall {
		state = responsehub.AttemptVoicemail
	}
	if !p.moved(inc, a, state, now, g.Reason) {
		return
	}
	if a.State.Over() {
		a.Refusal = string(g.Refusal)
		p.fault(inc, a, now)
		return
	}
	if state == responsehub.AttemptInProgress {
		a.Again = now.Add(longest / 2).UTC()
	}
}

// known binds the network's id to an attempt: it was carried out. A text is not asked
// about any more; a call is if no report comes. The turn of a person whom the network
// could not reach for a while begins now.
func (p *Pager) known(inc *responsehub.Incident, a *responsehub.Attempt, sid string, now time.Time) {
	a.SID, a.Unsure, a.Again = sid, false, time.Time{}
	if a.Way == responsehub.ByCall {
		a.Again = now.Add(p.ring(inc) + deaf).UTC()
	}
	page := inc.Page
	if a.Turn != page.Step || now.Sub(page.StepAt) < 30*time.Second || a.For != responsehub.ToWake || a.At.After(page.StepAt.Add(time.Second)) {
		return
	}
	for i := range page.Attempts {
		if o := &page.Attempts[i]; o.ID != a.ID && o.Turn == page.Step && !o.At.Before(page.Begun) && o.SID != "" {
			return
		}
	}
	page.StepAt = now.UTC()
}

// moved moves an attempt forward and notes where it ended.
func (p *Pager) moved(inc *responsehub.Incident, a *responsehub.Attempt, s responsehub.AttemptState, now time.Time, reason ...string) bool {
	if !a.To(s, now) {
		return false
	}
	if s.Over() {
		if r := strings.Join(reason, ""); r != "" {
			a.Reason = r
		}
		p.note(inc, a, now)
	}
	return true
}

// note puts the end of an attempt into the record.
func (p *Pager) note(inc *responsehub.Incident, a *responsehub.Attempt, now time.Time) {
	by := responsehub.Hub.By()
	inc.Record(responsehub.Event{At: now, Kind: responsehub.EventPageAttempt, By: by, Text: attemptSentence(a, p.person(a.Person).Name)})
}

// fault tells the operators of a number or an account through which nobody is reached.
func (p *Pager) fault(inc *responsehub.Incident, a *responsehub.Attempt, now time.Time) {
	r := Refusal(a.Refusal)
	for i := range inc.Page.Attempts { // once is enough
		if o := &inc.Page.Attempts[i]; o.ID != a.ID && o.Refusal == a.Refusal && (o.Person == a.Person || r == BadAccount || r == OurFault) {
			return
		}
	}
	who := p.person(a.Person)
	if words := faultWords(r, who.Name, responsehub.MaskPhone(who.Phone)); words != "" {
		inc.Record(responsehub.Event{At: now, Kind: responsehub.EventPhoneFault, By: responsehub.Hub.By(), Text: words})
	}
}

// after does what follows outside from where an attempt stands. It may be done again.
func (p *Pager) after(ctx context.Context, inc *responsehub.Incident, a *responsehub.Attempt) error {
	if a == nil || !a.State.Over() {
		return nil
	}
	phone := p.person(a.Person).Phone
	if Refusal(a.Refusal) == OptedOut && a.Way == responsehub.ByText && phone != "" {
		if err := p.Book.Mute(ctx, phone, MuteTexts); err != nil {
			return err
		}
	}
	if err := p.alarmOnce(ctx, faultWords(Refusal(a.Refusal), p.person(a.Person).Name, responsehub.MaskPhone(phone))); err != nil {
		return err
	}
	if a.Way != responsehub.ByCall || a.Joined != "" {
		return nil
	}
	if err := p.Book.Rung(ctx, phone, a.ID); err != nil {
		return err
	}
	return p.joined(ctx, inc, a, phone)
}

// joined takes the end of a call to the other incidents that it carried.
func (p *Pager) joined(ctx context.Context, inc *responsehub.Incident, call *responsehub.Attempt, phone string) error {
	entries, err := p.Book.Entries(ctx, phone)
	if err != nil {
		return err
	}
	var told []string
	for _, e := range entries {
		if e.Incident == inc.ID || !e.Closed.IsZero() || isGroup(e.Incident) {
			continue
		}
		if told == nil {
			if told, err = p.Book.Told(ctx, call.ID); err != nil {
				return err
			}
		}
		if err := p.share(ctx, e.Incident, call, slices.Contains(told, e.Incident)); err != nil {
			return err
		}
	}
	return nil
}

// share takes the end of a call to one incident that joined it.
func (p *Pager) share(ctx context.Context, incident string, call *responsehub.Attempt, told bool) error {
	_, err := p.amend(ctx, incident, func(inc *responsehub.Incident) error {
		if inc.Page == nil {
			return nil
		}
		for i := range inc.Page.Attempts {
			if a := &inc.Page.Attempts[i]; a.Joined == call.ID {
				p.shared(inc, a, call, told, time.Now())
			}
		}
		return nil
	})
	return err
}

// shared ends an attempt as the call that it joined ended. Who joined after the person
// had been told what is open was not spoken of: that call does not count for it.
func (p *Pager) shared(inc *responsehub.Incident, a, call *responsehub.Attempt, told bool, now time.Time) {
	s, reason := call.State, call.Reason
	if (s == responsehub.AttemptHeard || s == responsehub.AttemptAcknowledged) && !told {
		s, reason = responsehub.AttemptCancelled, "the call under way was not about it"
	}
	if s == responsehub.AttemptAcknowledged {
		s = responsehub.AttemptHeard // that of this incident is noted when the key is pressed
	}
	p.moved(inc, a, s, now, reason)
}

// look finds out what became of attempts of which nothing was heard.
func (p *Pager) look(ctx context.Context, t *responsehub.Turn, acts []action) error {
	for _, act := range acts {
		a := t.Incident.Page.Attempt(act.attempt)
		if a == nil {
			continue
		}
		var err error
		if a.Joined != "" {
			err = p.lookAtCall(ctx, t, *a)
		} else {
			err = p.lookUp(ctx, t, *a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lookUp asks the network for an attempt. What it does not have is asked for anew, and so
// is what it refuses to look up: somebody called twice is better than nobody.
func (p *Pager) lookUp(ctx context.Context, t *responsehub.Turn, was responsehub.Attempt) error {
	placed, err := p.Phone.Find(ctx, was.Way, p.person(was.Person).Phone, was.At)
	now := time.Now()
	if saveErr := t.Save(ctx, func(inc *responsehub.Incident) error {
		a := inc.Page.Attempt(was.ID)
		if a == nil || a.State.Over() || a.Unsure != was.Unsure {
			return nil // a report came meanwhile
		}
		if err != nil && (a.SID != "" || responsehub.KindOf(err) != responsehub.Permanent) {
			a.Again = now.Add(max(unsureFor, retryAfter(err))).UTC()
			return nil
		}
		for _, g := range slices.Backward(placed) { // the oldest: a repeated request comes after the first one
			if !matches(inc, a, g) {
				continue
			}
			a.Again = now.Add(time.Minute).UTC() // a call that goes on
			g.Progress.SID = g.SID
			p.progress(inc, a, g.Progress, now)
			return nil
		}
		switch {
		case a.SID != "":
			p.moved(inc, a, responsehub.AttemptNoAnswer, now, "the network does not know the call any more")
		default:
			a.Unsure, a.Again = false, now.UTC()
		}
		return nil
	}); saveErr != nil {
		return saveErr
	}
	a := t.Incident.Page.Attempt(was.ID)
	if a != nil && !a.State.Over() && a.SID != "" && a.Way == responsehub.ByCall && !t.Incident.Page.Going() {
		return p.hangUp(ctx, t, a.ID, now)
	}
	if a != nil && a.SID != "" && !a.State.Over() && now.Sub(a.At) > 2*longest {
		return t.Save(ctx, func(inc *responsehub.Incident) error {
			if a := inc.Page.Attempt(was.ID); a != nil {
				p.moved(inc, a, responsehub.AttemptNoAnswer, now, "nothing was heard of the call any more")
			}
			return nil
		})
	}
	return p.after(ctx, t.Incident, a)
}

// lookAtCall looks at the call of another incident that this one joined.
func (p *Pager) lookAtCall(ctx context.Context, t *responsehub.Turn, was responsehub.Attempt) error {
	call := &responsehub.Attempt{ID: was.Joined, State: responsehub.AttemptCancelled, Reason: "the call that carried it never began"}
	b, ok, err := p.Book.Binding(ctx, was.Joined)
	if err != nil {
		return err
	}
	if ok {
		inc := t.Incident
		if b.Incident != inc.ID {
			if inc, err = p.Incidents.Incident(ctx, responsehub.Hub, b.Incident); err != nil && responsehub.KindOf(err) != responsehub.NotFound {
				return err
			}
		}
		if inc != nil && err == nil {
			if found := inc.Page.Attempt(was.Joined); found != nil {
				call = found
			}
		}
	}
	told, err := p.Book.Told(ctx, was.Joined)
	if err != nil {
		return err
	}
	if call.State.Over() {
		if err := p.Book.Rung(ctx, p.person(was.Person).Phone, was.Joined); err != nil {
			return err
		}
	}
	now := time.Now()
	return t.Save(ctx, func(inc *responsehub.Incident) error {
		a := inc.Page.Attempt(was.ID)
		switch {
		case a == nil || a.State.Over():
		case call.State.Over():
			p.shared(inc, a, call, slices.Contains(told, inc.ID), now)
		default:
			a.Again = now.Add(joinEvery).UTC()
		}
		return nil
	})
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
