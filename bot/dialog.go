package bot

import (
	"context"
	"encoding/json"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
	"responsehub/bot/card"
)

// dialog answers task/fetch. Only the person who pressed sees it, and Teams does not
// keep it as a message.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/task-modules/task-modules-bots
type dialog struct {
	Task task `json:"task"`
}

type task struct {
	Type  string `json:"type"`
	Value any    `json:"value"`
}

func declined(sentence string) dialog { return dialog{task{"message", sentence}} }

// reveal shows the one-time password, once, to who asked for the reset. The engine
// decides who that is and erases it in the same write. It is in no log and no event.
func (b *Bot) reveal(ctx context.Context, act *schema.Activity, c click) dialog {
	if c.verb != card.Reveal {
		return declined(sayNoButton)
	}
	actor := b.actor(act)
	inc, err := b.cardOf(ctx, act, c)
	if err != nil {
		if responsehub.KindOf(err) == responsehub.Forbidden {
			b.refuse(c.incident, actor, responsehub.Password, err)
		}
		return declined(b.sentence(ctx, err, sayLateReveal))
	}
	got, err := b.engine.Reveal(ctx, actor, inc.ID)
	if err != nil {
		b.refuse(inc.ID, actor, responsehub.Password, err)
		return declined(b.sentence(ctx, err, sayLateReveal))
	}
	return dialog{task{"continue", map[string]any{
		"title": sayPassword, "height": "small", "width": "medium",
		"card": map[string]any{
			"contentType": card.ContentType,
			"content":     json.RawMessage(card.Dialog(string(got.Password), got.For, got.Advice)),
		},
	}}}
}
