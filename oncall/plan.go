package oncall

import (
	"cmp"
	"slices"
	"time"

	"responsehub"
)

// The times of a sequence, where a tenant says nothing else.
const (
	defaultRing   = 25 * time.Second
	defaultRedial = 75 * time.Second // a second call within three minutes rings through Do Not Disturb on many phones
	defaultWait   = 3 * time.Minute
	defaultRounds = 3
	defaultNobody = 15 * time.Minute
	defaultStart  = 10 * time.Minute

	afresh      = 15 * time.Minute // how often everybody is called again once all were tried
	afreshMost  = 16
	unsureFor   = 10 * time.Second // how long a report is waited for when it is not known whether a request was carried out
	deaf        = 15 * time.Second // how long after the ringing a call may stay without a report
	longest     = 10 * time.Minute // a call
	hangUpAgain = 2 * time.Second  // when a call that could not be ended is looked at again
	joinEvery   = 5 * time.Second  // how often an attempt looks at the call that it joined
)

// rota is a tenant's sequence with all times filled in.
type rota struct {
	responsehub.OnCall
	fallback []string // ids of people
}

func newRota(o responsehub.OnCall, fallback []string) *rota {
	r := &rota{OnCall: o, fallback: fallback}
	r.Ring, r.Redial, r.Wait = cmp.Or(r.Ring, defaultRing), cmp.Or(r.Redial, defaultRedial), cmp.Or(r.Wait, defaultWait)
	r.Rounds, r.Nobody, r.Start = cmp.Or(r.Rounds, defaultRounds), cmp.Or(r.Nobody, defaultNobody), cmp.Or(r.Start, defaultStart)
	return r
}

