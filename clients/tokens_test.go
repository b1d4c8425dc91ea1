package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"responsehub"
	"responsehub/bot"
)

const (
	appID   = "aaaaaaaa-0000-4000-8000-000000000001"
	tenant  = "bbbbbbbb-0000-4000-8000-000000000002"
	service = "https://smba.trafficmanager.net/emea/"
)

// Why the hub's verdict may differ from Microsoft's.
const (
	onlyRS256 = "Microsoft signs with RS256; the newer SDK takes nothing else"
	slashes   = "the newer SDK compares addresses without case and a slash at the end"
	noAddress = "without an address to compare, a token for one bot's region is good for all"
	noHTTPS   = "the bot's token would go over plain http"
	foreign   = "the bot's token would go to a host that is not Teams"
	noEnd     = "a token without an end is good for ever"
	noBegin   = "Microsoft's tokens always say from when"
	notTeams  = "this bot serves Teams only"
	elsewhere = "the bot lives in one tenant"
	oneOfMany = "the audience claim may be a list (RFC 7519, 4.1.3)"
)

type tokenCase struct {
	name     string
	header   string
	activity map[string]any
	believe  bool   // what the hub must say
	differs  string // why Microsoft's validator says the opposite; empty: it says the same
}

// tokenCases are the tokens. k1 is endorsed for Teams, free has no endorsements, web is
// endorsed for web chat only, and stranger is not published.
func tokenCases(t *testing.T, k1, free, web, stranger signer) []tokenCase {
	activity := func(edit func(map[string]any)) map[string]any {
		a := map[string]any{
			"type": "messageReaction", "id": "1", "channelId": "msteams", "serviceUrl": service,
			"from": map[string]any{"id": "29:ann"}, "recipient": map[string]any{"id": "28:" + appID},
			"conversation": map[string]any{"id": "19:general@thread.tacv2", "tenantId": tenant},
		}
		if edit != nil {
			edit(a)
		}
		return a
	}
	at := func(address string) map[string]any {
		return activity(func(a map[string]any) { a["serviceUrl"] = address })
	}
	said := func(edit func(jwt.MapClaims)) string {
		c := goodClaims(appID, service)
		edit(c)
		return k1.bearer(t, c)
	}
	with := func(k string, v any) string { return said(func(c jwt.MapClaims) { c[k] = v }) }
	without := func(k string) string { return said(func(c jwt.MapClaims) { delete(c, k) }) }
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	good := goodClaims(appID, service)
	plain := k1.bearer(t, good)
	usual := activity(nil)
	return []tokenCase{
		{"valid", plain, usual, true, ""},
		{"expired 4 minutes ago", with("exp", in(-4*time.Minute)), usual, true, ""},
		{"valid in 4 minutes", with("nbf", in(4*time.Minute)), usual, true, ""},
		{"key without endorsements", free.bearer(t, good), usual, true, ""},
		{"expired 6 minutes ago", with("exp", in(-6*time.Minute)), usual, false, ""},
		{"valid in 6 minutes", with("nbf", in(6*time.Minute)), usual, false, ""},
		{"wrong audience", with("aud", "someone-else"), usual, false, ""},
		{"no audience", without("aud"), usual, false, ""},
		{"wrong issuer", with("iss", "https://sts.windows.net/x/"), usual, false, ""},
		{"no issuer", without("iss"), usual, false, ""},
		{"address differs", with("serviceurl", "https://smba.trafficmanager.net/amer/"), usual, false, ""},
		{"no address in the token", without("serviceurl"), usual, false, ""},
		{"unknown key id", stranger.bearer(t, good), usual, false, ""},
		{"known key id, other key", signer{k1.id, stranger.private}.bearer(t, good), usual, false, ""},
		{"no key id", signer{"", k1.private}.bearer(t, good), usual, false, ""},
		{"key endorsed for web chat only", web.bearer(t, good), usual, false, ""},
		{"HS256 with the public modulus", "Bearer " + k1.token(t, jwt.SigningMethodHS256, k1.private.N.Bytes(), good), usual, false, ""},
		{"alg none", "Bearer " + k1.token(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good), usual, false, ""},
		{"signature cut off", plain[:strings.LastIndexByte(plain, '.')+1], usual, false, ""},
		{"bearer in lower case", "bearer" + strings.TrimPrefix(plain, "Bearer"), usual, false, ""},
		{"no scheme", strings.TrimPrefix(plain, "Bearer "), usual, false, ""},
		{"no header", "", usual, false, ""},
		{"nonsense", "Bearer a.b.c", usual, false, ""},

		{"address differs by a slash", with("serviceurl", strings.TrimRight(service, "/")), usual, true, slashes},
		{"address differs by case", with("serviceurl", strings.ToUpper(service)), usual, true, slashes},
		{"audience among several", with("aud", []string{"x", appID}), usual, true, oneOfMany},
		{"RS512", "Bearer " + k1.token(t, jwt.SigningMethodRS512, k1.private, good), usual, false, onlyRS256},
		{"empty address", plain, at(""), false, noAddress},
		{"plain http, signed", with("serviceurl", "http://smba.trafficmanager.net/emea/"), at("http://smba.trafficmanager.net/emea/"), false, noHTTPS},
		{"foreign host, signed", with("serviceurl", "https://evil.example/"), at("https://evil.example/"), false, foreign},
		{"host that looks alike, signed", with("serviceurl", "https://smba.trafficmanager.net.evil.example/"), at("https://smba.trafficmanager.net.evil.example/"), false, foreign},
		{"no exp", without("exp"), usual, false, noEnd},
		{"no nbf", without("nbf"), usual, false, noBegin},
		{"web chat", free.bearer(t, good), activity(func(a map[string]any) { a["channelId"] = "webchat" }), false, notTeams},
		{"other tenant", plain, activity(func(a map[string]any) {
			a["conversation"] = map[string]any{"id": "19:x@thread.tacv2", "tenantId": "other"}
		}), false, elsewhere},
	}
}

