package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	apart := a.namedByID(ctx)
	for _, p := range a.polls {
		if ref := apart[p.Source]; ref != "" {
			checks = append(checks, responsehub.Check{Name: "source " + p.Source + " account", Grade: responsehub.CheckWarning, Sentence: "Its alerts name the account by object id only (" + ref + " is one), and what is found by asking goes by the principal name: one account gets two incidents. Map user to the principal name."})
		}
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

// namedByID returns, by source, an open incident whose alert named the account by object
// id only. Alerts meet by the principal name where there is one, see
// [responsehub.AccountKey], and the hub does not ask Microsoft before it stored an alert.
func (a *App) namedByID(ctx context.Context) map[string]string {
	refs := map[string]string{}
	if len(a.polls) == 0 {
		return refs
	}
	for cursor, pages := "", 0; pages < 10; pages++ {
		incs, next, err := a.openIncidents(ctx, cursor)
		if err != nil {
			return refs // another check says that Redis is away
		}
		for _, inc := range incs {
			if id := strings.ToLower(inc.Account.ObjectID); id != "" && strings.HasSuffix(inc.Key, "|"+id) {
				refs[inc.Source] = inc.Ref
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return refs
}
