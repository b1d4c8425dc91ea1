package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"responsehub"
)

const (
	// searchers is how many mailboxes are searched at once; the connector keeps
	// Microsoft's limits.
	searchers = 16
	// saveEvery is how often found and moved messages are saved while the work goes on.
	saveEvery = time.Second
	// maxLetters bounds one round's list, so that an incident stays small enough to load.
	maxLetters = 2000
	// maxNamed is how many unreachable mailboxes the reason names.
	maxNamed = 5
)

// Retract is step 2: find the phish in all mailboxes of the tenant and move it to
// Deleted Items. Every message's mailbox and folder are saved before it is moved; a
// message whose move has an unknown outcome is looked up before it is moved again,
// because Microsoft's move is not idempotent.
type Retract struct{ Mail Mail }

var _ responsehub.Follower = (*Retract)(nil)

// Lane returns the retraction's lane.
func (r *Retract) Lane() responsehub.Lane { return responsehub.LaneRetract }

// Wake reports whether the retraction was asked for.
func (r *Retract) Wake(_ *responsehub.Incident, events []responsehub.Event) bool {
	return requested(events, responsehub.Retract)
}

// Abandon marks the step as failed when the lane is given up.
func (r *Retract) Abandon(inc *responsehub.Incident, sentence string) error {
	return abandon(inc, responsehub.Retract, sentence)
}

// Follow searches, moves and reads back.
func (r *Retract) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if !t.Incident.Step(responsehub.Retract).State.Busy() {
		return responsehub.Settle(nil)
	}
	if t.Incident.Step(responsehub.Retract).Undo {
		return r.putBack(ctx, t, &listed{tried: map[string]bool{}})
	}
	if len(t.Incident.Phish) == 0 {
		return responsehub.Settle(func(inc *responsehub.Incident) error {
			return done(inc, inc.Step(responsehub.Retract), responsehub.Proof{Value: "the alert names no phishing mail", At: time.Now()}, "No phishing mail is named, so there is nothing to retract")
		})
	}
	if err := t.Save(ctx, func(inc *responsehub.Incident) error { return begin(inc.Step(responsehub.Retract), time.Now()) }); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	search, err := r.search(ctx, t)
	if err != nil {
		return failed(responsehub.Retract, err)
	}
	moves, err := r.move(ctx, t)
	if err != nil {
		return failed(responsehub.Retract, err)
	}
	if later := cmpErr(search.later, moves.later); later != nil {
		return responsehub.TryAgain(later, func(inc *responsehub.Incident) error {
			return waits(inc, responsehub.Retract, responsehub.Sentence(later))
		})
	}
	return responsehub.Settle(func(inc *responsehub.Incident) error { return conclude(inc, search, moves) })
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// found is the result of a search.
type found struct {
	mu          sync.Mutex
	progress    responsehub.Progress
	letters     []responsehub.Item
	unreachable []string // mailboxes that stay unread, with the reason
	later       error    // a mailbox that may answer later
	full        bool
}

