package teams

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestInstallTellsTheBotBothEvents(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	if len(b.bot.got) != 2 || b.bot.got[0]["type"] != "installationUpdate" || b.bot.got[0]["action"] != "add" || b.bot.got[1]["type"] != "conversationUpdate" {
		t.Fatalf("the bot got %v", b.bot.got)
	}
	if id := text(b.bot.got[1], "channelData", "settings", "selectedChannel", "id"); id != channel {
		t.Errorf("selected channel %q", id)
	}
	if err := b.svc.Uninstall(context.Background()); err != nil {
		t.Fatal(err)
	}
	if status, _, body := b.call("POST", "/v3/conversations", thread(withCard(lockCard))); status != 403 || !strings.Contains(body, "BotNotInConversationRoster") {
		t.Errorf("after uninstall: %d %s", status, body)
	}
}

func TestClickChangesOnlyTheClickersWindowUntilPut(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	conv, id := b.post(lockCard)
	b.bot.answer(func(map[string]any) (int, string) { return 200, executeAnswer(lockedCard) })
	out := b.click(Press{Person: "ann", Activity: id, Verb: "lock", Inputs: map[string]string{"reason": "odd sign-in"}})
	if !out.Replaced || out.Status != 200 {
		t.Fatalf("outcome %+v", out)
	}
	got := b.bot.last()
	value := got["value"].(map[string]any)["action"].(map[string]any)
	data := value["data"].(map[string]any)
	if got["name"] != "adaptiveCard/action" || got["replyToId"] != id || value["verb"] != "lock" || data["reason"] != "odd sign-in" || data["rev"] != "3" ||
		text(got, "from", "aadObjectId") != ann.EntraID || text(got, "conversation", "id") != conv || text(got, "conversation", "tenantId") != home {
		t.Errorf("invoke %v", got)
	}
	if b.cardFor("ann", id) != lockedCard || b.cardFor("bob", id) == lockedCard {
		t.Errorf("ann sees %s, bob sees %s", b.cardFor("ann", id), b.cardFor("bob", id))
	}
	if status, _, body := b.call("PUT", b.activityPath(conv, id), withCard(lockedCard)); status != 200 {
		t.Fatalf("PUT: %d %s", status, body)
	}
	if b.cardFor("bob", id) != lockedCard {
		t.Errorf("after PUT bob sees %s", b.cardFor("bob", id))
	}
	if u := b.log.UnexpectedAll(); len(u) > 0 {
		t.Errorf("unexpected: %v", u)
	}
	// The old card is still on the screen of somebody who has not looked for a while.
	b.click(Press{Person: "mallory", Activity: id, Verb: "lock", Stale: 1, Times: 2})
	if got := b.bot.last(); text(got, "from", "aadObjectId") != mallory.EntraID {
		t.Errorf("last activity %v", got)
	}
}

