package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"responsehub"
)

const (
	// PollEvery is how often a detector is asked unless the [Poll] says otherwise.
	PollEvery = time.Minute
	// pollBack is how far before the newest known finding is asked, for findings that
	// became visible out of order. What comes twice is recognised by its id.
	pollBack = 15 * time.Minute
	// pollGrace leaves the first word to the detector's message, which says more.
	pollGrace = 30 * time.Second
	// pollWithin bounds one round.
	pollWithin = 2 * time.Minute
	// pollFails is after how many rounds in a row the operators hear of it.
	pollFails = 5
	// pollTold is how many findings that could not be used are remembered.
	pollTold = 200
)

// Finding is an incident as a detector's API lists it.
type Finding struct {
	ID      string             // the detector's id
	MadeAt  time.Time          // by the detector's clock
	Settled bool               // the detector says that it was dealt with
	Alert   *responsehub.Alert // nil when it cannot be used
	Fault   error              // why not
}

// Detector is a source that can be asked. Found returns what it made on or after since,
// in any order. cut says that there was more than it gives.
type Detector interface {
	Found(ctx context.Context, since time.Time) (found []Finding, cut bool, err error)
}

// Marks is what all processes share about a source that is asked.
type Marks interface {
	// Turn reports whether this process asks now; nobody else does for the period.
	Turn(ctx context.Context, source string, period time.Duration) (bool, error)
	// LoadMark returns what SaveMark kept last, nil at first.
	LoadMark(ctx context.Context, source string) ([]byte, error)
	SaveMark(ctx context.Context, source string, mark []byte) error
}

// Poll asks one detector what it found, so that a message that never arrived is missed
// for a minute and not for ever. It goes on where it was after any outage of the hub; one
// process does it for all. What messages brought already is known by its id and changes
// nothing.
type Poll struct {
	Source   string        // its name in the configuration
	Detector Detector      //
	Every    time.Duration // 0: [PollEvery]
	Hub      Hub
	Marks    Marks
	Alarm    func(ctx context.Context, a responsehub.Alarm) // tells the operators
	Log      *slog.Logger

	rest time.Time // Run's own: the detector asked to be left alone until then
}

// mark is kept between rounds. Its names are stored names.
type mark struct {
	Newest time.Time `json:"newest"`          // what was made up to then was handed to the hub
	Fails  int       `json:"fails,omitempty"` // rounds in a row that failed
	Down   bool      `json:"down,omitempty"`  // the operators know
	Told   []string  `json:"told,omitempty"`  // findings that could not be used; the operators know
}

// Run asks until ctx ends.
func (p *Poll) Run(ctx context.Context) {
	every := cmp.Or(p.Every, PollEvery)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		p.round(ctx, every)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *Poll) round(ctx context.Context, every time.Duration) {
	if time.Now().Before(p.rest) {
		return
	}
	mine, err := p.Marks.Turn(ctx, p.Source, every-every/20)
	if err == nil && mine {
		err = p.ask(ctx)
	}
	if err != nil && ctx.Err() == nil {
		p.Log.Warn("a detector could not be asked what it found; tried again", "source", p.Source, "error", err)
	}
}

// ask is one round. The mark moves only past what the hub has for good.
func (p *Poll) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pollWithin, errors.New("asking the detector took too long"))
	defer cancel()
	m, err := p.load(ctx)
	if err != nil {
		return err
	}
	found, cut, err := p.Detector.Found(ctx, m.Newest.Add(-pollBack))
	if err != nil {
		return errors.Join(err, p.failed(ctx, m, err))
	}
	if m.Down {
		p.Alarm(ctx, responsehub.Alarm{Subject: p.down(), Words: fmt.Sprintf(wordsPollBack, p.Source), Over: true})
	}
	m.Fails, m.Down = 0, false
	if cut {
		p.Alarm(ctx, responsehub.Alarm{Subject: "poll cut|" + p.Source, Words: fmt.Sprintf(wordsPollCut, p.Source, len(found), m.Newest.Add(-pollBack).UTC().Format(time.DateTime))})
	}
	err = p.take(ctx, m, found)
	return errors.Join(err, p.save(ctx, m))
}

