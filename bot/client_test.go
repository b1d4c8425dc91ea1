package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
)

// TestWire holds the requests on the wire, over a real socket.
func TestWire(t *testing.T) {
	type got struct {
		Method, Path, Auth string
		Body               map[string]any
	}
	var seen []got
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := got{Method: r.Method, Path: r.URL.EscapedPath(), Auth: r.Header.Get("Authorization")}
		b, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(b, &g.Body)
		seen = append(seen, g)
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/conversations"):
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"id":"19:x@thread.tacv2;messageid=17","activityId":"17"}`)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"id":"18"}`)
		default:
			fmt.Fprint(w, `{"id":"17","aadObjectId":"oid"}`)
		}
	}))
	defer srv.Close()
	c := newClient(srv.Client(), newTokens(&Config{Credential: &credential{}}, nil), newHosts(&Config{AllowLoopback: true}))
	ch := responsehub.Channel{ID: "19:x@thread.tacv2", ServiceURL: srv.URL + "/teams/", BotID: "28:app", TenantID: tenant}
	ctx := t.Context()
	msg := attached([]byte(`{"type":"AdaptiveCard","body":[],"empty":""}`), "look")
	p, err := c.thread(ctx, ch, msg)
	if err != nil || p != (posted{"19:x@thread.tacv2;messageid=17", "17"}) {
		t.Fatal(p, err)
	}
	if p, err = c.say(ctx, ch.ServiceURL, p.Conversation, msg); err != nil || p.Activity != "18" {
		t.Fatal(p, err)
	}
	if err := c.update(ctx, ch.ServiceURL, p.Conversation, "17", msg); err != nil {
		t.Fatal(err)
	}
	if m, err := c.member(ctx, ch.ServiceURL, p.Conversation, "29:a"); err != nil || m.ObjectID != "oid" {
		t.Fatal(m, err)
	}
	card := map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": map[string]any{"type": "AdaptiveCard", "body": []any{}, "empty": ""}}
	activity := map[string]any{"type": "message", "summary": "look", "attachments": []any{card}}
	conversation := "/teams/v3/conversations/19:x@thread.tacv2%3Bmessageid=17"
	want := []got{
		{"POST", "/teams/v3/conversations", "Bearer bot-token-1", map[string]any{
			"isGroup": true, "bot": map[string]any{"id": "28:app"}, "tenantId": tenant, "activity": activity,
			"channelData": map[string]any{"channel": map[string]any{"id": "19:x@thread.tacv2"}, "tenant": map[string]any{"id": tenant}},
		}},
		{"POST", conversation + "/activities", "Bearer bot-token-2", activity},
		{"PUT", conversation + "/activities/17", "Bearer bot-token-3", map[string]any{
			"type": "message", "id": "17", "summary": "look", "attachments": []any{card}, "conversation": map[string]any{"id": "19:x@thread.tacv2;messageid=17"},
		}},
		{"GET", conversation + "/members/29:a", "Bearer bot-token-4", nil},
	}
	if d := cmp.Diff(want, seen); d != "" {
		t.Errorf("on the wire (-want +got):\n%s", d)
	}
}

