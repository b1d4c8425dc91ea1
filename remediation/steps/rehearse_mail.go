package steps

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"responsehub"
)

const (
	// rehearseMost is how many mailboxes a rehearsal looks into: it is to be over while
	// somebody waits.
	rehearseMost = 200
	// rehearseWide is how many at the same time.
	rehearseWide = 8
	// countPages is how many pages of users are counted.
	countPages = 5
)

// retract is step 2: where would be looked for the phish, and what lies there now.
func (w *rehearsing) retract(ctx context.Context) {
	if len(w.inc.Phish) == 0 {
		w.mailboxes(ctx)
		return
	}
	s, tenant := w.step(responsehub.Retract), w.inc.Tenant.MicrosoftTenantID
	at, err := (&Retract{Mail: w.Mail}).plan(ctx, &w.inc, cursor{})
	if err != nil {
		s.Stop(responsehub.Sentence(err))
		return
	}
	boxes := at.boxes
	if boxes != nil {
		s.Mailboxes = len(boxes)
		s.Would = append(s.Would, fmt.Sprintf("Message trace names the mailboxes to search: %d, the victim's own included.", len(boxes)))
	} else {
		s.Would = append(s.Would, at.why)
		if boxes, s.Mailboxes, s.Bounded, err = w.list(ctx, tenant); err != nil {
			s.Stop(responsehub.Sentence(err))
		}
	}
	if len(boxes) > rehearseMost {
		boxes, s.Bounded = boxes[:rehearseMost], true
	}
	w.peek(ctx, tenant, boxes, s)
}

// mailboxes counts where would be searched when no phish is known yet.
func (w *rehearsing) mailboxes(ctx context.Context) {
	s, tenant := w.step(responsehub.Retract), w.inc.Tenant.MicrosoftTenantID
	_, n, bounded, err := w.list(ctx, tenant)
	s.Mailboxes, s.Bounded = n, bounded
	if err != nil {
		s.Stop(responsehub.Sentence(err))
	}
	more := ""
	if bounded {
		more = "at least "
	}
	text := fmt.Sprintf("No phish is named, so there is nothing to move. With one, %s%d users with a mail address would be searched", more, n)
	switch {
	case w.Trace == nil:
		text += "."
	default:
		if err := w.Trace(ctx, tenant); err != nil {
			text += ", all of them: the message trace does not answer. " + responsehub.Sentence(err)
		} else {
			text += "; the message trace answers, so only those that got the phish."
		}
	}
	s.Would = append(s.Would, text)
}

// list counts mailboxes over the first pages, and returns those that may be looked into.
func (w *rehearsing) list(ctx context.Context, tenant string) (boxes []Mailbox, n int, bounded bool, err error) {
	page := ""
	for range countPages {
		some, next, err := w.Mail.MailboxPage(ctx, tenant, page)
		if err != nil {
			return boxes, n, true, err
		}
		n += len(some)
		boxes = append(boxes, some[:min(len(some), rehearseMost+1-len(boxes))]...)
		if next == "" {
			return boxes, n, false, nil
		}
		page = next
	}
	return boxes, n, true, nil
}

// peek counts the phish in the mailboxes without moving it.
func (w *rehearsing) peek(ctx context.Context, tenant string, boxes []Mailbox, s *responsehub.PlanStep) {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(rehearseWide)
	phish := windows(&w.inc)
	found, trashed, kept, holders, missed := 0, 0, 0, 0, 0
	var why error
	for _, box := range boxes {
		group.Go(func() error {
			letters, trash, sent, err := w.open(ctx, tenant, box, phish)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case isGone(err): // no mailbox in the cloud: nothing to search
			case err != nil:
				missed, why = missed+1, err
			default:
				s.LookedAt++
				before := found
				for _, l := range letters {
					switch {
					case trash != "" && l.Folder == trash:
						trashed++
					case sent != "" && l.Folder == sent:
						kept++
					default:
						found++
					}
				}
				if found > before {
					holders++
				}
			}
			return nil
		})
	}
	_ = group.Wait() // the functions report through the counts
	s.Messages = found
	text := fmt.Sprintf("Move %d messages to Deleted Items, in %d mailboxes", found, holders)
	if found == 0 {
		text = "Move nothing: no message that matches lies outside Deleted Items"
	}
	if trashed > 0 {
		text += fmt.Sprintf("; %d lie there already", trashed)
	}
	if kept > 0 {
		text += fmt.Sprintf("; %d in the victim's own Sent Items are kept as evidence", kept)
	}
	text += fmt.Sprintf(" (%d mailboxes were looked into", s.LookedAt)
	if s.Bounded {
		text += fmt.Sprintf(", not all: a rehearsal looks into %d at most", rehearseMost)
	}
	s.Would = append(s.Would, text+").")
	if missed > 0 {
		s.Stop(fmt.Sprintf("%d mailboxes could not be looked into: %s", missed, responsehub.Sentence(why)))
	}
	s.Lasting = append(s.Lasting, "Mail that its owner deletes for good or moves after the step, and mail that was opened, stays so.")
}

// open finds the phish in one mailbox.
func (w *rehearsing) open(ctx context.Context, tenant string, box Mailbox, phish []responsehub.Phish) (letters []Letter, trash, sent string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", "", &responsehub.Error{Kind: responsehub.Unavailable, Message: "The time for the rehearsal was up.", Err: err}
	}
	seen := map[string]bool{}
	for _, p := range phish {
		some, err := w.Mail.Find(ctx, tenant, box.ID, p)
		if err != nil {
			return nil, "", "", err
		}
		for _, l := range some {
			if !seen[l.ID] {
				seen[l.ID] = true
				letters = append(letters, l)
			}
		}
	}
	if len(letters) == 0 {
		return nil, "", "", nil
	}
	if trash, err = w.Mail.Trash(ctx, tenant, box.ID); err != nil {
		return nil, "", "", err
	}
	if (&run{victim: w.inc.Account}).victims(box) {
		sent, err = w.Mail.Sent(ctx, tenant, box.ID)
	}
	return letters, trash, sent, err
}
