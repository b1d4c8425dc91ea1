package bot

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

// within reports the first stretch of a window that holds more calls than Teams allows.
func within(calls []call) string {
	for _, w := range []Window{{7, time.Second}, {8, 2 * time.Second}, {60, 30 * time.Second}, {1800, time.Hour}} {
		for i := w.N; i < len(calls); i++ {
			if d := calls[i].At.Sub(calls[i-w.N].At); d < w.Per {
				return fmt.Sprintf("%d calls within %s, allowed are %d in %s", w.N+1, d, w.N, w.Per)
			}
		}
	}
	return ""
}

// crowd is many incidents in one channel, each with its lane, over one or more processes.
func crowd(h *harness, n, processes int) []*lane {
	followers := make([]*Follower, processes)
	for i := range followers {
		followers[i] = h.bot.Follower() // pauses are kept in each, the limits by all
	}
	var lanes []*lane
	for i := range n {
		inc := h.incident(false)
		inc.ID, inc.Ref = fmt.Sprintf("01JD%022d", i), fmt.Sprintf("RH-%04d", i)
		l := newLane(h, inc)
		l.f = followers[i%processes]
		lanes = append(lanes, l)
	}
	return lanes
}

// TestBurst: a thousand changes of fifty incidents in one channel, worked by two replicas,
// stay within the limits of the channel, and each card shows the last state in the end.
func TestBurst(t *testing.T) {
	newSigner("k1")
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		lanes := crowd(h, 50, 2)
		var all sync.WaitGroup
		for _, l := range lanes {
			all.Go(func() { l.run(5 * time.Minute) })
		}
		all.Wait()
		start := time.Now()
		for _, l := range lanes {
			all.Go(func() {
				for range 20 {
					l.write(note1)
					l.run(time.Second)
				}
				l.run(20 * time.Minute)
			})
		}
		all.Wait()
		shown := map[string]string{}
		var sent, created []call
		for _, c := range h.world.seen("") {
			switch {
			case c.Method == http.MethodPut:
				shown[c.Path[strings.LastIndex(c.Path, "/")+1:]] = mustJSON(c.Body)
				sent = append(sent, c)
			case c.Body["activity"] != nil:
				id := ""
				for _, l := range lanes {
					if strings.Contains(mustJSON(c.Body), l.inc.Ref) {
						id = l.inc.Cards[general].Activity
					}
				}
				shown[id] = mustJSON(c.Body)
				created = append(created, c)
			default:
				sent = append(sent, c)
			}
		}
		if len(created) != 50 {
			t.Errorf("%d cards for 50 incidents", len(created))
		}
		for what, calls := range map[string][]call{"updates": sent, "posts": created} {
			if fault := within(calls); fault != "" {
				t.Errorf("%s: %s", what, fault)
			}
		}
		for _, l := range lanes {
			if !strings.Contains(shown[l.inc.Cards[general].Activity], l.inc.Ref) || !strings.Contains(shown[l.inc.Cards[general].Activity], strings.Repeat("!", 20)) {
				t.Errorf("the card of %s does not show its last state", l.inc.Ref)
			}
		}
		last := sent[len(sent)-1].At.Sub(start)
		t.Logf("%d posts and %d updates for 1,000 changes; the last card was right after %s", len(created), len(sent), last.Round(time.Second))
		if last > 3*time.Minute {
			t.Errorf("the last card was right only after %s", last)
		}
	})
}

// TestStorm: when Teams throttles one card of a channel, all cards of the channel leave it
// in peace, in every replica, with Retry-After in seconds, as a date, or without.
func TestStorm(t *testing.T) {
	for name, tc := range map[string]struct {
		header func() http.Header
		rest   time.Duration
	}{
		"seconds": {func() http.Header { return http.Header{"Retry-After": {"20"}} }, 20 * time.Second},
		"a date": {func() http.Header {
			return http.Header{"Retry-After": {time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat)}}
		}, 18 * time.Second},
		"not said": {func() http.Header { return nil }, 2 * time.Second},
	} {
		newSigner("k1")
		synctest.Test(t, func(t *testing.T) {
			h := newHarness(t)
			lanes := crowd(h, 20, 2)
			for _, l := range lanes {
				l.run(5 * time.Minute)
			}
			var stormed time.Time
			h.world.respond = func(c call) (int, http.Header, string) {
				if stormed.IsZero() {
					stormed = time.Now()
				}
				if time.Since(stormed) < time.Second {
					return 429, tc.header(), `{"error":{"code":"Throttled"}}`
				}
				return 0, nil, ""
			}
			before := len(h.world.seen(""))
			var all sync.WaitGroup
			for _, l := range lanes {
				l.write(note1)
				all.Go(func() { l.run(10 * time.Minute) })
			}
			all.Wait()
			calls := h.world.seen("")[before:]
			refused := 0
			for _, c := range calls {
				switch d := c.At.Sub(stormed); {
				case d < time.Second:
					refused++
				case d < tc.rest:
					t.Errorf("%s: a call %s after Teams had asked for a pause of %s", name, d, tc.rest)
				}
			}
			if refused > 8 {
				t.Errorf("%s: %d calls into the storm", name, refused)
			}
			if fault := within(calls); fault != "" {
				t.Errorf("%s: %s", name, fault)
			}
			for _, l := range lanes {
				if ref := l.inc.Cards[general]; ref.Drawn != l.f.draw(l.inc).hash {
					t.Errorf("%s: the card of %s is old", name, l.inc.Ref)
				}
			}
		})
	}
}

