package bot

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
	"responsehub/bot/card"
)

// plan is what one channel needs.
type plan struct {
	channel responsehub.Channel
	ref     responsehub.CardRef
	summary string
	why     string // it cannot be reached, and this is new
	back    bool   // it can be reached again, and its card shows the truth
}

// result is what came of it.
type result struct {
	edit   responsehub.Edit
	posted bool
	err    error         // the channel was tried and failed
	again  time.Duration // come back after this long
}

// plan decides for every channel; pause is when to look again at those that have to
// wait, 0 for not at all.
func (f *Follower) plan(inc *responsehub.Incident, shown drawing, now time.Time) (plans []plan, pause time.Duration) {
	for _, id := range f.channels(inc) {
		ref := inc.Cards[id]
		ch, why := f.reach(id)
		if refusedLongAgo(ch, now) && !inc.State.Closed() {
			why, ref.Drawn = "", "" // nobody tells the bot when it may post again
		}
		right := ref.Activity != "" && ref.Drawn == shown.hash
		switch {
		case right && ref.Failure == "" && (why == "" || inc.State.Closed()):
			continue
		case why != "" && why == ref.Failure:
			if !inc.State.Closed() {
				pause = sooner(pause, lookAgain)
			}
			continue
		case why != "":
		case right:
			plans = append(plans, plan{channel: ch, ref: ref, back: true})
			continue
		default:
			wait := max(f.resting(id, now), ref.DrawnAt.Add(drawEvery).Sub(now))
			if ref.Activity == "" {
				wait = f.resting(id, now)
			}
			if wait > 0 {
				pause = sooner(pause, wait)
				continue
			}
		}
		plans = append(plans, plan{channel: ch, ref: ref, summary: card.Summary(inc), why: why})
	}
	return plans, pause
}

// refusedLongAgo reports whether it is time to try a channel again that Teams refused: an
// administrator who allows the app again sends no event.
func refusedLongAgo(ch responsehub.Channel, now time.Time) bool {
	return ch.Installed && ch.Failure != "" && now.Sub(ch.FailedAt) >= tryAgain
}

// reach returns how to post in a channel, or why that cannot be done.
func (f *Follower) reach(id string) (ch responsehub.Channel, why string) {
	d := f.bot.directory
	ch, known := d.Channel(id)
	switch {
	case known && ch.Failure != "":
		return ch, ch.Failure
	case known && !ch.Installed:
		return ch, sayRemoved
	case known:
		return ch, ""
	case !validID(id):
		return responsehub.Channel{ID: id}, sayOddID
	}
	// An install event names one channel of a team, and the list of the others may not
	// have been read. Any channel of our tenant tells the address of its region.
	for _, other := range d.Channels() {
		if other.Installed && other.Failure == "" && other.TeamID != "" {
			return responsehub.Channel{V: 1, ID: id, TenantID: other.TenantID, ServiceURL: other.ServiceURL, BotID: other.BotID}, ""
		}
	}
	return responsehub.Channel{ID: id}, sayNotInstalled
}

// intend saves which cards are about to be posted, before they are. After a crash, or
// a lost answer, an intent without a card tells that one may be there already. Teams
// has no call to look for it, so it is posted again and the record says so.
func (f *Follower) intend(ctx context.Context, t *responsehub.Turn, plans []plan) error {
	var posts []plan
	for _, p := range plans {
		if p.ref.Activity == "" && p.why == "" {
			posts = append(posts, p)
		}
	}
	if len(posts) == 0 {
		return nil
	}
	now := time.Now().UTC()
	return t.Save(ctx, func(inc *responsehub.Incident) error {
		for _, p := range posts {
			ref := inc.Cards[p.channel.ID]
			if intended(ref) {
				note(inc, responsehub.EventNoticeFailed, sayMaybe)
			}
			ref.DrawnAt = now
			set(inc, p.channel.ID, ref)
		}
		return nil
	})
}

