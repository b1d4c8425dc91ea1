package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"responsehub/sim/graph"
	"responsehub/sim/login"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const hubID = "aaaaaaaa-0000-4000-8000-000000000001"

// stage is one Contoso takeover with a Graph in front of it.
type stage struct {
	t     testing.TB
	world *tenant.World
	scene *tenant.Scene
	login *login.Server
	graph *graph.Server
	log   *wire.Log
	http  *httptest.Server
	token string
	head  http.Header
}

func newStage(t testing.TB) *stage {
	t.Helper()
	w := tenant.NewWorld()
	w.AddClient(tenant.Client{ID: hubID, Name: "Response", HomeTenant: "99999999-9999-4999-8999-999999999999", Secret: "s"})
	scene := tenant.Takeover(w, 1)
	scene.Tenant.ConsentAll(hubID)
	log := wire.NewLog()
	l := login.New(w, log)
	g := graph.New(w, l, log)
	ts := httptest.NewServer(g)
	t.Cleanup(ts.Close)
	s := &stage{t: t, world: w, scene: scene, login: l, graph: g, log: log, http: ts, head: http.Header{}}
	s.newToken()
	return s
}

// newToken asks for a token with what the tenant consents to now.
func (s *stage) newToken() {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {hubID}, "client_secret": {"s"}, "scope": {"https://graph.microsoft.com/.default"}}
	r := httptest.NewRequest(http.MethodPost, "/"+s.scene.Tenant.ID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	s.login.ServeHTTP(rec, r)
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || body.Token == "" {
		s.t.Fatalf("token: %d %s", rec.Code, rec.Body)
	}
	s.token = body.Token
}

// answer is a decoded answer.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (a answer) value() []map[string]any {
	list, _ := a.body["value"].([]any)
	var out []map[string]any
	for _, x := range list {
		out = append(out, x.(map[string]any))
	}
	return out
}

// do sends one request; path is below /v1.0 or a whole address.
func (s *stage) do(method, path, body string) answer {
	s.t.Helper()
	address := path
	if !strings.HasPrefix(path, "http") {
		address = s.http.URL + "/graph/v1.0" + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range s.head {
		r.Header[k] = v
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	out := answer{status: resp.StatusCode, header: resp.Header}
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, &out.body); err != nil {
			s.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
	return out
}

// want sends a request and checks status and error code.
func (s *stage) want(status int, code, method, path, body string) answer {
	s.t.Helper()
	a := s.do(method, path, body)
	if a.status != status || a.code() != code {
		s.t.Errorf("%s %s: got %d %q, want %d %q: %v", method, path, a.status, a.code(), status, code, a.body)
	}
	return a
}

// effects are the kinds in the ledger of effects, in order.
func (s *stage) effects() string {
	var kinds []string
	for _, e := range s.log.Effects() {
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, " ")
}

func (s *stage) user(u *tenant.User) string { return "/users/" + u.ID }

func q(filter string) string { return "$filter=" + url.QueryEscape(filter) }
