package steps

import (
	"context"
	"fmt"
	"sync"
	"time"

	"responsehub"
)

// inbox is Outlook's name for the Inbox in whatever language.
const inbox = "inbox"

// backBatch is how many letters are brought back between two writes.
const backBatch = 4 * width

// homing is one letter on its way back to the folder in which it lay.
type homing struct {
	key     string // its name on the shelf
	mailbox string
	id      string
	folder  string
	state   responsehub.StepState // undone when it is back; done when it cannot be
	why     string
	proof   *responsehub.Proof
}

// shelf is where the letters of a retraction are kept.
type shelf interface {
	// next returns letters that the hub moved and that are not back, none twice in one
	// turn; nothing at the end.
	next(ctx context.Context, t *responsehub.Turn, most int) ([]homing, error)
	// intend notes that the letters are about to be moved back.
	intend(ctx context.Context, t *responsehub.Turn, batch []homing) error
	// settle notes what became of them.
	settle(ctx context.Context, t *responsehub.Turn, batch []homing) error
}

// putBack moves the letters that the hub moved back into their folders. Those that lay in
// Deleted Items before are not the hub's and stay there. Where a letter lies is read
// before it is moved, so that a turn that died can be done again.
func (r *Retract) putBack(ctx context.Context, t *responsehub.Turn, letters shelf) responsehub.Outcome {
	if err := t.Save(ctx, func(inc *responsehub.Incident) error { return begin(inc.Step(responsehub.Retract), time.Now()) }); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	m := &goingHome{mail: r.Mail, trash: &folders{mail: r.Mail, tenant: t.Incident.Tenant.MicrosoftTenantID, ids: map[string]string{}}}
	crew := hire(ctx)
	defer crew.dismiss()
	for {
		batch, err := letters.next(ctx, t, backBatch)
		if err != nil {
			return responsehub.TryAgain(err, nil)
		}
		if len(batch) == 0 {
			break
		}
		if err := letters.intend(ctx, t, batch); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		stopped := crew.each(len(batch), func(i int) string { return batch[i].mailbox }, func(ctx context.Context, i int) { m.one(ctx, &batch[i]) })
		if err := letters.settle(ctx, t, batch); err != nil {
			return responsehub.TryAgain(err, nil)
		}
		if stopped != nil {
			return responsehub.TryAgain(stopped, nil)
		}
	}
	if m.later != nil {
		return failed(responsehub.Retract, m.later)
	}
	return responsehub.Settle(m.conclude)
}

// crew works through batches with the retraction's own pool: width at once, no more than
// four at a mailbox.
type crew struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	pool   *pool
	work   sync.WaitGroup
}

func hire(ctx context.Context) *crew {
	c := &crew{pool: newPool()}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.pool.broken = func(err error) { c.cancel(err) }
	c.work.Go(func() { c.pool.work(c.ctx) })
	return c
}

// dismiss ends the work and returns when none is under way.
func (c *crew) dismiss() {
	c.pool.close()
	c.work.Wait()
	c.cancel(nil)
}

// each runs f for 0 to n-1. After an error nothing of it runs any more, and some of them
// may not have been begun.
func (c *crew) each(n int, mailbox func(int) string, f func(context.Context, int)) error {
	left := make(chan struct{}, n)
	for i := range n {
		c.pool.add(&job{mailbox: mailbox(i), run: func(ctx context.Context) { f(ctx, i); left <- struct{}{} }})
	}
	for range n {
		select {
		case <-left:
		case <-c.ctx.Done():
			c.dismiss()
			return context.Cause(c.ctx)
		}
	}
	return nil
}

// goingHome is the work of one turn.
type goingHome struct {
	mail      Mail
	trash     *folders
	mu        sync.Mutex
	stuck     []string
	later     error
	requestID string
}

// one moves one letter back and reads where it lies then.
func (m *goingHome) one(ctx context.Context, h *homing) {
	bin, err := m.trash.of(ctx, h.mailbox)
	if err != nil {
		m.fault(ctx, h, err)
		return
	}
	if m.look(ctx, h, bin) {
		return
	}
	_, moveErr := m.mail.Move(ctx, m.trash.tenant, h.mailbox, h.id, h.folder)
	if m.look(ctx, h, bin) {
		return
	}
	if kind := responsehub.KindOf(moveErr); moveErr != nil && (kind == responsehub.NotFound || kind == responsehub.Invalid) {
		// The letter is where it was, so it is the folder that is gone.
		_, moveErr = m.mail.Move(ctx, m.trash.tenant, h.mailbox, h.id, inbox)
		if m.look(ctx, h, bin) {
			return
		}
	}
	if moveErr == nil {
		moveErr = &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft accepted to move the message back but it still lies in Deleted Items."}
	}
	m.fault(ctx, h, moveErr)
}