// intended reports whether a post was begun whose outcome is not known.
func intended(ref responsehub.CardRef) bool {
	return ref.Activity == "" && !ref.DrawnAt.IsZero()
}

// carryOut posts or updates one card.
func (f *Follower) carryOut(ctx context.Context, p plan, shown drawing) result {
	switch {
	case p.why != "":
		return f.unreachable(p, p.why, lookAgain)
	case p.back:
		return result{edit: func(inc *responsehub.Incident) error {
			ref := inc.Cards[p.channel.ID]
			ref.Failure = ""
			set(inc, p.channel.ID, ref)
			return nil
		}}
	}
	msg := attached(shown.card, p.summary)
	if p.ref.Activity == "" {
		return f.post(ctx, p, msg, shown)
	}
	err := f.bot.client.update(ctx, p.channel.ServiceURL, p.ref.Conversation, p.ref.Activity, msg)
	if tooBig(err) {
		err = f.bot.client.update(ctx, p.channel.ServiceURL, p.ref.Conversation, p.ref.Activity, attached(shown.short(), p.summary))
	}
	if err != nil {
		return f.trouble(ctx, p, err)
	}
	f.reopen(ctx, p)
	at := time.Now().UTC()
	return result{edit: func(inc *responsehub.Incident) error {
		ref := inc.Cards[p.channel.ID]
		if ref.Activity == p.ref.Activity {
			ref.Drawn, ref.DrawnAt, ref.Failure = shown.hash, at, ""
			set(inc, p.channel.ID, ref)
		}
		return nil
	}}
}

// post starts the incident's thread, or replies in it where the first card was deleted.
func (f *Follower) post(ctx context.Context, p plan, msg schema.Activity, shown drawing) result {
	at, err := f.put(ctx, p, msg)
	if tooBig(err) {
		at, err = f.put(ctx, p, attached(shown.short(), p.summary))
	}
	if err != nil {
		return f.trouble(ctx, p, err)
	}
	f.reopen(ctx, p)
	now := time.Now().UTC()
	return result{posted: true, edit: func(inc *responsehub.Incident) error {
		set(inc, p.channel.ID, responsehub.CardRef{Conversation: at.Conversation, Activity: at.Activity, Drawn: shown.hash, DrawnAt: now, Replies: inc.Cards[p.channel.ID].Replies})
		note(inc, responsehub.EventNoticeSent, sayPosted(p.channel))
		return nil
	}}
}

func (f *Follower) put(ctx context.Context, p plan, msg schema.Activity) (posted, error) {
	if p.ref.Conversation != "" {
		return f.bot.client.say(ctx, p.channel.ServiceURL, p.ref.Conversation, msg)
	}
	return f.bot.client.thread(ctx, p.channel, msg)
}

// trouble decides what a failure means for the card.
func (f *Follower) trouble(ctx context.Context, p plan, err error) result {
	e, _ := errors.AsType[*responsehub.Error](err)
	asked := time.Duration(0)
	if e != nil {
		asked = e.RetryAfter
	}
	switch responsehub.KindOf(err) {
	case responsehub.NotFound:
		return f.lost(p, err)
	case responsehub.Forbidden, responsehub.Invalid:
		r := f.unreachable(p, responsehub.Sentence(err), max(f.failed(p.channel.ID, asked), lookAgain))
		if _, answered := errors.AsType[*refusal](err); answered {
			f.shut(ctx, p, responsehub.Sentence(err))
			return r
		}
		r.err = err // the bot's own trouble, such as an expired secret
		return r
	case responsehub.UnknownOutcome:
		// The intent stays: it says that a card may be there.
		return result{err: err, again: f.failed(p.channel.ID, asked)}
	case responsehub.Permanent, responsehub.Unauthorized:
		again := f.failed(p.channel.ID, restMost)
		r := f.unreachable(p, responsehub.Sentence(err), again)
		r.err = err
		return r
	}
	// Nothing was posted, so there is nothing to be in doubt about.
	again := f.failed(p.channel.ID, asked)
	if responsehub.KindOf(err) == responsehub.Throttled {
		f.storm(ctx, p.channel.ID, again)
	}
	return result{err: err, again: again, edit: forget(p)}
}

