package entra

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"responsehub"
	"responsehub/connectors/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	clientID = "22222222-2222-4222-8222-222222222222"
	secret   = "s3cret-of-the-hub"
)

// login answers like Microsoft's token endpoint.
type loginServer struct {
	mu     sync.Mutex
	forms  []url.Values
	status int
	body   string
	err    error
	life   int
}

func (s *loginServer) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/.well-known/openid-configuration") {
		base := "https://" + req.URL.Host + "/" + tenantID
		return reply(req, 200, fmt.Sprintf(`{"token_endpoint":"%s/oauth2/v2.0/token","authorization_endpoint":"%s/oauth2/v2.0/authorize","issuer":"%s/v2.0"}`, base, base, base)), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, _ := io.ReadAll(req.Body)
	form, _ := url.ParseQuery(string(b))
	s.forms = append(s.forms, form)
	if s.err != nil {
		return nil, s.err
	}
	if s.status != 0 {
		return reply(req, s.status, s.body), nil
	}
	claims, _ := json.Marshal(map[string]any{"roles": []string{"Mail.ReadWrite"}, "wids": []string{"w"}, "n": len(s.forms)})
	token := "h." + base64.RawURLEncoding.EncodeToString(claims) + ".sig"
	life := s.life
	if life == 0 {
		life = 3600
	}
	return reply(req, 200, fmt.Sprintf(`{"token_type":"Bearer","expires_in":%d,"access_token":%q}`, life, token)), nil
}

func (s *loginServer) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

func reply(req *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}
}

func newLogin(t *testing.T, s *loginServer, cfg Config) *Login {
	t.Helper()
	if cfg.ClientID == "" {
		cfg.ClientID = clientID
	}
	if cfg.ClientSecret == "" && cfg.Certificate == "" {
		cfg.ClientSecret = secret
	}
	if cfg.Authority == "" {
		cfg.Authority = "https://login.test/some/path"
	}
	l, err := New(cfg, transport.Client(transport.Over(s)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTokenIsKept(t *testing.T) {
	s := &loginServer{}
	l := newLogin(t, s, Config{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			tok, err := l.Token(t.Context(), tenantID, l.Cloud().Graph)
			if err != nil || !tok.Rights.Any("Mail.ReadWrite") || !tok.Rights.Known {
				t.Errorf("%v %+v", err, tok)
			}
		})
	}
	wg.Wait()
	if s.calls() != 1 {
		t.Errorf("%d requests for one token", s.calls())
	}
	if got := s.forms[0].Get("scope"); !strings.Contains(got, "https://graph.microsoft.com/.default") {
		t.Errorf("scope %q is not Microsoft's own resource", got)
	}
	if s.forms[0].Get("client_secret") != secret {
		t.Error("the secret was not sent")
	}
	begin := time.Now()
	if _, err := l.Token(t.Context(), tenantID, l.Cloud().Graph); err != nil || time.Since(begin) > 5*time.Millisecond {
		t.Errorf("a held token took %s (%v)", time.Since(begin), err)
	}
}

func TestRenewAndWarm(t *testing.T) {
	s := &loginServer{}
	l := newLogin(t, s, Config{})
	old, err := l.Token(t.Context(), tenantID, l.Cloud().Graph)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if tok, err := l.Renew(t.Context(), tenantID, l.Cloud().Graph, old); err != nil || tok.Value == old.Value {
				t.Errorf("the token is still the stale one (%v)", err)
			}
		})
	}
	wg.Wait()
	if s.calls() != 2 {
		t.Errorf("%d requests, want 2: ten holders of one stale token share a fresh one", s.calls())
	}
	if err := l.Warm(t.Context(), tenantID, l.Cloud().Graph); err != nil || s.calls() != 2 {
		t.Errorf("a token with an hour to live was renewed (%v)", err)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		err    error
		class  Class
		kind   responsehub.Kind
		says   string
	}{
		{"never consented", 400, aadsts(700016), nil, ConsentMissing, responsehub.Forbidden, "admin consent"},
		{"no Exchange", 400, aadsts(500011), nil, ResourceMissing, responsehub.Permanent, "does not have"},
		{"secret wrong", 401, aadsts(7000215), nil, Credential, responsehub.Forbidden, "ALL tenants"},
		{"secret expired", 401, aadsts(7000222), nil, Credential, responsehub.Forbidden, "ALL tenants"},
		{"app disabled", 400, aadsts(7000112), nil, AppDisabled, responsehub.Forbidden, "switched off"},
		{"tenant gone", 400, aadsts(90002), nil, TenantGone, responsehub.Permanent, "does not know"},
		{"conditional access", 400, aadsts(53003), nil, PolicyBlocks, responsehub.Forbidden, "Conditional Access"},
		{"workload policy", 400, aadsts(530032), nil, PolicyBlocks, responsehub.Forbidden, "Conditional Access"},
		{"being made", 400, aadsts(650051), nil, ConsentMissing, responsehub.Unavailable, "admin consent"},
		{"busy", 400, aadsts(90033), nil, Transient, responsehub.Unavailable, "busy"},
		{"throttled", 429, `{}`, nil, Transient, responsehub.Throttled, "busy"},
		{"unheard of", 400, aadsts(999999), nil, Other, responsehub.Forbidden, "999999"},
		{"text only", 400, `{"error":"x","error_description":"AADSTS700016: Application not found."}`, nil, ConsentMissing, responsehub.Forbidden, "consent"},
		{"gateway", 502, `<html>`, nil, Unreachable, responsehub.Unavailable, "cannot be reached"},
		{"nonsense", 200, `<html>`, nil, Unreachable, responsehub.Unavailable, "cannot be reached"},
		{"no network", 0, "", errors.New("no route to host"), Unreachable, responsehub.Unavailable, "cannot be reached"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLogin(t, &loginServer{status: tc.status, body: tc.body, err: tc.err}, Config{})
			_, err := l.Token(t.Context(), tenantID, l.Cloud().Graph)
			if ClassOf(err) != tc.class || responsehub.KindOf(err) != tc.kind || !strings.Contains(responsehub.Sentence(err), tc.says) {
				t.Errorf("%s %s %q", ClassOf(err), responsehub.KindOf(err), responsehub.Sentence(err))
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "Trace ID") {
				t.Errorf("the text shows what it must not: %v", err)
			}
		})
	}
}

