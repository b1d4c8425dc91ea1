package oncall

import (
	"context"
	"errors"
	"slices"
	"time"

	"responsehub"
)

const (
	// work bounds what is done before the network gets its answer: it hangs up after 15 s.
	work = 5 * time.Second
	// moments is how often a person is asked to wait while the answer cannot be stored.
	moments = 3
)

// open returns the incidents that are open at a phone, oldest first, and their codes.
func (p *Pager) open(ctx context.Context, phone string) ([]*responsehub.Incident, map[string]string, error) {
	entries, err := p.Book.Entries(ctx, phone)
	if err != nil {
		return nil, nil, err
	}
	var out []*responsehub.Incident
	codes := map[string]string{}
	for _, e := range entries {
		if !e.Closed.IsZero() || isGroup(e.Incident) {
			continue
		}
		inc, err := p.Incidents.Incident(ctx, responsehub.Hub, e.Incident)
		if responsehub.KindOf(err) == responsehub.NotFound && err != nil {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if inc.Acknowledged == nil && inc.Page.Going() {
			out = append(out, inc)
			codes[inc.ID] = e.Code
		}
	}
	slices.SortStableFunc(out, func(a, b *responsehub.Incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return out, codes, nil
}

// caller is who a call is with.
func (p *Pager) caller(ctx context.Context, attempt string) (Binding, responsehub.Person, bool, error) {
	b, ok, err := p.Book.Binding(ctx, attempt)
	if err != nil || !ok {
		return b, responsehub.Person{}, false, err
	}
	return b, p.person(b.Person), true, nil
}

// Answered says what is open for whoever picked up.
func (p *Pager) Answered(ctx context.Context, attempt string) (Speech, error) {
	ctx, cancel := context.WithTimeout(ctx, work)
	defer cancel()
	b, who, ok, err := p.caller(ctx, attempt)
	if err != nil {
		return Speech{}, err
	}
	if !ok {
		return Speech{Lines: []string{sayOver}, Language: language(who)}, nil
	}
	if b.Incident == trialOf {
		return trialSpeech(who), nil
	}
	return p.speak(ctx, attempt, b, who, spokenPage)
}

// speak says what is open by a sentence of the words, and remembers what was said: a key
// is an answer to that only.
func (p *Pager) speak(ctx context.Context, attempt string, b Binding, who responsehub.Person, words func([]*responsehub.Incident) []string) (Speech, error) {
	incs, _, err := p.open(ctx, who.Phone)
	if err != nil {
		return Speech{}, err
	}
	if len(incs) == 0 {
		lines := []string{sayOver}
		inc, err := p.Incidents.Incident(ctx, responsehub.Hub, b.Incident)
		if err == nil && inc.Acknowledged != nil {
			a := inc.Acknowledged
			lines = []string{sayFirst(inc, a.By, a.At, "person:"+who.ID), sayGoodbye}
		}
		return Speech{Lines: lines, Language: language(who)}, nil
	}
	ids := make([]string, len(incs))
	for i, inc := range incs {
		ids[i] = inc.ID
	}
	if err := p.Book.Tell(ctx, attempt, ids); err != nil {
		return Speech{}, err
	}
	return Speech{Lines: words(incs), Language: language(who), Ask: true, Goodbye: sayNothing}, nil
}

// Pressed takes a key. What is said about it is said after it was stored; the same key
// again is answered alike and changes nothing.
func (p *Pager) Pressed(ctx context.Context, attempt, sid, digit string, try int) (Speech, error) {
	ctx, cancel := context.WithTimeout(ctx, work)
	defer cancel()
	speech, err := p.pressed(ctx, attempt, sid, digit)
	if err == nil {
		return speech, nil
	}
	p.log.Warn("a key cannot be stored", "attempt", attempt, "try", try, "error", err)
	if try < moments && (digit == "4" || digit == "5" || digit == "9") {
		return Speech{Wait: digit, Language: language(responsehub.Person{})}, nil
	}
	return Speech{Lines: []string{sayNotStored}, Language: language(responsehub.Person{})}, nil
}

func (p *Pager) pressed(ctx context.Context, attempt, sid, digit string) (Speech, error) {
	b, who, ok, err := p.caller(ctx, attempt)
	if err != nil {
		return Speech{}, err
	}
	end := func(lines ...string) (Speech, error) {
		return Speech{Lines: lines, Language: language(who)}, nil
	}
	if !ok {
		return end(sayOver)
	}
	if b.Incident == trialOf {
		return p.trialPressed(ctx, attempt, digit, who)
	}
	switch digit {
	case "4":
		lines, err := p.take(ctx, attempt, b, who)
		if err != nil {
			return Speech{}, err
		}
		return end(lines...)
	case "5":
		return p.passOn(ctx, attempt, b, who, sayPassed)
	case "9":
		return p.notMine(ctx, attempt, b, who)
	case "":
		return end(sayNothing)
	case "1":
		return p.speak(ctx, attempt, b, who, spokenList)
	case "*":
		return p.speak(ctx, attempt, b, who, spokenPage)
	}
	return p.speak(ctx, attempt, b, who, func(incs []*responsehub.Incident) []string { return append([]string{sayWrongKey}, spokenPage(incs)...) })
}

// take acknowledges everything that was spoken of on the call.
func (p *Pager) take(ctx context.Context, attempt string, b Binding, who responsehub.Person) ([]string, error) {
	told, err := p.Book.Told(ctx, attempt)
	if err != nil {
		return nil, err
	}
	if len(told) == 0 {
		told = []string{b.Incident} // the key was faster than the answer about the voice
	}
	me := actor(who, responsehub.ViaPhone)
	mine, lines := 0, []string(nil)
	for _, id := range told {
		inc, won, err := p.acknowledge(ctx, id, me, func(a *responsehub.Attempt) bool { return a.ID == attempt || a.Joined == attempt })
		switch {
		case err != nil && responsehub.KindOf(err) == responsehub.NotFound:
		case err != nil:
			return nil, err
		case won:
			mine++
		case inc.Acknowledged == nil:
			lines = append(lines, sayOver)
		default:
			lines = append(lines, sayFirst(inc, inc.Acknowledged.By, inc.Acknowledged.At, me.ID))
		}
	}
	if mine > 0 {
		if err := p.shown(ctx, who.Phone); err != nil { // the answer is stored: it counts without
			p.log.Warn("that a phone works could not be noted", "phone", responsehub.MaskPhone(who.Phone), "error", err)
		}
		lines = append(lines, sayTaken(mine))
	} else {
		lines = append(lines, sayGoodbye)
	}
	return lines[max(0, len(lines)-6):], nil
}

// actor is a person who was paged. Whoever put the person on the list wanted the answer,
// whatever tenants the person sees elsewhere; nothing but an answer comes by phone.
func actor(who responsehub.Person, via responsehub.Surface) responsehub.Actor {
	a := who.Actor(via)
	a.Tenants = []string{"*"}
	return a
}

// acknowledge notes the person's answer in the incident and in the attempt by which it
// came, in one write. won is false when somebody else was first, or nobody is needed; the
// same answer again is answered like the first one.
func (p *Pager) acknowledge(ctx context.Context, id string, me responsehub.Actor, by func(*responsehub.Attempt) bool) (inc *responsehub.Incident, won bool, err error) {
	inc, err = p.amend(ctx, id, func(inc *responsehub.Incident) error {
		now := time.Now()
		won = false
		var at *responsehub.Attempt
		if inc.Page != nil {
			for i := range inc.Page.Attempts {
				if a := &inc.Page.Attempts[i]; a.Person == personOf(me) && a.For == responsehub.ToWake && by(a) {
					at = a
				}
			}
		}
		if at == nil {
			return errOver // nobody asked this person
		}
		switch ack := inc.Acknowledged; {
		case inc.State.Closed():
			won = ack != nil && ack.By.ID == me.ID
			return nil
		case ack == nil && at.State == responsehub.AttemptAcknowledged && at.Way == responsehub.ByCall:
			// It lapsed since: an old key must not answer the new call.
		case ack == nil:
			inc.Acknowledge(me, now)
			won = true
		default:
			won = ack.By.ID == me.ID
		}
		p.moved(inc, at, responsehub.AttemptAcknowledged, now)
		return nil
	})
	if errors.Is(err, errOver) {
		inc, err = p.Incidents.Incident(ctx, responsehub.Hub, id)
		return inc, false, err
	}
	return inc, won, err
}

func personOf(a responsehub.Actor) string { return a.ID[len("person:"):] }

// passOn lets the next person be called now, for everything that was spoken of.
func (p *Pager) passOn(ctx context.Context, attempt string, b Binding, who responsehub.Person, say string) (Speech, error) {
	told, err := p.Book.Told(ctx, attempt)
	if err != nil {
		return Speech{}, err
	}
	if len(told) == 0 {
		told = []string{b.Incident}
	}
	for _, id := range told {
		if err := p.pass(ctx, id, who, func(a *responsehub.Attempt) bool { return a.ID == attempt || a.Joined == attempt }); err != nil {
			return Speech{}, err
		}
	}
	return Speech{Lines: []string{say}, Language: language(who)}, nil
}

// pass notes that the person asked for the next one, once.
func (p *Pager) pass(ctx context.Context, id string, who responsehub.Person, by func(*responsehub.Attempt) bool) error {
	_, err := p.amend(ctx, id, func(inc *responsehub.Incident) error {
		if !inc.Page.Going() || inc.Acknowledged != nil {
			return nil
		}
		for i := len(inc.Page.Attempts) - 1; i >= 0; i-- {
			a := &inc.Page.Attempts[i]
			if a.Person != who.ID || a.For != responsehub.ToWake || !by(a) {
				continue
			}
			if !a.Passed {
				a.Passed = true
				inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventPagePassed, By: who.Actor(responsehub.ViaPhone).By(), Text: who.Name + " cannot take it: the next person is called"})
			}
			return nil
		}
		return nil
	})
	return err
}

// notMine takes a number off that is said, twice, to be somebody else's.
func (p *Pager) notMine(ctx context.Context, attempt string, b Binding, who responsehub.Person) (Speech, error) {
	barred, err := p.Book.Barred(ctx, "nine|"+attempt)
	if err != nil {
		return Speech{}, err
	}
	if barred == 0 || barred > time.Hour-time.Second { // within a second it is the same key, sent again
		if err := p.Book.Bar(ctx, "nine|"+attempt, time.Hour); err != nil {
			return Speech{}, err
		}
		return Speech{Lines: []string{sayNotYours}, Language: language(who), Ask: true, Goodbye: sayGoodbye}, nil
	}
	if err := p.tellOperators(ctx, who.Phone, wrongNumberWords(who.Name, responsehub.MaskPhone(who.Phone)), responsehub.Alarm{}); err != nil {
		return Speech{}, err
	}
	if err := p.Book.Mute(ctx, who.Phone, MuteAll); err != nil {
		return Speech{}, err
	}
	return p.passOn(ctx, attempt, b, who, sayRemoved)
}

// CalledIn says what is open for whoever calls the hub. It acknowledges nothing: the
// number that calls can be spoofed, and no key is known to have been asked for.
func (p *Pager) CalledIn(ctx context.Context, from string) (Speech, error) {
	ctx, cancel := context.WithTimeout(ctx, work)
	defer cancel()
	people := p.peopleAt(from)
	if len(people) == 0 {
		return Speech{Lines: []string{sayUnknown}, Language: language(responsehub.Person{})}, nil
	}
	incs, _, err := p.open(ctx, from)
	if err != nil {
		return Speech{}, err
	}
	lines := []string{sayNoIncident}
	if len(incs) > 0 {
		lines = append(sayOpen(incs), sayGoodbye)
	}
	return Speech{Lines: lines, Language: language(people[0])}, nil
}

// Reported takes a report. One about an attempt that is not known any more is dropped.
func (p *Pager) Reported(ctx context.Context, attempt string, g Progress) error {
	ctx, cancel := context.WithTimeout(ctx, work)
	defer cancel()
	b, ok, err := p.Book.Binding(ctx, attempt)
	if err != nil || !ok {
		return err
	}
	if b.Incident == trialOf {
		return p.trialReported(ctx, attempt, g)
	}
	inc, err := p.amend(ctx, b.Incident, func(inc *responsehub.Incident) error {
		if a := inc.Page.Attempt(attempt); a != nil {
			p.progress(inc, a, g, time.Now())
		}
		return nil
	})
	if err != nil {
		return err
	}
	a := inc.Page.Attempt(attempt)
	if a == nil {
		return nil
	}
	if g.Machine && a.Way == responsehub.ByCall && a.State == responsehub.AttemptVoicemail && g.SID != "" {
		if err := p.Phone.HangUp(ctx, g.SID); err != nil {
			p.log.Info("a call that a machine answered could not be ended; it ends by itself", "error", err)
		}
	}
	return p.after(ctx, inc, a)
}
