// Package login is the simulated sign-in service of Entra ID: discovery, keys and the token endpoint
// for client credentials, and the device code flow with refresh tokens for people, admin consent and sign-in by code, strict as the real one and with its error bodies.
//
// It promises RS256 tokens with aud, tid, appid, roles, wids and exp taken from the tenant's consent at
// the moment of asking, so that a permission granted or withdrawn later shows in the next token only,
// and it lets the resource simulators check them (Verify). azidentity takes https only and drops the
// path of its authority: mount a Server at the root of a TLS listener.
//
// What may go wrong: a token lives on after consent was withdrawn, as with Microsoft; the resources
// refuse it because its client is no longer in the tenant.
package login

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// vendor is the name requests are recorded under.
const vendor = "login"

// Server is the sign-in service. It is an http.Handler that records its own traffic.
type Server struct {
	world   *tenant.World
	log     *wire.Log
	key     *rsa.PrivateKey
	keyID   string
	life    atomic.Int64 // of a token, nanoseconds
	latency atomic.Int64 // before each answer, nanoseconds
	devices devices
	visits  visits
	handler http.Handler
}

// New returns a sign-in service over the world with a fresh signing key.
func New(world *tenant.World, log *wire.Log) *Server {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("login: make a signing key: %v", err)) // crypto/rand does not fail
	}
	return serve(world, log, key, "sim-1")
}

func serve(world *tenant.World, log *wire.Log, key *rsa.PrivateKey, keyID string) *Server {
	s := &Server{world: world, log: log, key: key, keyID: keyID}
	s.visits.codes = map[string]visit{}
	s.SetTokenLife(3599 * time.Second)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /common/discovery/instance", s.discoverInstance)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.discoverTenant)
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", s.keys)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.token)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", s.deviceCode)
	mux.HandleFunc("GET /{tenant}/v2.0/adminconsent", s.consentPage)
	mux.HandleFunc("POST /{tenant}/v2.0/adminconsent", s.consent)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", s.authorizePage)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/authorize", s.authorize)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Unexpected(vendor, r.Method+" "+r.URL.Path)
		http.NotFound(w, r)
	})
	s.handler = log.Middleware(vendor, mux)
	return s
}

// ServeHTTP serves the sign-in service.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d := time.Duration(s.latency.Load()); d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		}
	}
	s.handler.ServeHTTP(w, r)
}

// SetTokenLife changes how long tokens issued from now on live.
func (s *Server) SetTokenLife(d time.Duration) { s.life.Store(int64(d)) }

// SetLatency makes every answer take d.
func (s *Server) SetLatency(d time.Duration) { s.latency.Store(int64(d)) }

// discoverInstance answers MSAL's question which hosts are one cloud.
// https://learn.microsoft.com/entra/msal/java/advanced/instance-discovery
func (s *Server) discoverInstance(w http.ResponseWriter, r *http.Request) {
	authorize := r.URL.Query().Get("authorization_endpoint")
	parts := strings.Split(strings.TrimPrefix(authorize, "https://"), "/")
	if !strings.HasPrefix(authorize, "https://") || len(parts) < 2 {
		s.refuse(w, http.StatusBadRequest, "invalid_instance", 50049, "Unknown or invalid instance.")
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": base(r) + "/" + parts[1] + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []any{map[string]any{
			"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
		}},
	})
}

// discoverTenant is OpenID discovery of one tenant, by id or domain.
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
func (s *Server) discoverTenant(w http.ResponseWriter, r *http.Request) {
	id, ok := s.tenantID(r.PathValue("tenant"))
	if !ok {
		s.refuse(w, http.StatusBadRequest, "invalid_tenant", 90002, noTenant(r.PathValue("tenant")))
		return
	}
	b := base(r) + "/" + id
	reply(w, http.StatusOK, map[string]any{
		"token_endpoint":                        b + "/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"jwks_uri":                              b + "/discovery/v2.0/keys",
		"issuer":                                b + "/v2.0",
		"authorization_endpoint":                b + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint":         b + "/oauth2/v2.0/devicecode",
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"tenant_region_scope":                   "EU",
		"cloud_instance_name":                   r.Host,
	})
}

// keys is the JSON Web Key Set that tokens are signed with.
// https://learn.microsoft.com/entra/identity-platform/signing-key-rollover
func (s *Server) keys(w http.ResponseWriter, r *http.Request) {
	pub := s.key.PublicKey
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "kid": s.keyID,
		"n": base64.RawURLEncoding.EncodeToString(pub.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(pub.E)).Bytes()),
	}}})
}

// tenantID resolves a path's tenant. A client's home counts as a tenant too, so that a bot's own
// tenant need not be furnished.
func (s *Server) tenantID(key string) (string, bool) {
	s.world.Lock()
	defer s.world.Unlock()
	if t := tenant.Find(s.world, key); t != nil {
		return t.ID, true
	}
	for _, c := range s.world.Clients {
		if c.HomeTenant != "" && strings.EqualFold(c.HomeTenant, key) {
			return c.HomeTenant, true
		}
	}
	return "", false
}

func base(r *http.Request) string {
	if r.TLS == nil {
		return "http://" + r.Host
	}
	return "https://" + r.Host
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
