package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/teams"
	"responsehub/sim/wire"
)

// misbehaviour is one error of the connector, once, when a card is to be updated.
type misbehaviour struct {
	name   string
	code   string
	change func(*wire.Fault)
	rest   time.Duration // how long the hub leaves the channel in peace
	told   string        // in the record, where the card cannot be right by itself
	back   bool          // the bot has to be installed again
	anew   bool          // a new card is posted
	thread bool          // in the old thread
	short  bool          // with fewer details
}

func status(n int) func(*wire.Fault) { return func(f *wire.Fault) { f.Status = n } }

// misbehaviours are the connector's table of errors. A wrong host, which only the cloud
// for governments says, is tried in package bot: here it would lead out of this machine.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes-from-bot-conversational-apis
var misbehaviours = []misbehaviour{
	{name: "429, seconds", code: "Throttled", change: func(f *wire.Fault) { f.Header["Retry-After"] = "5" }, rest: 5 * time.Second},
	{name: "429, a date", code: "Throttled", change: func(f *wire.Fault) {
		f.Header["Retry-After"] = time.Now().Add(8 * time.Second).UTC().Format(http.TimeFormat)
	}, rest: 3 * time.Second},
	{name: "429, nothing said", code: "Throttled", change: func(f *wire.Fault) { delete(f.Header, "Retry-After") }, rest: 2 * time.Second},
	{name: "412", code: "PreconditionFailed", rest: 400 * time.Millisecond},
	{name: "500", code: "ServiceError", rest: 400 * time.Millisecond},
	{name: "502", code: "ServiceError", change: status(502), rest: 400 * time.Millisecond},
	{name: "502 in html", code: "ServiceError", change: func(f *wire.Fault) { f.Status, f.Answer, f.Header = 502, "<html>Bad Gateway</html>", nil }, rest: 400 * time.Millisecond},
	{name: "503", code: "ServiceError", change: status(503), rest: 400 * time.Millisecond},
	{name: "504 after the effect", code: "ServiceError", change: func(f *wire.Fault) { f.Status, f.After = 504, true }, rest: 400 * time.Millisecond},
	{name: "the connection is cut", code: "ServiceError", change: func(f *wire.Fault) { f.Drop = true }},
	{name: "401", code: "BotNotRegistered"},
	{name: "413", code: "MessageSizeTooBig", short: true},
	{name: "413 in html", code: "MessageSizeTooBig", change: func(f *wire.Fault) { f.Answer, f.Header = "<html>413</html>", nil }, short: true},
	{name: "404, the card", code: "ActivityNotFoundInConversation", anew: true, thread: true},
	{name: "404, the conversation", code: "ConversationNotFound", anew: true},
	{name: "403, not in the roster", code: "BotNotInConversationRoster", told: "Add the app to the team in Teams again", back: true},
	{name: "403, disabled", code: "BotDisabledByAdmin", told: "Allow the app in the Teams admin center", back: true},
	{name: "403, blocked", code: "ConversationBlockedByUser", told: "Unblock it in Teams", back: true},
	{name: "403, no permission", code: "NotEnoughPermissions", told: "Let apps post there in the channel's settings", back: true},
	{name: "400", code: "BadArgument", told: "Teams refused the message (400, BadArgument)"},
}

// TestTeamsMisbehaves plays every error of the connector against the update of a card.
// In the end the card shows the last state; where a person has to do something first,
// the incident's record says what.
func TestTeamsMisbehaves(t *testing.T) {
	t.Parallel()
	for _, m := range misbehaviours {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := raise(t, scenery{twoCards: m.anew})
			in := s.alert(s.world.Alert("manual"))
			first := s.card(in.Ref, "Act now")
			s.until("the card has caught up", func() bool {
				inc, ok := s.kept(in.Incident)
				for _, ref := range inc.Cards {
					return ok && ref.Drawn != "" && s.cardIsQuiet(ref.DrawnAt)
				}
				return false
			})
			fault, err := teams.Refusal(m.code)
			if err != nil {
				t.Fatal(err)
			}
			fault.Method = http.MethodPut
			if m.change != nil {
				m.change(&fault)
			}
			s.world.Wire.AddFault(fault)
			if r := s.ask(in.Incident, responsehub.Publish, api.StepBody{}); r.status != http.StatusAccepted {
				t.Fatal(r)
			}
			if m.told != "" {
				s.recorded(in.Incident, responsehub.EventNoticeFailed, m.told)
			}
			if m.back {
				s.install()
			}
			s.within(100*time.Second, "the card shows the last state", func() bool {
				cards := s.cards(in.Ref)
				last := cardText(cards[len(cards)-1].Card)
				return strings.Contains(last, "Published") || strings.Contains(last, "active")
			})
			s.cameOut(in, first, m)
		})
	}
}

// cameOut checks how a card got over an error.
func (s *stage) cameOut(in opened, first teams.MessageState, m misbehaviour) {
	s.Helper()
	cards := s.cards(in.Ref)
	last := cards[len(cards)-1]
	if (len(cards) == 2) != m.anew || m.anew && (last.Root == first.Root) != m.thread {
		s.Errorf("%d cards, the first in the thread %s, the last in %s", len(cards), first.Root, last.Root)
	}
	var refused time.Time
	size := 0
	for _, q := range s.world.Wire.Requests() {
		switch {
		case q.Vendor != "teams" || q.Method == http.MethodGet:
		case q.Fault != "":
			refused, size = q.At, len(q.Body)
		case !refused.IsZero():
			if d := q.At.Sub(refused); d < m.rest {
				s.Errorf("%s %s came %s after the refusal", q.Method, q.Path, d)
			}
			if m.short && len(q.Body) >= size {
				s.Errorf("refused were %d bytes, then %d were sent", size, len(q.Body))
			}
			refused = time.Time{}
		}
	}
	s.until("the incident knows its card as right", func() bool {
		inc, ok := s.kept(in.Incident)
		for _, ref := range inc.Cards {
			return ok && ref.Failure == "" && ref.Activity == last.ID
		}
		return false
	})
}
