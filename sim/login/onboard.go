package login

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"responsehub/sim/tenant"
)

// visits are the addresses that people may be sent back to, and the codes of those who
// signed in and were sent back. They do not outlive the process.
type visits struct {
	mu    sync.Mutex
	backs []string
	codes map[string]visit
}

type visit struct {
	tenant, client, back, user string
	nonce, challenge           string
	ends                       time.Time
}

const codeLife = time.Minute

// AllowBack registers an address to which people are sent back, as the app registration does.
func (s *Server) AllowBack(address string) {
	s.visits.mu.Lock()
	defer s.visits.mu.Unlock()
	s.visits.backs = append(s.visits.backs, address)
}

func (s *Server) sendsBack(address string) bool {
	s.visits.mu.Lock()
	defer s.visits.mu.Unlock()
	return slices.Contains(s.visits.backs, address)
}

// choice is a button of a page: who of which customer.
type choice struct{ Tenant, Name, User, Who string }

var choices = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}} (pretend Microsoft)</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 "Segoe UI",system-ui,"DejaVu Sans",sans-serif;margin:0;padding:1rem}main{max-width:30rem;margin:2rem auto}h1{font-size:1.3rem}button{font:inherit;padding:.6rem .9rem;width:100%;text-align:left;cursor:pointer}form{margin:.5rem 0}</style></head>
<body><main><p>Pretend Microsoft</p><h1>{{.Title}}</h1><p>{{.Text}}</p>
{{range .Choices}}<form method="post"><input type="hidden" name="tenant" value="{{.Tenant}}"><input type="hidden" name="user" value="{{.User}}"><button>{{.Who}} at {{.Name}}</button></form>{{end}}
{{if .Decline}}<form method="post"><input type="hidden" name="decline" value="yes"><button>Cancel</button></form>{{end}}</main></body></html>`))

// people who can be chosen: the accounts with a directory role, of one customer or, for "organizations", of all.
func (s *Server) people(key string) ([]choice, bool) {
	s.world.Lock()
	defer s.world.Unlock()
	var out []choice
	known := false
	for _, t := range s.world.Tenants {
		if key != "organizations" && t != tenant.Find(s.world, key) {
			continue
		}
		known = true
		for _, u := range t.Users {
			if len(u.Roles) > 0 && u.AccountEnabled {
				out = append(out, choice{Tenant: t.ID, Name: t.Name, User: u.ID, Who: u.Name})
			}
		}
	}
	return out, known
}

// asked checks what a page is opened with; the answer is false once it was refused. Who is
// not registered is never sent to.
func (s *Server) asked(w http.ResponseWriter, r *http.Request) ([]choice, bool) {
	q := r.URL.Query()
	s.world.Lock()
	client := tenant.FindClient(s.world, q.Get("client_id"))
	s.world.Unlock()
	list, known := s.people(r.PathValue("tenant"))
	switch {
	case client == nil:
		s.refuse(w, badRequest, "unauthorized_client", 700016, "Application with identifier '"+q.Get("client_id")+"' was not found in the directory.")
	case !s.sendsBack(q.Get("redirect_uri")):
		s.refuse(w, badRequest, "invalid_request", 50011, "The redirect URI specified in the request does not match the redirect URIs configured for the application.")
	case !known:
		s.refuse(w, badRequest, "invalid_request", 90002, noTenant(r.PathValue("tenant")))
	default:
		return list, true
	}
	return nil, false
}

func (s *Server) draw(w http.ResponseWriter, title, text string, list []choice, decline bool) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = choices.Execute(w, map[string]any{"Title": title, "Text": text, "Choices": list, "Decline": decline}) // the browser is gone: nobody to tell
}

func sendBack(w http.ResponseWriter, r *http.Request, q url.Values) {
	asked := r.URL.Query()
	q.Set("state", asked.Get("state"))
	http.Redirect(w, r, asked.Get("redirect_uri")+"?"+q.Encode(), http.StatusFound) //nolint:gosec // asked lets through registered addresses only
}

// consentPage asks an administrator to let the app in.
// https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
func (s *Server) consentPage(w http.ResponseWriter, r *http.Request) {
	if list, ok := s.asked(w, r); ok {
		s.draw(w, "Permissions requested", "The hub's app asks to work in your organisation. Consent as", list, true)
	}
}

func (s *Server) consent(w http.ResponseWriter, r *http.Request) {
	list, ok := s.asked(w, r)
	if !ok {
		return
	}
	if r.PostFormValue("decline") != "" {
		sendBack(w, r, url.Values{"error": {"access_denied"}, "error_description": {"AADSTS65004: User declined to consent to access the app."}})
		return
	}
	i := slices.IndexFunc(list, func(c choice) bool {
		return c.Tenant == r.PostFormValue("tenant") && c.User == r.PostFormValue("user")
	})
	if i < 0 {
		s.refuse(w, badRequest, "invalid_request", 90002, noTenant(r.PostFormValue("tenant")))
		return
	}
	s.world.Tenant(list[i].Tenant).ConsentAll(r.URL.Query().Get("client_id"))
	sendBack(w, r, url.Values{"admin_consent": {"True"}, "tenant": {list[i].Tenant}, "scope": {r.URL.Query().Get("scope")}})
}

// authorizePage lets somebody sign in.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
func (s *Server) authorizePage(w http.ResponseWriter, r *http.Request) {
	if list, ok := s.asked(w, r); ok && s.wellAsked(w, r) {
		s.draw(w, "Sign in", "Sign in as", list, true)
	}
}

func (s *Server) wellAsked(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	if q.Get("response_type") != "code" || !slices.Contains(strings.Fields(q.Get("scope")), "openid") || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" {
		s.refuse(w, badRequest, "invalid_request", 900144, "The request must contain response_type=code, the scope openid and a code_challenge.")
		return false
	}
	return true
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	list, ok := s.asked(w, r)
	if !ok || !s.wellAsked(w, r) {
		return
	}
	if r.PostFormValue("decline") != "" {
		sendBack(w, r, url.Values{"error": {"access_denied"}})
		return
	}
	i := slices.IndexFunc(list, func(c choice) bool {
		return c.Tenant == r.PostFormValue("tenant") && c.User == r.PostFormValue("user")
	})
	if i < 0 {
		s.refuse(w, badRequest, "invalid_request", 50034, "The user account does not exist in the directory.")
		return
	}
	q, code := r.URL.Query(), rand.Text()
	s.visits.mu.Lock()
	s.visits.codes[code] = visit{
		tenant: list[i].Tenant, client: q.Get("client_id"), back: q.Get("redirect_uri"), user: list[i].User, nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), ends: time.Now().Add(codeLife),
	}
	s.visits.mu.Unlock()
	sendBack(w, r, url.Values{"code": {code}, "session_state": {rand.Text()}})
}

// redeemCode answers the token endpoint for a code: an id token, which is all that is asked for.
func (s *Server) redeemCode(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	s.visits.mu.Lock()
	v, ok := s.visits.codes[form.Get("code")]
	delete(s.visits.codes, form.Get("code"))
	s.visits.mu.Unlock()
	proof := sha256.Sum256([]byte(form.Get("code_verifier")))
	bad := refusef(badRequest, "invalid_grant", 70008, "The provided authorization code or refresh token has expired due to inactivity, was used already, or does not fit the request.")
	if !ok || time.Now().After(v.ends) || v.client != form.Get("client_id") || v.back != form.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(proof[:]) != v.challenge {
		s.refuse(w, bad.status, bad.kind, bad.code, bad.text)
		return
	}
	s.world.Lock()
	defer s.world.Unlock()
	client, t := tenant.FindClient(s.world, v.client), tenant.Find(s.world, v.tenant)
	if client == nil || t == nil {
		s.refuse(w, bad.status, bad.kind, bad.code, bad.text)
		return
	}
	if refused := checkCredential(client, form, base(r)+r.URL.Path); refused != nil {
		s.refuse(w, refused.status, refused.kind, refused.code, refused.text)
		return
	}
	u, now := tenant.FindUser(t, v.user), time.Now()
	claims := jwt.MapClaims{
		"iss": base(r) + "/" + t.ID + "/v2.0", "aud": v.client, "tid": t.ID, "oid": v.user, "sub": v.user, "nonce": v.nonce, "ver": "2.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Duration(s.life.Load())).Unix(),
	}
	if u != nil {
		claims["name"], claims["preferred_username"] = u.Name, u.UPN
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = s.keyID
	signed, err := token.SignedString(s.key)
	if err != nil {
		panic("login: sign a token: " + err.Error()) // the key was made here
	}
	seconds := int(time.Duration(s.life.Load()) / time.Second)
	reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "scope": "openid profile", "expires_in": seconds, "access_token": rand.Text(), "id_token": signed})
}
