package app

import (
	"context"
	"time"

	"responsehub"
	"responsehub/mail"
	"responsehub/operators"
	"responsehub/store"
)

const alarmsMost = 20 // an hour: somebody who keeps writing STOP and START fills no mailbox

// alarm tells the operators what belongs to no incident, and its end. Parts are given it
// before the desk is made.
func (a *App) alarm(ctx context.Context, what responsehub.Alarm) { a.operators.Raise(ctx, what) }

// buildOperators makes the desk that tells alarms by mail and in the fallback channels of
// Teams.
func (a *App) buildOperators() {
	var targets []operators.Target
	if a.post != nil {
		for _, to := range a.cfg.Fallback.Mail {
			targets = append(targets, operators.Target{Name: "mail|" + to, Tell: func(ctx context.Context, id, words string) error {
				return a.post.Send(ctx, mail.Alarm(a.cfg.Mail.From, to, id, words))
			}})
		}
	}
	if a.bot != nil {
		for _, channel := range a.cfg.Fallback.Teams {
			targets = append(targets, operators.Target{Name: "teams|" + channel, Tell: func(ctx context.Context, _, words string) error {
				return a.bot.Alarm(ctx, channel, words)
			}})
		}
	}
	limits := store.NewLimits(a.rdb)
	a.operators = operators.New(operators.Config{
		Book: store.NewAlarms(a.rdb), Targets: targets, Log: a.log.With("part", "operators"),
		Allow: func(ctx context.Context) (time.Duration, error) {
			return limits.Allow(ctx, "operators", store.Rate{N: alarmsMost, Per: time.Hour})
		},
	})
}
