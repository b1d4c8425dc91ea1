package steps

import (
	"context"
	"sync"
	"time"

	"responsehub"
)

// mover moves one message and reads back where it lies. Before it starts, the message
// is written down as about to be moved; when it is doubtful whether that happened, where
// the message lies is read first, because Microsoft's move is not idempotent.
type mover struct {
	*run
	letter responsehub.Letter
	doubt  bool
	attempt
}

// start puts the mover into the pool, before the searches: what is found goes first.
func (m *mover) start(due time.Time) {
	m.pool.add(&job{mailbox: m.letter.Mailbox, urgent: true, due: due, run: m.try})
}

func (m *mover) try(ctx context.Context) {
	err := m.move(ctx)
	switch {
	case err == nil, hopeless(err) && ctx.Err() == nil:
		if err != nil {
			m.letter.State, m.letter.Why, m.letter.At = responsehub.Failed, responsehub.Sentence(err), time.Now().UTC()
		}
		m.report(ctx, report{settled: &m.letter})
		return
	case ctx.Err() != nil:
		return
	}
	m.doubt = true
	pause, ok := m.again(err)
	if !ok {
		m.report(ctx, report{postponed: true, err: err})
		return
	}
	m.start(time.Now().Add(pause))
}

// move returns nil when the message is where it belongs.
func (m *mover) move(ctx context.Context) error {
	l := &m.letter
	bin, err := m.trash.of(ctx, l.Mailbox)
	if err != nil {
		return err
	}
	if m.doubt { // announced before: it may have been moved
		folder, id, err := m.where(ctx)
		if m.landed(folder, bin, id, err) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	m.doubt = true
	_, moveErr := m.mail.Move(ctx, m.tenant, l.Mailbox, l.ID, bin)
	if responsehub.KindOf(moveErr) == responsehub.Throttled {
		return moveErr // the mailbox wants to be left alone, also by a read; the next try begins with one
	}
	// Whatever the move said, where the message lies is the truth.
	folder, id, err := m.where(ctx)
	switch {
	case m.landed(folder, bin, id, err):
		return nil
	case err != nil && hopeless(err), err != nil && moveErr == nil:
		return err
	case moveErr != nil:
		return moveErr
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft accepted the move but the message is still in its folder."}
}

// where reads in which folder the message lies. That it is gone is believed only while its
// mailbox is there: with a mailbox that was moved away, its messages moved as well.
func (m *mover) where(ctx context.Context) (folder, requestID string, err error) {
	folder, requestID, err = m.mail.Folder(ctx, m.tenant, m.letter.Mailbox, m.letter.ID)
	if !isGone(err) {
		return folder, requestID, err
	}
	switch _, there := m.mail.Trash(ctx, m.tenant, m.letter.Mailbox); {
	case isGone(there):
		return "", "", leftCloud(m.letter.Address)
	case there != nil:
		return "", "", there
	}
	return folder, requestID, err
}

// landed settles a letter that lies in Deleted Items, or that is gone altogether.
func (m *mover) landed(folder, bin, requestID string, err error) bool {
	gone := err != nil && responsehub.KindOf(err) == responsehub.NotFound
	if !gone && (err != nil || folder != bin) {
		return false
	}
	l := &m.letter
	l.State, l.Hub, l.Why, l.At, l.RequestID = responsehub.Done, !gone, "", time.Now().UTC(), requestID
	if gone {
		l.Why = "Was not in the mailbox of " + l.Address + " any more."
	}
	return true
}

// folders remembers each mailbox's Deleted Items for one turn.
type folders struct {
	mail   Mail
	tenant string
	mu     sync.Mutex
	ids    map[string]string
}

func (f *folders) note(mailbox, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids[mailbox] = id
}

func (f *folders) of(ctx context.Context, mailbox string) (string, error) {
	f.mu.Lock()
	id, ok := f.ids[mailbox]
	f.mu.Unlock()
	if ok {
		return id, nil
	}
	id, err := f.mail.Trash(ctx, f.tenant, mailbox)
	if err != nil {
		return "", err
	}
	f.note(mailbox, id)
	return id, nil
}
