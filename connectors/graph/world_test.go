package graph

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	clientID = "22222222-2222-4222-8222-222222222222"
	userID   = "33333333-3333-4333-8333-333333333333"
	secret   = "s3cret-of-the-hub"
	password = "Tr0ub4dor&3-correct"
)

// request is what Graph got to see.
type request struct {
	Method, Path, Query, Body string
	Header                    http.Header
	Length                    int64
}

// world is a login and a Graph behind the client; it answers in process.
type world struct {
	t     *testing.T
	graph func(w http.ResponseWriter, r *http.Request)
	roles []string // of the tokens; nil makes tokens that cannot be read

	mu     sync.Mutex
	tokens int
	seen   []request
}

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "login.test" {
		return w.login(req), nil
	}
	rec := httptest.NewRecorder()
	body := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		body = string(b)
	}
	w.mu.Lock()
	w.seen = append(w.seen, request{req.Method, strings.TrimPrefix(req.URL.Path, "/v1.0"), req.URL.RawQuery, body, req.Header.Clone(), req.ContentLength})
	w.mu.Unlock()
	w.graph(rec, req)
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

func (w *world) login(req *http.Request) *http.Response {
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	base := "https://login.test/" + tenantID
	if strings.HasSuffix(req.URL.Path, "openid-configuration") {
		fmt.Fprintf(rec, `{"token_endpoint":"%s/oauth2/v2.0/token","authorization_endpoint":"%s/a","issuer":"%s/v2.0"}`, base, base, base)
	} else {
		w.mu.Lock()
		w.tokens++
		claims, _ := json.Marshal(map[string]any{"roles": w.roles, "n": w.tokens})
		token := fmt.Sprintf("opaque-%d", w.tokens)
		if w.roles != nil {
			token = "h." + base64.RawURLEncoding.EncodeToString(claims) + ".s"
		}
		w.mu.Unlock()
		fmt.Fprintf(rec, `{"token_type":"Bearer","expires_in":3600,"access_token":%q}`, token)
	}
	return rec.Result()
}

func (w *world) requests() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// newWorld returns a client whose Graph is the handler.
func newWorld(t *testing.T, graph http.HandlerFunc, roles ...string) (*Client, *world) {
	t.Helper()
	w := &world{t: t, graph: graph, roles: roles}
	return over(t, transport.Client(transport.Over(w))), w
}

func over(t *testing.T, client *http.Client) *Client {
	t.Helper()
	login, err := entra.New(entra.Config{ClientID: clientID, ClientSecret: secret, Authority: "https://login.test"}, client)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Graph: "https://graph.test", OwnApps: []string{"99999999-9999-4999-8999-999999999999"}}, login, client, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("request-id", "req-1")
	if body != "" {
		w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func complain(code, message string) string {
	b, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": message, "innerError": map[string]string{"request-id": "r"}}})
	return string(b)
}
