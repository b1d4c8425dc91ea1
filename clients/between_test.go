package clients_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// signing stands between the emulator, which signs nothing, and the hub, which believes
// nothing unsigned: it adds the token that the Bot Framework would have added.
//
// answered counts the hub's answers by activity type and status, as "invoke 200".
func signing(t *testing.T, s signer, hub, app string) (address string, answered func(what string) int) {
	t.Helper()
	to := mustURL(t, hub)
	var mu sync.Mutex
	counts := map[string]int{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Del("Authorization")
		body, err := io.ReadAll(r.In.Body)
		if err != nil {
			return // the hub answers what it makes of nothing
		}
		r.Out.Body, r.Out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		var activity struct {
			Type       string `json:"type"`
			ServiceURL string `json:"serviceUrl"`
		}
		if json.Unmarshal(body, &activity) == nil && activity.ServiceURL != "" {
			r.Out.Header.Set("Authorization", s.bearer(t, goodClaims(app, activity.ServiceURL)))
			r.Out.Header.Set(kindHeader, activity.Type)
		}
	}, ModifyResponse: func(res *http.Response) error {
		mu.Lock()
		defer mu.Unlock()
		counts[fmt.Sprint(res.Request.Header.Get(kindHeader), " ", res.StatusCode)]++
		return nil
	}}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	return srv.URL, func(what string) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[what]
	}
}

// kindHeader carries the activity's type from the request to its answer.
const kindHeader = "X-Test-Activity"

// called is one call of the hub to the connector, with its answer.
type called struct {
	Method, Path, Bearer string
	Sent, Answer         map[string]any
	Status               int
}

// ledger stands between the hub and the emulator's connector and keeps what was said.
type ledger struct {
	url string
	mu  sync.Mutex
	to  *url.URL
	all []called
}

// keep starts a ledger; connect says where the connector is.
func keep(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{}
	srv := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(srv.Close)
	l.url = srv.URL
	return l
}

func (l *ledger) connect(t *testing.T, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = mustURL(t, to)
}

func (l *ledger) serve(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	to := l.to
	l.mu.Unlock()
	if to == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	c := called{Method: r.Method, Path: r.URL.Path, Bearer: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &c.Sent)
	r.Body = io.NopCloser(bytes.NewReader(body))
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(res *http.Response) error {
			answer, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			c.Status = res.StatusCode
			_ = json.Unmarshal(answer, &c.Answer)
			res.Body = io.NopCloser(bytes.NewReader(answer))
			return nil
		},
	}
	proxy.ServeHTTP(w, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, c)
}

// calls returns what was called by the method on paths with the ending; empty is any.
func (l *ledger) calls(method, ending string) (out []called) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.all {
		if (method == "" || c.Method == method) && strings.HasSuffix(c.Path, ending) {
			out = append(out, c)
		}
	}
	return out
}

// cardOf is the card of an activity as text, "" when it carries none.
func cardOf(activity map[string]any) string {
	list, _ := activity["attachments"].([]any)
	for _, a := range list {
		if m, ok := a.(map[string]any); ok && m["contentType"] == "application/vnd.microsoft.card.adaptive" {
			b, _ := json.Marshal(m["content"])
			return string(b)
		}
	}
	return ""
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
