package intake

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
)

const oldSecret responsehub.Secret = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0="

func TestOnlyAValidSignatureIsBelieved(t *testing.T) {
	signed := func(s responsehub.Secret, age time.Duration) http.Header {
		h, err := Sign(s, "msg_1", time.Now().Add(-age), []byte(native))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	with := func(name, value string) func() http.Header {
		return func() http.Header { h := signed(secret, 0); h.Set(name, value); return h }
	}
	for name, tc := range map[string]struct {
		header func() http.Header
		want   int
	}{
		"signed":                 {func() http.Header { return signed(secret, 0) }, 202},
		"with the key going out": {func() http.Header { return signed(oldSecret, 0) }, 202},
		"with a stranger's key":  {func() http.Header { return signed("whsec_c3RyYW5nZXItc3RyYW5nZXItc3RyYW5nZXI=", 0) }, 401},
		"five minutes old":       {func() http.Header { return signed(secret, 5*time.Minute) }, 202},
		"older":                  {func() http.Header { return signed(secret, 5*time.Minute+time.Second) }, 401},
		"five minutes ahead":     {func() http.Header { return signed(secret, -5*time.Minute) }, 202},
		"further ahead":          {func() http.Header { return signed(secret, -5*time.Minute-time.Second) }, 401},
		"second of two matches": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-signature", "v1,AAAA "+h.Get("webhook-signature"))
			return h
		}, 202},
		"first of two matches": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-signature", h.Get("webhook-signature")+" v1a,AAAA")
			return h
		}, 202},
		"right bytes, other kind": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-signature", "v1a"+strings.TrimPrefix(h.Get("webhook-signature"), "v1"))
			return h
		}, 401},
		"without kind": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-signature", strings.TrimPrefix(h.Get("webhook-signature"), "v1,"))
			return h
		}, 401},
		"without padding": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-signature", strings.TrimRight(h.Get("webhook-signature"), "="))
			return h
		}, 401},
		"cut short": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-signature", h.Get("webhook-signature")[:20])
			return h
		}, 401},
		"two header lines": {func() http.Header { h := signed(secret, 0); h.Add("webhook-signature", "v1,AAAA"); return h }, 401},
		"two ids":          {func() http.Header { h := signed(secret, 0); h.Add("webhook-id", "msg_2"); return h }, 401},
		"empty signature":  {with("webhook-signature", ""), 401},
		"only spaces":      {with("webhook-signature", "   "), 401},
		"only the kind":    {with("webhook-signature", "v1,"), 401},
		"oversized signatures": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-signature", strings.Repeat("v1,AAAA ", 600)+h.Get("webhook-signature"))
			return h
		}, 401},
		"another id":   {with("webhook-id", "msg_2"), 401},
		"empty id":     {with("webhook-id", ""), 401},
		"oversized id": {with("webhook-id", strings.Repeat("x", 257)), 401},
		"another time": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-timestamp", strconv.FormatInt(time.Now().Unix()+1, 10))
			return h
		}, 401},
		"time with a sign": {func() http.Header {
			h := signed(secret, 0)
			h.Set("webhook-timestamp", "+"+h.Get("webhook-timestamp"))
			return h
		}, 401},
		"time is no number":   {with("webhook-timestamp", "now"), 401},
		"time that overflows": {with("webhook-timestamp", "9223372036854775807"), 401},
		"time below zero":     {with("webhook-timestamp", "-1"), 401},
		"empty time":          {with("webhook-timestamp", ""), 401},
		"nothing":             {func() http.Header { return http.Header{"Content-Type": {"application/json"}} }, 401},
	} {
		synctest.Test(t, func(t *testing.T) { // time stands still, so the edges are exact
			hub := &engine{}
			cfg := Config{Sources: []Source{{Name: "petra", Kind: StandardWebhooks, Secrets: []responsehub.Secret{secret, oldSecret}}}}
			i, err := New(cfg, hub, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			w := post(t, i, "petra", tc.header(), native)
			if w.Code != tc.want {
				t.Errorf("%s: status %d, want %d: %s", name, w.Code, tc.want, w.Body)
			}
			if (hub.calls() == 1) != (tc.want == 202) {
				t.Errorf("%s: the hub was told %d times", name, hub.calls())
			}
			if tc.want != 401 {
				return
			}
			var p map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p["detail"] != nil {
				t.Errorf("%s: 401 says more than that: %s", name, w.Body)
			}
		})
	}
}

func TestABodyThatWasChangedIsRefused(t *testing.T) {
	hub := &engine{}
	w := post(t, newIntake(t, hub), "petra", sign(t, "msg_1", time.Now(), native), strings.Replace(native, "pat@", "ann@", 1))
	if w.Code != 401 || hub.calls() != 0 {
		t.Errorf("status %d, hub told %d times", w.Code, hub.calls())
	}
}

