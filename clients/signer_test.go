package clients_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const issuer = "https://api.botframework.com"

// signer holds a key with which the pretend Bot Framework signs.
type signer struct {
	id      string
	private *rsa.PrivateKey
}

func newSigner(t *testing.T, id string) signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{id, k}
}

// jwk is the public half as the Bot Framework publishes it.
func (s signer) jwk(endorsements ...string) map[string]any {
	k := map[string]any{
		"kty": "RSA", "use": "sig", "kid": s.id,
		"n": base64.RawURLEncoding.EncodeToString(s.private.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.private.E)).Bytes()),
	}
	if len(endorsements) > 0 {
		k["endorsements"] = endorsements
	}
	return k
}

// bearer is an Authorization header with a token that says claims.
func (s signer) bearer(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	return "Bearer " + s.token(t, jwt.SigningMethodRS256, s.private, claims)
}

func (s signer) token(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	if s.id != "" {
		token.Header["kid"] = s.id
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// goodClaims are those of a request that a bot believes.
func goodClaims(app, service string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": issuer, "aud": app, "serviceurl": service,
		"nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// serveKeys publishes keys the way the Bot Framework does and returns the address of
// the OpenID document.
func serveKeys(t *testing.T, keys ...map[string]any) string {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	give := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
	}
	mux.HandleFunc("GET /openid", give(map[string]any{"issuer": issuer, "jwks_uri": srv.URL + "/keys"}))
	mux.HandleFunc("GET /keys", give(map[string]any{"keys": keys}))
	return srv.URL + "/openid"
}
