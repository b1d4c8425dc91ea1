package oncall

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"responsehub"
)

// intend saves what is about to be asked of the network, with everything that finds it
// again: after a crash each of these may or may not have been carried out. It returns
// the attempts to be requested. Nothing is saved for an incident that somebody has.
func (p *Pager) intend(ctx context.Context, t *responsehub.Turn, pl plan, now time.Time) ([]string, error) {
	fresh := make([]responsehub.Attempt, len(pl.place))
	errs := make([]error, len(pl.place))
	var wg sync.WaitGroup
	for i, act := range pl.place {
		wg.Go(func() { fresh[i], errs[i] = p.prepare(ctx, t.Incident, act, now) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		p.abandon(ctx, fresh)
		return nil, err
	}
	var requests []string
	err := t.Save(ctx, func(inc *responsehub.Incident) error {
		requests = requests[:0]
		if inc.Page == nil && len(fresh) > 0 {
			inc.Page = &responsehub.Page{State: responsehub.PageStopped, Settled: true}
		}
		for _, act := range pl.request {
			a := inc.Page.Attempt(act.attempt)
			if a == nil || a.State.Over() || a.SID != "" {
				continue
			}
			if reason := needless(inc, a); reason != "" {
				a.Reason = reason
				p.moved(inc, a, responsehub.AttemptCancelled, now)
				continue
			}
			a.Tries, a.Unsure, a.Again = a.Tries+1, true, now.Add(unsureFor).UTC()
			requests = append(requests, a.ID)
		}
		for _, a := range fresh {
			if a.For == responsehub.ToWake && (inc.Acknowledged != nil || !inc.Page.Going()) {
				return errOver
			}
			inc.Page.Attempts = append(inc.Page.Attempts, a)
			switch {
			case a.State.Over():
				p.note(inc, &a, now)
			case a.Joined == "":
				requests = append(requests, a.ID)
			}
		}
		return nil
	})
	if err != nil {
		p.abandon(ctx, fresh)
		return nil, err
	}
	return slices.Clone(requests), nil
}

// abandon gives the phones free for which no request will follow.
func (p *Pager) abandon(ctx context.Context, fresh []responsehub.Attempt) {
	for _, a := range fresh {
		if a.Way == responsehub.ByCall && a.Joined == "" {
			_ = p.Book.Rung(context.WithoutCancel(ctx), p.person(a.Person).Phone, a.ID)
		}
	}
}

// needless says why an attempt that was not carried out yet is not repeated.
func needless(inc *responsehub.Incident, a *responsehub.Attempt) string {
	switch {
	case a.For == responsehub.ToTell || a.For == responsehub.ToShare:
		if time.Since(a.At) > time.Hour {
			return "it is too late for it"
		}
	case inc.Acknowledged != nil || !inc.Page.Going():
		return "somebody has the incident"
	case a.Turn != inc.Page.Step:
		return "it was somebody else's turn by then"
	}
	return ""
}

// prepare makes an attempt and what is known of it beside the incident, all of that at
// the same time: people wait to be woken. One that cannot be made is over at once, with
// its reason.
func (p *Pager) prepare(ctx context.Context, inc *responsehub.Incident, act action, now time.Time) (responsehub.Attempt, error) {
	a := responsehub.Attempt{
		ID: rand.Text(), Person: act.person, Way: act.way, For: act.errand, State: responsehub.AttemptRequested,
		At: now.UTC(), Tries: 1, Unsure: true, Again: now.Add(unsureFor).UTC(),
	}
	if inc.Page != nil {
		a.Turn = inc.Page.Step
	}
	refuse := func(r Refusal, reason string) (responsehub.Attempt, error) {
		a.State, a.Reason, a.Refusal, a.Tries = responsehub.AttemptFailed, reason, string(r), 0
		a.Unsure, a.Again, a.Ended = false, time.Time{}, now.UTC()
		return a, nil
	}
	who := p.person(act.person)
	if who.Phone == "" || slices.Contains(p.Own, who.Phone) {
		return refuse(BadNumber, "there is no number for this person")
	}
	mute, err := p.Book.Muted(ctx, who.Phone)
	if err != nil {
		return a, err
	}
	switch {
	case mute == MuteAll:
		return refuse(BadNumber, "the number is somebody else's")
	case mute == MuteTexts && act.way == responsehub.ByText:
		return refuse(OptedOut, "texts are off for this number: STOP was written")
	}
	var wg sync.WaitGroup
	var code, bind, ring error
	holder := a.ID
	if act.errand == responsehub.ToWake {
		wg.Go(func() { a.Code, code = p.Book.Open(ctx, who.Phone, Entry{Incident: inc.ID, Person: who.ID}) })
	}
	wg.Go(func() { bind = p.Book.Bind(ctx, a.ID, Binding{Incident: inc.ID, Person: who.ID, Way: act.way}) })
	if act.way == responsehub.ByCall {
		wg.Go(func() { holder, ring = p.Book.Ring(ctx, who.Phone, a.ID, longest) })
	}
	wg.Wait()
	if err := errors.Join(code, bind, ring); err != nil {
		return a, err
	}
	if holder != a.ID {
		a.State, a.Joined, a.Tries, a.Unsure, a.Again = responsehub.AttemptQueued, holder, 0, false, now.Add(joinEvery).UTC()
	}
	return a, nil
}

// result is what came of a request.
type result struct {
	id     string
	placed Placed
	err    error
}

// send makes the requests, all at the same time, and saves what came of them.
func (p *Pager) send(ctx context.Context, t *responsehub.Turn, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	all := make([]result, len(ids)) // in the order in which they were planned
	var wg sync.WaitGroup
	for i, id := range ids {
		a, inc := *t.Incident.Page.Attempt(id), t.Incident
		wg.Go(func() {
			placed, err := p.request(ctx, inc, a)
			all[i] = result{id, placed, err}
		})
	}
	wg.Wait()
	now := time.Now()
	// What was done outside has to be known even when the hub is stopping.
	err := t.Save(context.WithoutCancel(ctx), func(inc *responsehub.Incident) error {
		for _, r := range all {
			if a := inc.Page.Attempt(r.id); a != nil {
				p.came(inc, a, r, now)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range all {
		if err := p.after(ctx, t.Incident, t.Incident.Page.Attempt(r.id)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pager) request(ctx context.Context, inc *responsehub.Incident, a responsehub.Attempt) (Placed, error) {
	to := p.person(a.Person).Phone
	if a.Way == responsehub.ByCall {
		return p.Phone.Call(ctx, Call{Attempt: a.ID, To: to, Ring: p.ring(inc), Severity: inc.Severity})
	}
	return p.Phone.Text(ctx, Text{Attempt: a.ID, To: to, Body: p.body(ctx, inc, &a), Severity: inc.Severity})
}

func (p *Pager) ring(inc *responsehub.Incident) time.Duration {
	if r := p.rota(inc); r != nil {
		return r.Ring
	}
	return defaultRing
}

// body is what an attempt's text says.
func (p *Pager) body(ctx context.Context, inc *responsehub.Incident, a *responsehub.Attempt) string {
	switch a.For {
	case responsehub.ToTell:
		return tellText(inc)
	case responsehub.ToShare:
		return shareText(inc)
	}
	return p.wake(ctx, inc, a)
}

// came notes what came of a request.
func (p *Pager) came(inc *responsehub.Incident, a *responsehub.Attempt, r result, now time.Time) {
	if r.err == nil {
		g := r.placed.Progress
		g.SID = r.placed.SID
		p.progress(inc, a, g, now)
		return
	}
	if a.SID != "" || a.State.Over() {
		return // a report was faster than the answer
	}
	a.Reason = responsehub.Sentence(r.err)
	switch responsehub.KindOf(r.err) {
	case responsehub.UnknownOutcome:
		a.Unsure, a.Again = true, now.Add(unsureFor).UTC()
	case responsehub.Throttled, responsehub.Unavailable:
		a.Unsure, a.Again = false, now.Add(pauseOf(r.err, a.Tries)).UTC()
	default:
		a.Refusal = string(RefusalOf(r.err))
		if a.Refusal == "" {
			a.Refusal = string(OurFault)
		}
		p.moved(inc, a, responsehub.AttemptFailed, now)
		p.fault(inc, a, now)
	}
}

// pauseOf is how long a request rests that was certainly not carried out.
func pauseOf(err error, tries int) time.Duration {
	pause := min(time.Second<<min(tries, 5), 30*time.Second)
	if responsehub.KindOf(err) == responsehub.Throttled {
		pause = time.Second // the network keeps the place in its queue
	}
	return max(pause, retryAfter(err))
}

// matches reports whether what the network has is this attempt.
func matches(inc *responsehub.Incident, a *responsehub.Attempt, g Placed) bool {
	if a.SID != "" {
		return a.SID == g.SID
	}
	for i := range inc.Page.Attempts {
		if o := &inc.Page.Attempts[i]; o.ID != a.ID && (o.SID == g.SID || slices.Contains(o.Also, g.SID)) {
			return false
		}
	}
	if a.Way == responsehub.ByCall {
		return true // a phone has one live call at a time, and this attempt had it
	}
	return a.Code == "" && strings.HasPrefix(g.Body, inc.Ref) && !strings.Contains(g.Body, " code ") || a.Code != "" && strings.Contains(g.Body, inc.Ref) && strings.Contains(g.Body, "code "+a.Code)
}
