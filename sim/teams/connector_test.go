package teams

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub/sim/wire"
)

func errorCode(body string) string {
	var e struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal([]byte(body), &e) != nil || e.Error.Message == "" {
		return "not the connector's error shape: " + body
	}
	return e.Error.Code
}

func TestWhatTheConnectorRefuses(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	conv, id := b.post(lockCard)
	own := b.activityPath(conv, id)
	replies := "/v3/conversations/" + url.PathEscape(conv) + "/activities"
	big := strings.Repeat("x", 30<<10)
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		code                     string
		unexpected               bool
	}{
		{"not JSON", "POST", replies, `{`, 400, "BadArgument", false},
		{"two values", "POST", replies, `{"type":"message","text":"a"}{}`, 400, "BadArgument", false},
		{"unknown field", "POST", replies, `{"type":"message","txt":"a"}`, 400, "BadArgument", true},
		{"field in another case", "POST", replies, `{"type":"message","Text":"a"}`, 400, "BadArgument", true},
		{"empty conversation", "POST", replies, `{"type":"message","text":"a","conversation":{}}`, 400, "BadArgument", true},
		{"zero time", "POST", replies, `{"type":"message","text":"a","timestamp":"0001-01-01T00:00:00Z"}`, 400, "BadArgument", true},
		{"nothing to show", "POST", replies, `{"type":"message"}`, 400, "BadArgument", false},
		{"unknown type", "POST", replies, `{"type":"wave","text":"a"}`, 400, "BadArgument", false},
		{"someone else's name", "POST", replies, `{"type":"message","text":"a","from":{"id":"28:other"}}`, 400, "BadArgument", false},
		{"attachments is no list", "POST", replies, `{"type":"message","attachments":{"a":1}}`, 400, "BadArgument", false},
		{"attachment of another type", "POST", replies, `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.adaptive.card","content":` + lockCard + `}]}`, 400, "BadArgument", true},
		{"not a card", "POST", replies, withCard(`{"type":"AdaptiveCard","version":"1.6"}`), 400, "BadArgument", true},
		{"card too big", "POST", replies, withCard(`{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"` + big + `"}]}`), 413, "MessageSizeTooBig", false},
		{"message too big as UTF-16", "POST", replies, `{"type":"message","text":"` + big + big + `"}`, 413, "MessageSizeTooBig", false},
		{"unknown conversation", "POST", "/v3/conversations/19:x@thread.tacv2/activities", `{"type":"message","text":"a"}`, 404, "ConversationNotFound", false},
		{"unknown thread", "POST", "/v3/conversations/" + url.PathEscape(channel+";messageid=1") + "/activities", `{"type":"message","text":"a"}`, 404, "ConversationNotFound", false},
		{"unknown message", "PUT", b.activityPath(conv, "1"), withCard(lockCard), 404, "ActivityNotFoundInConversation", false},
		{"text and card in an update", "PUT", own, strings.Replace(withCard(lockCard), `"summary"`, `"text"`, 1), 400, "BadArgument", false},
		{"thread without activity", "POST", "/v3/conversations", strings.Replace(thread(`null`), `,"activity":null`, "", 1), 400, "BadArgument", false},
		{"thread in a group that is none", "POST", "/v3/conversations", strings.Replace(thread(withCard(lockCard)), `"isGroup":true`, `"isGroup":false`, 1), 400, "BadArgument", false},
		{"thread of another bot", "POST", "/v3/conversations", strings.Replace(thread(withCard(lockCard)), appID, "other", 1), 400, "BadArgument", false},
		{"thread in another tenant", "POST", "/v3/conversations", strings.Replace(thread(withCard(lockCard)), home, "11111111-1111-4111-8111-111111111111", 1), 400, "BadArgument", false},
		{"thread in an unknown channel", "POST", "/v3/conversations", strings.Replace(thread(withCard(lockCard)), channel, "19:nowhere@thread.tacv2", 1), 404, "ConversationNotFound", false},
		{"unknown member", "GET", "/v3/conversations/" + channel + "/members/29:nobody", "", 404, "MemberNotFoundInConversation", false},
		{"unknown team", "GET", "/v3/teams/19:other@thread.tacv2", "", 404, "ConversationNotFound", false},
		{"page size", "GET", "/v3/conversations/" + channel + "/pagedmembers?pageSize=no", "", 400, "BadArgument", false},
	} {
		b.log.Reset()
		status, _, body := b.call(tt.method, tt.path, tt.body)
		if got := errorCode(body); status != tt.status || got != tt.code || (len(b.log.UnexpectedAll()) > 0) != tt.unexpected {
			t.Errorf("%s: %d %s, unexpected %v; want %d %s", tt.name, status, got, b.log.UnexpectedAll(), tt.status, tt.code)
		}
	}
	if status, header, body := b.call("POST", replies, `{"type":"message","text":"`+big+big+big+big+`"}`); status != 413 ||
		!strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.HasPrefix(body, "<!DOCTYPE") {
		t.Errorf("far too big: %d %s %.40s", status, header.Get("Content-Type"), body)
	}
	if got := b.svc.Snapshot().Channels[0].Messages; len(got) != 1 || got[0].Edits != 0 {
		t.Errorf("a refused call left its mark: %+v", got)
	}
}