// look reads where a letter lies and settles it, or notes why not, unless it is still in
// Deleted Items.
func (m *goingHome) look(ctx context.Context, h *homing, bin string) (over bool) {
	folder, requestID, err := m.mail.Folder(ctx, m.trash.tenant, h.mailbox, h.id)
	switch {
	case isGone(err):
		m.fault(ctx, h, &responsehub.Error{Kind: responsehub.NotFound, Message: "It is not in its mailbox any more."})
		return true
	case err != nil:
		m.fault(ctx, h, err)
		return true
	case folder == bin:
		return false
	}
	value := "back in its folder"
	if folder != h.folder {
		value = "out of Deleted Items; its old folder is gone, or it was moved since"
	}
	h.state, h.why = responsehub.Undone, ""
	h.proof = &responsehub.Proof{Value: value, RequestID: requestID, At: time.Now().UTC()}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requestID = requestID
	return true
}

// fault notes a letter that is not back. What was deleted since cannot be brought back.
func (m *goingHome) fault(ctx context.Context, h *homing, err error) {
	if ctx.Err() != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !hopeless(err) {
		m.later = err
		return
	}
	h.state, h.why = responsehub.Done, "Could not be moved back: "+responsehub.Sentence(err)
	m.stuck = append(m.stuck, responsehub.Sentence(err))
}

func (m *goingHome) conclude(inc *responsehub.Incident) error {
	s := inc.Step(responsehub.Retract)
	back := 0
	if s.Progress != nil {
		back = s.Progress.Returned
	}
	if len(m.stuck) > 0 {
		return ended(inc, s, responsehub.NeedsHuman, fmt.Sprintf("%d of %d messages could not be moved back: %s", len(m.stuck), back+len(m.stuck), firstFew(unique(m.stuck), len(unique(m.stuck)))), time.Now())
	}
	value := fmt.Sprintf("%d messages are back", back)
	return undone(inc, s, responsehub.Proof{Value: value, RequestID: m.requestID, At: time.Now()}, "Retraction taken back: "+value+", read back from Microsoft")
}

func unique(lines []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, l := range lines {
		if !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return out
}

// lettered is the shelf of the letters that are kept beside the incident.
type lettered struct {
	store Letters
	book  *book
	ready []responsehub.Letter // moved by the hub and not back
	under map[string]responsehub.Letter
}

// takeBack moves back what the letters say was moved.
func (r *Retract) takeBack(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	b, old, err := load(ctx, r.Letters, t.Incident)
	if err == nil && len(old) > 0 {
		err = r.Letters.PutLetters(ctx, t.Fence, old)
	}
	shelf := &lettered{store: r.Letters, book: b, under: map[string]responsehub.Letter{}}
	for cursor, seen := "", map[string]bool{}; err == nil; {
		var page []responsehub.Letter
		if page, cursor, err = r.Letters.Letters(ctx, t.Incident.ID, cursor, letterPage); err != nil {
			break
		}
		for _, l := range page {
			// One that was about to be moved when a worker died may have been.
			if moved := l.State == responsehub.Done && l.Hub || l.State == responsehub.Running; moved && !seen[l.Key()] {
				seen[l.Key()] = true
				shelf.ready = append(shelf.ready, l)
			}
		}
		if cursor == "" {
			return r.putBack(ctx, t, shelf)
		}
	}
	return responsehub.TryAgain(err, nil)
}

func (s *lettered) next(_ context.Context, _ *responsehub.Turn, most int) ([]homing, error) {
	n := min(most, len(s.ready))
	batch := make([]homing, 0, n)
	clear(s.under)
	for _, l := range s.ready[:n] {
		s.under[l.Key()] = l
		batch = append(batch, homing{key: l.Key(), mailbox: l.Mailbox, id: l.ID, folder: l.Folder, state: responsehub.Running})
	}
	s.ready = s.ready[n:]
	return batch, nil
}

// intend has nothing to write: where a letter lies is read before it is moved back.
func (s *lettered) intend(context.Context, *responsehub.Turn, []homing) error { return nil }

func (s *lettered) settle(ctx context.Context, t *responsehub.Turn, batch []homing) error {
	var letters []responsehub.Letter
	now := time.Now().UTC()
	for i := range batch {
		if batch[i].state == responsehub.Running {
			continue // to be tried again
		}
		l := s.under[batch[i].key]
		l.State, l.Why, l.At = batch[i].state, batch[i].why, now
		if p := batch[i].proof; p != nil {
			l.RequestID = p.RequestID
		}
		letters = append(letters, l)
	}
	if err := s.store.PutLetters(ctx, t.Fence, letters); err != nil {
		return err
	}
	for _, l := range letters {
		s.book.put(l)
	}
	count, items := s.book.count, s.book.sample.items()
	return t.Save(ctx, func(inc *responsehub.Incident) error {
		step := inc.Step(responsehub.Retract)
		p := count
		if was := step.Progress; was != nil {
			p.Searched, p.Mailboxes, p.Unreachable = was.Searched, was.Mailboxes, was.Unreachable
		}
		step.Progress, step.Items = &p, items
		return nil
	})
}
