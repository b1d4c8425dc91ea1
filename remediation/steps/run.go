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

const (
	// saveEvery is how often the incident is told how far the work is.
	saveEvery = time.Second
	// manyReports is how many reports are taken before what they say is written down.
	manyReports = 200
	// maxUnread is how many unreachable mailboxes are named; the others are counted.
	maxUnread = 50
)

// run is one turn's work: a feeder that lists mailboxes, a pool that searches them and
// moves what is found, and the turn's own goroutine, which alone writes.
type run struct {
	mail    Mail
	store   Letters
	turn    *responsehub.Turn
	tenant  string
	victim  responsehub.Account
	phish   []responsehub.Phish
	preview bool
	byHand  bool // a person asked, so that what was brought back is moved again
	plan    scope
	cursor  cursor // where the turn began
	book    *book
	track   *track
	pool    *pool
	trash   *folders
	room    chan struct{} // searches that were started and not looked into yet
	reports chan report

	listed    atomic.Int64 // mailboxes given to the pool in this turn
	searching atomic.Int64 // searches that have not ended

	// of the turn's own goroutine
	pending   []responsehub.Letter // to be written
	movers    []*mover             // to be started once they are
	ended     []report             // searches to be noted once they are
	moving    int
	unmoved   int // moves put off to another turn
	searched  int
	gone      int // users without mailbox
	missed    int // mailboxes out of reach
	saved     time.Time
	told      int // mailboxes searched when the record was last told
	later     error
	requestID string
}

// report is what the pool tells the turn.
type report struct {
	ended       bool // a search
	n           int
	box         Mailbox
	end         visitEnd
	letters     []Letter
	trash, sent string
	settled     *responsehub.Letter // a move
	postponed   bool                // a move, to another turn
	err         error
}

// begin reads what earlier turns left and plans the search.
func (r *Retract) begin(ctx context.Context, t *responsehub.Turn) (*run, error) {
	inc, s := t.Incident, t.Incident.Step(responsehub.Retract)
	b, old, err := load(ctx, r.Letters, inc)
	if err != nil {
		return nil, err
	}
	tenant := inc.Tenant.MicrosoftTenantID
	w := &run{
		mail: r.Mail, store: r.Letters, turn: t, tenant: tenant, victim: inc.Account, phish: windows(inc),
		preview: s.Preview, byHand: s.RequestedBy.Via != responsehub.ViaPolicy, book: b, pool: newPool(),
		trash: &folders{mail: r.Mail, tenant: tenant, ids: map[string]string{}},
		room:  make(chan struct{}, 2*width), reports: make(chan report, 4*manyReports), pending: old,
	}
	at := readCursor(s)
	if w.plan, err = r.plan(ctx, inc, at); err != nil {
		return nil, err
	}
	if at.Set != w.plan.set {
		at = cursor{Round: s.Round, Set: w.plan.set, Turns: at.Turns} // others got it: from the start
	}
	at.Why = w.plan.why
	w.cursor, w.track = at, &track{at: at}
	w.searched, w.missed, w.told = at.Searched, at.Unreachable, at.Searched
	w.saved = time.Now()
	if w.preview {
		return w, nil
	}
	for _, l := range b.unmoved {
		m := &mover{run: w, letter: l, doubt: l.State == responsehub.Running}
		m.letter.State, m.letter.Round = responsehub.Running, s.Round
		w.pending, w.movers = append(w.pending, m.letter), append(w.movers, m)
	}
	b.unmoved = nil
	return w, nil
}

// work runs until everything is searched and moved, or put off.
func (w *run) work(parent context.Context) error {
	ctx, stop := context.WithCancelCause(parent)
	w.pool.broken = stop
	var wg sync.WaitGroup
	wg.Go(func() { w.pool.work(ctx) })
	fed := make(chan error, 1)
	wg.Go(func() { fed <- w.feed(ctx) })
	err := w.write(ctx)
	if err == nil {
		err = w.follow(ctx, fed)
	}
	stop(nil)
	wg.Wait()
	if err != nil {
		w.rescue(parent)
	}
	return err
}

// follow takes reports and writes down what they say.
func (w *run) follow(ctx context.Context, fed <-chan error) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	var listErr error
	for {
		if fed == nil && w.searching.Load() == 0 && w.moving == 0 && len(w.pending) == 0 && len(w.ended) == 0 {
			return listErr
		}
		select {
		case rep := <-w.reports:
			w.take(rep)
			w.drain(manyReports)
		case err := <-fed:
			fed, listErr = nil, err
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := w.write(ctx); err != nil {
			return err
		}
		if len(w.track.cursor().Left) > maxLeft {
			return w.later // it is not the mailboxes
		}
	}
}

func (w *run) drain(most int) {
	for range most {
		select {
		case rep := <-w.reports:
			w.take(rep)
		default:
			return
		}
	}
}

// report hands a report to the turn; false when there is nobody any more.
func (w *run) report(ctx context.Context, rep report) {
	select {
	case w.reports <- rep: // also after the end, as long as there is room: a move is told
		return
	default:
	}
	select {
	case w.reports <- rep:
	case <-ctx.Done():
	}
}

// take notes one report.
func (w *run) take(rep report) {
	switch {
	case rep.settled != nil:
		w.moving--
		w.pending = append(w.pending, *rep.settled)
		if rep.settled.RequestID != "" {
			w.requestID = rep.settled.RequestID
		}
	case rep.postponed:
		w.moving--
		w.unmoved++
		w.later = rep.err
	case rep.ended:
		for _, l := range rep.letters {
			w.admit(l, rep)
		}
		w.ended = append(w.ended, rep)
	}
}