// forget takes an intent back that did not come to anything.
func forget(p plan) responsehub.Edit {
	if p.ref.Activity != "" {
		return nil
	}
	return func(inc *responsehub.Incident) error {
		if ref := inc.Cards[p.channel.ID]; ref.Activity == "" {
			ref.DrawnAt = time.Time{}
			set(inc, p.channel.ID, ref)
		}
		return nil
	}
}

// lost forgets a card that was deleted in Teams, so that the next turn, at once, posts
// it anew: in its thread, or in a new one where the thread is gone too.
func (f *Follower) lost(p plan, err error) result {
	ref := responsehub.CardRef{Replies: p.ref.Replies} // people have read them
	if r, ok := errors.AsType[*refusal](err); ok && r.code == codeNoActivity && p.ref.Activity != "" {
		ref.Conversation = p.ref.Conversation
	}
	if p.ref.Activity == "" && p.ref.Conversation == "" {
		// The channel itself is not there.
		f.failed(p.channel.ID, 0)
		return f.unreachable(p, responsehub.Sentence(err), lookAgain)
	}
	return result{again: time.Millisecond, edit: func(inc *responsehub.Incident) error {
		if now := inc.Cards[p.channel.ID]; now.Activity == p.ref.Activity {
			set(inc, p.channel.ID, ref)
		}
		return nil
	}}
}

// unreachable notes on the incident, once, why a channel shows no card.
func (f *Follower) unreachable(p plan, why string, again time.Duration) result {
	return result{again: again, edit: func(inc *responsehub.Incident) error {
		ref := inc.Cards[p.channel.ID]
		if ref.Activity == "" {
			ref.DrawnAt = time.Time{}
		}
		if ref.Failure != why {
			ref.Failure = why
			note(inc, responsehub.EventNoticeFailed, sayFailed(p.channel, why))
		}
		set(inc, p.channel.ID, ref)
		return nil
	}}
}

// shut keeps with the channel that it cannot be reached, so that other incidents do
// not try it and the operators see it. An install event, or any sign of life from the
// channel, opens it again.
func (f *Follower) shut(ctx context.Context, p plan, why string) {
	ch, known := f.bot.directory.Channel(p.channel.ID)
	if !known {
		ch = p.channel
	}
	ch.Failure, ch.FailedAt = why, time.Now().UTC()
	if err := f.bot.directory.PutChannel(ctx, ch); err != nil {
		f.log.Warn("teams channel's failure cannot be kept", "channel", ch.ID, "error", err)
	}
}

// reopen notes that a channel works, for this process and, where it was kept as out of
// reach, for all.
func (f *Follower) reopen(ctx context.Context, p plan) {
	f.worked(p.channel.ID)
	ch, known := f.bot.directory.Channel(p.channel.ID)
	if !known || !ch.Installed || ch.Failure == "" {
		return
	}
	ch.Failure = ""
	if err := f.bot.directory.PutChannel(ctx, ch); err != nil {
		f.log.Warn("teams channel cannot be kept", "channel", ch.ID, "error", err)
	}
}

// set changes a card of the incident without touching the map of an older copy.
func set(inc *responsehub.Incident, channel string, ref responsehub.CardRef) {
	cards := maps.Clone(inc.Cards)
	if cards == nil {
		cards = map[string]responsehub.CardRef{}
	}
	cards[channel] = ref
	inc.Cards = cards
}

func note(inc *responsehub.Incident, kind responsehub.EventKind, text string) {
	inc.Record(responsehub.Event{At: time.Now(), Kind: kind, By: responsehub.Hub.By(), Text: text})
}
