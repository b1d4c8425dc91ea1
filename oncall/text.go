package oncall

import (
	"context"
	"errors"
	"slices"
	"time"

	"responsehub"
)

const (
	guesses      = 5 // wrong codes from a number
	guessWindow  = 15 * time.Minute
	ignoredFor   = time.Hour
	repliesMost  = 5 // answers to a number within an hour that were no answer to an incident
	repliesEvery = time.Hour
)

// Texted takes a text. Strangers get no answer, and nobody gets many that answer
// nothing: two machines that answer each other fall silent.
func (p *Pager) Texted(ctx context.Context, in Incoming) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, work)
	defer cancel()
	if reply, known, err := p.Book.Answer(ctx, in.SID); err != nil || known {
		return reply, err
	}
	people := p.peopleAt(in.From)
	if len(people) == 0 {
		p.log.Info("a text from an unknown number is not answered", "phone", responsehub.MaskPhone(in.From))
		return "", nil
	}
	barred, err := p.Book.Barred(ctx, "texts|"+in.From)
	if err != nil || barred > 0 && parse(in.Body).verb != verbStop {
		return "", err
	}
	reply, acted, err := p.texted(ctx, in, people)
	if err != nil {
		return "", err
	}
	if reply != "" && !acted {
		full, err := p.Book.Count(ctx, "replies|"+in.From, in.SID, repliesMost, repliesEvery)
		if err != nil {
			return "", err
		}
		if full {
			reply = ""
		}
	}
	return reply, p.Book.Keep(ctx, in.SID, reply)
}

// texted carries out what a text asks for. acted says that an incident was answered.
func (p *Pager) texted(ctx context.Context, in Incoming, people []responsehub.Person) (reply string, acted bool, err error) {
	c, who := parse(in.Body), people[0]
	masked := responsehub.MaskPhone(in.From)
	switch c.verb {
	case verbStop:
		mute, err := p.Book.Muted(ctx, in.From)
		if err == nil && mute == MuteNothing {
			// First the alarm: once the number is muted, nothing says it a second time.
			err = errors.Join(p.tellOperators(ctx, in.From, stopWords(who.Name, masked), stopped(in.From)), p.Book.Mute(ctx, in.From, MuteTexts))
		}
		return "", false, err
	case verbStart:
		mute, err := p.Book.Muted(ctx, in.From)
		if err != nil || mute == MuteNothing {
			return "", false, err
		}
		over := stopped(in.From)
		over.Over = true
		return replyOn, false, errors.Join(p.tellOperators(ctx, in.From, startWords(who.Name, masked), over), p.Book.Mute(ctx, in.From, MuteNothing))
	case verbWrong:
		if err := p.tellOperators(ctx, in.From, wrongNumberWords(who.Name, masked), responsehub.Alarm{}); err != nil {
			return "", false, err
		}
		return replyWhoseNot, false, p.Book.Mute(ctx, in.From, MuteAll)
	}
	incs, codes, err := p.open(ctx, in.From)
	if err != nil {
		return "", false, err
	}
	switch {
	case c.verb == verbHelp:
		return replyHelp, false, nil
	case c.verb == verbStatus && len(incs) == 0:
		return replyNothing, false, nil
	case c.verb == verbStatus:
		return replyWhich(incs, codes, false), false, nil
	case c.verb == verbNone:
		return replyUnknown, false, nil
	case c.code != "":
		return p.answer(ctx, in, c)
	case len(incs) == 0:
		return replyNothing, false, nil
	case len(incs) > 1:
		return replyWhich(incs, codes, true), false, nil
	}
	c.code = codes[incs[0].ID]
	return p.answer(ctx, in, c)
}

// answer takes a text with a code. The code says which incident of this phone is meant,
// and which of the people who share the phone was asked.
func (p *Pager) answer(ctx context.Context, in Incoming, c command) (string, bool, error) {
	entries, err := p.Book.Entries(ctx, in.From)
	if err != nil {
		return "", false, err
	}
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.Code == c.code })
	if i < 0 {
		reply, err := p.wrongCode(ctx, in)
		return reply, false, err
	}
	e := entries[i]
	if isGroup(e.Incident) {
		return p.answerAll(ctx, c, e.Incident, entries)
	}
	who := p.person(e.Person)
	inc, err := p.Incidents.Incident(ctx, responsehub.Hub, e.Incident)
	if err != nil {
		return "", false, err
	}
	mine := func(a *responsehub.Attempt) bool { return a.Way == responsehub.ByText && a.Code == c.code }
	if c.verb == verbNext {
		if !inc.Page.Going() || inc.Acknowledged != nil {
			return late(inc, "person:"+who.ID), false, nil
		}
		return replyPassed(inc), true, p.pass(ctx, inc.ID, who, mine)
	}
	if !e.Closed.IsZero() { // a late answer never touches an incident that somebody has, or one that was closed
		return late(inc, "person:"+who.ID), false, nil
	}
	me := actor(who, responsehub.ViaText)
	inc, won, err := p.acknowledge(ctx, inc.ID, me, mine)
	switch {
	case err != nil:
		return "", false, err
	case won:
		return replyTaken(inc), true, nil
	}
	return late(inc, me.ID), inc.Acknowledged != nil, nil
}

func late(inc *responsehub.Incident, me string) string {
	if a := inc.Acknowledged; a != nil && !inc.State.Closed() {
		return replyFirst(inc, a.By, a.At, me)
	}
	return replyClosed(inc)
}

// wrongCode counts a wrong code. After five the number is ignored for a while: whoever
// spoofs it must not find a code by trying.
func (p *Pager) wrongCode(ctx context.Context, in Incoming) (string, error) {
	full, err := p.Book.Count(ctx, "guesses|"+in.From, in.SID, guesses-1, guessWindow)
	if err != nil || !full {
		return replyWrong, err
	}
	if err := p.Book.Bar(ctx, "texts|"+in.From, ignoredFor); err != nil {
		return "", err
	}
	return "", p.tellOperators(ctx, in.From, guessedWords(p.peopleAt(in.From)[0].Name, responsehub.MaskPhone(in.From)), responsehub.Alarm{})
}
