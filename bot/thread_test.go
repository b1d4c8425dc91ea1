package bot

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
)

// replies are the texts posted in the thread of the first card.
func (l *lane) replies() (out []string) {
	for _, c := range l.world.seen("POST") {
		if text, _ := c.Body["text"].(string); text != "" && strings.Contains(c.Path, "messageid=") {
			out = append(out, text)
		}
	}
	return out
}

func locked(inc *responsehub.Incident) error {
	s := inc.Step(responsehub.Lock)
	s.State, s.Round, s.VerifiedAt = responsehub.Done, 1, time.Now().UTC()
	inc.Record(responsehub.Event{Kind: responsehub.EventDone})
	return nil
}

// TestThread: what a person should notice is said once each in the card's thread, and
// nothing of what goes as it should.
func TestThread(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		l.write(locked)
		l.run(time.Minute)
		steps := func(id responsehub.StepID, state responsehub.StepState, reason string) {
			l.write(func(inc *responsehub.Incident) error {
				s := inc.Step(id)
				s.State, s.Reason, s.Round = state, reason, s.Round+1
				inc.Record(responsehub.Event{Kind: responsehub.EventProgress})
				return nil
			})
			l.run(time.Minute)
		}
		steps(responsehub.Retract, responsehub.Running, "")
		steps(responsehub.Retract, responsehub.Done, "")
		steps(responsehub.Persistence, responsehub.NeedsHuman, "Rule \"https://evil.example/\u202e**x**\" cannot be read.")
		steps(responsehub.Password, responsehub.Failed, "Microsoft refused it.")
		l.write(func(inc *responsehub.Incident) error {
			inc.Watch = &responsehub.Watch{Since: time.Now(), Reversed: 1, Reversals: []responsehub.Reversal{{SeenAt: time.Now(), LockedAt: time.Now().Add(time.Second), Why: "Directory sync re-enabled the account"}}}
			inc.Page = &responsehub.Page{State: responsehub.PageRunning, Sequence: []string{"ann", "bob"}, Step: 1, StepAt: time.Now()}
			inc.Alerts = append(inc.Alerts, "petra|det-2")
			inc.Record(responsehub.Event{Kind: responsehub.EventJoined})
			return nil
		})
		l.run(time.Minute)
		l.write(func(inc *responsehub.Incident) error { // as the pager writes: a notice, which alone draws nothing
			inc.Page.State = responsehub.PageExhausted
			inc.Record(responsehub.Event{Kind: responsehub.EventNoticeFailed})
			return nil
		})
		if !l.woken {
			t.Error("nobody reached by phone does not wake the lane")
		}
		l.run(time.Minute)
		l.write(func(inc *responsehub.Incident) error {
			inc.State, inc.ClosedAt = responsehub.Remediated, time.Now()
			inc.Step(responsehub.Close).RequestedBy = responsehub.By{Name: "Ann"}
			inc.Record(responsehub.Event{Kind: responsehub.EventClosed})
			return nil
		})
		l.run(time.Hour)
		got := l.replies()
		want := []string{
			"pat@contoso.example is locked, read back at", "Step 3, Disable persistence, needs a person. Rule \"https[:]//evil.example/**x**\"",
			"Step 4, Reset password, failed. Microsoft refused it.", "New evidence came in: 2 alerts", "Directory sync re-enabled the account at",
			"Bob is called now", "Nobody could be reached by phone", "Marked as remediated by Ann at",
		}
		if len(got) != len(want) {
			t.Fatalf("%d replies, want %d: %q", len(got), len(want), got)
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("reply %d is %q, want %q", i, got[i], want[i])
			}
		}
		// Another process says nothing of it again.
		posts := len(l.world.seen("POST"))
		l.f = l.bot.Follower()
		l.woken = true
		l.run(time.Hour)
		if n := len(l.world.seen("POST")); n != posts {
			t.Errorf("after a restart %d posts more", n-posts)
		}
	})
}

