package steps

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"responsehub"
)

// moveBatch is how many moves are announced in one write before they are made. After a
// crash these, and only these, are looked up before they are moved again.
const moveBatch = 20

// origin is where a message lay before it was moved, kept for undo.
type origin struct {
	Folder string `json:"folder"`
	Read   bool   `json:"read,omitempty"`
}

func marshalFolder(folder string, read bool) json.RawMessage {
	b, _ := json.Marshal(origin{Folder: folder, Read: read}) // two plain fields always encode
	return b
}

// moved is the result of the moves.
type moved struct {
	mu        sync.Mutex
	settled   map[string]responsehub.Item
	stuck     []string
	later     error
	requestID string
}

// move moves what is not in Deleted Items yet: announce a batch, move it, read back,
// save. Batches keep the number of writes small and the doubt after a crash too.
func (r *Retract) move(ctx context.Context, t *responsehub.Turn) (*moved, error) {
	m := &moved{}
	trash := &folders{mail: r.Mail, tenant: t.Incident.Tenant.MicrosoftTenantID, ids: map[string]string{}}
	tried := map[string]bool{}
	for {
		batch := openLetters(t.Incident.Step(responsehub.Retract), tried)
		if len(batch) == 0 {
			return m, nil
		}
		if err := t.Save(ctx, announce(batch)); err != nil {
			return nil, err
		}
		m.settled = map[string]responsehub.Item{}
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(searchers)
		for _, it := range batch {
			tried[it.ID] = true
			group.Go(func() error { return r.moveOne(gctx, m, trash, it) })
		}
		err := group.Wait()
		if saved := t.Save(ctx, m.write); saved != nil {
			return nil, saved
		}
		if err != nil {
			return nil, err
		}
	}
}

// openLetters returns the next batch, each item as it was before the announcement: one
// that was announced already, by a turn that died, is in doubt.
func openLetters(s *responsehub.Step, tried map[string]bool) []responsehub.Item {
	var batch []responsehub.Item
	for i := range s.Items {
		it := s.Items[i]
		if it.State.Settled() || tried[it.ID] {
			continue
		}
		if batch = append(batch, it); len(batch) == moveBatch {
			break
		}
	}
	return batch
}

// announce saves the intent to move.
func announce(batch []responsehub.Item) responsehub.Edit {
	return func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Retract)
		for i := range batch {
			if it := s.Item(batch[i].ID); it != nil && !it.State.Settled() {
				it.State = responsehub.Running
			}
		}
		return nil
	}
}

// moveOne moves one message and reads back where it lies.
func (r *Retract) moveOne(ctx context.Context, m *moved, trash *folders, it responsehub.Item) error {
	bin, err := trash.of(ctx, it.Mailbox)
	if err != nil {
		return m.fault(ctx, it, err)
	}
	if it.State != responsehub.Waiting { // announced before: it may have been moved
		folder, id, err := r.Mail.Folder(ctx, trash.tenant, it.Mailbox, it.Object)
		if m.landed(it, folder, bin, id, err) {
			return nil
		}
		if err != nil {
			return m.fault(ctx, it, err)
		}
	}
	_, moveErr := r.Mail.Move(ctx, trash.tenant, it.Mailbox, it.Object, bin)
	// Whatever the move said, where the message lies is the truth.
	folder, id, err := r.Mail.Folder(ctx, trash.tenant, it.Mailbox, it.Object)
	switch {
	case m.landed(it, folder, bin, id, err):
		return nil
	case moveErr != nil:
		return m.fault(ctx, it, moveErr)
	case err != nil:
		return m.fault(ctx, it, err)
	}
	return m.fault(ctx, it, &responsehub.Error{Kind: responsehub.Unavailable, Message: "Microsoft accepted the move but the message is still in its folder."})
}

// landed settles an item that lies in Deleted Items, or that is gone altogether.
func (m *moved) landed(it responsehub.Item, folder, bin, requestID string, err error) bool {
	gone := err != nil && responsehub.KindOf(err) == responsehub.NotFound
	if !gone && (err != nil || folder != bin) {
		return false
	}
	value := "in Deleted Items"
	if gone {
		value = "not in the mailbox any more"
	}
	now := time.Now().UTC()
	it.State, it.At, it.Proof = responsehub.Done, now, &responsehub.Proof{Value: value, RequestID: requestID, At: now}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled[it.ID], m.requestID = it, requestID
	return true
}

// fault notes a message that could not be moved.
func (m *moved) fault(ctx context.Context, it responsehub.Item, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !hopeless(err) {
		m.later = err
		return nil
	}
	m.stuck = append(m.stuck, responsehub.Sentence(err))
	it.State, it.Why = responsehub.Failed, responsehub.Sentence(err)
	m.settled[it.ID] = it
	return nil
}

// write saves what became of a batch.
func (m *moved) write(inc *responsehub.Incident) error {
	s := inc.Step(responsehub.Retract)
	for i := range s.Items {
		if it, ok := m.settled[s.Items[i].ID]; ok {
			s.Items[i].State, s.Items[i].At, s.Items[i].Proof, s.Items[i].Why = it.State, it.At, it.Proof, it.Why
		}
	}
	if s.Progress != nil && len(m.settled) > 0 {
		p := *s.Progress
		count(s.Items, &p)
		s.Progress = &p
		inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventProgress, By: responsehub.Hub.By(), Step: responsehub.Retract, Text: progressWords(p)})
	}
	return nil
}

// folders remembers each mailbox's Deleted Items for one turn.
type folders struct {
	mail   Mail
	tenant string
	mu     sync.Mutex
	ids    map[string]string
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
	f.mu.Lock()
	f.ids[mailbox] = id
	f.mu.Unlock()
	return id, nil
}
