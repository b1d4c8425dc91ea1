package bot

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestToken is the table of what is believed. The first rows are the verdicts of
// Microsoft's own validator; the last three are traps in which ours is stricter.
func TestToken(t *testing.T) {
	other := newSigner("k2")
	with := func(k string, v any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) { c[k] = v }
	}
	without := func(k string) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) { delete(c, k) }
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, tc := range []struct {
		name   string
		edit   func(jwt.MapClaims)
		header func(h *harness, c jwt.MapClaims) string // nil: signed properly
		act    func(map[string]any)
		keys   func(h *harness) []map[string]any
		ok     bool
	}{
		{name: "valid", ok: true},
		{name: "expired 4 minutes ago", edit: with("exp", in(-4*time.Minute)), ok: true},
		{name: "valid in 4 minutes", edit: with("nbf", in(4*time.Minute)), ok: true},
		{name: "key without endorsements", keys: func(h *harness) []map[string]any { return []map[string]any{h.key.jwk()} }, ok: true},
		{name: "address differs by a slash only", edit: with("serviceurl", strings.TrimRight(service, "/")), ok: true},
		{name: "address differs by case only", edit: with("serviceurl", strings.ToUpper(service)), ok: true},
		{name: "audience among several", edit: with("aud", []string{"x", appID}), ok: true},
		{name: "wrong audience", edit: with("aud", "someone-else")},
		{name: "no audience", edit: without("aud")},
		{name: "wrong issuer", edit: with("iss", "https://sts.windows.net/x/")},
		{name: "no issuer", edit: without("iss")},
		{name: "expired 6 minutes ago", edit: with("exp", in(-6*time.Minute))},
		{name: "valid in 6 minutes", edit: with("nbf", in(6*time.Minute))},
		{name: "no nbf", edit: without("nbf")},
		{name: "address differs", edit: with("serviceurl", "https://smba.trafficmanager.net/amer/")},
		{name: "no address in the token", edit: without("serviceurl")},
		{name: "address in the token is no string", edit: with("serviceurl", 7)},
		{name: "unknown kid", header: func(h *harness, c jwt.MapClaims) string { return other.sign(h, c) }},
		{name: "wrong key", header: func(h *harness, c jwt.MapClaims) string {
			return signer{h.key.id, other.private}.sign(h, c)
		}},
		{name: "no kid", header: func(h *harness, c jwt.MapClaims) string {
			s, _ := jwt.NewWithClaims(jwt.SigningMethodRS256, c).SignedString(h.key.private)
			return "Bearer " + s
		}},
		{name: "endorsed for webchat only", keys: func(h *harness) []map[string]any { return []map[string]any{h.key.jwk("webchat")} }},
		{name: "RS512", header: func(h *harness, c jwt.MapClaims) string {
			tok := jwt.NewWithClaims(jwt.SigningMethodRS512, c)
			tok.Header["kid"] = h.key.id
			s, _ := tok.SignedString(h.key.private)
			return "Bearer " + s
		}},
		{name: "HS256 with the public modulus", header: func(h *harness, c jwt.MapClaims) string {
			tok := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
			tok.Header["kid"] = h.key.id
			s, _ := tok.SignedString(h.key.private.N.Bytes())
			return "Bearer " + s
		}},
		{name: "alg none", header: func(h *harness, c jwt.MapClaims) string {
			tok := jwt.NewWithClaims(jwt.SigningMethodNone, c)
			tok.Header["kid"] = h.key.id
			s, _ := tok.SignedString(jwt.UnsafeAllowNoneSignatureType)
			return "Bearer " + s
		}},
		{name: "unknown critical extension", header: func(h *harness, c jwt.MapClaims) string {
			tok := jwt.NewWithClaims(jwt.SigningMethodRS256, c)
			tok.Header["kid"], tok.Header["crit"] = h.key.id, []string{"x"}
			s, _ := tok.SignedString(h.key.private)
			return "Bearer " + s
		}},
		{name: "bearer in lower case", header: func(h *harness, c jwt.MapClaims) string {
			return "bearer " + strings.TrimPrefix(h.key.sign(h, c), "Bearer ")
		}},
		{name: "no scheme", header: func(h *harness, c jwt.MapClaims) string { return strings.TrimPrefix(h.key.sign(h, c), "Bearer ") }},
		{name: "no header", header: func(*harness, jwt.MapClaims) string { return "" }},
		{name: "nonsense", header: func(*harness, jwt.MapClaims) string { return "Bearer a.b.c" }},
		{name: "huge", header: func(*harness, jwt.MapClaims) string { return "Bearer " + strings.Repeat("a", 17<<10) }},
		{name: "web chat", act: func(a map[string]any) { a["channelId"] = "webchat" }, keys: func(h *harness) []map[string]any { return []map[string]any{h.key.jwk()} }},
		{name: "other tenant", act: func(a map[string]any) { a["conversation"].(map[string]any)["tenantId"] = "other" }},
		{name: "other tenant in the channel data", act: func(a map[string]any) {
			a["channelData"] = map[string]any{"tenant": map[string]any{"id": "other"}}
		}},
		{name: "foreign host, signed", edit: with("serviceurl", "https://evil.example/"), act: func(a map[string]any) { a["serviceUrl"] = "https://evil.example/" }},
		{name: "host that looks alike, signed", edit: with("serviceurl", "https://smba.trafficmanager.net.evil.example/"), act: func(a map[string]any) { a["serviceUrl"] = "https://smba.trafficmanager.net.evil.example/" }},
		{name: "trap: empty address", edit: with("serviceurl", ""), act: func(a map[string]any) { delete(a, "serviceUrl") }},
		{name: "trap: plain http, signed", edit: with("serviceurl", "http://smba.trafficmanager.net/emea/"), act: func(a map[string]any) { a["serviceUrl"] = "http://smba.trafficmanager.net/emea/" }},
		{name: "trap: no exp", edit: without("exp")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHarness(t)
			if tc.keys != nil {
				h.world.keys = tc.keys(h)
			}
			c, act := goodClaims(), activity("messageReaction", annID)
			if tc.edit != nil {
				tc.edit(c)
			}
			if tc.act != nil {
				tc.act(act)
			}
			header := ""
			if tc.header != nil {
				header = tc.header(h, c)
			} else {
				header = h.key.sign(t, c)
			}
			b, _ := json.Marshal(act)
			w := h.post(string(b), header)
			want := http.StatusUnauthorized
			if tc.ok {
				want = http.StatusOK
			}
			if w.Code != want || w.Body.Len() > 0 {
				t.Errorf("answer %d %q, want %d and nothing else; log: %s", w.Code, w.Body, want, h.log)
			}
			if strings.Contains(h.log.String(), "eyJ") {
				t.Errorf("the log holds a token: %s", h.log)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	h := newHosts(&Config{ServiceHosts: []string{"connector.example", "*.gateway.example"}})
	loop := newHosts(&Config{AllowLoopback: true})
	for _, tc := range []struct {
		address  string
		ok, loop bool
	}{
		{"https://smba.trafficmanager.net/amer/", true, true},
		{"https://SMBA.trafficmanager.net/teams", true, true},
		{"https://smba.infra.gcc.teams.microsoft.com", true, true},
		{"https://smba.infra.gov.teams.microsoft.us/teams", true, true},
		{"https://europe.botframework.com/", true, true},
		{"https://apis.skype.com/", true, true},
		{"https://connector.example:8443/x", true, false},
		{"https://a.gateway.example/", true, false},
		{"https://gateway.example/", false, false},
		{"https://evil-connector.example/", false, false},
		{"https://evil.trafficmanager.net/", false, false},
		{"https://teams.microsoft.com.evil.example/", false, false},
		{"https://evilteams.microsoft.com/", false, false},
		{"https://smba.trafficmanager.net@evil.example/", false, false},
		{"https://user:pw@smba.trafficmanager.net/", false, false},
		{"https://smba.trafficmanager.net:444/", false, false},
		{"https://smba.trafficmanager.net/?x=1", false, false},
		{"https://smba.trafficmanager.net/#x", false, false},
		{"https://smba.trafficmanager.net/../admin", false, false},
		{"https://smba.trafficmanager.net/%2e%2e/", false, false},
		{"https://smba.trafficmanager.net./", false, false},
		{"http://smba.trafficmanager.net/", false, false},
		{"http://127.0.0.1:9900/teams", false, true},
		{"http://localhost:56150/_connector", false, true},
		{"https://[::1]:9900/", false, true},
		{"http://127.0.0.1.evil.example/", false, false},
		{"ftp://127.0.0.1/", false, false},
		{"", false, false},
		{"//smba.trafficmanager.net/", false, false},
		{"https:smba.trafficmanager.net", false, false},
	} {
		if _, err := h.check(tc.address); (err == nil) != tc.ok {
			t.Errorf("%q: %v, want accepted %v", tc.address, err, tc.ok)
		}
		if _, err := loop.check(tc.address); (err == nil) != tc.loop {
			t.Errorf("with loopback, %q: %v, want accepted %v", tc.address, err, tc.loop)
		}
	}
}

// TestKeyRoll walks through the life of a key set: first load, roll, forged ids that
// must not hammer Microsoft, a day, and an outage.
func TestKeyRoll(t *testing.T) {
	newSigner("k1") // made outside: a bubble's clock would not wait for it
	k2, forged := newSigner("k2"), newSigner("k3")
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		send := func(s signer) int {
			b, _ := json.Marshal(activity("messageReaction", annID))
			return h.post(string(b), s.sign(t, goodClaims())).Code
		}
		expect := func(what string, s signer, code, loads int) {
			t.Helper()
			if got := send(s); got != code || h.world.loads != loads {
				t.Fatalf("%s: answer %d after %d loads, want %d after %d", what, got, h.world.loads, code, loads)
			}
		}
		expect("first", h.key, 200, 1)
		expect("again", h.key, 200, 1)
		h.world.keys = append(h.world.keys, k2.jwk("msteams"))
		expect("rolled: read again at once", k2, 200, 2)
		expect("forged", forged, 401, 2)
		time.Sleep(4 * time.Minute)
		expect("forged within the floor", forged, 401, 2)
		time.Sleep(2 * time.Minute)
		expect("forged after the floor", forged, 401, 3)
		expect("known key meanwhile", h.key, 200, 3)
		time.Sleep(25 * time.Hour)
		expect("a day later", h.key, 200, 4)
		time.Sleep(25 * time.Hour)
		h.world.down = true
		expect("outage: the old keys stay", h.key, 200, 4)
		expect("outage: still", k2, 200, 4)
		h.world.down = false
		time.Sleep(6 * time.Minute)
		expect("back", h.key, 200, 5)
	})
}

