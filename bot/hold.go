package bot

import (
	"context"
	"strings"
	"time"

	"responsehub"
)

// Teams shows a question in place of the card, in the client of the person who pressed,
// and an update of the card takes it away with what was typed so far. So the updates of
// that one card wait a moment, in all replicas, until the person has answered. What a
// person should notice is said in the thread meanwhile, the cards in other channels go
// on, and the end of the incident is shown at once.

// holdFor is how long an update waits for an answer: long enough to type a reason.
const holdFor = 30 * time.Second

// holdWindow keeps people who ask and do not answer from holding a card for good.
var holdWindow = Window{N: 2, Per: 2 * time.Minute}

// holding names the place where the updates of one card wait.
func holding(conversation, activity string) string {
	channel, _, _ := strings.Cut(conversation, ";messageid=")
	return "teams:hold:" + channel + "/" + activity
}

// hold keeps the card as it is while a person reads a question on it. Without it the
// question may be gone early, which does no harm; so a failure is logged only.
func (b *Bot) hold(ctx context.Context, conversation, activity string) {
	place := holding(conversation, activity)
	wait, err := b.cfg.Limits.Admit(ctx, place+"/asked", holdWindow)
	if err == nil && wait == 0 {
		err = b.cfg.Limits.Bar(ctx, place, holdFor)
	}
	if err != nil {
		b.log.Warn("a teams card cannot be held for a question", "error", err)
	}
}

// unhold lets the card follow again: the question was answered.
func (b *Bot) unhold(ctx context.Context, conversation, activity string) {
	if err := b.cfg.Limits.Free(ctx, holding(conversation, activity)); err != nil {
		b.log.Warn("a teams card cannot be let go after a question", "error", err)
	}
}

// held is when to look again at a card that somebody has a question open on, 0 when
// nobody has.
func (f *Follower) held(ctx context.Context, inc *responsehub.Incident, p plan) time.Duration {
	if p.ref.Activity == "" || p.why != "" || p.back || inc.State.Closed() {
		return 0
	}
	return min(f.admitted(ctx, holding(p.ref.Conversation, p.ref.Activity), nil), drawEvery)
}
