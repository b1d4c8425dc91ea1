package steps

import (
	"context"
	"errors"
	"time"

	"responsehub"
)

// How often a mailbox is tried within one run. Being asked to wait is no failure, but
// it must not go on for ever either.
const (
	maxTries     = 5
	maxThrottles = 20
	firstPause   = time.Second
	longestPause = 30 * time.Second
	// maxDeferred is how many may wait for another try before no more mailboxes are begun:
	// when so many fail, it is Microsoft that is down, and every mailbox would only fail too.
	maxDeferred = 4 * width
)

// attempt counts the tries of one thing at one mailbox.
type attempt struct{ tries, throttles int }

// again decides when something that failed is tried again within this run; false when
// it is given up for now.
func (a *attempt) again(err error) (time.Duration, bool) {
	var asked time.Duration
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		asked = e.RetryAfter
	}
	if responsehub.KindOf(err) == responsehub.Throttled {
		a.throttles++
		return max(asked, min(firstPause<<min(a.throttles-1, 5), longestPause)/2), a.throttles < maxThrottles
	}
	a.tries++
	return max(asked, min(firstPause<<min(a.tries-1, 5), longestPause)), a.tries < maxTries
}

var errCircles = errors.New("the list of mailboxes repeats a page")

// feed starts a search for each mailbox, page by page, no faster than they are worked
// off. It goes on where the cursor stands.
func (w *run) feed(ctx context.Context) error {
	for _, box := range w.cursor.Left {
		if err := w.submit(ctx, box, "", outOfOrder); err != nil {
			return err
		}
	}
	if w.plan.boxes != nil {
		return w.feedPage(ctx, w.plan.boxes, "", w.cursor.After)
	}
	page, after, seen := w.cursor.Page, w.cursor.After, map[string]bool{}
	var a attempt
	for {
		boxes, next, err := w.mail.MailboxPage(ctx, w.tenant, page)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && page != "" && page == w.cursor.Page && hopeless(err):
			w.track.restart()
			page, after = "", "" // the link has died: from the start, what was moved is known
			continue
		case err != nil && !hopeless(err) && (len(seen) > 0 || responsehub.KindOf(err) == responsehub.Throttled):
			pause, ok := a.again(err)
			if !ok {
				return err
			}
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := w.feedPage(ctx, boxes, page, after); err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		if seen[next] {
			return &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft's list of mailboxes goes round in circles. The hub tries again.", Err: errCircles}
		}
		seen[next], page, after, a = true, next, "", attempt{}
	}
}

// feedPage starts the searches of one page, after the mailbox with which the cursor
// ends. When that is not in it any more, nothing is passed over.
func (w *run) feedPage(ctx context.Context, boxes []Mailbox, page, after string) error {
	if after != "" {
		for i := range boxes {
			if boxes[i].ID == after {
				boxes = boxes[i+1:]
				break
			}
		}
	}
	for _, box := range boxes {
		if err := w.submit(ctx, box, page, inOrder); err != nil {
			return err
		}
	}
	return nil
}

// Whether a search moves the cursor on.
const (
	inOrder    = 0
	outOfOrder = -1
)

// submit waits for room and starts one search.
func (w *run) submit(ctx context.Context, box Mailbox, page string, again int) error {
	for w.pool.waiting() > maxDeferred {
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	select {
	case w.room <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	n := again
	if n == inOrder {
		n = w.track.start(box, page)
	}
	w.listed.Add(1)
	w.searching.Add(1)
	q := &search{run: w, box: box, n: n}
	w.pool.add(&job{mailbox: box.ID, run: q.try})
	return nil
}

// search is the search of one mailbox.
type search struct {
	*run
	box Mailbox
	n   int // number of the visit
	attempt
	inside bool // it gave its room back

	found   bool // the search itself succeeded, in an earlier try
	letters []Letter
}

// try searches once. A mailbox that asks to wait is searched later; the others go on.
func (q *search) try(ctx context.Context) {
	letters, trash, sent, err := q.look(ctx)
	if !q.inside {
		<-q.room
		q.inside = true
	}
	switch {
	case err == nil:
		q.report(ctx, report{ended: true, n: q.n, box: q.box, letters: letters, trash: trash, sent: sent})
		return
	case ctx.Err() != nil:
		return
	case responsehub.KindOf(err) == responsehub.NotFound && q.holds():
		q.report(ctx, report{ended: true, n: q.n, box: q.box, end: unreachable, err: leftCloud(q.box.Address)})
		return
	case responsehub.KindOf(err) == responsehub.NotFound: // no mailbox in the cloud: nothing to search
		q.report(ctx, report{ended: true, n: q.n, box: q.box, end: none})
		return
	case hopeless(err):
		q.report(ctx, report{ended: true, n: q.n, box: q.box, end: unreachable, err: err})
		return
	}
	pause, ok := q.again(err)
	if !ok {
		q.report(ctx, report{ended: true, n: q.n, box: q.box, end: left, err: err})
		return
	}
	q.pool.add(&job{mailbox: q.box.ID, due: time.Now().Add(pause), run: q.try})
}

// holds reports whether the mailbox is known to have got the phish: it was found there, or
// the trace names it. One that is not in the cloud any more holds it elsewhere.
func (q *search) holds() bool {
	return len(q.letters) > 0 || q.plan.boxes != nil && !q.victims(q.box)
}

func leftCloud(address string) error {
	return &responsehub.Error{Kind: responsehub.Permanent, Message: "The mailbox of " + address + " got the phish and is not in Exchange Online (any more): it was moved, perhaps on-premises, or deleted. Look into it by hand."}
}

// look finds the phish in the mailbox, and the folders that decide what becomes of it.
func (q *search) look(ctx context.Context) (letters []Letter, trash, sent string, err error) {
	if !q.found {
		if q.letters, err = q.find(ctx); err != nil {
			return nil, "", "", err
		}
		q.found = true
	}
	if len(q.letters) == 0 {
		return nil, "", "", nil
	}
	if trash, err = q.mail.Trash(ctx, q.tenant, q.box.ID); err != nil {
		return nil, "", "", err
	}
	if q.victims(q.box) {
		sent, err = q.mail.Sent(ctx, q.tenant, q.box.ID)
	}
	return q.letters, trash, sent, err
}

// find finds each message once, by whichever phish of the incident.
func (q *search) find(ctx context.Context) (letters []Letter, err error) {
	seen := map[string]bool{}
	for _, p := range q.phish {
		some, err := q.mail.Find(ctx, q.tenant, q.box.ID, p)
		if err != nil {
			return nil, err
		}
		for _, l := range some {
			if !seen[l.ID] {
				seen[l.ID] = true
				letters = append(letters, l)
			}
		}
	}
	return letters, nil
}
