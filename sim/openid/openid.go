// Package openid is the pretend identity provider with which people sign in to the hub's
// console: OpenID Connect with the authorization code flow and PKCE.
//
// It promises to refuse what a provider refuses: an unknown client or address to send back
// to, a wrong secret, a code that was used, is old or belongs to another client, and a
// proof that does not match. Who signs in is whoever the person at the page says.
package openid

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Person is somebody who can sign in.
type Person struct {
	Key      string
	Name     string
	ObjectID string
	Mail     string
}

// Config says who the provider is for.
type Config struct {
	Issuer   string // its own address
	ClientID string
	Secret   string
	Back     string // the only address it sends back to
	People   []Person
}

// Server is the provider. It is safe for concurrent use.
type Server struct {
	cfg  Config
	key  *rsa.PrivateKey
	mux  *http.ServeMux
	mu   sync.Mutex
	sent map[string]grant // by code
}

// grant is what a code stands for.
type grant struct {
	person    Person
	nonce     string
	challenge string
	until     time.Time
}

const (
	codeLife  = time.Minute
	tokenLife = 10 * time.Minute
	keyID     = "sim"
)

// New returns a provider with a key of its own.
func New(cfg Config) (*Server, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, key: key, mux: http.NewServeMux(), sent: map[string]grant{}}
	s.mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	s.mux.HandleFunc("GET /keys", s.keys)
	s.mux.HandleFunc("GET /authorize", s.authorize)
	s.mux.HandleFunc("POST /authorize", s.choose)
	s.mux.HandleFunc("POST /token", s.token)
	return s, nil
}

// ServeHTTP serves the provider at the root of the request's path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": s.cfg.Issuer, "authorization_endpoint": s.cfg.Issuer + "/authorize", "token_endpoint": s.cfg.Issuer + "/token", "jwks_uri": s.cfg.Issuer + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	})
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	b64 := base64.RawURLEncoding.EncodeToString
	answer(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID, "n": b64(s.key.N.Bytes()), "e": b64(big.NewInt(int64(s.key.E)).Bytes()),
	}}})
}

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in (pretend provider)</title>
<link rel="stylesheet" href="/style.css"></head>
<body><main ><div class="panel"><h1>Sign in as</h1><p class="soft">This is the simulated world's identity provider: choose who you are.</p>
{{range .People}}<form method="post"><input type="hidden" name="person" value="{{.Key}}"><p><button>{{.Name}}</button></p></form>{{end}}</div></main></body></html>`))

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if why := s.wrong(r.URL.Query()); why != "" {
		http.Error(w, why, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Frame-Options", "DENY")
	_ = page.Execute(w, s.cfg) // the browser is gone: nobody to tell
}

// wrong says why a request cannot be answered by sending back: the address it names may
// be anybody's.
func (s *Server) wrong(q url.Values) string {
	switch {
	case q.Get("client_id") != s.cfg.ClientID:
		return "invalid_client: no such client"
	case q.Get("redirect_uri") != s.cfg.Back:
		return "invalid_request: redirect_uri is not registered"
	case q.Get("response_type") != "code":
		return "unsupported_response_type"
	case !strings.Contains(" "+q.Get("scope")+" ", " openid "):
		return "invalid_scope: openid is missing"
	case q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256":
		return "invalid_request: PKCE with S256 is required"
	}
	return ""
}

func (s *Server) choose(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if why := s.wrong(q); why != "" {
		http.Error(w, why, http.StatusBadRequest)
		return
	}
	for _, p := range s.cfg.People {
		if p.Key != r.PostFormValue("person") {
			continue
		}
		code := rand.Text()
		s.mu.Lock()
		s.sent[code] = grant{person: p, nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), until: time.Now().Add(codeLife)}
		s.mu.Unlock()
		http.Redirect(w, r, s.cfg.Back+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
		return
	}
	http.Error(w, "access_denied: no such person", http.StatusBadRequest)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, why string) { answer(w, status, map[string]string{"error": why}) }
	if r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != s.cfg.Back {
		refuse(http.StatusBadRequest, "invalid_request")
		return
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != s.cfg.ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(s.cfg.Secret)) != 1 {
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	}
	code := r.PostFormValue("code")
	s.mu.Lock()
	g, ok := s.sent[code]
	delete(s.sent, code)
	s.mu.Unlock()
	proof := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || time.Now().After(g.until) || base64.RawURLEncoding.EncodeToString(proof[:]) != g.challenge {
		refuse(http.StatusBadRequest, "invalid_grant")
		return
	}
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": s.cfg.Issuer, "aud": s.cfg.ClientID, "sub": g.person.Key, "oid": g.person.ObjectID, "name": g.person.Name,
		"email": g.person.Mail, "email_verified": true, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
	})
	t.Header["kid"] = keyID
	signed, err := t.SignedString(s.key)
	if err != nil {
		refuse(http.StatusInternalServerError, "server_error")
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "id_token": signed})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