// What is signed is id.timestamp.body without lengths. Whoever gets a text of his own
// into a signed alert could otherwise cut it where he likes.
func TestASignedMessageCannotBeCutIntoAnother(t *testing.T) {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	inner := `{"version":"1"}`
	outer := `{"title":"x.` + now + "." + inner + `"}`
	h := sign(t, "msg_1", time.Now(), outer)
	h.Set("webhook-id", "msg_1."+now+`.{"title":"x`)
	if w := post(t, newIntake(t, &engine{}), "petra", h, inner+`"}`); w.Code != 401 {
		t.Errorf("status %d, want 401", w.Code)
	}
}

func TestARepeatWithANewTimestampIsTheSameDelivery(t *testing.T) {
	hub := &engine{}
	i := newIntake(t, hub)
	post(t, i, "petra", sign(t, "msg_1", time.Now().Add(-time.Minute), native), native)
	w := post(t, i, "petra", sign(t, "msg_1", time.Now(), native), native)
	if w.Code != 202 || hub.calls() != 2 || hub.got[0] != hub.got[1] {
		t.Errorf("status %d, deliveries %+v", w.Code, hub.got)
	}
}

func TestATokenIsComparedWhole(t *testing.T) {
	body := `{"incident":{"id":7},"org":{"tenant":"c-1"},"user":{"upn":"pat@contoso.example"}}`
	for name, tc := range map[string]struct {
		tokens []string
		want   int
	}{
		"right":    {[]string{"a-long-enough-token"}, 202},
		"wrong":    {[]string{"a-long-enough-tokeN"}, 401},
		"prefix":   {[]string{"a-long-enough-toke"}, 401},
		"longer":   {[]string{"a-long-enough-token "}, 401},
		"empty":    {[]string{""}, 401},
		"none":     {nil, 401},
		"repeated": {[]string{"a-long-enough-token", "a-long-enough-token"}, 401},
	} {
		h := http.Header{"Content-Type": {"application/json"}, "X-Token": tc.tokens}
		if w := post(t, newIntake(t, &engine{}), "custom", h, body); w.Code != tc.want {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tc.want, w.Body)
		}
	}
}

func TestNewNamesEveryFaultAndNoSecret(t *testing.T) {
	_, err := New(Config{Sources: []Source{
		{Name: "a", Kind: StandardWebhooks},
		{Name: "b", Kind: StandardWebhooks, Secrets: []responsehub.Secret{"whsec_"}},
		{Name: "c", Kind: StandardWebhooks, Secrets: []responsehub.Secret{"whsec_hush!"}},
		{Name: "d", Kind: Header, Header: "X Token", Token: "hush"},
		{Name: "e", Kind: Header, Header: "X-Token"},
		{Name: "f", Kind: "none"},
		{Name: "g", Kind: Header, Header: "X", Token: "hush", Map: map[string]string{"id": "x[", "user": ".u", "tenant": ".t"}},
		{Name: "h", Kind: Header, Header: "X", Token: "hush"},
		{Name: "h", Kind: Header, Header: "X", Token: "hush"},
		{Kind: Header},
	}}, nil, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("no error")
	}
	want := `source "a": has no secrets
source "b": secret 1 is a key of 0 bytes; at least 16 are needed, 24 are advised
source "c": secret 1 is not a Standard Webhooks secret: whsec_ and base64 of 24 to 64 bytes
source "d": has no usable header name
source "e": has no token
source "f": kind "none" is neither standard-webhooks nor header
source "g": map.id: is not a jq expression: unexpected EOF
source "h": is named twice
source "": has no name`
	if err.Error() != want {
		t.Errorf("got:\n%s\nwant:\n%s", err, want)
	}
}

func FuzzSignature(f *testing.F) {
	h, err := Sign(secret, "msg_1", time.Unix(1763890000, 0), []byte(native))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("msg_1", "1763890000", h.Get("webhook-signature"))
	f.Add("", "", "")
	f.Add("msg.1", "+1", "v1,, v1a,x v1")
	f.Add("{", "99999999999999999999", strings.Repeat("v1,", 2000))
	s, err := newSigned([]responsehub.Secret{secret, oldSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id, at, signature string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {signature}}
		if s.early(h) != nil {
			return
		}
		// Fresh and well-formed; nobody can guess a signature.
		if _, err := s.whole(h, []byte("{}")); err == nil {
			t.Errorf("believed %q %q %q", id, at, signature)
		}
		// Whatever id passes can be signed and is believed then.
		n, err := timestamp(at)
		if err != nil {
			t.Fatal(err)
		}
		good, err := Sign(secret, id, n, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.whole(good, []byte("{}")); err != nil || got != id {
			t.Errorf("own signature refused: %v", err)
		}
	})
}