// TestUnknownIsAnsweredFiveTimes an hour and person, the rest with silence.
func TestUnknownIsAnsweredFiveTimes(t *testing.T) {
	newSigner("k1")
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		say := func(from string, times int) (answers int) {
			before := len(h.world.seen("POST"))
			for i := range times {
				act := activity("message", from)
				act["id"], act["text"] = fmt.Sprint("m", i), "beep boop"
				h.send(act)
				h.settle()
			}
			return len(h.world.seen("POST")) - before
		}
		if n := say(annID, 20); n != 5 {
			t.Errorf("%d answers to the first person", n)
		}
		if n := say(bobID, 2); n != 2 {
			t.Errorf("%d answers to another person", n)
		}
		time.Sleep(time.Hour + time.Second)
		if n := say(annID, 1); n != 1 {
			t.Errorf("%d answers an hour later", n)
		}
	})
}

// TestTooLarge: a card that Teams finds too large is sent short, whatever the shape of the
// refusal.
func TestTooLarge(t *testing.T) {
	for _, body := range []string{`{"error":{"code":"MessageSizeTooBig"}}`, "<html>413 Request Entity Too Large</html>"} {
		bubble(t, func(l *lane) {
			l.inc.Summary = strings.Repeat("A long summary. ", 60)
			size := 0
			l.world.respond = func(c call) (int, http.Header, string) {
				if size = len(mustJSON(c.Body)); strings.Contains(mustJSON(c.Body), strings.Repeat("A long summary. ", 10)) {
					return 413, nil, body
				}
				return 0, nil, ""
			}
			l.run(time.Minute)
			l.write(note1)
			l.run(time.Minute)
			ref := l.inc.Cards[general]
			puts := l.world.seen("PUT")
			if ref.Activity == "" || ref.Failure != "" || ref.Drawn != l.f.draw(l.inc).hash || len(puts) != 2 || !strings.Contains(mustJSON(puts[1].Body), "Publish Incident") {
				l.Errorf("card %+v, %d updates, the last of %d bytes", ref, len(puts), size)
			}
			if n := len(l.world.seen("")); n != 4 {
				l.Errorf("%d calls", n)
			}
		})
	}
}

// TestErrors plays every error of the connector's table against an update of a card.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes-from-bot-conversational-apis
func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		status  int
		code    string
		tries   int    // calls until it works or is given up, the first included
		failure string // left on the card; empty: it works in the end
		shut    bool   // the channel is kept as out of reach
		token   bool   // a new token was got
		host    string // of the last call
	}{
		{400, "BadArgument", 0, "refused the message (400, BadArgument)", false, false, ""},
		{401, "BotNotRegistered", 2, "", false, true, ""},
		{403, "BotNotInConversationRoster", 1, "Add the app to the team in Teams again", true, false, ""},
		{403, "BotDisabledByAdmin", 1, "Allow the app in the Teams admin center", true, false, ""},
		{403, "ConversationBlockedByUser", 1, "Unblock it in Teams", true, false, ""},
		{403, "NotEnoughPermissions", 1, "Let apps post there", true, false, ""},
		{403, "InvalidBotApiHost", 2, "", false, false, "smba.infra.gcc.teams.microsoft.com"},
		{404, "ActivityNotFoundInConversation", 2, "", false, false, ""},
		{404, "ConversationNotFound", 2, "", false, false, ""},
		{412, "PreconditionFailed", 2, "", false, false, ""},
		{413, "MessageSizeTooBig", 2, "", false, false, ""},
		{429, "Throttled", 2, "", false, false, ""},
		{500, "ServiceError", 2, "", false, false, ""},
		{502, "ServiceError", 2, "", false, false, ""},
		{503, "ServiceError", 2, "", false, false, ""},
		{504, "ServiceError", 2, "", false, false, ""},
	} {
		bubble(t, func(l *lane) {
			l.run(time.Minute)
			n, before := 0, len(l.world.seen(""))
			l.world.respond = func(call) (int, http.Header, string) {
				if n++; n == 1 || tc.failure != "" {
					return tc.status, nil, fmt.Sprintf(`{"error":{"code":%q,"message":"no"}}`, tc.code)
				}
				return 0, nil, ""
			}
			tokens := l.cred.n
			l.write(note1)
			l.run(time.Minute)
			calls := l.world.seen("")[before:]
			ref, ch := l.inc.Cards[general], l.dir.channels[general]
			name := fmt.Sprintf("%d %s", tc.status, tc.code)
			if tc.tries > 0 && len(calls) != tc.tries {
				l.Errorf("%s: %d calls, want %d", name, len(calls), tc.tries)
			}
			if (ref.Failure == "") != (tc.failure == "") || !strings.Contains(ref.Failure, tc.failure) || (ch.Failure != "") != tc.shut {
				l.Errorf("%s: the card says %q, the channel %q", name, ref.Failure, ch.Failure)
			}
			if tc.failure == "" && ref.Drawn != l.f.draw(l.inc).hash {
				l.Errorf("%s: the card does not show the last state", name)
			}
			if (l.cred.n > tokens) != tc.token && tc.status == 401 {
				l.Errorf("%s: %d new tokens", name, l.cred.n-tokens)
			}
			if tc.host != "" && calls[len(calls)-1].Host != tc.host {
				l.Errorf("%s: sent to %s", name, calls[len(calls)-1].Host)
			}
			for i := 1; i < len(calls); i++ {
				if d := calls[i].At.Sub(calls[i-1].At); d < time.Second && tc.status != 401 && tc.status != 413 && tc.code != "InvalidBotApiHost" && tc.status != 404 {
					l.Errorf("%s: tried again after %s", name, d)
				}
			}
		})
	}
}