func aadsts(n int) string {
	return fmt.Sprintf(`{"error":"invalid_client","error_description":"AADSTS%d: text. Trace ID: 1 %s","error_codes":[%d],"trace_id":"33333333-3333-4333-8333-333333333333"}`, n, secret, n)
}

func TestCancelledWhileWaiting(t *testing.T) {
	l := newLogin(t, &loginServer{err: context.Canceled}, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Token(ctx, tenantID, l.Cloud().Graph); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCertificate(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	both := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	s := &loginServer{}
	l := newLogin(t, s, Config{Certificate: both})
	if _, err := l.Token(t.Context(), tenantID, l.Cloud().Exchange); err != nil {
		t.Fatal(err)
	}
	if s.forms[0].Get("client_assertion") == "" || s.forms[0].Get("client_secret") != "" {
		t.Error("the certificate was not used")
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no client":      {ClientSecret: secret},
		"no secret":      {ClientID: clientID},
		"plain http":     {ClientID: clientID, ClientSecret: secret, Authority: "http://127.0.0.1:1"},
		"no address":     {ClientID: clientID, ClientSecret: secret, Authority: "login"},
		"no certificate": {ClientID: clientID, Certificate: "-----BEGIN nothing"},
	} {
		if _, err := New(cfg, http.DefaultClient); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := &loginServer{}
	if _, err := newLogin(t, s, Config{}).Token(t.Context(), "not/a tenant", "https://x"); responsehub.KindOf(err) != responsehub.Permanent {
		t.Errorf("a bad tenant id: %v", err)
	}
}

func TestClouds(t *testing.T) {
	for _, tc := range []struct {
		authority, graph string
		want             Cloud
	}{
		{"https://login.microsoftonline.com", "", public},
		{"https://127.0.0.1:9443", "http://127.0.0.1:9900/graph", public},
		{"https://login.microsoftonline.us", "", gov},
		{"https://login.microsoftonline.us", "https://dod-graph.microsoft.us", dod},
		{"https://login.partner.microsoftonline.cn", "", china},
	} {
		if got := newLogin(t, &loginServer{}, Config{Authority: tc.authority, Graph: tc.graph}).Cloud(); got != tc.want {
			t.Errorf("%s: %+v", tc.authority, got)
		}
	}
}

func FuzzRefusal(f *testing.F) {
	f.Add(400, aadsts(700016))
	f.Add(500, "<html>")
	f.Add(400, `{"error_codes":["x"]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		s := &seen{answer: &transport.Answer{Status: status, Body: []byte(body)}}
		err := s.refusal(tenantID, clientID, "https://graph.microsoft.com")
		if responsehub.Sentence(err) == "" || err.Error() == "" {
			t.Error("no sentence")
		}
	})
}
