package steps

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"responsehub"
)

// bigTenant is a tenant with many mailboxes that answers after a while, refuses a fifth
// request at one mailbox, throttles some, and counts what is done to it.
type bigTenant struct {
	boxes    int
	latency  time.Duration
	every    int64 // of the requests one in so many is throttled; 0 is none
	traceErr error
	late     map[string]bool // delivered, and not in the trace yet

	mu      sync.Mutex
	letters map[string][]*Letter // by mailbox
	busy    map[string]int
	most    int // requests at once
	mostBox int // at one mailbox
	now     int
	moves   map[string]int
	found   map[string]int // searches by mailbox
	calls   atomic.Int64
	refused int
}

func newBigTenant(boxes int, latency time.Duration) *bigTenant {
	return &bigTenant{boxes: boxes, latency: latency, letters: map[string][]*Letter{}, busy: map[string]int{}, moves: map[string]int{}, found: map[string]int{}}
}

func boxID(n int) string { return fmt.Sprintf("m%06d", n) }

// deliver puts a message into a mailbox.
func (b *bigTenant) deliver(n int, id, messageID, sender, subject string, at time.Time) {
	box := boxID(n)
	b.letters[box] = append(b.letters[box], &Letter{ID: id, Mailbox: box, Folder: "inbox-" + box, InternetMessageID: messageID, Sender: sender, Subject: subject, ReceivedAt: at})
}

// request is the cost of one request; it fails where Microsoft would refuse it.
func (b *bigTenant) request(ctx context.Context, box string) error {
	n := b.calls.Add(1)
	if err := b.enter(box, b.every > 0 && n%b.every == 0); err != nil {
		return err
	}
	defer b.leave(box)
	select {
	case <-time.After(b.latency):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *bigTenant) enter(box string, limited bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now++
	b.most = max(b.most, b.now)
	if box != "" {
		b.busy[box]++
		b.mostBox = max(b.mostBox, b.busy[box])
	}
	if !limited {
		return nil
	}
	b.refused++
	b.now--
	if box != "" {
		b.busy[box]--
	}
	return throttled(2 * time.Second)
}

func (b *bigTenant) leave(box string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now--
	if box == "" {
		return
	}
	if b.busy[box]--; b.busy[box] == 0 {
		delete(b.busy, box)
	}
}

func (b *bigTenant) MailboxPage(ctx context.Context, _, page string) ([]Mailbox, string, error) {
	if err := b.request(ctx, ""); err != nil {
		return nil, "", err
	}
	from := 0
	_, _ = fmt.Sscanf(page, "%d", &from)
	to := min(from+999, b.boxes)
	boxes := make([]Mailbox, 0, to-from)
	for n := from; n < to; n++ {
		boxes = append(boxes, Mailbox{ID: boxID(n), Address: boxID(n) + "@contoso.example"})
	}
	if to == b.boxes {
		return boxes, "", nil
	}
	return boxes, fmt.Sprint(to), nil
}

func (b *bigTenant) Recipients(ctx context.Context, _ string, p responsehub.Phish) ([]Mailbox, error) {
	if err := b.request(ctx, ""); err != nil {
		return nil, err
	}
	if b.traceErr != nil {
		return nil, b.traceErr
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var boxes []Mailbox
	for box, letters := range b.letters {
		for _, l := range letters {
			if is(l, p) && !b.late[box] {
				boxes = append(boxes, Mailbox{ID: box, Address: box + "@contoso.example"})
				break
			}
		}
	}
	return boxes, nil
}

// is reports whether a message is the phish, by one rule or the other.
func is(l *Letter, p responsehub.Phish) bool {
	return p.InternetMessageID != "" && l.InternetMessageID == p.InternetMessageID ||
		p.Sender != "" && p.Subject != "" && l.Sender == p.Sender && l.Subject == p.Subject && !l.ReceivedAt.Before(p.ReceivedAfter) && (p.ReceivedBefore.IsZero() || !l.ReceivedAt.After(p.ReceivedBefore))
}

func (b *bigTenant) Find(ctx context.Context, _, box string, p responsehub.Phish) ([]Letter, error) {
	if err := b.request(ctx, box); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.found != nil {
		b.found[box]++
	}
	var out []Letter
	for _, l := range b.letters[box] {
		if is(l, p) {
			hit := *l
			hit.Rule = responsehub.BySender
			if l.InternetMessageID == p.InternetMessageID {
				hit.Rule = responsehub.ByMessageID
			}
			out = append(out, hit)
		}
	}
	return out, nil
}

func (b *bigTenant) Trash(ctx context.Context, _, box string) (string, error) {
	return "trash-" + box, b.request(ctx, box)
}

func (b *bigTenant) Sent(ctx context.Context, _, box string) (string, error) {
	return "sent-" + box, b.request(ctx, box)
}

func (b *bigTenant) letter(box, id string) *Letter {
	for _, l := range b.letters[box] {
		if l.ID == id {
			return l
		}
	}
	return nil
}

func (b *bigTenant) Folder(ctx context.Context, _, box, id string) (string, string, error) {
	if err := b.request(ctx, box); err != nil {
		return "", "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.letter(box, id); l != nil {
		return l.Folder, "req", nil
	}
	return "", "", &responsehub.Error{Kind: responsehub.NotFound, Message: "gone"}
}

// Move takes effect even when nobody waits for the answer any more: the request is out.
func (b *bigTenant) Move(ctx context.Context, _, box, id, folder string) (Receipt, error) {
	err := b.request(ctx, box)
	if err != nil && ctx.Err() == nil {
		return Receipt{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letter(box, id).Folder = folder
	b.moves[box+"|"+id]++
	return Receipt{}, err
}

// wrong lists what a retraction must not leave behind: phish outside Deleted Items,
// anything moved twice, anything innocent moved.
func (b *bigTenant) wrong(p responsehub.Phish) []string {
	var bad []string
	for box, letters := range b.letters {
		for _, l := range letters {
			trashed, phish, n := l.Folder == "trash-"+box, is(l, p), b.moves[box+"|"+l.ID]
			switch {
			case strings.HasPrefix(l.Folder, "sent-") && n == 0:
			case phish && !trashed:
				bad = append(bad, box+" still has "+l.ID)
			case phish && n > 1:
				bad = append(bad, fmt.Sprintf("%s: %s was moved %d times", box, l.ID, n))
			case !phish && n > 0:
				bad = append(bad, box+": an innocent message was moved: "+l.ID)
			}
		}
	}
	return bad
}