// search asks every mailbox of the tenant and saves what it found as it goes.
func (r *Retract) search(ctx context.Context, t *responsehub.Turn) (*found, error) {
	f := &found{}
	tenant, phish := t.Incident.Tenant.MicrosoftTenantID, t.Incident.Phish
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(searchers)
	last := time.Now()
	for box, err := range r.Mail.Mailboxes(ctx, tenant) {
		if err != nil {
			_ = group.Wait()
			return nil, err
		}
		f.mu.Lock()
		f.progress.Mailboxes++
		f.mu.Unlock()
		group.Go(func() error { return r.searchOne(gctx, f, tenant, box, phish) })
		if time.Since(last) > saveEvery {
			if err := f.save(ctx, t); err != nil {
				_ = group.Wait()
				return nil, err
			}
			last = time.Now()
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return f, f.save(ctx, t)
}

// searchOne looks into one mailbox. A mailbox that cannot be read is noted; only the
// end of the turn is an error.
func (r *Retract) searchOne(ctx context.Context, f *found, tenant string, box Mailbox, phish []responsehub.Phish) error {
	var letters []Letter
	for _, p := range phish {
		some, err := r.Mail.Find(ctx, tenant, box.ID, p)
		if err != nil {
			return f.miss(ctx, box, err)
		}
		letters = append(letters, some...)
	}
	trash := ""
	if len(letters) > 0 {
		var err error
		if trash, err = r.Mail.Trash(ctx, tenant, box.ID); err != nil {
			return f.miss(ctx, box, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress.Searched++
	for _, l := range letters {
		f.letters = append(f.letters, letterItem(l, box, trash))
	}
	return nil
}

// miss notes a mailbox that could not be searched.
func (f *found) miss(ctx context.Context, box Mailbox, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case responsehub.KindOf(err) == responsehub.NotFound: // no mailbox in the cloud: nothing to search
		f.progress.Mailboxes--
	case hopeless(err):
		f.progress.Unreachable++
		f.unreachable = append(f.unreachable, box.Address+": "+responsehub.Sentence(err))
	default:
		f.later = err
	}
	return nil
}

// letterItem is a message as an item. One that lay in Deleted Items before stays out of
// an undo.
func letterItem(l Letter, box Mailbox, trash string) responsehub.Item {
	it := responsehub.Item{
		Kind: responsehub.Message, Object: l.ID, Name: l.Subject, Mailbox: l.Mailbox, State: responsehub.Waiting,
		Why: "In the mailbox of " + box.Address + ".", Snapshot: marshalFolder(l.Folder, l.Read),
	}
	if it.Mailbox == "" {
		it.Mailbox = box.ID
	}
	it.ID = responsehub.ItemID(responsehub.Message, it.Mailbox+"|"+l.ID)
	if l.Folder == trash {
		it.State, it.Why = responsehub.Done, "Was in Deleted Items of "+box.Address+" already."
		it.Snapshot = nil
	}
	return it
}

// save adds what was found so far to the incident. Items known from an earlier turn
// keep their state: only this run knows what was moved.
func (f *found) save(ctx context.Context, t *responsehub.Turn) error {
	f.mu.Lock()
	letters, progress := f.letters, f.progress
	f.mu.Unlock()
	return t.Save(ctx, func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Retract)
		known := make(map[string]bool, len(s.Items))
		for i := range s.Items {
			known[s.Items[i].ID] = true
		}
		for _, it := range letters {
			if known[it.ID] {
				continue
			}
			if len(s.Items) >= maxLetters {
				f.full = true
				break
			}
			known[it.ID] = true
			s.Items = append(s.Items, it)
		}
		p := progress
		count(s.Items, &p)
		if s.Progress == nil || *s.Progress != p {
			s.Progress = &p
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventProgress, By: responsehub.Hub.By(), Step: responsehub.Retract, Text: progressWords(p)})
		}
		return nil
	})
}

// count fills in what the items say.
func count(items []responsehub.Item, p *responsehub.Progress) {
	p.Found, p.Moved, p.Already = len(items), 0, 0
	for i := range items {
		switch {
		case items[i].State == responsehub.Done && items[i].Snapshot != nil:
			p.Moved++
		case items[i].State == responsehub.Done:
			p.Already++
		}
	}
}

func progressWords(p responsehub.Progress) string {
	return fmt.Sprintf("%d of %d mailboxes searched, %d found, %d moved", p.Searched, p.Mailboxes, p.Found, p.Moved)
}

// conclude settles the step from its items.
func conclude(inc *responsehub.Incident, search *found, moves *moved) error {
	s := inc.Step(responsehub.Retract)
	p := search.progress
	count(s.Items, &p)
	s.Progress = &p
	var faults []string
	if len(moves.stuck) > 0 {
		faults = append(faults, fmt.Sprintf("%d messages could not be moved: %s", len(moves.stuck), firstFew(moves.stuck)))
	}
	if len(search.unreachable) > 0 {
		faults = append(faults, fmt.Sprintf("%d mailboxes could not be searched: %s", len(search.unreachable), firstFew(search.unreachable)))
	}
	if search.full {
		faults = append(faults, fmt.Sprintf("More than %d messages match; ask again for the rest.", maxLetters))
	}
	if len(faults) == 0 {
		proof := responsehub.Proof{Value: fmt.Sprintf("%d of %d messages lie in Deleted Items, %d mailboxes searched", p.Moved+p.Already, p.Found, p.Searched), RequestID: moves.requestID, At: time.Now()}
		return done(inc, s, proof, "Phishing mail retracted: "+progressWords(p)+", read back from Microsoft")
	}
	state := responsehub.Partial
	if p.Searched == 0 {
		state = responsehub.Failed
	}
	return ended(inc, s, state, strings.Join(faults, " "), time.Now())
}

// firstFew names a few and counts the rest.
func firstFew(lines []string) string {
	slices.Sort(lines)
	if len(lines) > maxNamed {
		return strings.Join(lines[:maxNamed], " ") + fmt.Sprintf(" And %d more.", len(lines)-maxNamed)
	}
	return strings.Join(lines, " ")
}
