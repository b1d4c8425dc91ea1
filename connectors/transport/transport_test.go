package transport

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"responsehub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served starts a handler on loopback and returns its address and a client for it.
func served(t *testing.T, cfg Config, h http.HandlerFunc) (string, *http.Client) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return srv.URL, c
}

func post(t *testing.T, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestManners(t *testing.T) {
	url, c := served(t, Config{Version: "1.2"}, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 5 || len(r.TransferEncoding) != 0 {
			t.Errorf("length %d, encoding %v: a body of unknown length went out in chunks", r.ContentLength, r.TransferEncoding)
		}
		if got := r.UserAgent(); got != "responsehub/1.2" {
			t.Errorf("user agent %q", got)
		}
		w.Header().Set("request-id", "abc")
		w.Header().Set("Retry-After", "3")
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	req := post(t, url, "12345")
	ctx, seen := Capture(req.Context())
	_, err := Do(c, req.WithContext(ctx))
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Status != http.StatusTemporaryRedirect || e.RequestID != "abc" || e.RetryAfter != 3*time.Second {
		t.Fatalf("a redirect must not be followed: %v", err)
	}
	if seen.Status != http.StatusTemporaryRedirect || seen.RequestID != "abc" || !seen.Sent || seen.At.IsZero() {
		t.Errorf("captured %+v", seen)
	}
}

func TestOutcomes(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	url, c := served(t, Config{Timeout: 200 * time.Millisecond, MaxAnswer: 100}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut": // took effect, answer lost
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
		case "/hang":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat("x", 101))
		case "/short":
			w.Header().Set("Content-Length", "50")
			_, _ = io.WriteString(w, "short")
		case "/hung body":
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	for _, tc := range []struct {
		name, url     string
		sent, unknown bool
		retry         bool
	}{
		{"nobody listens", "http://" + dead.Addr().String(), false, false, true},
		{"answer lost", url + "/cut", true, true, true},
		{"no answer in time", url + "/hang", true, true, true},
		{"answer too large", url + "/large", true, true, false},
		{"answer cut short", url + "/short", true, true, true},
		{"body does not end", url + "/hung%20body", true, true, true},
		{"gateway gave up", url + "/502", true, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Do(c, post(t, tc.url+"?secret=s3cret", "body"))
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("%T %v", err, err)
			}
			if e.Sent != tc.sent || e.Unknown() != tc.unknown {
				t.Errorf("sent %t unknown %t, want %t %t (%v)", e.Sent, e.Unknown(), tc.sent, tc.unknown, e)
			}
			if _, retry := Retryable(err); retry != tc.retry {
				t.Errorf("retryable %t, want %t", retry, tc.retry)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "/cut") {
				t.Errorf("the text shows the address: %v", err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	url, c := served(t, Config{}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	_, err := Do(c, req)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestExtraRoots(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		cfg  Config
		ok   bool
	}{{"with the root", Config{CAFile: file}, true}, {"without", Config{Roots: x509.NewCertPool()}, false}} {
		c, err := New(tc.cfg)
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
		if _, err = Do(c, req); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		c.CloseIdleConnections()
	}
	if _, err := New(Config{CAFile: file + "x"}); err == nil {
		t.Error("a missing file was accepted")
	}
}

func TestRetryable(t *testing.T) {
	for status := 300; status < 600; status++ {
		want := false
		switch status {
		case 408, 425, 429, 500, 502, 503, 504:
			want = true
		}
		if _, got := Retryable(&Error{Status: status}); got != want {
			t.Errorf("status %d: %t, want %t", status, got, want)
		}
	}
	for _, tc := range []struct {
		err   error
		after time.Duration
		want  bool
	}{
		{errors.New("foreign"), 0, false},
		{&Error{Err: context.Canceled}, 0, false},
		{&Error{Err: errSlow}, 0, true},
		{&responsehub.Error{Kind: responsehub.Throttled, RetryAfter: time.Second}, time.Second, true},
		{&responsehub.Error{Kind: responsehub.Forbidden}, 0, false},
	} {
		if after, got := Retryable(tc.err); got != tc.want || after != tc.after {
			t.Errorf("%v: %s %t, want %s %t", tc.err, after, got, tc.after, tc.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": time.Second, " 30 ": 30 * time.Second, "-5": 0, "601": MaxRetryAfter, "99999999999999999999": MaxRetryAfter,
		"soon": 0, "1.5": 0, "Mon, 23 Nov 2026 12:01:00 GMT": time.Minute, "Mon, 23 Nov 2026 11:59:00 GMT": 0,
		"Tue, 23 Nov 2027 12:00:00 GMT": MaxRetryAfter, "12:00": 0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {v}}, now); got != want {
			f.Errorf("%q: %s, want %s", v, got, want)
		}
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if got := RetryAfter(http.Header{"Retry-After": {v}}, now); got < 0 || got > MaxRetryAfter {
			t.Errorf("%q: %s", v, got)
		}
	})
}

// TestAround: what is put around requests sees each once, with its answer, also where a
// connector takes a deadline of its own.
func TestAround(t *testing.T) {
	var seen []int
	address, client := served(t, Config{Around: func(req *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		resp, err := send(req)
		if err == nil {
			seen = append(seen, resp.StatusCode)
		}
		return resp, err
	}}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	slower := Client(Over(client.Transport).WithTimeout(time.Minute))
	for _, c := range []*http.Client{client, slower} {
		if _, err := Do(c, post(t, address, "x")); err == nil {
			t.Error("a teapot is no success")
		}
	}
	if !slices.Equal(seen, []int{http.StatusTeapot, http.StatusTeapot}) {
		t.Errorf("seen %v", seen)
	}
}
