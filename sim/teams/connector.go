package teams

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// Handler serves the connector and the metadata of its signing keys, without path prefix. It records
// its own traffic in Config.Log.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/.well-known/openidconfiguration", s.openID)
	mux.HandleFunc("GET /v1/.well-known/keys", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, s.keys.jwks()) })
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) *refusal{
		"POST /v3/conversations":                                s.createConversation,
		"POST /v3/conversations/{conv}/activities":              s.postActivity,
		"POST /v3/conversations/{conv}/activities/{activity}":   s.postActivity,
		"PUT /v3/conversations/{conv}/activities/{activity}":    s.putActivity,
		"DELETE /v3/conversations/{conv}/activities/{activity}": s.deleteActivity,
		"GET /v3/conversations/{conv}/members":                  s.listMembers,
		"GET /v3/conversations/{conv}/pagedmembers":             s.pageMembers,
		"GET /v3/conversations/{conv}/members/{member}":         s.getMember,
		"GET /v3/teams/{team}":                                  s.getTeam,
		"GET /v3/teams/{team}/conversations":                    s.teamConversations,
	} {
		mux.HandleFunc(pattern, s.authorized(h))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.cfg.Log.Unexpected("teams", r.Method+" "+r.URL.Path)
		http.Error(w, "The resource cannot be found.", http.StatusNotFound)
	})
	return s.cfg.Log.Middleware("teams", mux)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

func (s *Service) openID(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, 200, map[string]any{
		"issuer": issuer, "authorization_endpoint": "https://invalid.botframework.com", "jwks_uri": s.cfg.URL + "/v1/.well-known/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "token_endpoint_auth_methods_supported": []string{"private_key_jwt"},
	})
}

// authorized checks the bot's token before the call, and whether the bot may call at all.
func (s *Service) authorized(h func(http.ResponseWriter, *http.Request) *refusal) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || s.cfg.Verify(bearer) != nil {
			unauthorized(w)
			return
		}
		s.mu.Lock()
		installed, disabled := s.installed, s.disabled
		s.mu.Unlock()
		bad := (*refusal)(nil)
		switch {
		case disabled:
			bad = refuse("BotDisabledByAdmin", "")
		case !installed:
			bad = refuse("BotNotInConversationRoster", "")
		default:
			bad = h(w, r)
		}
		if bad != nil {
			bad.write(w)
		}
	}
}

// body reads a request's body, or answers 413 as the gateway does.
func (s *Service) body(w http.ResponseWriter, r *http.Request) ([]byte, bool, *refusal) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxMessage+1))
	if err != nil {
		return nil, false, refuse("BadArgument", "body: "+err.Error())
	}
	if len(raw) > maxMessage {
		tooLarge(w)
		return nil, false, nil
	}
	if t := r.Header.Get("Content-Type"); !strings.HasPrefix(t, "application/json") {
		return nil, false, refuse("BadArgument", "Content-Type is not application/json")
	}
	return raw, true, nil
}

func (s *Service) throttle(key string, rules []rule) *refusal {
	wait := s.limits.take(key, rules)
	if wait == 0 {
		return nil
	}
	r := refuse("Throttled", "")
	r.after = wait
	return r
}