// people returns whose turn a step is, in an incident whose sequence was frozen. Turns of
// nobody (a schedule that has nobody on call) are empty.
func (r *rota) people(p *responsehub.Page, step int, now time.Time) []string {
	total := len(p.Sequence) * p.Rounds
	everyone := func() []string {
		o := r.OnCall
		o.Sequence = p.Sequence
		return o.At(now)
	}
	switch {
	case step < total:
		if who := r.Who(p.Sequence[step%len(p.Sequence)], now); who != "" {
			return []string{who}
		}
		return nil
	case step == total:
		return everyone()
	case step == total+1:
		return r.fallback
	case step <= total+1+afreshMost:
		out := everyone()
		for _, id := range r.fallback {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
		return out
	}
	return nil
}

// exhausted reports whether everybody of the sequence has been tried.
func exhausted(p *responsehub.Page, step int) bool { return step > len(p.Sequence)*p.Rounds }

// lasts is how long a turn is at most. A text alone is given the same time before it is
// followed by a call.
func (r *rota) lasts(p *responsehub.Page, loud loudness) time.Duration {
	switch {
	case p.Step > len(p.Sequence)*p.Rounds+1:
		return afresh
	case loud == textFirst:
		return 2 * r.Wait
	}
	return r.Wait
}

// loudness is how people are reached.
type loudness int

const (
	textOnly  loudness = iota // a call only where the text cannot arrive
	textFirst                 // the call follows when the text was not answered
	together
)

func loud(s responsehub.Severity) loudness {
	switch s {
	case responsehub.Low:
		return textOnly
	case responsehub.Medium:
		return textFirst
	}
	return together
}

// plan is what is due now for an incident, and when something is due next.
type plan struct {
	do   what
	why  string // why people are called, for begin
	step int    // for turn
	at   time.Time
	place,
	request,
	look []action
	next time.Time // zero: when the incident changes
}

// what is one change of the page that comes before everything else.
type what int

const (
	nothing what = iota
	begin        // people are called from now on
	turn         // it is the next one's turn
	alarm        // say that nobody has been reached
	lapse        // the acknowledgement does not count any more
	finish       // nobody is called any more: carry that out
)

// action is one call or text that is due.
type action struct {
	attempt string // of one that exists
	person  string
	way     responsehub.Way
	errand  responsehub.Errand
}

func (p *plan) later(at time.Time) {
	if p.next.IsZero() || at.Before(p.next) {
		p.next = at
	}
}

// planFor says what is due. It looks at nothing but its arguments.
func planFor(inc *responsehub.Incident, r *rota, now time.Time) plan {
	var pl plan
	page, why := inc.Page, inc.NeedsPeople(now)
	if r == nil && page == nil {
		return pl
	}
	if page.Going() && (inc.Acknowledged != nil || why == "" || r == nil) || page != nil && !page.Going() && !page.Settled {
		pl.do = finish
		return pl
	}
	attempts(&pl, inc, now)
	if r == nil || inc.State.Closed() {
		return pl
	}
	if a := inc.Acknowledged; a != nil {
		if page != nil && why != "" && !inc.Started(a.At) {
			if due := a.At.Add(r.Start); now.Before(due) {
				pl.later(due)
			} else {
				return plan{do: lapse}
			}
		}
		return pl
	}
	if !page.Going() {
		switch {
		case why != "" && len(r.Sequence)+len(r.fallback) > 0:
			return plan{do: begin, why: why}
		case why == "" && inc.AutomaticDone() && !shared(page) && len(r.Sequence) > 0:
			if who := r.Who(r.Sequence[0], now); who != "" {
				pl.place = append(pl.place, action{person: who, way: responsehub.ByText, errand: responsehub.ToShare})
			}
		case inc.Response && !inc.Step(responsehub.Lock).State.Settled():
			pl.later(inc.OpenedAt.Add(responsehub.LockWithin))
		}
		return pl
	}
	return running(pl, inc, r, now)
}

func shared(p *responsehub.Page) bool {
	return p != nil && slices.ContainsFunc(p.Attempts, func(a responsehub.Attempt) bool { return a.For != responsehub.ToTell })
}

// attempts finds those that have to be looked at or asked for again.
func attempts(pl *plan, inc *responsehub.Incident, now time.Time) {
	if inc.Page == nil {
		return
	}
	for i := range inc.Page.Attempts {
		a := &inc.Page.Attempts[i]
		if a.State.Over() || a.Again.IsZero() {
			continue
		}
		if now.Before(a.Again) {
			pl.later(a.Again)
			continue
		}
		act := action{attempt: a.ID, person: a.Person, way: a.Way, errand: a.For}
		if a.Unsure || a.SID != "" || a.Joined != "" {
			pl.look = append(pl.look, act)
		} else {
			pl.request = append(pl.request, act)
		}
	}
}

// running plans the turn under way.
func running(pl plan, inc *responsehub.Incident, r *rota, now time.Time) plan {
	p := inc.Page
	if p.Alarmed.IsZero() {
		due := p.Begun.Add(r.Nobody)
		if exhausted(p, p.Step) || !now.Before(due) {
			return plan{do: alarm}
		}
		pl.later(due)
	}
	how, end := loud(inc.Severity), p.StepAt.Add(r.lasts(p, loud(inc.Severity)))
	last := p.Step > len(p.Sequence)*p.Rounds+1+afreshMost
	if last {
		return pl
	}
	tried, stuck := true, len(p.Now) > 0
	for _, who := range p.Now {
		t := tell(p, who)
		tried = tried && t.hopeless()
		stuck = stuck && t.stuck()
		for _, way := range []responsehub.Way{responsehub.ByText, responsehub.ByCall} {
			at, wanted := t.due(way, how, p, r)
			switch {
			case !wanted:
			case now.Before(at):
				pl.later(at)
			default:
				pl.place = append(pl.place, action{person: who, way: way})
			}
		}
	}
	patient := exhausted(p, p.Step) // nobody comes after: there is no hurry
	switch {
	case len(pl.place) > 0:
	case tried && !patient:
		return plan{do: turn, step: p.Step + 1, at: now}
	case stuck && now.Sub(p.Begun) < 24*time.Hour: // the network takes nothing at all: the next person could not be reached either
	case !now.Before(end):
		at := end
		if now.Sub(end) > 30*time.Second { // the hub was away: nobody's time is cut short for it
			at = now
		}
		return plan{do: turn, step: p.Step + 1, at: at}
	default:
		pl.later(end)
	}
	return pl
}

// tale is what was tried with one person in this turn.
type tale struct {
	texts, calls []*responsehub.Attempt
	passed       bool
}

func tell(p *responsehub.Page, who string) tale {
	var t tale
	for i := range p.Attempts {
		a := &p.Attempts[i]
		if a.Person != who || a.Turn != p.Step || a.For != responsehub.ToWake || a.At.Before(p.Begun) {
			continue
		}
		t.passed = t.passed || a.Passed
		switch {
		case a.Way == responsehub.ByText:
			t.texts = append(t.texts, a)
		case a.State != responsehub.AttemptCancelled: // one that was taken back reached nobody and failed for no reason of the phone's
			t.calls = append(t.calls, a)
		}
	}
	return t
}

// lastCall returns the last call, or nil.
func (t tale) lastCall() *responsehub.Attempt {
	if len(t.calls) == 0 {
		return nil
	}
	return t.calls[len(t.calls)-1]
}

// hopeless reports whether waiting for the person makes no sense.
func (t tale) hopeless() bool {
	if t.passed {
		return true
	}
	last := t.lastCall()
	if last == nil {
		return false
	}
	busy := len(t.calls) > 1 && t.calls[0].State == responsehub.AttemptBusy && last.State == responsehub.AttemptBusy
	return last.State == responsehub.AttemptVoicemail || busy || last.State == responsehub.AttemptFailed && !retryable(last)
}

// retryable reports whether a failed call may get through a little later.
func retryable(a *responsehub.Attempt) bool { return Refusal(a.Refusal) == NotNow || a.Refusal == "" }

// stuck reports whether all that was tried for the person could not even be asked for, or
// nobody can say whether it was: the network is away.
func (t tale) stuck() bool {
	n := 0
	for _, a := range slices.Concat(t.texts, t.calls) {
		if a.State != responsehub.AttemptRequested || a.SID != "" || a.Again.IsZero() {
			if a.State != responsehub.AttemptFailed {
				return false
			}
			continue
		}
		n++
	}
	return n > 0
}

// due says when the person is to be reached by a way, if at all.
func (t tale) due(way responsehub.Way, how loudness, p *responsehub.Page, r *rota) (at time.Time, wanted bool) {
	if t.passed {
		return at, false
	}
	if way == responsehub.ByText {
		return p.StepAt, len(t.texts) == 0
	}
	last := t.lastCall()
	switch {
	case last == nil && how == together, last == nil && t.silent():
		return p.StepAt, true
	case last == nil:
		return p.StepAt.Add(r.Wait), how == textFirst
	case !last.State.Over() || len(t.calls) > 1 || t.hopeless():
		return at, false
	}
	// A call that had to wait for the network began when it rang, not when it was wanted.
	began := t.calls[0].At
	if rang := t.calls[0].Ended.Add(-r.Ring); rang.After(began) {
		began = rang
	}
	return began.Add(r.Redial), true
}

// silent reports whether the text cannot arrive, so that a call has to take its place.
func (t tale) silent() bool {
	return len(t.texts) > 0 && !slices.ContainsFunc(t.texts, func(a *responsehub.Attempt) bool {
		return a.State != responsehub.AttemptFailed && a.State != responsehub.AttemptUndelivered
	})
}