func TestMessagesLiveAndDie(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	conv, id := b.post(lockCard)
	status, _, body := b.call("POST", "/v3/conversations/"+url.PathEscape(conv)+"/activities", `{"type":"message","text":"moved 3"}`)
	if status != 201 {
		t.Fatalf("reply: %d %s", status, body)
	}
	// Text and card together become two messages, and nobody tells the bot their ids.
	status, _, body = b.call("POST", "/v3/conversations/"+conv+"/activities", strings.Replace(withCard(lockCard), `"summary"`, `"text"`, 1))
	if status != 202 || strings.TrimSpace(body) != "{}" {
		t.Errorf("text and card: %d %s", status, body)
	}
	if status, _, body := b.call("PUT", b.activityPath(conv, id), withCard(lockedCard)); status != 200 || !strings.Contains(body, id) {
		t.Errorf("update: %d %s", status, body)
	}
	messages := b.svc.Snapshot().Channels[0].Messages
	var roots, cards, edits []any
	for _, m := range messages {
		roots, cards, edits = append(roots, m.Root == id), append(cards, m.Card != nil), append(edits, len(m.Edited))
	}
	if diff := cmp.Diff([]any{true, true, true, true}, roots) + cmp.Diff([]any{true, false, false, true}, cards) + cmp.Diff([]any{1, 0, 0, 0}, edits); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if status, _, _ := b.call("DELETE", b.activityPath(conv, id), ""); status != 200 {
		t.Errorf("delete: %d", status)
	}
	if status, _, body := b.call("PUT", b.activityPath(conv, id), withCard(lockedCard)); status != 404 || errorCode(body) != "ActivityNotFoundInConversation" {
		t.Errorf("update of a deleted message: %d %s", status, body)
	}
	kinds := []string{}
	for _, e := range b.log.Effects() {
		kinds = append(kinds, e.Kind)
	}
	if diff := cmp.Diff([]string{"card.post", "message.post", "card.post", "card.update", "message.delete"}, kinds); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestRoster(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	for path, want := range map[string]string{
		"/v3/teams/" + teamID:                                                                             `"name":"Desk"`,
		"/v3/teams/" + teamID + "/conversations":                                                          `"name":null`,
		"/v3/conversations/" + channel + "/members":                                                       `"aadObjectId":"` + bob.EntraID + `"`,
		"/v3/conversations/" + channel + "/members/" + ann.EntraID:                                        `"id":"` + ann.MRI() + `"`,
		"/v3/conversations/" + channel + "/pagedmembers?pageSize=2":                                       `"continuationToken":"2"`,
		"/v3/conversations/" + channel + "/pagedmembers?pageSize=9223372036854775807&continuationToken=2": mallory.EntraID,
	} {
		if status, _, body := b.call("GET", path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	chat := `{"bot":{"id":"28:` + appID + `"},"tenantId":"` + home + `","members":[{"id":"` + ann.MRI() + `"}]}`
	if status, _, body := b.call("POST", "/v3/conversations", chat); status != 201 || !strings.Contains(body, `"id":"a:`) {
		t.Errorf("chat: %d %s", status, body)
	}
}

func TestTokensAndBlocks(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	for _, header := range []string{"", "good", "Bearer bad", "bearer good"} {
		req, _ := http.NewRequest("GET", b.url+"/v3/teams/"+teamID, nil)
		req.Header.Set("Authorization", header)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 401 || !strings.Contains(string(body), "Authorization has been denied") {
			t.Errorf("%q: %d %s", header, resp.StatusCode, body)
		}
	}
	b.svc.SetDisabled(true)
	if status, _, body := b.call("GET", "/v3/teams/"+teamID, ""); status != 403 || errorCode(body) != "BotDisabledByAdmin" {
		t.Errorf("disabled: %d %s", status, body)
	}
	b.svc.SetDisabled(false)
	b.log.Reset()
	if status, _, _ := b.call("GET", "/v3/wonders", ""); status != 404 || len(b.log.UnexpectedAll()) != 1 {
		t.Errorf("unknown path: %d %v", status, b.log.UnexpectedAll())
	}
}

func TestEveryErrorOfTheTableCanBeScripted(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	for _, code := range RefusalCodes() {
		f, err := Refusal(code)
		if err != nil {
			t.Fatal(err)
		}
		b.log.AddFault(f)
		status, header, body := b.call("GET", "/v3/teams/"+teamID, "")
		if status != f.Status || errorCode(body) != code || (code == "Throttled") != (header.Get("Retry-After") != "") {
			t.Errorf("%s: %d %s", code, status, body)
		}
	}
	if _, err := Refusal("Nonsense"); err == nil {
		t.Error("an unknown code gave a fault")
	}
}

func TestRateLimitsSlide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l limiter
		burst := func(n int) (passed int) {
			for range n {
				if l.take("thread", sendRules) == 0 {
					passed++
				}
			}
			return passed
		}
		var got []int
		got = append(got, burst(10)) // 7 in a second
		time.Sleep(time.Second)
		got = append(got, burst(10)) // 8 in two seconds
		time.Sleep(time.Second)
		got = append(got, burst(10)) // the first 7 are forgotten, one of the last second counts
		if diff := cmp.Diff([]int{7, 1, 7}, got); diff != "" {
			t.Errorf("passed (-want +got):\n%s", diff)
		}
		if l.take("other thread", sendRules) != 0 {
			t.Error("one thread's limit holds another's")
		}
		if wait := l.take("thread", sendRules); wait <= 0 || wait > 2*time.Second {
			t.Errorf("wait %v", wait)
		}
		l.set(false)
		if burst(100) != 100 {
			t.Error("limits that are off still hold")
		}
		l.set(true)
		passed := 0
		for range 300 {
			passed += burst(1)
			time.Sleep(100 * time.Millisecond)
		}
		if passed > 60 {
			t.Errorf("%d in 30 s", passed)
		}
	})
}