// TestFallback: where none of a tenant's channels can be reached, the fallback's is used.
func TestFallback(t *testing.T) {
	const other = "19:other@thread.tacv2"
	bubble(t, func(l *lane) {
		l.bot.cfg.Channels = []string{other}
		l.dir.channels[other] = responsehub.Channel{ID: other, TenantID: tenant, ServiceURL: service, BotID: "28:x", Installed: true}
		l.run(time.Minute)
		if l.inc.Cards[other].Activity != "" {
			l.Error("the fallback was told though the tenant's own channel works")
		}
		ch := l.dir.channels[general]
		ch.Installed, ch.Failure = false, sayRemoved
		l.dir.channels[general] = ch
		l.write(note1)
		l.run(time.Minute)
		if l.inc.Cards[other].Activity == "" || l.inc.Cards[general].Failure != sayRemoved || l.count(responsehub.EventNoticeFailed) != 1 {
			l.Errorf("cards %+v, events %v", l.inc.Cards, l.events)
		}
	})
}

// TestMention: the person on call is mentioned on a severe card until somebody takes it.
func TestMention(t *testing.T) {
	bubble(t, func(l *lane) {
		l.run(time.Minute)
		first := mustJSON(l.world.seen("POST")[0].Body)
		if !strings.Contains(first, `"id":"`+annID+`"`) || !strings.Contains(first, `\u003cat\u003eAnn\u003c/at\u003e, you are on call`) {
			l.Errorf("the first card: %s", first)
		}
		l.write(func(inc *responsehub.Incident) error {
			inc.Acknowledge(responsehub.Actor{ID: "person:bob", Name: "Bob"}, time.Now())
			return nil
		})
		l.run(time.Minute)
		puts := l.world.seen("PUT")
		if got := mustJSON(puts[len(puts)-1].Body); strings.Contains(got, "at\\u003e") {
			l.Errorf("taken, and still: %s", got)
		}
		l.bot.cfg.OnCall = func(responsehub.Tenant) (responsehub.Person, bool) {
			return responsehub.Person{Name: "**Eve** [x](https://evil.example)", EntraObjectID: bobID}, true
		}
		inc := l.incident(false)
		if got := string(l.f.draw(inc).card); !strings.Contains(got, "<at>Eve xhttps://evil.example</at>") {
			l.Errorf("the schedule's person: %s", got)
		}
		inc.Severity = responsehub.Medium
		if got := string(l.f.draw(inc).card); strings.Contains(got, "<at>") {
			l.Error("a mention on a card of medium severity")
		}
	})
}

// TestOwnLimits: a bar holds, windows slide, and what is past is forgotten.
func TestOwnLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		l := &ownLimits{}
		if err := l.Bar(ctx, "a", time.Minute); err != nil {
			t.Fatal(err)
		}
		if wait, _ := l.Admit(ctx, "a", Window{1, time.Second}); wait != time.Minute {
			t.Errorf("barred for %s", wait)
		}
		time.Sleep(time.Minute)
		for i, want := range []time.Duration{0, 0, time.Second} {
			if wait, _ := l.Admit(ctx, "a", Window{2, time.Second}); wait != want {
				t.Errorf("call %d waits %s, want %s", i, wait, want)
			}
		}
		time.Sleep(time.Hour)
		for i := range 3000 {
			_, _ = l.Admit(ctx, fmt.Sprint("p", i), Window{1, time.Millisecond})
			time.Sleep(2 * time.Millisecond)
		}
		if n := len(l.places); n > 1001 {
			t.Errorf("%d places are kept", n)
		}
	})
}