// victims reports whether a mailbox is that of the account that was taken over.
func (w *run) victims(box Mailbox) bool {
	return box.ID == w.victim.ObjectID || strings.EqualFold(box.Address, w.victim.UserPrincipalName) || box.ID == w.victim.UserPrincipalName
}

// admit decides what becomes of a message that was found. One that is known keeps its
// state: only the hub knows what it moved.
func (w *run) admit(found Letter, rep report) {
	round := w.book.round
	l := responsehub.Letter{
		Mailbox: rep.box.ID, Address: rep.box.Address, ID: found.ID, MessageID: found.InternetMessageID, Subject: found.Subject,
		Folder: found.Folder, Read: found.Read, Rule: found.Rule, Round: round, State: responsehub.Waiting,
	}
	k, seen := w.book.known[l.Key()]
	switch {
	case seen && (k.state == responsehub.Running || k.state == responsehub.Skipped || k.round == round):
		return
	case seen && k.state == responsehub.Undone && !w.byHand:
		return
	case found.Folder == rep.trash && seen && k.state != responsehub.Failed:
		return
	case found.Folder == rep.trash:
		l.State, l.Folder, l.At, l.Why = responsehub.Done, "", time.Now().UTC(), "Was in Deleted Items of "+rep.box.Address+" already."
	case rep.sent != "" && found.Folder == rep.sent:
		l.State, l.Why = responsehub.Skipped, "The sender's own copy in Sent Items of "+rep.box.Address+" is kept as evidence."
	case !w.preview:
		l.State = responsehub.Running
		w.movers = append(w.movers, &mover{run: w, letter: l})
		w.trash.note(rep.box.ID, rep.trash)
	}
	w.pending = append(w.pending, l)
	w.book.put(l)
}

// write writes the letters down, then starts their moves, then lets the cursor pass the
// searches that found them. Once a second the incident hears of it.
func (w *run) write(ctx context.Context) error {
	if len(w.pending) > 0 {
		if err := w.store.PutLetters(ctx, w.turn.Fence, w.pending); err != nil {
			return err
		}
		for _, l := range w.pending {
			w.book.put(l)
		}
		w.pending = nil
	}
	for _, m := range w.movers {
		w.moving++
		m.start(time.Time{})
	}
	w.movers = nil
	for _, rep := range w.ended {
		w.note(rep)
		w.searching.Add(-1)
	}
	w.ended = w.ended[:0]
	if time.Since(w.saved) < saveEvery {
		return nil
	}
	w.saved = time.Now()
	return w.turn.Save(ctx, w.progress(w.track.cursor()))
}

// note lets the cursor pass a search.
func (w *run) note(rep report) {
	switch rep.end {
	case searched:
		w.searched++
	case none:
		w.gone++
	case unreachable:
		w.missed++
	case left:
		w.later = rep.err
	}
	why := ""
	if rep.err != nil {
		why = responsehub.Sentence(rep.err)
	}
	if rep.n < 0 {
		w.track.resolved(rep.box, rep.end, why)
		return
	}
	w.track.ended(rep.n, rep.end, why)
}

// rescue writes down what was moved when the turn was broken off. Where that fails the
// letters stay in doubt, and are looked up.
func (w *run) rescue(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	w.drain(cap(w.reports))
	settled := w.pending[:0]
	for _, l := range w.pending {
		if l.State.Settled() || l.State == responsehub.Failed {
			settled = append(settled, l)
		}
	}
	_ = w.store.PutLetters(ctx, w.turn.Fence, settled) // the fence refuses it when the lane is another's
}

// progress tells the incident how far the work is. The record gets an entry each time
// half as many mailboxes more were searched, not one a second.
func (w *run) progress(at cursor) responsehub.Edit {
	p := w.book.count
	p.Searched, p.Unreachable = w.searched, w.missed
	p.Mailboxes = w.cursor.Searched + w.cursor.Unreachable + int(w.listed.Load()) - w.gone
	if p.Unreachable < at.Unreachable {
		p.Searched, p.Unreachable = at.Searched, at.Unreachable
	}
	items, note, stored := w.book.sample.items(), w.words(), at.String()
	tell := p.Searched >= 100 && p.Searched >= w.told+w.told/2
	if tell {
		w.told = p.Searched
	}
	reason := ""
	if n := w.pool.waiting(); n > 0 {
		reason = fmt.Sprintf("%d requests wait because Microsoft asks to slow down; the others go on.", n)
	}
	return func(inc *responsehub.Incident) error {
		s := inc.Step(responsehub.Retract)
		s.Progress, s.Items, s.Note, s.Cursor, s.Reason = &p, items, note, stored, reason
		if tell {
			inc.Record(responsehub.Event{At: time.Now(), Kind: responsehub.EventProgress, By: responsehub.Hub.By(), Step: responsehub.Retract, Text: progressWords(p)})
		}
		return nil
	}
}

// words says how the search is done, and by what the messages are recognised.
func (w *run) words() string {
	note := w.plan.why
	if w.plan.boxes != nil {
		note = fmt.Sprintf("Message trace names the mailboxes to search: %d, the victim's own included.", len(w.plan.boxes))
	}
	if by := w.book.byRule(); by != "" {
		note += " Matched: " + strings.TrimSuffix(strings.TrimPrefix(by, " ("), ")") + "."
	}
	return note
}