func TestPruned(t *testing.T) {
	b, err := pruned(schema.Activity{Type: schema.Message, Text: "<b> & co", Value: map[string]any{"keep": ""}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(b)), `{"text":"<b> & co","type":"message","value":{"keep":""}}`; got != want {
		t.Errorf("pruned = %s, want %s", got, want)
	}
}

// TestAnswers is the table of what the connector may say and what the hub makes of it.
func TestAnswers(t *testing.T) {
	const page = "<html><body>413 Request Entity Too Large</body></html>"
	body := func(code string) string { return `{"error":{"code":"` + code + `","message":"m"}}` }
	for _, tc := range []struct {
		name   string
		status int
		body   string
		wait   string
		post   responsehub.Kind // of a new card
		put    responsehub.Kind // of an update
		after  time.Duration
		says   string
		calls  int // for the post
	}{
		{name: "bad argument", status: 400, body: body("BadArgument"), post: responsehub.Permanent, put: responsehub.Permanent, says: "BadArgument", calls: 1},
		{name: "not registered", status: 401, body: body("BotNotRegistered"), post: responsehub.Unauthorized, put: responsehub.Unauthorized, says: "client_secret", calls: 2},
		{name: "not in the roster", status: 403, body: body("BotNotInConversationRoster"), post: responsehub.Forbidden, put: responsehub.Forbidden, says: "Add the app", calls: 1},
		{name: "disabled", status: 403, body: body("BotDisabledByAdmin"), post: responsehub.Forbidden, put: responsehub.Forbidden, says: "administrator", calls: 1},
		{name: "blocked", status: 403, body: body("ConversationBlockedByUser"), post: responsehub.Forbidden, put: responsehub.Forbidden, says: "blocked", calls: 1},
		{name: "no permission", status: 403, body: body("NotEnoughPermissions"), post: responsehub.Forbidden, put: responsehub.Forbidden, says: "may not post", calls: 1},
		{name: "unknown 403 in html", status: 403, body: page, post: responsehub.Forbidden, put: responsehub.Forbidden, says: "403", calls: 1},
		{name: "wrong host, twice", status: 403, body: body("InvalidBotApiHost"), post: responsehub.Forbidden, put: responsehub.Forbidden, calls: 2},
		{name: "card gone", status: 404, body: body("ActivityNotFoundInConversation"), post: responsehub.NotFound, put: responsehub.NotFound, calls: 1},
		{name: "channel gone", status: 404, body: body("ConversationNotFound"), post: responsehub.NotFound, put: responsehub.NotFound, calls: 1},
		{name: "edited at once", status: 412, body: body("PreconditionFailed"), post: responsehub.Unavailable, put: responsehub.Unavailable, calls: 1},
		{name: "too big, in html", status: 413, body: page, post: responsehub.Permanent, put: responsehub.Permanent, says: "413", calls: 1},
		{name: "throttled", status: 429, wait: "7", post: responsehub.Throttled, put: responsehub.Throttled, after: 7 * time.Second, calls: 1},
		{name: "throttled without a time", status: 429, post: responsehub.Throttled, put: responsehub.Throttled, calls: 1},
		{name: "throttled for ages", status: 429, wait: "99999999999", post: responsehub.Throttled, put: responsehub.Throttled, after: time.Hour, calls: 1},
		{name: "throttled, nonsense", status: 429, wait: "soon", post: responsehub.Throttled, put: responsehub.Throttled, calls: 1},
		{name: "500", status: 500, body: body("ServiceError"), post: responsehub.UnknownOutcome, put: responsehub.Unavailable, calls: 1},
		{name: "502 in html", status: 502, body: page, post: responsehub.UnknownOutcome, put: responsehub.Unavailable, calls: 1},
		{name: "503 with a time", status: 503, wait: "3", post: responsehub.UnknownOutcome, put: responsehub.Unavailable, after: 3 * time.Second, calls: 1},
		{name: "504", status: 504, post: responsehub.UnknownOutcome, put: responsehub.Unavailable, calls: 1},
		{name: "redirect", status: 307, post: responsehub.Permanent, put: responsehub.Permanent, calls: 1},
		{name: "accepted without an id", status: 202, post: responsehub.UnknownOutcome, calls: 1},
		{name: "created, in html", status: 201, body: page, post: responsehub.UnknownOutcome, calls: 1},
		{name: "created with an odd id", status: 201, body: `{"id":"../../admin","activityId":"1"}`, post: responsehub.UnknownOutcome, calls: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHarness(t)
			h.world.respond = func(call) (int, http.Header, string) {
				header := http.Header{"Location": {"https://evil.example/"}}
				if tc.wait != "" {
					header.Set("Retry-After", tc.wait)
				}
				return tc.status, header, tc.body
			}
			ch, _ := h.dir.Channel(general)
			_, err := h.bot.client.thread(t.Context(), ch, attached([]byte(`{}`), "s"))
			check := func(what string, err error, kind responsehub.Kind) {
				t.Helper()
				if kind == "" {
					if err != nil {
						t.Errorf("%s: %v", what, err)
					}
					return
				}
				e, ok := errors.AsType[*responsehub.Error](err)
				if what == "put" && !ok {
					e = &responsehub.Error{Kind: responsehub.KindOf(err), Message: responsehub.Sentence(err), RetryAfter: tc.after}
				}
				if e == nil || e.Kind != kind || e.RetryAfter != tc.after || !strings.Contains(e.Message, tc.says) {
					t.Errorf("%s: %#v, want kind %s, %s, %q", what, err, kind, tc.after, tc.says)
				}
				if strings.Contains(fmt.Sprint(err), "bot-token") || strings.Contains(fmt.Sprint(err), "<html") {
					t.Errorf("%s: the error holds what it must not: %v", what, err)
				}
			}
			check("post", err, tc.post)
			if n := len(h.world.seen("POST")); n != tc.calls {
				t.Errorf("%d calls, want %d", n, tc.calls)
			}
			check("put", h.bot.client.update(t.Context(), service, general, "17", attached([]byte(`{}`), "s")), tc.put)
			for _, c := range h.world.seen("") {
				if c.Host == "evil.example" {
					t.Error("a redirect was followed")
				}
			}
		})
	}
}

