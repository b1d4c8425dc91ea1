package twilio

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
)

// version is the path of the API, and what its answers name.
const version = "2010-04-01"

// Handler is the REST API below Config.URL. Requests are recorded with vendor "twilio".
func (s *Service) Handler() http.Handler {
	return s.cfg.Log.Middleware("twilio", http.HandlerFunc(s.serve))
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	if bad := s.authenticate(r); bad != nil {
		bad.write(w)
		return
	}
	status, v, bad := s.route(r)
	if bad != nil {
		bad.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Twilio-Request-Id", newSID("RQ"))
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
	}
}

// authenticate takes the account's SID with its auth token, or the API key with its secret.
func (s *Service) authenticate(r *http.Request) *refusal {
	user, password, ok := r.BasicAuth()
	if !ok {
		return refuse(20003, "")
	}
	same := func(a, b string) bool { return b != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	if (same(user, s.cfg.AccountSID) && same(password, s.cfg.AuthToken)) || (same(user, s.cfg.APIKey) && same(password, s.cfg.APISecret)) {
		return nil
	}
	return refuse(20003, "")
}

// route finds what a path means.
func (s *Service) route(r *http.Request) (int, any, *refusal) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(path) < 3 || path[0] != version || path[1] != "Accounts" {
		s.cfg.Log.Unexpected(twilioUnexpected, r.Method+" "+r.URL.Path)
		return 0, nil, refuse(20404, "")
	}
	if strings.TrimSuffix(path[2], ".json") != s.cfg.AccountSID {
		return 0, nil, refuse(20404, "The requested account was not found")
	}
	switch {
	case len(path) == 3 && strings.HasSuffix(path[2], ".json") && r.Method == http.MethodGet:
		return http.StatusOK, s.account(), nil
	case len(path) == 4 && path[3] == "IncomingPhoneNumbers.json" && r.Method == http.MethodGet:
		return s.ownNumbers(r)
	case len(path) == 4 && path[3] == "Messages.json":
		switch r.Method {
		case http.MethodPost:
			return s.createMessage(r)
		case http.MethodGet:
			return s.listMessages(r)
		}
		return 0, nil, refuse(20004, "")
	case len(path) == 4 && path[3] == "Calls.json":
		switch r.Method {
		case http.MethodPost:
			return s.createCall(r)
		case http.MethodGet:
			return s.listCalls(r)
		}
		return 0, nil, refuse(20004, "")
	case len(path) == 5 && strings.HasSuffix(path[4], ".json"):
		sid := strings.TrimSuffix(path[4], ".json")
		switch path[3] {
		case "Messages":
			return s.oneMessage(r, sid)
		case "Calls":
			return s.oneCall(r, sid)
		}
	}
	s.cfg.Log.Unexpected(twilioUnexpected, r.Method+" "+r.URL.Path)
	return 0, nil, refuse(20404, "")
}

// account is what a look at the account shows.
func (s *Service) account() any {
	uri := s.uri() + ".json"
	return map[string]any{
		"sid": s.cfg.AccountSID, "owner_account_sid": s.cfg.AccountSID, "friendly_name": "Simulated account", "status": "active", "type": "Full",
		"date_created": "Mon, 02 Nov 2026 08:00:00 +0000", "date_updated": "Mon, 02 Nov 2026 08:00:00 +0000", "auth_token": "", "uri": uri,
		"subresource_uris": map[string]any{"messages": s.uri() + "/Messages.json", "calls": s.uri() + "/Calls.json"},
	}
}

// uri is the path of the account, without its ending.
func (s *Service) uri() string { return "/" + version + "/Accounts/" + s.cfg.AccountSID }

func (s *Service) ownNumbers(r *http.Request) (int, any, *refusal) {
	f := s.decode(r.URL.RawQuery, "PhoneNumber FriendlyName Beta Origin PageSize Page PageToken")
	if f.bad != nil {
		return 0, nil, f.bad
	}
	list := []any{}
	for _, n := range s.cfg.Numbers {
		if want := f.Get("PhoneNumber"); want != "" && want != n {
			continue
		}
		list = append(list, map[string]any{
			"sid": "PN" + strings.Repeat("0", 32-len(n)+1) + n[1:], "account_sid": s.cfg.AccountSID, "phone_number": n, "friendly_name": n,
			"sms_url": s.cfg.SMSURL, "sms_method": "POST", "voice_url": s.cfg.VoiceURL, "voice_method": "POST", "status": "in-use",
			"capabilities": map[string]any{"voice": true, "sms": true, "mms": false, "fax": false}, "api_version": version,
		})
	}
	uri := s.uri() + "/IncomingPhoneNumbers.json"
	return http.StatusOK, map[string]any{
		"incoming_phone_numbers": list, "page": 0, "page_size": 50, "start": 0, "end": max(0, len(list)-1), "uri": uri + "?PageSize=50&Page=0",
		"first_page_uri": uri + "?PageSize=50&Page=0", "next_page_uri": nil, "previous_page_uri": nil,
	}, nil
}
