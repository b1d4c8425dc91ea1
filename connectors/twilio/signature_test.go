package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"

	"responsehub"
)

const token = "0123456789abcdef0123456789abcdef"

// sign signs a text that was put together by hand, as Twilio's page describes it.
func sign(token, text string) string {
	m := hmac.New(sha1.New, []byte(token))
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func TestSigned(t *testing.T) {
	const sms = "https://hub.example.com/twilio/sms"
	form := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
	for _, c := range []struct {
		name    string
		text    string // what Twilio signed
		address string
		form    url.Values
		want    bool
	}{
		{"names in order, nothing between", sms + "BodyackFrom+15005550009", sms, form("From", "+15005550009", "Body", "ack"), true},
		{"a value with spaces at its ends", sms + "Body ack 4821 ", sms, form("Body", " ack 4821 "), true},
		{"a value that was trimmed", sms + "Body ack 4821 ", sms, form("Body", "ack 4821"), false},
		{"an empty value", sms + "BodyxToState", sms, form("Body", "x", "ToState", ""), true},
		{"capitals before small letters", sms + "A1Zz2_u3a4", sms, form("a", "4", "_u", "3", "Zz", "2", "A", "1"), true},
		{"letters of other alphabets", sms + "Body👍 ÅFromCitySÃO", sms, form("Body", "👍 Å", "FromCity", "SÃO"), true},
		{"a value more", sms + "Bodyx", sms, form("Body", "x", "New", "1"), false},
		{"a value less", sms + "BodyxNew1", sms, form("Body", "x"), false},
		{"repeated values, each once, in order", sms + "TagaTagb", sms, form("Tag", "b", "Tag", "a", "Tag", "b"), true},
		{"only the first of repeated values", sms + "Tagb", sms, form("Tag", "b", "Tag", "a"), false},
		{"moved between name and value", sms + "Bodyx", sms, form("Bod", "yx"), true}, // nothing separates them: Twilio's weakness
		{"with the port that goes without saying", "https://hub.example.com:443/twilio/smsBodyx", sms, form("Body", "x"), true},
		{"without it", sms + "Bodyx", "https://hub.example.com:443/twilio/sms", form("Body", "x"), true},
		{"another port", "https://hub.example.com:8443/twilio/smsBodyx", "https://hub.example.com:8443/twilio/sms", form("Body", "x"), true},
		{"another port left out", sms + "Bodyx", "https://hub.example.com:8443/twilio/sms", form("Body", "x"), true},
		{"a wrong port", "https://hub.example.com:8443/twilio/smsBodyx", sms, form("Body", "x"), false},
		{"port of plain http", "http://127.0.0.1:80/twilio/smsBodyx", "http://127.0.0.1/twilio/sms", form("Body", "x"), true},
		{"port of https on http", "http://127.0.0.1:443/twilio/smsBodyx", "http://127.0.0.1/twilio/sms", form("Body", "x"), false},
		{"IPv6", "https://[2001:db8::1]/aBodyx", "https://[2001:db8::1]/a", form("Body", "x"), true},
		{"IPv6 with a port left out", "https://[2001:db8::1]/aBodyx", "https://[2001:db8::1]:8443/a", form("Body", "x"), true},
		{"IPv6 with the usual port", "https://[2001:db8::1]:443/aBodyx", "https://[2001:db8::1]/a", form("Body", "x"), true},
		{"a query in its own bytes", "https://h.example/v?t=it's+%e2%9c%93Digits4", "https://h.example/v?t=it's+%e2%9c%93", form("Digits", "4"), true},
		{"a query written anew", "https://h.example/v?t=it's", "https://h.example/v?t=it%27s", nil, false},
		{"a query in another order", "https://h.example/v?a=1&b=2", "https://h.example/v?b=2&a=1", nil, false},
		{"a colon and a slash in the query", "https://h.example?u=http://x:1/", "https://h.example?u=http://x:1/", nil, true},
		{"another scheme", sms + "Bodyx", "http://hub.example.com/twilio/sms", form("Body", "x"), false},
		{"another host", sms + "Bodyx", "https://evil.example.com/twilio/sms", form("Body", "x"), false},
		{"another path", sms + "Bodyx", "https://hub.example.com/twilio/sms/", form("Body", "x"), false},
	} {
		if got := signed([]responsehub.Secret{token}, c.address, c.form, sign(token, c.text)); got != c.want {
			t.Errorf("%s: accepted %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSignedTokens(t *testing.T) {
	const address = "https://hub.example.com/twilio/sms"
	good := sign(token, address+"Bodyx")
	form := url.Values{"Body": {"x"}}
	for _, c := range []struct {
		name      string
		tokens    []responsehub.Secret
		signature string
		want      bool
	}{
		{"the only token", []responsehub.Secret{token}, good, true},
		{"the old token during rotation", []responsehub.Secret{"new", token}, good, true},
		{"both tokens are the same", []responsehub.Secret{token, token}, good, true},
		{"another token", []responsehub.Secret{"new"}, good, false},
		{"no token", nil, good, false},
		{"nothing signed", []responsehub.Secret{token}, "", false},
		{"no base64", []responsehub.Secret{token}, "!" + good, false},
		{"a part of it", []responsehub.Secret{token}, good[:24], false},
		{"a longer one", []responsehub.Secret{token}, base64.StdEncoding.EncodeToString(make([]byte, 32)), false},
	} {
		if got := signed(c.tokens, address, form, c.signature); got != c.want {
			t.Errorf("%s: accepted %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSignedBody(t *testing.T) {
	const address = "https://hub.example.com/x?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
	tokens := []responsehub.Secret{token}
	for _, c := range []struct {
		name, address, body string
		want                bool
	}{
		{"as signed", address, `{"a":1}`, true},
		{"another body", address, `{"a":2}`, false},
		{"no hash", "https://hub.example.com/x", `{"a":1}`, false},
	} {
		if got := signedBody(tokens, c.address, []byte(c.body), sign(token, c.address)); got != c.want {
			t.Errorf("%s: accepted %v, want %v", c.name, got, c.want)
		}
	}
	if signedBody(tokens, address, []byte(`{"a":1}`), sign("other", address)) {
		t.Error("a body is accepted that nobody signed")
	}
}

// FuzzSigned holds our check against the SDK's where that one is right: a host that is no
// IPv6 address, a path and query that it writes as they were, and no repeated names.
func FuzzSigned(f *testing.F) {
	f.Add("hub.example.com", "/twilio/sms", "Body", " ack 4821 ", "From", "+15005550009", "")
	f.Add("hub.example.com:8443", "/twilio/voice/a.b?n=1&try=2", "Digits", "4", "", "", "hub.example.com")
	f.Add("hub.example.com", "/x?t=a+b%E2%9C%93", "A", "", "a", "\x00", "hub.example.com:443")
	f.Fuzz(func(t *testing.T, host, rest, name1, value1, name2, value2, signedHost string) {
		address := "https://" + host + rest
		u, err := url.Parse(address)
		if err != nil || u.String() != address || u.Host != host || host == "" || strings.ContainsAny(host, "[]@") || strings.Count(host, ":") > 1 || u.Fragment != "" || strings.HasSuffix(host, ":") || u.Hostname() == "" {
			return
		}
		if signedHost == "" {
			signedHost = host
		}
		form := map[string]string{name1: value1, name2: value2}
		values := url.Values{}
		for k, v := range form {
			values.Set(k, v)
		}
		text := "https://" + signedHost + rest + string(signedValues(values))
		signature := sign(token, text)
		theirs := client.NewRequestValidator(token)
		want := theirs.Validate(address, form, signature)
		if got := signed([]responsehub.Secret{token}, address, values, signature); got != want {
			t.Errorf("%q with %q: ours says %v, the SDK's %v", address, form, got, want)
		}
		if signed([]responsehub.Secret{"another"}, address, values, signature) {
			t.Error("accepted with another token")
		}
	})
}