// TestTokens gives the same requests to the hub's bot and to the validator of
// Microsoft's SDK. Where they differ the table says why; a difference that has gone
// away fails the test too.
func TestTokens(t *testing.T) {
	k1, free, web, stranger := newSigner(t, "k1"), newSigner(t, "free"), newSigner(t, "web"), newSigner(t, "stranger")
	openid := serveKeys(t, k1.jwk("msteams", "webchat"), free.jwk(), web.jwk("webchat"))
	cases := tokenCases(t, k1, free, web, stranger)

	type question struct {
		Header   string         `json:"header"`
		Activity map[string]any `json:"activity"`
	}
	in := struct {
		OpenID string     `json:"openid"`
		AppID  string     `json:"appId"`
		Cases  []question `json:"cases"`
	}{openid, appID, nil}
	for _, c := range cases {
		in.Cases = append(in.Cases, question{c.header, c.activity})
	}
	var theirs []struct {
		OK     bool   `json:"ok"`
		Reason string `json:"reason"`
	}
	ask(t, 60*time.Second, "tokens.cjs", in, &theirs)
	if len(theirs) != len(cases) {
		t.Fatalf("%d verdicts for %d cases", len(theirs), len(cases))
	}

	door := newDoor(t, openid)
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	word := map[bool]string{true: "accept", false: "refuse"}
	fmt.Fprintln(w, "case\thub\tMicrosoft\twhy they differ")
	for i, c := range cases {
		ours := door.believes(t, c)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.name, word[ours], word[theirs[i].OK], c.differs)
		if ours != c.believe {
			t.Errorf("%s: the hub says %s, want %s; log: %s", c.name, word[ours], word[c.believe], door.log.String())
		}
		if want := c.believe == (c.differs == ""); theirs[i].OK != want {
			t.Errorf("%s: Microsoft's validator says %s (%s), want %s", c.name, word[theirs[i].OK], theirs[i].Reason, word[want])
		}
	}
	if err := w.Flush(); err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", table.String())
}

// door is a bot whose only business is to believe or not.
type door struct {
	bot *bot.Bot
	log bytes.Buffer
}

func newDoor(t *testing.T, openid string) *door {
	t.Helper()
	d := &door{}
	var err error
	d.bot, err = bot.New(bot.Config{
		AppID: appID, TenantID: tenant, ClientSecret: "not-used", OpenID: openid, AllowLoopback: true,
	}, nobody{}, nowhere{}, &http.Client{Timeout: 10 * time.Second}, slog.New(slog.NewTextHandler(&d.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := d.bot.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return d
}

// believes posts a case to POST /api/messages.
func (d *door) believes(t *testing.T, c tokenCase) bool {
	t.Helper()
	d.log.Reset()
	body, err := json.Marshal(c.activity)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/messages", bytes.NewReader(body))
	if c.header != "" {
		r.Header.Set("Authorization", c.header)
	}
	w := httptest.NewRecorder()
	d.bot.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusUnauthorized {
		t.Errorf("%s: the hub answers %d", c.name, w.Code)
	}
	if w.Body.Len() > 0 {
		t.Errorf("%s: a stranger learns %q", c.name, w.Body)
	}
	return w.Code == http.StatusOK
}

// nobody is an engine that is not to be asked: a call to it ends the test.
type nobody struct{ bot.Engine }

// nowhere is a directory without tenants, people or channels.
type nowhere struct{}

func (nowhere) Tenants() []responsehub.Tenant                         { return nil }
func (nowhere) Tenant(string) (responsehub.Tenant, bool)              { return responsehub.Tenant{}, false }
func (nowhere) People() []responsehub.Person                          { return nil }
func (nowhere) PersonByEntra(string) (responsehub.Person, bool)       { return responsehub.Person{}, false }
func (nowhere) Channel(string) (responsehub.Channel, bool)            { return responsehub.Channel{}, false }
func (nowhere) Channels() []responsehub.Channel                       { return nil }
func (nowhere) PutChannel(context.Context, responsehub.Channel) error { return nil }
