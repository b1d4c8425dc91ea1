package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"responsehub"
	"responsehub/connectors/petra"
	"responsehub/connectors/transport"
	"responsehub/intake"
	"responsehub/store"
)

// buildPolls makes what asks sources for the messages that never arrived.
func (a *App) buildPolls(opts Options) error {
	hc, err := transport.New(a.outbound(opts))
	if err != nil {
		return fmt.Errorf("outbound: %w", err)
	}
	for _, s := range a.cfg.Sources {
		if s.Poll == nil {
			continue
		}
		detector, err := petra.New(petra.Config{URL: s.Poll.URL, Key: s.Poll.Key}, hc)
		if err != nil {
			return fmt.Errorf("source %s: poll: %w", s.Name, err)
		}
		a.polls = append(a.polls, &intake.Poll{
			Source: s.Name, Detector: detector, Every: s.Poll.Every, Hub: a.trace.Opens(a.engine), Marks: store.NewPolls(a.rdb), Alarm: a.alarm, Log: a.log.With("part", "poll"),
		})
	}
	return nil
}

// checkPolls asks each source that can be asked.
func (a *App) checkPolls(ctx context.Context) []responsehub.Check {
	var checks []responsehub.Check
	for _, p := range a.polls {
		check := responsehub.Check{Name: "source " + p.Source + " poll", Grade: responsehub.CheckOK, Sentence: "It can be asked what it found; a message that never arrives is missed for a minute or so."}
		err := within(ctx, func(ctx context.Context) error {
			_, _, err := p.Detector.Found(ctx, time.Now().Add(-time.Minute))
			return err
		})
		if e, ok := errors.AsType[*responsehub.Error](err); ok {
			check.Grade, check.Sentence = responsehub.CheckMissing, e.Message
			if e.Kind == responsehub.Throttled {
				check.Grade = responsehub.CheckUnknown
			}
		} else if err != nil {
			check.Grade, check.Sentence = responsehub.CheckMissing, "It cannot be asked what it found. Check poll of the source."
		}
		checks = append(checks, check)
	}
	return checks
}
