package bot

import (
	"strings"
	"testing"
	"time"

	"responsehub"
)

// TestPagedInTheThread: who is called next and why, that nobody was reached, and that
// people are called again after an acknowledgement that led to nothing: each once in one
// paging, and again in the next.
func TestPagedInTheThread(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		page := func(edit func(*responsehub.Page)) {
			l.write(func(inc *responsehub.Incident) error {
				if inc.Page == nil {
					inc.Page = &responsehub.Page{}
				}
				edit(inc.Page)
				inc.Record(responsehub.Event{Kind: responsehub.EventNoticeFailed}) // alone it draws nothing
				return nil
			})
			l.run(time.Minute)
			l.write(func(inc *responsehub.Incident) error { // and it is not said again
				inc.Record(responsehub.Event{Kind: responsehub.EventPageAttempt})
				return nil
			})
			l.run(time.Minute)
		}
		running := func(p *responsehub.Page) {
			p.State, p.Sequence, p.Rounds, p.Begun, p.Step, p.Alarmed = responsehub.PageRunning, []string{"ann", "sched-1", "rita"}, 3, time.Now(), 0, time.Time{}
		}
		next := func(step int, now ...string) func(*responsehub.Page) {
			return func(p *responsehub.Page) { p.Step, p.StepAt, p.Now = step, time.Now(), now }
		}
		page(running)
		page(next(1, "bob")) // a schedule says that it is Bob
		page(func(p *responsehub.Page) {
			p.Attempts = append(p.Attempts, responsehub.Attempt{ID: "a1", Person: "bob", Way: responsehub.ByCall, State: responsehub.AttemptHeard, Turn: 1, Passed: true})
			next(2, "rita", "ann")(p)
		})
		page(func(p *responsehub.Page) { p.Alarmed = time.Now() })                                     // after a time, while people are called
		page(func(p *responsehub.Page) { p.State = responsehub.PageExhausted })                        // the same alarm
		page(func(p *responsehub.Page) { running(p); p.Lapsed++ })                                     // somebody took it and did nothing
		page(func(p *responsehub.Page) { p.Step, p.StepAt = 4, time.Now() })                           // later rounds are told by the card
		page(func(p *responsehub.Page) { p.State, p.Alarmed = responsehub.PageExhausted, time.Now() }) // in vain once more
		l.write(func(inc *responsehub.Incident) error {
			inc.Acknowledge(responsehub.Actor{ID: "person:bob", Name: "Bob"}, time.Now())
			return nil
		})
		l.run(time.Minute)
		want := []string{
			"Nobody has answered the phone yet; Bob is called now.", "Bob cannot take it; Rita, Ann are called now.", sayNobodyReached,
			sayPagedAgain, sayNobodyReached,
		}
		if got := l.replies(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			l.Errorf("said:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
