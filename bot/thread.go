package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
	"responsehub/bot/card"
)

// A card is edited without a sound. What a person should notice is therefore said once in
// the card's thread as well, in one short reply: the lock that was read back, a lock that
// came undone, a step that needs a person or failed for good, nobody reached by phone,
// new evidence, the end. Steps that go as they should are told by the card alone.

const (
	// noticeLife is how old news may be to be said; the card tells it anyway. It keeps a
	// card that is posted late from repeating the past.
	noticeLife = time.Hour
	maxReplies = 200 // marks kept of one thread
)

// notice is one thing to say in the thread.
type notice struct {
	mark string // names it: what was said is not said again
	text string
	at   time.Time // when it came about; zero: it holds now
}

// notices are what the incident has to say at the moment, the likely order of events.
func (b *Bot) notices(inc *responsehub.Incident) []notice {
	var out []notice
	if n := rung(len(inc.Alerts)); n > 1 {
		out = append(out, notice{mark: fmt.Sprint("alerts:", n), text: sayEvidence(len(inc.Alerts))})
	}
	out = append(out, locks(inc)...)
	for i := range inc.Steps {
		s := &inc.Steps[i]
		switch s.State {
		case responsehub.NeedsHuman:
			out = append(out, notice{mark: fmt.Sprintf("human:%s:%d", s.ID, s.Round), text: sayNeedsHuman(s)})
		case responsehub.Failed:
			out = append(out, notice{mark: fmt.Sprintf("failed:%s:%d", s.ID, s.Round), text: sayStepFailed(s)})
		}
	}
	if n := rung(returned(inc)); n > 0 {
		out = append(out, notice{mark: fmt.Sprint("returned:", n), text: sayReturned(returned(inc))})
	}
	out = append(out, b.paging(inc)...)
	if inc.State.Closed() {
		// Whatever was on the way to be said is settled by the end.
		return []notice{{mark: fmt.Sprint("closed:", inc.ClosedAt.Unix()), text: sayClosed(inc), at: inc.ClosedAt}}
	}
	return out
}

// locks tell the verified lock and each undoing of it.
func locks(inc *responsehub.Incident) []notice {
	var out []notice
	s := inc.Step(responsehub.Lock)
	if s.State == responsehub.Done && !s.VerifiedAt.IsZero() {
		out = append(out, notice{mark: fmt.Sprint("locked:", s.Round), text: sayLocked(inc, s), at: s.VerifiedAt})
	}
	w := inc.Watch
	if w == nil {
		return out
	}
	if n := rung(w.Reversed); n > 0 && len(w.Reversals) > 0 {
		last := w.Reversals[len(w.Reversals)-1]
		out = append(out, notice{mark: fmt.Sprint("relocked:", n), text: sayRelocked(last, w.Reversed), at: last.LockedAt})
	}
	if r := w.Relock; r != nil && r.Failed != "" {
		out = append(out, notice{mark: fmt.Sprint("unlocked:", r.SeenAt.Unix()), text: sayUnlocked(r)})
	}
	return out
}

// paging tells who is called after the first person did not take it, that nobody did,
// and that an acknowledgement led to nothing: each once in one paging.
func (b *Bot) paging(inc *responsehub.Incident) []notice {
	p := inc.Page
	if !p.Going() || inc.Acknowledged != nil {
		return nil
	}
	var out []notice
	mark := func(what string, n int) string { return fmt.Sprintf("page:%d:%s:%d", p.Begun.Unix(), what, n) }
	if p.Lapsed > 0 {
		out = append(out, notice{mark: fmt.Sprint("page:again:", p.Lapsed), text: sayPagedAgain, at: p.Begun})
	}
	switch {
	case p.State == responsehub.PageExhausted || !p.Alarmed.IsZero():
		out = append(out, notice{mark: mark("nobody", 0), text: sayNobodyReached})
	case p.Step > 0 && p.Step < len(p.Sequence):
		out = append(out, notice{mark: mark("step", p.Step), text: sayEscalated(b.called(p), b.passed(p)), at: p.StepAt})
	}
	return out
}

// called are the people whose turn it is. The sequence may name a schedule in their place.
func (b *Bot) called(p *responsehub.Page) string {
	ids := p.Now
	if len(ids) == 0 {
		ids = p.Sequence[p.Step : p.Step+1]
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = b.nameOf(id)
	}
	return strings.Join(names, ", ")
}

// passed is who had the turn before and asked for the next person, or "".
func (b *Bot) passed(p *responsehub.Page) string {
	for _, a := range p.Attempts {
		if a.Passed && a.Turn == p.Step-1 {
			return b.nameOf(a.Person)
		}
	}
	return ""
}

// rung rounds down to the counts at which something that repeats is worth a reply.
func rung(n int) int {
	at := 0
	for _, s := range []int{1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if n >= s {
			at = s
		}
	}
	return at
}

// returned counts how often items of persistence were there again.
func returned(inc *responsehub.Incident) (n int) {
	for i := range inc.Step(responsehub.Persistence).Items {
		n += inc.Step(responsehub.Persistence).Items[i].Returned
	}
	return n
}

// unsaid is the first notice that this thread has not heard.
func (b *Bot) unsaid(inc *responsehub.Incident, ref responsehub.CardRef, now time.Time) (notice, bool) {
	for _, n := range b.notices(inc) {
		if !slices.Contains(ref.Replies, n.mark) && (n.at.IsZero() || now.Sub(n.at) < noticeLife) {
			return n, true
		}
	}
	return notice{}, false
}

// withMark adds a mark to what the thread has heard.
func withMark(marks []string, mark string) []string {
	marks = append(slices.Clone(marks), mark)
	return marks[max(len(marks)-maxReplies, 0):]
}

func (b *Bot) nameOf(person string) string {
	for _, p := range b.directory.People() {
		if p.ID == person {
			return card.Clean(p.Name, 80)
		}
	}
	return person
}

// harmless makes a text that strangers had a hand in fit for a message of plain text,
// where clients make links of addresses by themselves.
func harmless(text string, most int) string {
	return strings.ReplaceAll(card.Clean(text, most), "://", "[:]//")
}