// TestReplyInDoubt: a reply whose answer was lost is said once more, the record says so,
// and never a third time.
func TestReplyInDoubt(t *testing.T) {
	for lost, want := range map[int]int{1: 2, 5: 2} {
		bubble(t, func(l *lane) {
			l.run(time.Minute)
			n := 0
			l.world.respond = func(c call) (int, http.Header, string) {
				if c.Method == http.MethodPost {
					if n++; n <= lost {
						return 504, nil, ""
					}
				}
				return 0, nil, ""
			}
			l.write(locked)
			l.run(time.Hour)
			ref := l.inc.Cards[general]
			if got := len(l.replies()); got != want || l.count(responsehub.EventNoticeFailed) != 1 || !slices.Contains(ref.Replies, "locked:1") || ref.Saying != "" {
				t.Errorf("%d answers lost: %d replies, card %+v, events %v", lost, got, ref, l.events)
			}
		})
	}
}

// TestReplyAfterCrash: killed between the reply and its note, the next holder says it once
// more and says so.
func TestReplyAfterCrash(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		l.write(func(inc *responsehub.Incident) error {
			ref := inc.Cards[general]
			ref.Saying = "locked:1"
			set(inc, general, ref)
			return locked(inc)
		})
		l.run(time.Minute)
		if len(l.replies()) != 1 || l.count(responsehub.EventNoticeFailed) != 1 {
			t.Errorf("replies %q, events %v", l.replies(), l.events)
		}
	})
}

// TestReplyFaults: a thread that is gone gets a new card and the reply below it; one that
// Teams refuses for good is not said again; a pause is waited for.
func TestReplyFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		status  int
		header  http.Header
		code    string
		posts   int // after the fault was cured
		replies int
	}{
		"thread gone": {404, nil, "ConversationNotFound", 1, 2},
		"bad":         {400, nil, "BadArgument", 0, 1},
		"throttled":   {429, http.Header{"Retry-After": {"9"}}, "Throttled", 0, 2},
		"edit clash":  {412, nil, "PreconditionFailed", 0, 2},
	} {
		bubble(t, func(l *lane) {
			l.run(time.Minute)
			n := 0
			var first time.Time
			l.world.respond = func(c call) (int, http.Header, string) {
				if text, _ := c.Body["text"].(string); text != "" {
					if n++; n == 1 {
						first = time.Now()
						return tc.status, tc.header, fmt.Sprintf(`{"error":{"code":%q}}`, tc.code)
					}
				}
				return 0, nil, ""
			}
			l.write(locked)
			l.run(time.Hour)
			cards := 0
			for _, c := range l.world.seen("POST") {
				if c.Body["activity"] != nil {
					cards++
				}
			}
			if cards != 1+tc.posts || len(l.replies()) != tc.replies || !slices.Contains(l.inc.Cards[general].Replies, "locked:1") {
				t.Errorf("%s: %d cards, replies %q, ref %+v", name, cards, l.replies(), l.inc.Cards[general])
			}
			if tc.header != nil {
				posts := l.world.seen("POST")
				if d := posts[len(posts)-1].At.Sub(first); d < 9*time.Second {
					t.Errorf("said again after %s", d)
				}
			}
		})
	}
}

// TestOldNews: a card that is posted late does not repeat the past.
func TestOldNews(t *testing.T) {
	bubble(t, func(l *lane) {
		l.write(locked)
		time.Sleep(2 * time.Hour)
		l.run(time.Hour)
		if got := l.replies(); len(got) != 0 || l.inc.Cards[general].Activity == "" {
			t.Errorf("said %q", got)
		}
	})
}

// TestRepeats: what happens over and over is said less and less often.
func TestRepeats(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		for i := range 100 {
			l.write(func(inc *responsehub.Incident) error {
				inc.Alerts = append(inc.Alerts, fmt.Sprint("petra|more-", i))
				inc.Record(responsehub.Event{Kind: responsehub.EventJoined})
				return nil
			})
			l.run(time.Minute)
		}
		if n := len(l.replies()); n > 8 || n < 3 {
			t.Errorf("%d replies for a hundred alerts", n)
		}
	})
}
