package app

import (
	"context"
	"time"

	"responsehub/mail"
	"responsehub/store"
)

const (
	alarmTries  = 3
	alarmPause  = 10 * time.Second
	alarmsMost  = 20 // an hour: somebody who keeps writing STOP and START fills no mailbox
	alarmsAhead = 20
)

// alarm tells the operators what belongs to no incident. It returns at once.
func (a *App) alarm(_ context.Context, words string) {
	select {
	case a.alarms <- words:
	default:
		a.log.Error("the operators are not told: too many alarms wait", "words", words)
	}
}

// sendAlarms sends what waits by mail and in the fallback channels of Teams, until ctx
// ends. What cannot be delivered within half a minute stands in the log only.
func (a *App) sendAlarms(ctx context.Context) {
	limits := store.NewLimits(a.rdb)
	for {
		select {
		case <-ctx.Done():
			return
		case words := <-a.alarms:
			wait, err := limits.Allow(ctx, "operators", store.Rate{N: alarmsMost, Per: time.Hour})
			if err == nil && wait > 0 {
				a.log.Error("the operators are not told: there were too many alarms within the hour", "words", words)
				continue
			}
			a.sendAlarm(ctx, words)
		}
	}
}

func (a *App) sendAlarm(ctx context.Context, words string) {
	var letters []mail.Letter // each with its own id, the same at each try
	if a.post != nil {
		for _, to := range a.cfg.Fallback.Mail {
			letters = append(letters, mail.Alarm(a.cfg.Mail.From, to, words))
		}
	}
	teams := a.bot != nil && len(a.cfg.Fallback.Teams) > 0
	for try := range alarmTries {
		if try > 0 && !pause(ctx, alarmPause) {
			break
		}
		var left []mail.Letter
		for _, l := range letters {
			if err := a.post.Send(ctx, l); err != nil {
				a.log.Warn("an alarm could not be mailed", "error", err)
				left = append(left, l)
			}
		}
		letters = left
		if teams {
			err := a.bot.Alarm(ctx, words)
			if teams = err != nil; teams {
				a.log.Warn("an alarm could not be said in Teams", "error", err)
			}
		}
		if len(letters) == 0 && !teams {
			return
		}
	}
	a.log.Error("the operators were not told everywhere", "words", words)
}
