package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

// lane plays the engine for one incident's Teams lane: it saves, wakes and comes back
// as the engine does.
type lane struct {
	*harness
	f      *Follower
	inc    *responsehub.Incident
	events []responsehub.Event
	woken  bool
	saves  int
	broken error // what Save answers
	last   responsehub.Outcome
	turns  int
}

func newLane(h *harness, inc *responsehub.Incident) *lane {
	inc.Cards = nil
	l := &lane{harness: h, f: h.bot.Follower(), inc: inc}
	l.write(func(*responsehub.Incident) error { return nil })
	l.woken = true
	return l
}

// write applies an edit like the store: on a copy, with its events.
func (l *lane) write(edit responsehub.Edit) {
	l.Helper()
	next := clone(l.inc)
	if err := edit(next); err != nil {
		l.Fatal(err)
	}
	events := next.TakeEvents()
	l.events = append(l.events, events...)
	l.inc = next
	if l.f.Wake(clone(next), events) {
		l.woken = true
	}
}

func (l *lane) save(_ context.Context, edit responsehub.Edit) (*responsehub.Incident, error) {
	if l.broken != nil {
		return nil, l.broken
	}
	l.saves++
	l.write(edit)
	return clone(l.inc), nil
}

// turn runs one visit and returns when the next is due; 0 is when woken.
func (l *lane) turn() time.Duration {
	l.turns++
	if l.turns > 500 {
		l.Fatal("the lane does not come to rest")
	}
	l.woken = false
	l.last = l.f.Follow(context.Background(), responsehub.NewTurn(clone(l.inc), 0, l.save))
	if l.last.Edit != nil {
		l.write(l.last.Edit)
	}
	if l.last.Err != nil {
		pause := time.Second
		if e, ok := errors.AsType[*responsehub.Error](l.last.Err); ok && e.RetryAfter > 0 {
			pause = e.RetryAfter
		}
		return pause
	}
	if l.woken {
		return time.Nanosecond
	}
	return l.last.After
}

// settle runs turns until nothing is left to do, for at most d of simulated time.
func (l *lane) run(d time.Duration) {
	end := time.Now().Add(d)
	for {
		next := time.Duration(0)
		if l.woken {
			next = time.Nanosecond
		}
		if next = max(next, l.turn()); next == 0 {
			return
		}
		if time.Now().Add(next).After(end) {
			return
		}
		time.Sleep(next)
	}
}

func (l *lane) count(kind responsehub.EventKind) (n int) {
	for _, e := range l.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// bubble runs a story of one lane in simulated time.
func bubble(t *testing.T, story func(*lane)) {
	newSigner("k1")
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		story(newLane(h, h.incident(false)))
	})
}

func note1(inc *responsehub.Incident) error {
	inc.Title += "!"
	inc.Record(responsehub.Event{Kind: responsehub.EventProgress})
	return nil
}

func TestPostOnce(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		ref := l.inc.Cards[general]
		posts := l.world.seen("POST")
		if len(posts) != 1 || len(l.world.seen("PUT")) != 0 || ref.Activity != "1700000000001" || ref.Conversation != general+";messageid=1700000000001" || ref.Drawn == "" {
			l.Fatalf("posts %d, card %+v", len(posts), ref)
		}
		if l.count(responsehub.EventNoticeSent) != 1 || l.woken {
			l.Errorf("events %v, woken %v", l.events, l.woken)
		}
		msg := mustJSON(posts[0].Body["activity"])
		if !strings.Contains(msg, "RH-7K2M") || !strings.Contains(msg, "act now") || strings.Contains(msg, `"text":"RH-7K2M high`) {
			l.Errorf("message: %.300s", msg)
		}
		l.run(time.Hour)
		if n := len(l.world.seen("")); n != 1 {
			l.Errorf("%d calls though nothing changed", n)
		}
	})
}

// TestCoalesce: a burst of changes costs at most one update in two seconds, and the
// last state is always drawn.
func TestCoalesce(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		for range 100 {
			l.write(note1)
			l.run(50 * time.Millisecond)
			time.Sleep(50 * time.Millisecond)
		}
		l.run(time.Minute)
		puts := l.world.seen("PUT")
		for i, c := range puts {
			if i > 0 && c.At.Sub(puts[i-1].At) < 2*time.Second {
				l.Errorf("updates %s apart", c.At.Sub(puts[i-1].At))
			}
		}
		if len(puts) < 3 || len(puts) > 7 {
			l.Errorf("%d updates in ten seconds", len(puts))
		}
		if last := mustJSON(puts[len(puts)-1].Body); !strings.Contains(last, strings.Repeat("!", 100)) {
			l.Error("the last state was not drawn")
		}
		if n := len(l.world.seen("POST")); n != 1 {
			l.Errorf("%d posts", n)
		}
	})
}

