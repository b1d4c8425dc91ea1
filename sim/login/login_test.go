package login_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"responsehub/sim/login"
	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

const (
	hubID      = "aaaaaaaa-0000-4000-8000-000000000001"
	botID      = "aaaaaaaa-0000-4000-8000-000000000002"
	home       = "99999999-9999-4999-8999-999999999999"
	graphScope = "https://graph.microsoft.com/.default"
)

type stage struct {
	world  *tenant.World
	scene  *tenant.Scene
	server *login.Server
	log    *wire.Log
	http   *httptest.Server
}

func newStage(t *testing.T) *stage {
	t.Helper()
	w := tenant.NewWorld()
	w.AddClient(tenant.Client{ID: hubID, Name: "Response", HomeTenant: home, Secret: "right"})
	w.AddClient(tenant.Client{ID: botID, Name: "Bot", HomeTenant: home, Secret: "bot"})
	scene := tenant.Takeover(w, 1)
	scene.Tenant.ConsentAll(hubID)
	log := wire.NewLog()
	s := login.New(w, log)
	ts := httptest.NewTLSServer(s)
	t.Cleanup(ts.Close)
	return &stage{w, scene, s, log, ts}
}

func (s *stage) options() azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: s.http.URL},
		Transport: s.http.Client(),
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

func TestSecretThroughAzidentity(t *testing.T) {
	s := newStage(t)
	cred, err := azidentity.NewClientSecretCredential(s.scene.Tenant.ID, hubID, "right", &azidentity.ClientSecretCredentialOptions{
		ClientOptions: s.options(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graphScope}})
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	claims, err := s.server.Verify("Bearer "+token.Token, "https://graph.microsoft.com")
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if claims.TenantID != s.scene.Tenant.ID || claims.AppID != hubID || !claims.Has("Mail.ReadWrite") {
		t.Errorf("claims %+v", claims)
	}
	if _, err := s.server.Verify(token.Token, "https://outlook.office365.com"); !errors.Is(err, login.ErrAudience) {
		t.Errorf("a Graph token at Exchange: %v, want ErrAudience", err)
	}
	if got := s.log.UnexpectedAll(); len(got) > 0 {
		t.Errorf("unexpected: %q", got)
	}
	for _, r := range s.log.Requests() {
		if strings.Contains(r.Body, "right") || strings.Contains(r.Answer, token.Token) {
			t.Errorf("the ledger shows a secret: %s %s", r.Path, r.Body)
		}
	}
}

func TestCertificateThroughAzidentity(t *testing.T) {
	s := newStage(t)
	registered, registeredKey := certificate(t)
	stranger, strangerKey := certificate(t)
	s.world.AddClient(tenant.Client{ID: "cert-app", Certificates: [][]byte{registered.Raw}})
	s.scene.Tenant.ConsentAll("cert-app")
	ask := func(cert *x509.Certificate, key *rsa.PrivateKey) error {
		cred, err := azidentity.NewClientCertificateCredential(s.scene.Tenant.ID, "cert-app", []*x509.Certificate{cert}, key, &azidentity.ClientCertificateCredentialOptions{
			ClientOptions: s.options(), DisableInstanceDiscovery: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = cred.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graphScope}})
		return err
	}
	if err := ask(registered, registeredKey); err != nil {
		t.Errorf("registered certificate: %v", err)
	}
	if err := ask(stranger, strangerKey); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("unknown certificate: %v, want AADSTS700027", err)
	}
}

func TestAssertionsThatLie(t *testing.T) {
	s := newStage(t)
	registered, key := certificate(t)
	_, strangerKey := certificate(t)
	s.world.AddClient(tenant.Client{ID: "cert-app", Certificates: [][]byte{registered.Raw}})
	s.scene.Tenant.ConsentAll("cert-app")
	sum := sha256.Sum256(registered.Raw)
	aud := s.http.URL + "/" + s.scene.Tenant.ID + "/oauth2/v2.0/token"
	for _, c := range []struct {
		name     string
		key      *rsa.PrivateKey
		iss, aud string
		life     time.Duration
		codes    []int
	}{
		{"honest", key, "cert-app", aud, time.Minute, nil},
		{"signed by another key", strangerKey, "cert-app", aud, time.Minute, []int{700027}},
		{"expired", key, "cert-app", aud, -time.Minute, []int{700024}},
		{"for another app", key, hubID, aud, time.Minute, []int{700021}},
		{"for another place", key, "cert-app", "https://elsewhere.example", time.Minute, []int{700023}},
	} {
		token := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.MapClaims{"iss": c.iss, "sub": c.iss, "aud": c.aud, "exp": time.Now().Add(c.life).Unix()})
		token.Header["x5t#S256"] = base64.StdEncoding.EncodeToString(sum[:])
		signed, err := token.SignedString(c.key)
		if err != nil {
			t.Fatal(err)
		}
		_, _, codes := s.post(t, s.scene.Tenant.ID, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"cert-app"}, "scope": {graphScope}, "client_assertion": {signed},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		})
		if !cmp.Equal(codes, c.codes) {
			t.Errorf("%s: codes %v, want %v", c.name, codes, c.codes)
		}
	}
}

