package teams

import (
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
	"sync/atomic"
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
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if err := b.verify(r.Header.Get("Authorization"), a); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
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

	handler *atomic.Value // of the service that is up
}

// start wires a service without rate limits and a bot to each other.
func start(t *testing.T) *bench {
	t.Helper()
	b := &bot{t: t}
	b.srv = httptest.NewServer(b)
	log := wire.NewLog()
	var handler atomic.Value
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().(http.Handler).ServeHTTP(w, r) }))
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
	handler.Store(http.StripPrefix("/teams", svc.Handler()))
	b.openID = svc.OpenIDURL()
	t.Cleanup(func() { front.Close(); b.srv.Close(); http.DefaultClient.CloseIdleConnections() })
	return &bench{T: t, svc: svc, bot: b, log: log, url: front.URL + "/teams", handler: &handler}
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