func TestClickRefusals(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	_, id := b.post(lockCard)
	for _, tt := range []struct {
		name string
		p    Press
		want string
	}{
		{"disabled button", Press{Person: "ann", Activity: id, Verb: "password"}, "first the rules"},
		{"no such button", Press{Person: "ann", Activity: id, Verb: "dance"}, `sees no button`},
		{"no such person", Press{Person: "zoe", Verb: "lock"}, `nobody called "zoe"`},
		{"unknown input", Press{Person: "ann", Verb: "lock", Inputs: map[string]string{"x": "y"}}, `no input "x"`},
		{"no earlier card", Press{Person: "ann", Verb: "lock", Stale: 1}, "earlier states"},
		{"nothing named", Press{Person: "ann"}, "no button is named"},
	} {
		if _, err := b.svc.Click(context.Background(), tt.p); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestInvokeAnswers(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	_, id := b.post(lockCard)
	for _, tt := range []struct {
		name, answer string
		status       int
		message      string
		replaced     bool
		unexpected   bool
	}{
		{"card", executeAnswer(lockedCard), 200, "", true, false},
		{"message", `{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":"Ann was first"}`, 200, "Ann was first", false, false},
		{"error 400", `{"statusCode":400,"type":"application/vnd.microsoft.error","value":{"code":"x","message":"not now"}}`, 200, "not now", false, false},
		{"error 403 is not on the list", `{"statusCode":403,"type":"application/vnd.microsoft.error","value":{"code":"x","message":"no"}}`, 200, failed, false, true},
		{"412 is for sign-in only", `{"statusCode":412,"type":"application/vnd.microsoft.error.preconditionFailed","value":{}}`, 200, failed, false, true},
		{"card type turned round", `{"statusCode":200,"type":"application/vnd.microsoft.adaptive.card","value":` + lockedCard + `}`, 200, failed, false, true},
		{"broken card", executeAnswer(`{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBock","text":"x"}]}`), 200, failed, false, true},
		{"empty body", "", 200, failed, false, true},
		{"server error", "oops", 500, failed, false, false},
	} {
		b.log.Reset()
		b.bot.answer(func(map[string]any) (int, string) { return tt.status, tt.answer })
		// Bob's window still has the first card: pressed as it was posted.
		b.svc.mu.Lock()
		b.svc.messages[id].views = map[string][]byte{}
		b.svc.mu.Unlock()
		out := b.click(Press{Person: "bob", Activity: id, Verb: "lock"})
		if out.Message != tt.message || out.Replaced != tt.replaced || (len(b.log.UnexpectedAll()) > 0) != tt.unexpected {
			t.Errorf("%s: %+v, unexpected %v", tt.name, out, b.log.UnexpectedAll())
		}
	}
}

func TestDialogIsShownAndKeptNowhere(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	_, id := b.post(lockCard)
	b.bot.answer(func(a map[string]any) (int, string) {
		if a["name"] == "task/submit" {
			return 200, ""
		}
		return 200, `{"task":{"type":"continue","value":{"title":"Password","height":"small","card":{"contentType":"application/vnd.microsoft.card.adaptive",` +
			`"content":{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"s3cret-Word"}]}}}}}`
	})
	out := b.click(Press{Person: "ann", Activity: id, Title: "Show password"})
	if !out.Dialog || out.Title != "Password" || !bytes.Contains(out.Card, []byte("s3cret-Word")) {
		t.Fatalf("outcome %+v", out)
	}
	if got := b.bot.last(); got["name"] != "task/fetch" || text(got, "value", "data", "step") != "reveal" {
		t.Errorf("invoke %v", got)
	}
	state, err := json.Marshal(b.svc.Snapshot())
	if err != nil || bytes.Contains(state, []byte("s3cret")) {
		t.Errorf("the state remembers the dialog (%v)", err)
	}
	if out, err := b.svc.SubmitDialog(context.Background(), "ann", id, map[string]any{"ok": "1"}); err != nil || out.Dialog || out.Message != "" {
		t.Errorf("submit: %+v %v", out, err)
	}
	b.bot.answer(func(map[string]any) (int, string) {
		return 200, `{"task":{"type":"message","value":"Only Ann may see it"}}`
	})
	if out := b.click(Press{Person: "bob", Activity: id, Title: "Show password"}); out.Message != "Only Ann may see it" || out.Dialog {
		t.Errorf("refusal: %+v", out)
	}
}

func TestOldSubmitIsAMessageWithAValue(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	_, id := b.post(lockCard)
	b.click(Press{Person: "ann", Activity: id, Verb: "old"})
	got := b.bot.last()
	if _, hasText := got["text"]; got["type"] != "message" || hasText || text(got, "value", "step") != "old" || got["replyToId"] != id {
		t.Errorf("message %v", got)
	}
}

func TestSayMentionsTheBotInAChannel(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	if _, err := b.svc.Say(context.Background(), "ann", channel, "", "help"); err != nil {
		t.Fatal(err)
	}
	if got := b.bot.last(); got["text"] != "<at>ResponseHub</at> help" {
		t.Errorf("channel message %v", got["text"])
	}
	if _, err := b.svc.Say(context.Background(), "ann", "", "", "incidents"); err != nil {
		t.Fatal(err)
	}
	conv := text(b.bot.last(), "conversation", "id")
	if status, _, body := b.call("POST", "/v3/conversations/"+url.PathEscape(conv)+"/activities", `{"type":"message","text":"none"}`); status != 201 {
		t.Errorf("answer in the chat: %d %s", status, body)
	}
	if chats := b.svc.Snapshot().Chats; len(chats) != 1 || len(chats[0].Messages) != 2 {
		t.Errorf("chats %+v", chats)
	}
}

func TestTamperedTokensAreToldApart(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	b.bot.answer(nil)
	activity := b.svc.activity("message", ann, channel)
	activity["text"] = "hi"
	for _, tt := range []struct {
		name string
		t    Tamper
		want int
	}{
		{"none", Tamper{}, 200},
		{"four minutes late", Tamper{AgeSeconds: 3600 + 240}, 200},
		{"six minutes late", Tamper{AgeSeconds: 3600 + 360}, 401},
		{"six minutes early", Tamper{AgeSeconds: -360}, 401},
		{"audience", Tamper{Audience: "someone-else"}, 401},
		{"issuer", Tamper{Issuer: "https://evil.example"}, 401},
		{"serviceurl claim differs", Tamper{ServiceURL: "https://evil.example/"}, 401},
		{"serviceurl claim missing", Tamper{ServiceURL: "-"}, 401},
		{"activity names another service", Tamper{Activity: "https://evil.example/"}, 401},
		{"webchat key", Tamper{Key: "webchat"}, 401},
		{"unpublished key", Tamper{Key: "unrelated"}, 401},
		{"no expiry", Tamper{NoExpiry: true}, 401},
		{"alg none", Tamper{Alg: "none"}, 401},
		{"alg HS256", Tamper{Alg: "HS256"}, 401},
		{"no token", Tamper{NoToken: true}, 401},
		{"lower case scheme", Tamper{Scheme: "bearer"}, 401},
	} {
		status, _, err := b.svc.Deliver(context.Background(), activity, tt.t)
		if err != nil || status != tt.want {
			t.Errorf("%s: %d %v, want %d", tt.name, status, err, tt.want)
		}
	}
	if err := b.svc.RollKeys(); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "previous"} {
		if status, _, err := b.svc.Deliver(context.Background(), activity, Tamper{Key: key}); status != 200 || err != nil {
			t.Errorf("after a roll, key %q: %d %v", key, status, err)
		}
	}
}

func TestTwoClickersAtOnceBothReachTheBot(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	_, id := b.post(lockCard)
	both := make(chan struct{}, 2)
	release := make(chan struct{})
	b.bot.answer(func(map[string]any) (int, string) {
		both <- struct{}{}
		<-release
		return 200, executeAnswer(lockedCard)
	})
	var wg sync.WaitGroup
	for _, who := range []string{"ann", "bob"} {
		wg.Go(func() {
			if out, err := b.svc.Click(context.Background(), Press{Person: who, Activity: id, Verb: "lock"}); err != nil || !out.Replaced {
				t.Errorf("%s: %+v %v", who, out, err)
			}
		})
	}
	<-both
	<-both
	close(release)
	wg.Wait()
}
