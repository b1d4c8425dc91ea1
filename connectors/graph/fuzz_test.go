package graph

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
)

// FuzzFault gives whatever Graph or a gateway may say to what makes the sentence of it.
func FuzzFault(f *testing.F) {
	for _, body := range []string{"", "{}", `{"error":null}`, `{"error":"x"}`, `{"error":{"code":1,"message":[]}}`, "<html>", complain("Request_BadRequest", "password complexity"), complain("ErrorAccessDenied", ""), `{"error":{"code":"x"}}`} {
		for _, status := range []int{200, 302, 400, 401, 403, 404, 429, 502} {
			f.Add(status, body, "7", status%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body, after string, write bool) {
		c := &Client{}
		h := http.Header{"Retry-After": {after}}
		e := &transport.Error{Method: "POST", Status: status, Body: []byte(body), Sent: true}
		e.Code, _ = complaint(e.Body)
		answer := &transport.Answer{Status: status, RetryAfter: transport.RetryAfter(h, time.Time{})}
		k := call{op: "do it", write: write, admin: write, mailbox: after}
		err := c.fault(k, entra.Token{}, answer, e)
		got, ok := errors.AsType[*responsehub.Error](err)
		if !ok || got.Message == "" || got.Kind == "" || strings.Contains(got.Message, "%!") {
			t.Errorf("%#v", err)
		}
		if len(err.Error()) > 1000 {
			t.Errorf("a text of %d bytes", len(err.Error()))
		}
		_ = overOneMailbox(err)
	})
}

// FuzzNextLink: whatever the link, the token stays with Graph.
func FuzzNextLink(f *testing.F) {
	base, _ := url.Parse("https://graph.test/v1.0")
	for _, s := range []string{"", "https://graph.test/v1.0/users?$skiptoken=x", "https://graph.test/v1.0/../beta", "//evil.test/v1.0/", "https://graph.test:443/v1.0/users", "HTTPS://GRAPH.TEST/v1.0/users", "https://graph.test\\@evil.test/v1.0/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		c := &Client{base: base}
		if c.follow(link, map[string]bool{}) != nil {
			return
		}
		req, err := http.NewRequest(http.MethodGet, link, nil)
		if err == nil && (req.URL.Scheme != "https" || !strings.EqualFold(req.URL.Host, "graph.test") || !strings.HasPrefix(req.URL.Path, "/v1.0/")) {
			t.Errorf("%q leads to %s", link, req.URL)
		}
	})
}

// FuzzQuote: no subject or sender ends the literal it stands in.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "'", "''", "' or 1 eq 1 or '", "ü%27", "\x00\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := quote(s)
		if inner := q[1 : len(q)-1]; strings.ReplaceAll(inner, "''", "'") != s || strings.Count(strings.ReplaceAll(inner, "''", ""), "'") != 0 {
			t.Errorf("%q", q)
		}
	})
}