func TestThrottled(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		n := 0
		l.world.respond = func(call) (int, http.Header, string) {
			if n++; n == 1 {
				return 429, http.Header{"Retry-After": {"17"}}, ""
			}
			return 0, nil, ""
		}
		l.write(note1)
		start := time.Now()
		l.run(10 * time.Second)
		l.write(note1) // a wake-up must not shorten the pause
		l.run(time.Minute)
		puts := l.world.seen("PUT")
		if len(puts) != 2 || puts[1].At.Sub(start) < 17*time.Second || puts[1].At.Sub(start) > 20*time.Second {
			l.Errorf("updates: %v since %v", puts, start)
		}
	})
}

func TestDeletedCard(t *testing.T) {
	for _, tc := range []struct{ code, path string }{
		{"ActivityNotFoundInConversation", "/emea/v3/conversations/" + general + "%3Bmessageid=1700000000001/activities"},
		{"ConversationNotFound", "/emea/v3/conversations"},
	} {
		bubble(t, func(l *lane) {
			l.run(time.Minute)
			l.world.respond = func(c call) (int, http.Header, string) {
				if c.Method == http.MethodPut && strings.HasSuffix(c.Path, "/1700000000001") {
					return 404, nil, `{"error":{"code":"` + tc.code + `"}}`
				}
				return 0, nil, ""
			}
			old := l.inc.Cards[general]
			l.write(note1)
			l.run(time.Minute)
			posts := l.world.seen("POST")
			if len(posts) != 2 || posts[1].Path != tc.path {
				l.Fatalf("%s: posts %s", tc.code, mustJSON(posts))
			}
			now := l.inc.Cards[general]
			if now.Activity == old.Activity || now.Activity == "" {
				l.Errorf("%s: card %+v", tc.code, now)
			}
			l.write(note1)
			l.run(time.Minute)
			puts := l.world.seen("PUT")
			if !strings.HasSuffix(puts[len(puts)-1].Path, "/"+now.Activity) {
				l.Errorf("%s: the new card is not updated", tc.code)
			}
		})
	}
}

// TestRemovedBot: the failure is kept once, with the incident and the channel; Teams is
// asked every quarter of an hour and not hammered; and a new installation brings the card.
func TestRemovedBot(t *testing.T) {
	bubble(t, func(l *lane) {
		l.world.respond = func(call) (int, http.Header, string) {
			return 403, nil, `{"error":{"code":"BotNotInConversationRoster"}}`
		}
		l.run(30 * time.Minute)
		l.write(note1)
		l.run(30 * time.Minute)
		ch, _ := l.dir.Channel(general)
		if n := len(l.world.seen("")); n < 3 || n > 5 || l.count(responsehub.EventNoticeFailed) != 1 || !strings.Contains(l.inc.Cards[general].Failure, "Add the app") || ch.Failure == "" {
			l.Fatalf("%d calls, events %v, card %+v, channel %+v", n, l.events, l.inc.Cards[general], ch)
		}
		l.world.respond = nil
		act := activity("installationUpdate", annID)
		act["action"] = "add"
		l.send(act)
		l.settle()
		l.run(time.Minute)
		if ref := l.inc.Cards[general]; ref.Activity == "" || ref.Failure != "" {
			l.Errorf("after the installation: %+v", ref)
		}
	})
}

// TestDeadChannel: one channel that hangs does not keep the other from its card.
func TestDeadChannel(t *testing.T) {
	const other = "19:other@thread.tacv2"
	bubble(t, func(l *lane) {
		l.dir.tenants[0].Notify.Teams = []string{general, other}
		l.dir.channels[other] = responsehub.Channel{ID: other, TenantID: tenant, ServiceURL: "https://europe.botframework.com/", BotID: "28:x", Installed: true}
		l.world.respond = func(c call) (int, http.Header, string) {
			if c.Host == "europe.botframework.com" {
				time.Sleep(9 * time.Second)
				return 503, nil, ""
			}
			return 0, nil, ""
		}
		start := time.Now()
		l.run(5 * time.Minute)
		ref := l.inc.Cards[general]
		if ref.Activity == "" || ref.DrawnAt.Sub(start) > time.Second || l.inc.Cards[other].Activity != "" {
			l.Errorf("cards %+v after %s", l.inc.Cards, ref.DrawnAt.Sub(start))
		}
		tried := 0
		for _, c := range l.world.seen("POST") {
			if c.Host == "europe.botframework.com" {
				tried++
			}
		}
		if tried < 3 || tried > 12 {
			l.Errorf("the dead channel was tried %d times in five minutes", tried)
		}
		if l.last.Err != nil {
			l.Errorf("the lane failed for one of two channels: %v", l.last.Err)
		}
	})
}

