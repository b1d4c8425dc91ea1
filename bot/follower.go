package bot

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"responsehub"
	"responsehub/bot/card"
)

const (
	// drawEvery is the shortest pause between two drawings of one card. Teams allows a bot
	// 1,800 operations an hour on one thread, and takes an update for one.
	// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
	drawEvery = 2 * time.Second
	// lookAgain is how often an open incident asks whether a channel that was out of
	// reach is back: an install event wakes no incident.
	lookAgain = 30 * time.Second
	// tryAgain is how long a channel that Teams refused is left alone.
	tryAgain  = 15 * time.Minute
	restFirst = 2 * time.Second // of a channel that failed, doubled each time
	restMost  = time.Minute
)

// Follower keeps the cards of an incident in step with it: posted once in each channel
// of its tenant, then updated in place.
type Follower struct {
	bot *Bot
	log *slog.Logger

	mu    sync.Mutex
	rests map[string]rest // by channel
}

// rest is a channel's pause after a failure. It is kept in the process only: after a
// restart a channel is tried once more, which does no harm.
type rest struct {
	until    time.Time
	failures int
}

var _ responsehub.Follower = (*Follower)(nil)

// Follower returns the follower of the Teams lane.
func (b *Bot) Follower() *Follower {
	return &Follower{bot: b, log: b.log, rests: map[string]rest{}}
}

// Lane is the Teams lane.
func (f *Follower) Lane() responsehub.Lane { return responsehub.LaneTeams }

// Wake reports whether the write may have changed what a card shows: anything but
// notes of notices and refusals. A write without events, such as the progress of a
// search, is looked at by drawing the card.
func (f *Follower) Wake(inc *responsehub.Incident, events []responsehub.Event) bool {
	for _, e := range events {
		switch e.Kind {
		case responsehub.EventNoticeSent, responsehub.EventNoticeFailed, responsehub.EventRefused, responsehub.EventLaneDead:
		default:
			return true
		}
	}
	var shown string
	now := time.Now()
	for id, ref := range inc.Cards {
		if ref.Activity == "" || ref.Failure != "" {
			continue
		}
		if _, why := f.reach(id); why != "" && !inc.State.Closed() {
			return true
		}
		if _, due := f.bot.unsaid(inc, ref, now); due {
			return true
		}
		if shown == "" {
			shown = f.draw(inc).hash
		}
		if ref.Drawn != shown {
			return true
		}
	}
	return false
}

// drawing is a card and the name of what it shows.
type drawing struct {
	card  []byte
	hash  string
	short func() []byte // for the case that Teams finds it too large
}

func (f *Follower) draw(inc *responsehub.Incident) drawing {
	view := f.bot.view(inc, "")
	c := card.Card(inc, view)
	return drawing{c, card.Hash(c), func() []byte { return card.Short(inc, view) }}
}

// channels are where the incident's cards are or have to be: those of its tenant as
// configured now, or the fallback, and wherever a card was posted already.
func (f *Follower) channels(inc *responsehub.Incident) []string {
	var ids []string
	if t, ok := f.bot.directory.Tenant(inc.Tenant.ID); ok && inc.Tenant.ID != "" {
		ids = append(ids, t.Notify.Teams...)
	}
	// Where none of its channels can be reached, somebody still has to see it.
	if !slices.ContainsFunc(ids, func(id string) bool { _, why := f.reach(id); return why == "" }) {
		ids = append(ids, f.bot.cfg.Channels...)
	}
	for id, ref := range inc.Cards {
		if ref.Activity != "" {
			ids = append(ids, id)
		}
	}
	seen := map[string]bool{}
	out := ids[:0]
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// Follow brings every channel's card to what the incident says now. The channels are
// served at the same time; one that fails rests by itself.
func (f *Follower) Follow(ctx context.Context, t *responsehub.Turn) responsehub.Outcome {
	if err := f.resume(ctx, t); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	shown := f.draw(t.Incident)
	plans, pause := f.plan(t.Incident, shown, time.Now())
	plans, pause = f.admit(ctx, t.Incident, plans, pause)
	if len(plans) == 0 {
		return f.tell(ctx, t, pause)
	}
	if err := f.intend(ctx, t, plans); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	results := make(chan result)
	for _, p := range plans {
		go func() { results <- f.carryOut(ctx, p, shown) }()
	}
	var edits []responsehub.Edit
	var failed []result
	var lost error
	for range plans {
		r := <-results
		if r.again > 0 {
			pause = sooner(pause, r.again)
		}
		if r.err != nil {
			failed = append(failed, r)
		}
		if r.edit == nil {
			continue
		}
		// A new card is saved at once: until then a click on it cannot be told from one on
		// a foreign card, and a crash would post it again.
		if r.posted && lost == nil {
			if lost = t.Save(ctx, r.edit); lost == nil {
				continue
			}
		}
		edits = append(edits, r.edit)
	}
	if lost != nil {
		return responsehub.TryAgain(lost, together(edits))
	}
	if err := f.hopeless(t.Incident, plans, failed); err != nil {
		return responsehub.TryAgain(err, together(edits))
	}
	if f.owes(t.Incident) {
		pause = sooner(pause, time.Millisecond)
	}
	return responsehub.ComeBack(pause, together(edits))
}

// owes reports whether a thread has not heard something yet.
func (f *Follower) owes(inc *responsehub.Incident) bool {
	for _, ref := range inc.Cards {
		if _, due := f.bot.unsaid(inc, ref, time.Now()); due && ref.Activity != "" && ref.Failure == "" {
			return true
		}
	}
	return false
}

// hopeless returns an error when no channel at all could be served: that is for the
// engine's count of failed turns and the operators' list of lanes. Being throttled is no
// failure, and one dead channel must not make the living ones wait for its retries.
func (f *Follower) hopeless(inc *responsehub.Incident, plans []plan, failed []result) error {
	if len(failed) < len(plans) || len(plans) < len(f.channels(inc)) {
		return nil
	}
	for _, r := range failed {
		if responsehub.KindOf(r.err) == responsehub.Throttled {
			return nil
		}
	}
	for _, p := range plans {
		f.worked(p.channel.ID) // the engine's pauses take the place of ours
	}
	return failed[0].err
}

func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

func together(edits []responsehub.Edit) responsehub.Edit {
	if len(edits) == 0 {
		return nil
	}
	return func(inc *responsehub.Incident) error {
		for _, e := range edits {
			if err := e(inc); err != nil {
				return err
			}
		}
		return nil
	}
}

// resting returns how long a channel is still left alone.
func (f *Follower) resting(id string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(f.rests[id].until.Sub(now), 0)
}

// failed lets a channel rest: as long as Teams asked, or twice as long as last time.
func (f *Follower) failed(id string, asked time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rests[id]
	pause := asked
	if pause <= 0 {
		pause = jitter(min(restFirst<<min(r.failures, 10), restMost))
	}
	f.rests[id] = rest{until: time.Now().Add(pause), failures: r.failures + 1}
	return pause
}

func (f *Follower) worked(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.rests, id)
}
