// Package operators tells whoever runs the hub what belongs to no incident.
//
// An alarm is written into the book before anything else happens, and leaves it when
// everybody heard of it: a process that is killed in between loses none. One replica tells
// it. The same subject again is the same alarm, counted, and told again when some time
// has passed. An alarm that ends says so once.
//
// Nobody can promise that a process that dies while it tells is not followed by another
// that tells it again: a mail then has the same id, which mail programs show once.
//
// While the book is out of reach there is only memory: the alarm stands in the log and is
// told at once by the process that raised it.
package operators

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"time"

	"responsehub"
)

const (
	lease      = time.Minute
	look       = 2 * time.Second // how often the book is asked what other replicas left
	tellWithin = 20 * time.Second
	bookWithin = 2 * time.Second
	giveUp     = 100 // tries, about a day, of an alarm that nobody heard
	giveUpSome = 9   // tries, about an hour, of one that somebody heard
)

// pauses are the waits after failed tries; the last one holds from then on.
var pauses = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute}

// Waiting is an alarm that has to be told now.
type Waiting struct {
	Name    string // in the book
	ID      string // of this telling: the same at each try
	Claim   int64  // whoever claims it later has a higher one
	Words   string
	Over    string    // what is to be said of its end; empty while it goes on
	Count   int       // how often it came up since it was told
	First   time.Time // of these times
	Told    bool      // it was told before
	Tries   int       // of this telling, that left somebody out
	Reached []string  // names of the targets that heard this telling
}

// Book keeps alarms for all replicas. Whoever lost a claim changes nothing any more.
type Book interface {
	// Raise writes an alarm, counts it to the open one of its subject, or ends that.
	Raise(ctx context.Context, a responsehub.Alarm) error
	// Claim returns an alarm that is to be told now, for nobody else during the lease;
	// nil when there is none.
	Claim(ctx context.Context, lease time.Duration) (*Waiting, error)
	// Hold keeps who was reached, and has the alarm claimed again after a time: the lease
	// while it is being told, a pause after a failed try.
	Hold(ctx context.Context, w *Waiting, after time.Duration) error
	// Settle says that this telling is over.
	Settle(ctx context.Context, w *Waiting) error
}

// Target is somebody who hears alarms.
type Target struct {
	Name string // kept in the book; not shown
	// Tell says the words. The id is the same whenever the same thing is said again.
	Tell func(ctx context.Context, id, words string) error
}

// Config is what a desk needs.
type Config struct {
	Book    Book
	Targets []Target
	// Allow returns how long to wait before one more alarm may be told.
	Allow func(ctx context.Context) (time.Duration, error)
	Log   *slog.Logger
}

// Desk raises alarms and tells them.
type Desk struct {
	Config
	nudge chan struct{}          // the book has something new
	alone chan responsehub.Alarm // what could not be written into the book
}

// New returns a desk. It tells nothing before [Desk.Run] and [Desk.RunAlone].
func New(cfg Config) *Desk {
	return &Desk{Config: cfg, nudge: make(chan struct{}, 1), alone: make(chan responsehub.Alarm, aloneMost)}
}

// Raise writes an alarm down, or its end. It returns once that is safe, or after two
// seconds without the book.
func (d *Desk) Raise(ctx context.Context, a responsehub.Alarm) {
	if a.Words == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookWithin)
	defer cancel()
	err := d.Book.Raise(ctx, a)
	if err == nil {
		select {
		case d.nudge <- struct{}{}:
		default:
		}
		return
	}
	d.Log.Error("ALARM, kept in memory only", "words", a.Words, "error", err)
	select {
	case d.alone <- a:
	default:
		d.Log.Error("the operators are not told: too many alarms wait in memory", "words", a.Words)
	}
}

// Run tells what stands in the book until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	for ctx.Err() == nil {
		w, err := d.Book.Claim(ctx, lease)
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("the book of alarms cannot be read; tried again", "error", err)
		}
		if w != nil {
			d.tell(ctx, w)
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.nudge:
		case <-time.After(look):
		}
	}
}

// tell is one try of one telling.
func (d *Desk) tell(ctx context.Context, w *Waiting) {
	log := d.Log.With("alarm", w.ID)
	// What is told stays told when the hub stops meanwhile.
	book, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(len(d.Targets)+1)*(tellWithin+bookWithin))
	defer cancel()
	if w.Tries == 0 && len(w.Reached) == 0 {
		if wait, err := d.Allow(ctx); err != nil || wait > 0 {
			log.Warn("an alarm waits: too many were told within the hour", "after", wait, "words", w.Words, "error", err)
			d.note(log, d.Book.Hold(book, w, max(wait, look)))
			return
		}
		log.Error("ALARM", "words", said(w))
	}
	left := false
	for _, t := range d.Targets {
		if slices.Contains(w.Reached, t.Name) {
			continue
		}
		if err := t.within(ctx, w.ID, said(w)); err != nil {
			log.Warn("an alarm could not be told to one of the operators", "try", w.Tries+1, "error", err)
			left = true
			continue
		}
		w.Reached = append(w.Reached, t.Name)
		d.note(log, d.Book.Hold(book, w, lease))
	}
	switch tries := w.Tries + 1; {
	case ctx.Err() != nil && left:
		d.note(log, d.Book.Hold(book, w, 0)) // another replica goes on, or the next start
	case left && tries < giveUp && (tries < giveUpSome || len(w.Reached) == 0):
		w.Tries = tries
		d.note(log, d.Book.Hold(book, w, pauses[min(tries, len(pauses))-1]))
	default:
		if left || len(d.Targets) == 0 {
			log.Error("the operators were not told everywhere", "words", said(w), "reached", len(w.Reached))
		}
		d.note(log, d.Book.Settle(book, w))
	}
}

// note says that the book was not written. The lease brings the alarm back.
func (d *Desk) note(log *slog.Logger, err error) {
	if err != nil {
		log.Warn("the book of alarms was not written; the alarm may be told again", "error", err)
	}
}

func (t Target) within(ctx context.Context, id, words string) error {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	return t.Tell(ctx, id, words)
}

// NewID names one telling.
func NewID() string { return rand.Text() }
