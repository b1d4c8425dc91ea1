package remediation

import (
	"context"

	"responsehub"
)

// maxLetters is the most letters on one page.
const maxLetters = 1000

// LetterPage is one page of the messages that a retraction found.
type LetterPage struct {
	Letters []responsehub.Letter
	Next    string // cursor of the next page, "" at the end
}

// Letters returns the messages that an incident's retraction found, a page at a time. A
// page may be short or empty though others follow, and a letter may come twice while the
// retraction is at work.
func (e *Engine) Letters(ctx context.Context, actor responsehub.Actor, idOrRef, cursor string, limit int) (LetterPage, error) {
	inc, err := e.Incident(ctx, actor, idOrRef)
	if err != nil {
		return LetterPage{}, err
	}
	if limit < 1 {
		limit = 100
	}
	letters, next, err := e.archive.Letters(ctx, inc.ID, cursor, min(limit, maxLetters))
	if responsehub.KindOf(err) == responsehub.Invalid {
		return LetterPage{}, err
	}
	return LetterPage{Letters: letters, Next: next}, unavailable(err)
}