func TestFirstLoadFails(t *testing.T) {
	newSigner("k1")
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		h.world.down = true
		if got := h.send(activity("messageReaction", annID)).Code; got != 401 {
			t.Fatalf("without keys: %d", got)
		}
		h.world.down = false
		time.Sleep(2 * time.Second)
		if got := h.send(activity("messageReaction", annID)).Code; got != 200 {
			t.Fatalf("with keys: %d", got)
		}
	})
}

func TestDoor(t *testing.T) {
	h := newHarness(t)
	good := func() string { return h.key.sign(t, goodClaims()) }
	for _, tc := range []struct {
		name, method, body, auth string
		want                     int
	}{
		{"head", http.MethodHead, "", "", 200},
		{"get", http.MethodGet, "", "", 405},
		{"no token", http.MethodPost, "{}", "", 401},
		{"not json", http.MethodPost, "{", good(), 400},
		{"two values", http.MethodPost, "{} {}", good(), 400},
		{"value is a string", http.MethodPost, `{"type":"invoke","value":"x"}`, good(), 400},
		{"value is a list", http.MethodPost, `{"type":"invoke","value":[1]}`, good(), 400},
		{"channel data is no object", http.MethodPost, `{"type":"message","channelData":"x"}`, good(), 400},
		{"time without zone", http.MethodPost, `{"type":"message","localTimestamp":"2026-11-23T10:00:00"}`, good(), 400},
		{"array", http.MethodPost, `[]`, good(), 400},
		{"null", http.MethodPost, `null`, good(), 401},
		{"too large", http.MethodPost, `{"text":"` + strings.Repeat("x", 1<<20) + `"}`, good(), 413},
	} {
		r := httptest.NewRequest(tc.method, "/api/messages", strings.NewReader(tc.body))
		if tc.auth != "" {
			r.Header.Set("Authorization", tc.auth)
		}
		w := httptest.NewRecorder()
		h.bot.ServeHTTP(w, r)
		if w.Code != tc.want || w.Body.Len() > 0 {
			t.Errorf("%s: %d %q, want %d", tc.name, w.Code, w.Body, tc.want)
		}
	}
}

func TestConfig(t *testing.T) {
	good := Config{AppID: appID, TenantID: tenant, ClientSecret: "s"}
	for _, tc := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"good", func(*Config) {}, ""},
		{"no app id", func(c *Config) { c.AppID = " " }, "teams.app_id"},
		{"no tenant", func(c *Config) { c.TenantID = "" }, "teams.tenant_id"},
		{"no secret", func(c *Config) { c.ClientSecret = "" }, "teams.client_secret"},
		{"plain login", func(c *Config) { c.Login = "http://127.0.0.1:1"; c.AllowLoopback = true }, "teams.login"},
		{"plain openid", func(c *Config) { c.OpenID = "http://127.0.0.1:1/x" }, "teams.openid"},
		{"plain loopback openid", func(c *Config) { c.OpenID = "http://127.0.0.1:1/x"; c.AllowLoopback = true }, ""},
		{"host with port", func(c *Config) { c.ServiceHosts = []string{"a.example:1"} }, "teams.service_hosts"},
		{"host too wide", func(c *Config) { c.ServiceHosts = []string{"*"} }, "teams.service_hosts"},
	} {
		c := good
		tc.edit(&c)
		err := c.Validate()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}
