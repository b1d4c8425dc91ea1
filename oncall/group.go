package oncall

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"responsehub"
)

// A group is several incidents that are open at a phone at the same time: one code takes
// them all. It stands in the book like an incident that is closed, so that its code is
// given to nothing else for the quarantine; which incidents it stands for is remembered
// as what was told. A group takes nothing that came in after its text.
const groupPrefix = "group:"

func isGroup(incident string) bool { return strings.HasPrefix(incident, groupPrefix) }

// wake is the text that wakes a person. Where more is open at the phone it has the codes
// of up to three incidents and one for all. What cannot be found out does not delay it.
func (p *Pager) wake(ctx context.Context, inc *responsehub.Incident, a *responsehub.Attempt) string {
	alone := pageText(inc, a.Code)
	phone := p.person(a.Person).Phone
	open, codes, err := p.open(ctx, phone)
	if err != nil || len(open) < 2 || !slices.ContainsFunc(open, func(o *responsehub.Incident) bool { return o.ID == inc.ID }) {
		return alone
	}
	code, err := p.group(ctx, phone, a.Person, open)
	if err != nil {
		p.log.Warn("a text goes out without the code for all that is open", "error", err)
		return alone
	}
	others := slices.DeleteFunc(slices.Clone(open), func(o *responsehub.Incident) bool { return o.ID == inc.ID })
	slices.SortStableFunc(others, func(a, b *responsehub.Incident) int {
		return cmp.Compare(slices.Index(responsehub.Severities, a.Severity), slices.Index(responsehub.Severities, b.Severity))
	})
	return severalText(inc, a.Code, others, codes, code)
}

// group gives incidents their code for all: the same one for the same incidents.
func (p *Pager) group(ctx context.Context, phone, person string, incs []*responsehub.Incident) (string, error) {
	ids := make([]string, len(incs))
	for i, inc := range incs {
		ids[i] = inc.ID
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(phone + "|" + strings.Join(ids, "|")))
	id := groupPrefix + hex.EncodeToString(sum[:16])
	if err := p.Book.Tell(ctx, id, ids); err != nil {
		return "", err
	}
	code, err := p.Book.Open(ctx, phone, Entry{Incident: id, Person: person})
	if err != nil {
		return "", err
	}
	return code, p.Book.Close(ctx, phone, id)
}

// answerAll takes a text with the code of a group. Each incident is answered by the
// person who was asked about it, if it is still open at this phone.
func (p *Pager) answerAll(ctx context.Context, c command, group string, entries []Entry) (string, bool, error) {
	told, err := p.Book.Told(ctx, group)
	if err != nil {
		return "", false, err
	}
	byText := func(a *responsehub.Attempt) bool { return a.Way == responsehub.ByText }
	done := 0
	for _, e := range entries {
		if !e.Closed.IsZero() || !slices.Contains(told, e.Incident) {
			continue
		}
		who := p.person(e.Person)
		if c.verb == verbNext {
			if err := p.pass(ctx, e.Incident, who, byText); err != nil {
				return "", false, err
			}
			done++
			continue
		}
		_, won, err := p.acknowledge(ctx, e.Incident, actor(who, responsehub.ViaText), byText)
		switch {
		case err != nil && responsehub.KindOf(err) == responsehub.NotFound:
		case err != nil:
			return "", false, err
		case won:
			done++
		}
	}
	return replyAll(c.verb == verbNext, done, len(told)), done > 0, nil
}