func TestThrottledAnswerTellsHowLong(t *testing.T) {
	t.Parallel()
	b := start(t).install()
	b.svc.SetLimits(true)
	conv, id := b.post(lockCard)
	for i := range 8 {
		status, header, body := b.call("PUT", b.activityPath(conv, id), withCard(lockedCard))
		if i < 7 && status != 200 {
			t.Fatalf("update %d: %d %s", i, status, body)
		}
		if i == 7 && (status != 429 || header.Get("Retry-After") == "" || errorCode(body) != "Throttled") {
			t.Errorf("8th update in a second: %d %v %s", status, header, body)
		}
	}
}

func TestCards(t *testing.T) {
	t.Parallel()
	actions := strings.TrimSuffix(strings.Repeat(`{"type":"Action.Execute","title":"a","verb":"v"},`, 7), ",")
	root := func(body, actions string) string {
		return `{"type":"AdaptiveCard","version":"1.5","body":[` + body + `],"actions":[` + actions + `]}`
	}
	for _, tt := range []struct{ name, card, want string }{
		{"good", lockCard, ""},
		{"rich", root(`{"type":"RichTextBlock","inlines":["a",{"type":"TextRun","text":"b","weight":"Bolder"}]},{"type":"ColumnSet","columns":[{"type":"Column","width":"auto","items":[{"type":"FactSet","facts":[{"title":"a","value":"b"}]}]}]},{"type":"Container","style":"attention","items":[{"type":"ActionSet","actions":[{"type":"Action.OpenUrl","title":"o","url":"https://x.example"}]}]}`, `{"type":"Action.ShowCard","title":"more","card":{"type":"AdaptiveCard","body":[{"type":"Input.ChoiceSet","id":"c","choices":[{"title":"a","value":"1"}]}]}}`), ""},
		{"seven actions", root("", actions), "7 actions"},
		{"no verb", root("", `{"type":"Action.Execute","title":"a"}`), "needs verb"},
		{"typo", root(`{"type":"TextBlock","text":"a","wieght":"Bolder"}`, ""), `"wieght"`},
		{"element of a later version", root(`{"type":"Carousel"}`, ""), "unknown type"},
		{"colour", root(`{"type":"TextBlock","text":"a","color":"Red"}`, ""), "color is Red"},
		{"element among the actions", root("", `{"type":"TextBlock","text":"a"}`), "is not an action"},
		{"script address", root("", `{"type":"Action.OpenUrl","title":"o","url":"javascript:alert(1)"}`), "not http(s)"},
		{"same input twice", root(`{"type":"Input.Text","id":"a"},{"type":"Input.Text","id":"a"}`, ""), "second input"},
		{"fact without value", root(`{"type":"FactSet","facts":[{"title":"a"}]}`, ""), "value is not text"},
		{"mention", `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"<at>Ann</at>, look"}],"msteams":{"entities":[{"type":"mention","text":"<at>Ann</at>","mentioned":{"id":"1","name":"Ann"}}]}}`, ""},
		{"mention without its entity", root(`{"type":"TextBlock","text":"<at>Ann</at>, look"}`, ""), "without its entity"},
		{"mention that stands nowhere", `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"look"}],"msteams":{"entities":[{"type":"mention","text":"<at>Ann</at>","mentioned":{"id":"1","name":"Ann"}}]}}`, "in no text block"},
		{"mention of nobody", `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"<at>Ann</at>"}],"msteams":{"entities":[{"type":"mention","text":"<at>Ann</at>","mentioned":{"name":"Ann"}}]}}`, "of nobody"},
		{"null", `null`, "not an object of type AdaptiveCard"},
		{"version missing", `{"type":"AdaptiveCard","body":[]}`, "version"},
		{"very deep", root(strings.Repeat(`{"type":"Container","items":[`, 100)+strings.Repeat(`]}`, 100), ""), "nested deeper"},
	} {
		err := CheckCard([]byte(tt.card))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// fuzzService is a connector without sockets and without limits.
func fuzzService(f testing.TB) *Service {
	s, err := New(Config{
		URL: "http://127.0.0.1:1/teams", BotURL: "http://127.0.0.1:1/", AppID: appID, TenantID: home, TeamID: teamID, Log: wire.NewLog(),
		Verify: func(string) error { return nil }, People: []Person{ann}, Channels: []Channel{{ID: channel}}, NoLimits: true,
	})
	if err != nil {
		f.Fatal(err)
	}
	s.installed = true
	return s
}

func FuzzConnector(f *testing.F) {
	f.Add("POST", "/v3/conversations", thread(withCard(lockCard)))
	f.Add("POST", "/v3/conversations/"+channel+"/activities", withCard(lockedCard))
	f.Add("POST", "/v3/conversations/"+channel+"/activities", `{"type":"message","text":"a","attachments":[null,{"contentType":null}]}`)
	f.Add("PUT", "/v3/conversations/"+url.PathEscape(channel+";messageid=1")+"/activities/1", `{"type":"message","text":"a"}`)
	f.Add("POST", "/v3/conversations", `{"bot":{"id":"28:`+appID+`"},"tenantId":"`+home+`","members":[{"id":7}]}`)
	f.Add("GET", "/v3/conversations/"+channel+"/pagedmembers?pageSize=1&continuationToken=-1", ``)
	s := fuzzService(f)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		s.messages = map[string]*message{}
		for _, c := range s.convs {
			c.order = nil
		}
		req, err := http.NewRequest(method, u.RequestURI(), strings.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer good")
		req.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, req)
		if rec.Code >= 500 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		if rec.Code/100 == 4 && strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") && rec.Code != 401 {
			if code := errorCode(rec.Body.String()); strings.HasPrefix(code, "not the") {
				t.Fatal(code)
			}
		}
		for _, c := range s.Snapshot().Channels {
			for _, m := range c.Messages {
				if m.Card != nil && CheckCard(m.Card) != nil {
					t.Fatalf("a bad card was taken: %s", m.Card)
				}
			}
		}
	})
}