// TestOneMoreTry: a refused token is dropped once, and GCC's host is tried once.
func TestOneMoreTry(t *testing.T) {
	h := newHarness(t)
	h.world.respond = func(c call) (int, http.Header, string) {
		if c.Token == "Bearer bot-token-1" {
			return 401, nil, ""
		}
		return 0, nil, ""
	}
	ch, _ := h.dir.Channel(general)
	if _, err := h.bot.client.thread(t.Context(), ch, attached([]byte(`{}`), "s")); err != nil {
		t.Errorf("with the second token: %v", err)
	}
	h = newHarness(t)
	h.world.respond = func(c call) (int, http.Header, string) {
		if c.Host == "smba.trafficmanager.net" {
			return 403, nil, `{"error":{"code":"InvalidBotApiHost"}}`
		}
		return 0, nil, ""
	}
	if _, err := h.bot.client.thread(t.Context(), ch, attached([]byte(`{}`), "s")); err != nil {
		t.Fatalf("at the other host: %v", err)
	}
	calls := h.world.seen("POST")
	if last := calls[len(calls)-1]; last.Host != "smba.infra.gcc.teams.microsoft.com" || last.Path != "/teams/v3/conversations" {
		t.Errorf("went to %s%s", last.Host, last.Path)
	}
}

// TestTokenStaysHome: nothing, and no token, goes to a foreign host or another path.
func TestTokenStaysHome(t *testing.T) {
	h := newHarness(t)
	for _, at := range []string{"https://evil.example/", "http://smba.trafficmanager.net/", "https://smba.trafficmanager.net/v3/../", ""} {
		ch := responsehub.Channel{ID: general, ServiceURL: at}
		if _, err := h.bot.client.thread(t.Context(), ch, schema.Activity{}); err == nil {
			t.Errorf("%q was called", at)
		}
	}
	for _, id := range []string{"../../admin", "a/b", "", "a?b", "a#b", "a%2fb", "..", "a\n", strings.Repeat("a", 600)} {
		if err := h.bot.client.update(t.Context(), service, id, "1", schema.Activity{}); responsehub.KindOf(err) != responsehub.Invalid {
			t.Errorf("conversation %q: %v", id, err)
		}
		if err := h.bot.client.update(t.Context(), service, general, id, schema.Activity{}); responsehub.KindOf(err) != responsehub.Invalid {
			t.Errorf("activity %q: %v", id, err)
		}
	}
	if n := len(h.world.seen("")); n > 0 || h.cred.n > 0 {
		t.Errorf("%d calls, %d tokens asked for", n, h.cred.n)
	}
}

// TestSignIn runs the real credential against a pretend Entra: single tenant, the
// connector's scope, one request for many tokens, and no secret in the error.
func TestSignIn(t *testing.T) {
	asked, deny := 0, false
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "openid-configuration") {
			fmt.Fprintf(w, `{"token_endpoint":"%[1]s/%[2]s/oauth2/v2.0/token","authorization_endpoint":"%[1]s/%[2]s/oauth2/v2.0/authorize","issuer":"%[1]s/%[2]s/v2.0"}`, srv.URL, tenant)
			return
		}
		asked++
		if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") != appID || !strings.Contains(r.PostForm.Get("scope"), "https://api.botframework.com/.default") || !strings.HasPrefix(r.URL.Path, "/"+tenant+"/") {
			t.Errorf("asked with %v at %s", r.PostForm, r.URL)
		}
		if deny {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":3600,"token_type":"Bearer"}`, asked)
	})
	srv.StartTLS()
	defer srv.Close()
	cfg := &Config{AppID: appID, TenantID: tenant, ClientSecret: "very-secret", Login: srv.URL}
	tok := newTokens(cfg, srv.Client())
	for range 3 {
		if got, err := tok.token(t.Context()); err != nil || got != "token-1" {
			t.Fatal(got, err)
		}
	}
	tok.drop()
	if got, err := tok.token(t.Context()); err != nil || got != "token-2" {
		t.Fatal("after the drop:", got, err)
	}
	deny = true
	tok.drop()
	_, err := tok.token(context.Background())
	if responsehub.KindOf(err) != responsehub.Forbidden || !strings.Contains(fmt.Sprint(err), "AADSTS7000215") || strings.Contains(fmt.Sprint(err), "very-secret") {
		t.Errorf("denied: %v", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", *cfg, *cfg, *cfg), "very-secret") {
		t.Error("the configuration prints its secret")
	}
}
