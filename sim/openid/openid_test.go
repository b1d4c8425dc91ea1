package openid_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"responsehub/sim/openid"
)

const back = "http://127.0.0.1:1/back"

func start(t *testing.T) *httptest.Server {
	t.Helper()
	var h http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	s, err := openid.New(openid.Config{Issuer: srv.URL, ClientID: "console", Secret: "s3cret", Back: back, People: []openid.Person{{Key: "ann", Name: "Ann", ObjectID: "o-1", Mail: "ann@desk.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	h = s
	return srv
}

func ask(verifier string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {"console"}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"st"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func post(t *testing.T, address string, form url.Values) (int, string, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var v map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&v) // a redirect has no body
	return resp.StatusCode, resp.Header.Get("Location"), v
}

func code(t *testing.T, srv *httptest.Server, verifier string) string {
	t.Helper()
	status, to, _ := post(t, srv.URL+"/authorize?"+ask(verifier).Encode(), url.Values{"person": {"ann"}})
	u, err := url.Parse(to)
	if err != nil || status != http.StatusSeeOther || u.Query().Get("state") != "st" {
		t.Fatalf("%d %q %v", status, to, err)
	}
	return u.Query().Get("code")
}

func exchange(code, verifier string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {back}, "client_id": {"console"}, "client_secret": {"s3cret"}, "code": {code}, "code_verifier": {verifier}}
}

// TestTheTokenIsTakenByAnotherLibrary has go-oidc discover, fetch keys and verify.
func TestTheTokenIsTakenByAnotherLibrary(t *testing.T) {
	srv := start(t)
	status, _, v := post(t, srv.URL+"/token", exchange(code(t, srv, "proof"), "proof"))
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, v)
	}
	p, err := oidc.NewProvider(context.Background(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := v["id_token"].(string)
	token, err := p.Verifier(&oidc.Config{ClientID: "console"}).Verify(t.Context(), raw)
	if err != nil || token.Nonce != "n" || token.Subject != "ann" {
		t.Errorf("%+v (%v)", token, err)
	}
}

func TestWhatAProviderRefuses(t *testing.T) {
	srv := start(t)
	for name, spoil := range map[string]func(url.Values){
		"client": func(v url.Values) { v.Set("client_id", "x") }, "address": func(v url.Values) { v.Set("redirect_uri", "https://evil.example/") },
		"type": func(v url.Values) { v.Set("response_type", "token") }, "scope": func(v url.Values) { v.Set("scope", "email") }, "no pkce": func(v url.Values) { v.Del("code_challenge") },
	} {
		q := ask("proof")
		spoil(q)
		if status, to, _ := post(t, srv.URL+"/authorize?"+q.Encode(), url.Values{"person": {"ann"}}); status != http.StatusBadRequest || to != "" {
			t.Errorf("%s: %d to %q", name, status, to)
		}
	}
	used := code(t, srv, "proof")
	post(t, srv.URL+"/token", exchange(used, "proof"))
	for name, form := range map[string]url.Values{
		"used code": exchange(used, "proof"), "made-up code": exchange("x", "proof"), "another proof": exchange(code(t, srv, "proof"), "else"),
	} {
		if status, _, v := post(t, srv.URL+"/token", form); status != http.StatusBadRequest || v["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, v)
		}
	}
	form := exchange(code(t, srv, "proof"), "proof")
	form.Set("client_secret", "wrong")
	if status, _, _ := post(t, srv.URL+"/token", form); status != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %d", status)
	}
}