func FuzzInvokeAnswer(f *testing.F) {
	f.Add(executeAnswer(lockedCard), true)
	f.Add(`{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":7}`, true)
	f.Add(`{"task":{"type":"continue","value":{"card":null}}}`, false)
	f.Add(`{"task":null}`, false)
	s := fuzzService(f)
	id := s.post(channel, "", outgoing{kind: "message", card: []byte(lockCard)})
	a := aimed{person: ann, msg: s.messages[id], conv: channel + ";messageid=" + id}
	f.Fuzz(func(t *testing.T, answer string, execute bool) {
		var out Outcome
		if execute {
			s.applyExecute(a, []byte(answer), &out)
		} else {
			s.applyTask(a, []byte(answer), &out)
		}
		if len(out.Card) > 0 && CheckCard(out.Card) != nil {
			t.Fatalf("a bad card is shown: %s", out.Card)
		}
		if len(buttons(s.messages[id].cardFor("ann"))) > 1000 {
			t.Fatal("too many buttons")
		}
	})
}

func ExampleRefusal() {
	f, err := Refusal("BotNotInConversationRoster")
	fmt.Println(f.Status, f.Answer, err)
	// Output: 403 {"error":{"code":"BotNotInConversationRoster","innerHttpError":null,"message":"The bot is not part of the conversation roster."}} <nil>
}
