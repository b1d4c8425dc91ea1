package teams

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"responsehub/sim/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appID   = "5f2d9a10-7c7e-4a52-9d0b-0a4c3f4f1d01"
	home    = "aaaaaaaa-1111-4111-8111-111111111111"
	channel = "19:alerts@thread.tacv2"
	teamID  = "19:team@thread.tacv2"
)

var (
	ann     = Person{Key: "ann", Name: "Ann Berg", EntraID: "0a000000-0000-4000-8000-000000000001", Mail: "ann@msp.example"}
	bob     = Person{Key: "bob", Name: "Bob Carr", EntraID: "0a000000-0000-4000-8000-000000000002", Mail: "bob@msp.example"}
	mallory = Person{Key: "mallory", Name: "Mallory", EntraID: "0a000000-0000-4000-8000-000000000003", Mail: "mallory@msp.example"}
)

// bot is a bot that checks every token as the service's documentation asks and answers by script.
type bot struct {
	t       *testing.T
	srv     *httptest.Server
	openID  string
	mu      sync.Mutex
	got     []map[string]any
	answers func(activity map[string]any) (int, string)
}

func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var a map[string]any
	if err := json.Unmarshal(raw, &a); err != nil {
		http.Error(w, "not JSON", 400)
		return
	}
	if err := b.verify(r.Header.Get("Authorization"), a); err != nil {
		http.Error(w, err.Error(), 401)
		return
	}
	b.mu.Lock()
	b.got = append(b.got, a)
	answers := b.answers
	b.mu.Unlock()
	status, body := 200, ""
	if answers != nil {
		status, body = answers(a)
	}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func (b *bot) verify(header string, activity map[string]any) error {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return errors.New("no bearer token")
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(tok *jwt.Token) (any, error) {
		return b.key(tok.Header["kid"].(string))
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("https://api.botframework.com"),
		jwt.WithAudience(appID), jwt.WithLeeway(5*time.Minute), jwt.WithExpirationRequired())
	if err != nil {
		return err
	}
	if claims["serviceurl"] == nil || claims["serviceurl"] != activity["serviceUrl"] {
		return errors.New("serviceurl differs")
	}
	return nil
}

func (b *bot) key(kid string) (*rsa.PublicKey, error) {
	var meta struct {
		JWKS string `json:"jwks_uri"`
	}
	var set struct {
		Keys []struct {
			Kid, N, E    string
			Endorsements []string
		}
	}
	if err := getJSON(b.openID, &meta); err != nil {
		return nil, err
	}
	if err := getJSON(meta.JWKS, &set); err != nil {
		return nil, err
	}
	for _, k := range set.Keys {
		if k.Kid != kid {
			continue
		}
		if !strings.Contains(strings.Join(k.Endorsements, " "), "msteams") {
			return nil, errors.New("key not endorsed for msteams")
		}
		n, err1 := base64.RawURLEncoding.DecodeString(k.N)
		e, err2 := base64.RawURLEncoding.DecodeString(k.E)
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, errors.Join(err1, err2)
	}
	return nil, errors.New("unknown kid")
}

func getJSON(url string, v any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(v)
}

func (b *bot) answer(f func(activity map[string]any) (int, string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = f
}

func (b *bot) last() map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got[len(b.got)-1]
}

type bench struct {
	*testing.T
	svc *Service
	bot *bot
	log *wire.Log
	url string
}

// start wires a service without rate limits and a bot to each other.
func start(t *testing.T) *bench {
	t.Helper()
	b := &bot{t: t}
	b.srv = httptest.NewServer(b)
	log := wire.NewLog()
	var handler http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	svc, err := New(Config{
		URL: front.URL + "/teams", BotURL: b.srv.URL + "/api/messages", AppID: appID, TenantID: home, Log: log,
		Verify: func(bearer string) error {
			if bearer != "good" {
				return errors.New("bad token")
			}
			return nil
		},
		Client: b.srv.Client(), People: []Person{ann, bob, mallory}, TeamID: teamID, TeamName: "Desk",
		Channels: []Channel{{ID: channel, Name: "Alerts"}}, NoLimits: true, Timeout: 3 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	handler = http.StripPrefix("/teams", svc.Handler())
	b.openID = svc.OpenIDURL()
	t.Cleanup(func() { front.Close(); b.srv.Close(); http.DefaultClient.CloseIdleConnections() })
	return &bench{T: t, svc: svc, bot: b, log: log, url: front.URL + "/teams"}
}

func (b *bench) install() *bench {
	b.Helper()
	if err := b.svc.Install(context.Background()); err != nil {
		b.Fatal(err)
	}
	return b
}

// call makes a request with the bot's good token.
func (b *bench) call(method, path, body string) (int, http.Header, string) {
	b.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(answer)
}

const lockCard = `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"Pat","wrap":true},` +
	`{"type":"Input.Text","id":"reason","value":"none"}],"actions":[{"type":"Action.Execute","title":"Lock","verb":"lock",` +
	`"data":{"incident":"i1","rev":"3"}},{"type":"Action.Execute","title":"Reset","verb":"password","isEnabled":false,"tooltip":"first the rules"},` +
	`{"type":"Action.Submit","title":"Show password","data":{"step":"reveal","msteams":{"type":"task/fetch"}}},` +
	`{"type":"Action.Submit","title":"Old","data":{"step":"old"}}]}`

func withCard(card string) string {
	return `{"type":"message","summary":"s","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":` + card + `}]}`
}

func thread(activity string) string {
	return `{"isGroup":true,"bot":{"id":"28:` + appID + `"},"tenantId":"` + home + `","channelData":{"channel":{"id":"` + channel + `"}},"activity":` + activity + `}`
}

// post starts a thread with a card and returns conversation and activity.
func (b *bench) post(card string) (conv, activity string) {
	b.Helper()
	status, _, body := b.call("POST", "/v3/conversations", thread(withCard(card)))
	var got struct{ ID, ActivityID string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 201 {
		b.Fatalf("create conversation: %d %s %v", status, body, err)
	}
	if got.ID != channel+";messageid="+got.ActivityID {
		b.Fatalf("conversation %q does not name activity %q", got.ID, got.ActivityID)
	}
	return got.ID, got.ActivityID
}

func (b *bench) activityPath(conv, activity string) string {
	return "/v3/conversations/" + url.PathEscape(conv) + "/activities/" + activity
}

func (b *bench) click(p Press) Outcome {
	b.Helper()
	out, err := b.svc.Click(context.Background(), p)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func (b *bench) cardFor(person, activity string) string {
	b.Helper()
	for _, c := range b.svc.Snapshot().Channels {
		for _, m := range c.Messages {
			if m.ID == activity {
				return string(m.CardFor(person))
			}
		}
	}
	b.Fatalf("no message %s", activity)
	return ""
}

func executeAnswer(card string) string {
	return `{"statusCode":200,"type":"application/vnd.microsoft.card.adaptive","value":` + card + `}`
}

const lockedCard = `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"locked"}]}`

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
