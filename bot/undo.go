package bot

import (
	"context"
	"strconv"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
	"responsehub/bot/card"
)

// takeBack carries an undo or a false alarm to the engine. A button drawn before the
// step was asked for again is too old to take anything back.
func (b *Bot) takeBack(ctx context.Context, act *schema.Activity, actor responsehub.Actor, c click) (*responsehub.Incident, string, error) {
	step := responsehub.StepID(c.step)
	if c.verb == card.Undo && !step.Valid() || c.verb == card.FalseAlarm && c.step != "" {
		return nil, "", &responsehub.Error{Kind: responsehub.Invalid, Message: sayNoButton}
	}
	inc, err := b.cardOf(ctx, act, c)
	if err != nil {
		if responsehub.KindOf(err) == responsehub.Forbidden {
			b.refuse(c.incident, actor, step, err)
		}
		return nil, "", err
	}
	if c.verb == card.Undo && older(inc.Step(step), c.round) && actor.May(responsehub.See, inc.Tenant) == nil {
		return inc, sayAgain, nil
	}
	if q, ok := question(inc, actor, c, time.Now()); ok {
		return inc, "", &asked{q}
	}
	command := "teams:" + act.ID
	var got responsehub.Answer
	if c.verb == card.Undo {
		got, err = b.engine.Undo(ctx, actor, inc.ID, step, responsehub.UndoRequest{CommandID: command, Reason: c.reason})
	} else {
		got, err = b.engine.FalseAlarm(ctx, actor, inc.ID, c.reason, command)
	}
	if err != nil {
		b.refuse(inc.ID, actor, step, err)
		return nil, "", err
	}
	return got.Incident, got.Sentence, nil
}

// older reports whether the step was asked for since the card was drawn, other than to
// take it back: the second person to press joins the first.
func older(s *responsehub.Step, round string) bool {
	n, err := strconv.Atoi(round)
	return s != nil && !s.Undo && round != "" && (err != nil || n < s.Round)
}