// TestLostAnswer: a post whose outcome is not known is repeated, and the record says
// that it may show twice.
func TestLostAnswer(t *testing.T) {
	bubble(t, func(l *lane) {
		n := 0
		l.world.respond = func(call) (int, http.Header, string) {
			if n++; n == 1 {
				return 504, nil, ""
			}
			return 0, nil, ""
		}
		l.run(time.Minute)
		if len(l.world.seen("POST")) != 2 || l.inc.Cards[general].Activity == "" || l.count(responsehub.EventNoticeFailed) != 1 {
			l.Errorf("posts %d, card %+v, events %v", len(l.world.seen("POST")), l.inc.Cards[general], l.events)
		}
	})
}

// TestCrash: killed between the post and its save, the next holder finds the intent.
func TestCrash(t *testing.T) {
	bubble(t, func(l *lane) {
		l.write(func(inc *responsehub.Incident) error {
			set(inc, general, responsehub.CardRef{DrawnAt: time.Now()})
			return nil
		})
		l.run(time.Minute)
		if l.count(responsehub.EventNoticeFailed) != 1 || l.count(responsehub.EventNoticeSent) != 1 {
			l.Errorf("events %v", l.events)
		}
	})
}

// TestLeaseLost: without a saved intent nothing is posted.
func TestLeaseLost(t *testing.T) {
	bubble(t, func(l *lane) {
		l.broken = fmt.Errorf("the lease was lost")
		l.turn()
		if len(l.world.seen("")) != 0 || l.last.Err == nil {
			l.Errorf("%d calls, %v", len(l.world.seen("")), l.last.Err)
		}
	})
}

// TestNobodySeesIt: when no channel can be served, the lane fails where people see it.
func TestNobodySeesIt(t *testing.T) {
	bubble(t, func(l *lane) {
		l.world.respond = func(call) (int, http.Header, string) { return 400, nil, `{"error":{"code":"BadArgument"}}` }
		l.run(time.Minute)
		if l.last.Err == nil || l.count(responsehub.EventNoticeFailed) != 1 {
			l.Errorf("outcome %+v, events %v", l.last, l.events)
		}
	})
}

func TestChannels(t *testing.T) {
	const late = "19:late@thread.tacv2"
	bubble(t, func(l *lane) {
		l.inc.Tenant = responsehub.TenantRef{Name: "unknown"}
		l.bot.cfg.Channels = []string{late}
		delete(l.dir.channels, general)
		l.run(5 * time.Minute)
		if len(l.world.seen("")) != 0 || !strings.Contains(l.inc.Cards[late].Failure, "not installed") || l.count(responsehub.EventNoticeFailed) != 1 {
			l.Fatalf("before the install: %+v, events %v", l.inc.Cards, l.events)
		}
		l.dir.channels[late] = responsehub.Channel{ID: late, TenantID: tenant, ServiceURL: service, BotID: "28:x", Installed: true}
		l.run(time.Minute)
		if l.inc.Cards[late].Activity == "" {
			l.Errorf("after the install: %+v", l.inc.Cards)
		}
	})
	bubble(t, func(l *lane) { // another channel of a team the bot is in
		l.dir.tenants[0].Notify.Teams = []string{late}
		l.run(time.Minute)
		if l.inc.Cards[late].Activity == "" {
			l.Errorf("unlisted channel: %+v", l.inc.Cards)
		}
	})
	bubble(t, func(l *lane) { // nobody to tell
		l.dir.tenants[0].Notify.Teams = nil
		if l.turn() != 0 || len(l.world.seen("")) != 0 {
			l.Error("a lane without channels does not rest")
		}
	})
}

func TestWake(t *testing.T) {
	h := newHarness(t)
	inc := h.incident(true)
	f := h.bot.Follower()
	inc.Cards[general] = responsehub.CardRef{Activity: "1", Drawn: f.draw(inc).hash}
	for kind, want := range map[responsehub.EventKind]bool{
		responsehub.EventOpened: true, responsehub.EventDone: true, responsehub.EventErased: true, responsehub.EventLaneRetried: true,
		responsehub.EventNoticeSent: false, responsehub.EventNoticeFailed: false, responsehub.EventRefused: false, responsehub.EventLaneDead: false,
	} {
		if got := f.Wake(inc, []responsehub.Event{{Kind: kind}}); got != want {
			t.Errorf("%s: woken %v", kind, got)
		}
	}
	inc.Step(responsehub.Retract).Progress = &responsehub.Progress{Searched: 1, Mailboxes: 2}
	if !f.Wake(inc, nil) {
		t.Error("progress without an event does not wake")
	}
}