// load begins now when nothing is kept: what a detector found before the hub was there
// was told to somebody else.
func (p *Poll) load(ctx context.Context) (*mark, error) {
	raw, err := p.Marks.LoadMark(ctx, p.Source)
	if err != nil {
		return nil, err
	}
	m := &mark{}
	if len(raw) > 0 && json.Unmarshal(raw, m) == nil && !m.Newest.IsZero() {
		return m, nil
	}
	m = &mark{Newest: time.Now().UTC()}
	return m, p.save(ctx, m)
}

func (p *Poll) save(ctx context.Context, m *mark) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("poll %s: %w", p.Source, err)
	}
	return p.Marks.SaveMark(ctx, p.Source, raw)
}

// take hands findings to the hub, oldest first. The first that the hub cannot take now
// ends the round: it and what follows come again.
func (p *Poll) take(ctx context.Context, m *mark, found []Finding) error {
	slices.SortFunc(found, func(a, b Finding) int { return a.MadeAt.Compare(b.MadeAt) })
	for _, f := range found {
		if age := time.Since(f.MadeAt); age >= 0 && age < pollGrace {
			return nil // and what follows is younger
		}
		if err := p.one(ctx, m, f); err != nil {
			return err
		}
		if f.MadeAt.After(m.Newest) && !f.MadeAt.After(time.Now().Add(pollBack)) {
			m.Newest = f.MadeAt
		}
	}
	return nil
}

func (p *Poll) one(ctx context.Context, m *mark, f Finding) error {
	log := p.Log.With("source", p.Source, "finding", f.ID)
	if f.Settled {
		log.Debug("the detector says that this was dealt with")
		return nil
	}
	fault := f.Fault
	if fault == nil {
		fault = f.Alert.Validate()
	}
	if fault == nil {
		inc, known, err := p.Hub.Open(ctx, responsehub.Delivery{Source: p.Source}, f.Alert)
		if err == nil && !known {
			log.Warn("the detector's message never arrived: found by asking", "incident", inc.ID, "tenant", inc.Tenant.ID, "made_at", f.MadeAt)
		}
		if err == nil || responsehub.KindOf(err) != responsehub.Invalid {
			return err
		}
		fault = err
	}
	if slices.Contains(m.Told, f.ID) {
		return nil
	}
	log.Error("what the detector lists cannot be used", "error", fault)
	p.Alarm(ctx, responsehub.Alarm{Subject: "poll unusable|" + p.Source + "|" + f.ID, Words: fmt.Sprintf(wordsPollUnusable, p.Source, f.ID, responsehub.Sentence(fault))})
	m.Told = append(m.Told, f.ID)
	m.Told = m.Told[max(0, len(m.Told)-pollTold):]
	return nil
}

// down is what an alarm and its end are about: that the source cannot be asked.
func (p *Poll) down() string { return "poll down|" + p.Source }

// failed notes a round that failed. Being asked to wait is no failure.
func (p *Poll) failed(ctx context.Context, m *mark, err error) error {
	if e, ok := errors.AsType[*responsehub.Error](err); ok && e.Kind == responsehub.Throttled {
		p.rest = time.Now().Add(e.RetryAfter)
		return nil
	}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return nil // the hub stops
	}
	m.Fails++
	refused := responsehub.KindOf(err) == responsehub.Unauthorized || responsehub.KindOf(err) == responsehub.Forbidden
	if !m.Down && (refused || m.Fails >= pollFails) {
		m.Down = true
		p.Alarm(ctx, responsehub.Alarm{Subject: p.down(), Words: fmt.Sprintf(wordsPollDown, p.Source, responsehub.Sentence(err))})
	}
	return p.save(context.WithoutCancel(ctx), m)
}
