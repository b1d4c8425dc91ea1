package bot

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
)

// remark is one notice on its way into one thread.
type remark struct {
	plan
	notice notice
}

// again marks a reply whose second post is not confirmed either: it is not tried a third
// time, since every try may have been shown.
const again = "?"

// tell says what the threads have not heard yet, one reply per thread and turn. pause is
// when the cards need the next turn.
func (f *Follower) tell(ctx context.Context, t *responsehub.Turn, pause time.Duration) responsehub.Outcome {
	now := time.Now()
	var replies []remark
	for _, id := range f.channels(t.Incident) {
		ref := t.Incident.Cards[id]
		if ref.Activity == "" || ref.Failure != "" {
			continue
		}
		n, due := f.bot.unsaid(t.Incident, ref, now)
		if !due {
			continue
		}
		ch, why := f.reach(id)
		if why != "" {
			continue // the card's own turn notes it
		}
		wait := f.resting(id, now)
		if wait == 0 {
			wait = f.admitted(ctx, sending(ref.Conversation), replyWindows)
		}
		if wait > 0 {
			pause = sooner(pause, jitter(wait))
			continue
		}
		replies = append(replies, remark{plan{channel: ch, ref: ref}, n})
	}
	if len(replies) == 0 {
		return responsehub.ComeBack(pause, nil)
	}
	if err := f.begin(ctx, t, replies); err != nil {
		return responsehub.TryAgain(err, nil)
	}
	results := make(chan result)
	for _, r := range replies {
		go func() { results <- f.say(ctx, r) }()
	}
	var edits []responsehub.Edit
	pause = sooner(pause, time.Millisecond) // there may be more to say
	for range replies {
		r := <-results
		if r.edit != nil {
			edits = append(edits, r.edit)
		}
		if r.again > 0 && len(replies) == 1 {
			pause = r.again
		}
	}
	return responsehub.ComeBack(pause, together(edits))
}

// begin saves which replies are about to be posted, before they are. Whoever finds such
// a note knows that the reply may be there already; then it is said once more, and the
// record says so.
func (f *Follower) begin(ctx context.Context, t *responsehub.Turn, replies []remark) error {
	return t.Save(ctx, func(inc *responsehub.Incident) error {
		for _, r := range replies {
			ref := inc.Cards[r.channel.ID]
			switch ref.Saying {
			case r.notice.mark:
				ref.Saying += again
				note(inc, responsehub.EventNoticeFailed, sayMaybeReply(r.channel))
			case r.notice.mark + again:
				// Decided below.
			default:
				ref.Saying = r.notice.mark
			}
			set(inc, r.channel.ID, ref)
		}
		return nil
	})
}

// say posts one reply and decides what a failure means.
func (f *Follower) say(ctx context.Context, r remark) result {
	heard := func(inc *responsehub.Incident) error {
		ref := inc.Cards[r.channel.ID]
		ref.Replies, ref.Saying = withMark(ref.Replies, r.notice.mark), ""
		set(inc, r.channel.ID, ref)
		return nil
	}
	if r.ref.Saying == r.notice.mark+again {
		return result{edit: heard}
	}
	msg := sentence(r.notice.text)
	msg.Type, msg.Summary = schema.Message, r.notice.text
	_, err := f.bot.client.say(ctx, r.channel.ServiceURL, r.ref.Conversation, msg)
	if err == nil {
		f.worked(r.channel.ID)
		return result{edit: heard}
	}
	forget := func(inc *responsehub.Incident) error {
		ref := inc.Cards[r.channel.ID]
		ref.Saying = r.ref.Saying
		set(inc, r.channel.ID, ref)
		return nil
	}
	switch responsehub.KindOf(err) {
	case responsehub.NotFound:
		return f.lost(r.plan, err) // the thread is gone: a new card, then the reply below it
	case responsehub.UnknownOutcome:
		return result{err: err, again: f.failed(r.channel.ID, 0)}
	case responsehub.Permanent, responsehub.Invalid:
		// It will not get better by being said again.
		return result{err: err, edit: together([]responsehub.Edit{heard, func(inc *responsehub.Incident) error {
			note(inc, responsehub.EventNoticeFailed, sayReplyFailed(r.channel, responsehub.Sentence(err)))
			return nil
		}})}
	}
	res := f.trouble(ctx, r.plan, err)
	res.edit = together(present(forget, res.edit))
	return res
}

func present(edits ...responsehub.Edit) (out []responsehub.Edit) {
	for _, e := range edits {
		if e != nil {
			out = append(out, e)
		}
	}
	return out
}

// admitted asks whether the limits of a place leave room for a call now, and otherwise
// says how long to wait. While the limits cannot be asked nothing is sent.
func (f *Follower) admitted(ctx context.Context, place string, windows []Window) time.Duration {
	wait, err := f.bot.cfg.Limits.Admit(ctx, place, windows...)
	if err != nil {
		f.log.Warn("teams limits cannot be asked", "error", err)
		return restFirst
	}
	return wait
}

// admit keeps the plans for which there is room; the others wait.
func (f *Follower) admit(ctx context.Context, inc *responsehub.Incident, plans []plan, pause time.Duration) ([]plan, time.Duration) {
	var out []plan
	for _, p := range plans {
		if wait := f.held(ctx, inc, p); wait > 0 {
			pause = sooner(pause, wait)
			continue
		}
		wait := time.Duration(0)
		switch {
		case p.why != "" || p.back: // nothing is sent
		case p.ref.Activity == "" && p.ref.Conversation == "":
			wait = f.admitted(ctx, creating(p.channel.ID), sendWindows)
		default:
			wait = f.admitted(ctx, sending(p.ref.Conversation), sendWindows)
		}
		if wait > 0 {
			pause = sooner(pause, jitter(wait))
			continue
		}
		out = append(out, p)
	}
	return out, pause
}

// storm is told that Teams wants its peace in a channel: no replica sends there for a
// while, neither cards nor replies.
func (f *Follower) storm(ctx context.Context, channel string, d time.Duration) {
	for _, place := range []string{sending(channel), creating(channel)} {
		if err := f.bot.cfg.Limits.Bar(ctx, place, d); err != nil {
			f.log.Warn("a pause of teams cannot be shared", "channel", channel, "error", err)
		}
	}
}

// tooBig reports whether Teams found a message too large.
func tooBig(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && (r.status == http.StatusRequestEntityTooLarge || strings.EqualFold(r.code, "MessageSizeTooBig"))
}