func certificate(t *testing.T) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sim"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// post asks for a token with plain net/http and returns status, OAuth error and AADSTS codes.
func (s *stage) post(t *testing.T, tenantKey string, form url.Values) (int, string, []int) {
	t.Helper()
	resp, err := s.http.Client().PostForm(s.http.URL+"/"+tenantKey+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
		Timestamp   string `json:"timestamp"`
		Trace       string `json:"trace_id"`
		Correlation string `json:"correlation_id"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if resp.StatusCode != http.StatusOK && (body.Timestamp == "" || body.Trace == "" || body.Correlation == "" || !strings.HasPrefix(body.Description, "AADSTS")) {
		t.Errorf("an error body Entra would not write: %s", raw)
	}
	return resp.StatusCode, body.Error, body.Codes
}

func TestTokenRefusals(t *testing.T) {
	good := func() url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {hubID}, "client_secret": {"right"}, "scope": {graphScope}}
	}
	with := func(k, v string) url.Values { f := good(); f.Set(k, v); return f }
	contoso, fabrikam := tenant.TenantID(1), tenant.TenantID(2)
	cases := []struct {
		name   string
		before func(*stage)
		tenant string
		form   url.Values
		status int
		kind   string
		codes  []int
	}{
		{"good", nil, contoso, good(), 200, "", nil},
		{"good by domain", nil, "contoso.example", good(), 200, "", nil},
		{"unknown tenant", nil, "22222222-0000-4000-8000-000000000000", good(), 400, "invalid_request", []int{90002}},
		{"never consented", func(s *stage) { tenant.Takeover(s.world, 2) }, fabrikam, good(), 400, "unauthorized_client", []int{700016}},
		{"consent withdrawn", func(s *stage) { s.scene.Tenant.WithdrawConsent(hubID) }, contoso, good(), 400, "unauthorized_client", []int{700016}},
		{"wrong secret", nil, contoso, with("client_secret", "wrong"), 401, "invalid_client", []int{7000215}},
		{"expired secret", func(s *stage) { s.world.ExpireSecret(hubID) }, contoso, good(), 401, "invalid_client", []int{7000222}},
		{"no secret", nil, contoso, with("client_secret", ""), 401, "invalid_client", []int{7000218}},
		{"garbage assertion", nil, contoso, url.Values{"grant_type": {"client_credentials"}, "client_id": {hubID}, "scope": {graphScope}, "client_assertion": {"a.b.c"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}, 400, "invalid_client", []int{50027}},
		{"scope without default", nil, contoso, with("scope", "https://graph.microsoft.com/User.Read"), 400, "invalid_scope", []int{1002012}},
		{"unknown resource", nil, contoso, with("scope", "https://nowhere.example/.default"), 400, "invalid_resource", []int{500011}},
		{"no exchange here", func(s *stage) {
			s.world.AddTenant(tenant.Tenant{ID: fabrikam, Name: "Fabrikam", NoExchange: true}).ConsentAll(hubID)
		}, fabrikam, with("scope", "https://outlook.office365.com/.default"), 400, "invalid_resource", []int{500011}},
		{"disabled by the customer", func(s *stage) {
			s.world.Lock()
			tenant.FindServicePrincipal(s.scene.Tenant, hubID).AccountEnabled = false
			s.world.Unlock()
		}, contoso, good(), 400, "unauthorized_client", []int{7000112}},
		{"other grant", nil, contoso, with("grant_type", "password"), 400, "unsupported_grant_type", []int{70003}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			if c.before != nil {
				c.before(s)
			}
			status, kind, codes := s.post(t, c.tenant, c.form)
			if status != c.status || kind != c.kind || !cmp.Equal(codes, c.codes) {
				t.Errorf("got %d %s %v, want %d %s %v", status, kind, codes, c.status, c.kind, c.codes)
			}
		})
	}
}

func TestBotTokenInItsHomeTenant(t *testing.T) {
	s := newStage(t)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {botID}, "client_secret": {"bot"}, "scope": {login.BotAudience + "/.default"}}
	resp, err := s.http.Client().PostForm(s.http.URL+"/"+home+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	claims, err := s.server.Verify(body.Token, login.BotAudience)
	if err != nil || claims.AppID != botID {
		t.Errorf("%+v %v", claims, err)
	}
}

func TestVerifyRefusals(t *testing.T) {
	s := newStage(t)
	s.server.SetTokenLife(-time.Minute)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {hubID}, "client_secret": {"right"}, "scope": {graphScope}}
	resp, err := s.http.Client().PostForm(s.http.URL+"/"+tenant.TenantID(1)+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body struct {
		Token string `json:"access_token"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&body)
	other := login.New(s.world, s.log)
	for _, c := range []struct {
		name  string
		by    *login.Server
		token string
		want  error
	}{
		{"expired", s.server, body.Token, login.ErrExpired},
		{"empty", s.server, "Bearer ", login.ErrNoToken},
		{"garbage", s.server, "Bearer x.y.z", login.ErrInvalid},
		{"another issuer's key", other, body.Token, login.ErrInvalid},
	} {
		if _, err := c.by.Verify(c.token, "https://graph.microsoft.com"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestTokensOutliveARestart(t *testing.T) {
	s := newStage(t)
	cred, err := azidentity.NewClientSecretCredential(s.scene.Tenant.ID, hubID, "right", &azidentity.ClientSecretCredentialOptions{
		ClientOptions: s.options(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graphScope}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.server.Save()
	if err != nil {
		t.Fatal(err)
	}
	restored, err := login.Restore(s.world, s.log, raw)
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := restored.Verify(token.Token, "https://graph.microsoft.com"); err != nil || claims.AppID != hubID {
		t.Errorf("a token of before: %+v %v", claims, err)
	}
	if _, err := login.New(s.world, s.log).Verify(token.Token, "https://graph.microsoft.com"); err == nil {
		t.Error("another sign-in service accepts the token")
	}
	for _, bad := range []string{``, `{}`, `{"key_id":"k","key":"AAAA"}`, `{"key":1}`} {
		if _, err := login.Restore(s.world, s.log, json.RawMessage(bad)); err == nil {
			t.Errorf("%q is restored", bad)
		}
	}
}
