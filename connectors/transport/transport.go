package transport

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// Config says how requests are made. The zero value is usable.
type Config struct {
	Version   string         // of the hub, for the user agent; empty is "dev"
	CAFile    string         // PEM file of trust roots beside the system's; empty is none
	Roots     *x509.CertPool // trust roots instead of the system's; nil is the system's
	Timeout   time.Duration  // for one request and its whole answer; 0 is 30 s
	MaxAnswer int64          // largest answer in bytes, after decompression; 0 is 8 MiB
	PerHost   int            // idle connections kept to one host; 0 is 128
	// Allowed is asked about each address before the hub connects to it, after names were
	// resolved, but not about the environment's proxy; nil allows all.
	Allowed func(netip.AddrPort) error
	// Around is put around each request, for tracing; it has to call send. nil: nothing is.
	Around func(req *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error)
}

var (
	errSlow    = errors.New("no answer in time")
	errTooMuch = errors.New("the answer is larger than the hub reads")
)

// Transport is the [http.RoundTripper] with the hub's manners. Answers are read to
// their end before they are handed on, so a caller can neither leak a connection nor
// outlive the deadline.
type Transport struct {
	base    http.RoundTripper
	agent   string
	timeout time.Duration
	max     int64
	around  func(*http.Request, func(*http.Request) (*http.Response, error)) (*http.Response, error)
}

// New returns a client for everything the hub calls. Its Transport is a *[Transport].
func New(cfg Config) (*http.Client, error) {
	roots := cfg.Roots
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the extra trust roots: %w", err)
		}
		if roots == nil {
			if roots, err = x509.SystemCertPool(); err != nil {
				return nil, fmt.Errorf("read the system's trust roots: %w", err)
			}
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the file %s holds no PEM certificate", cfg.CAFile)
		}
	}
	perHost := cmp.Or(cfg.PerHost, 128)
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	dial := dialer.DialContext
	if cfg.Allowed != nil {
		dial = guarded(dialer, cfg.Allowed)
	}
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial,
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          4 * perHost,
		MaxIdleConnsPerHost:   perHost,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	return Client(&Transport{
		base: base, agent: "responsehub/" + cmp.Or(cfg.Version, "dev"),
		timeout: cmp.Or(cfg.Timeout, 30*time.Second), max: cmp.Or(cfg.MaxAnswer, 8<<20), around: cfg.Around,
	}), nil
}

// Client returns a client over rt that follows no redirect: the next host would get
// our token.
func Client(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Over returns a Transport with the default manners over another round tripper, such
// as a handler called in process. A *Transport is returned as it is.
func Over(rt http.RoundTripper) *Transport {
	if t, ok := rt.(*Transport); ok {
		return t
	}
	if rt == nil {
		rt = http.DefaultTransport
	}
	return &Transport{base: rt, agent: "responsehub/dev", timeout: 30 * time.Second, max: 8 << 20}
}

// WithTimeout returns a Transport with another deadline that shares the connections.
func (t *Transport) WithTimeout(d time.Duration) *Transport {
	c := *t
	c.timeout = d
	return &c
}

// CloseIdleConnections closes the connections that are not in use.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip sends the request. Its errors are *[Error]; an answer of whatever status
// is not one. What came back is also kept for [Capture].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.around != nil {
		return t.around(req, t.send)
	}
	return t.send(req)
}

func (t *Transport) send(req *http.Request) (*http.Response, error) {
	var sent atomic.Bool
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.timeout, errSlow)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// A new attempt on another connection starts with nothing sent: net/http only
		// makes one itself when the first wrote nothing, or the request may be repeated.
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	// Only net/http tells when a connection was had. Of any other round tripper nothing is
	// known, and so a request counts as sent.
	if _, tells := t.base.(*http.Transport); !tells {
		sent.Store(true)
	}
	answer := answerOf(req.Context())
	answer.reset()
	out := req.Clone(ctx)
	out.Header.Set("User-Agent", t.agent)
	if err := sized(out); err != nil {
		return nil, &Error{Method: req.Method, Host: req.URL.Host, Err: fmt.Errorf("read the request's body: %w", err)}
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		answer.Sent = sent.Load() && !dialing(err)
		return nil, t.failed(ctx, req, answer.Sent, err)
	}
	answer.take(resp)
	body, err := io.ReadAll(io.LimitReader(resp.Body, t.max+1))
	resp.Body.Close()
	if err == nil && int64(len(body)) > t.max {
		err = errTooMuch
	}
	if err != nil {
		e := t.failed(ctx, req, true, fmt.Errorf("read the answer: %w", err))
		e.RequestID = answer.RequestID
		// A refusal is known from its status even when its body broke off.
		if resp.StatusCode >= 400 {
			e.Status, e.RetryAfter = resp.StatusCode, answer.RetryAfter
		}
		return nil, e
	}
	answer.Body = body
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

func (t *Transport) failed(ctx context.Context, req *http.Request, sent bool, err error) *Error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
		if errors.Is(err, errSlow) {
			err = fmt.Errorf("%w within %s", err, t.timeout)
		}
	}
	return &Error{Method: req.Method, Host: req.URL.Host, Sent: sent, Err: err}
}

// dialing reports whether an error comes from before there was a connection.
func dialing(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && (e.Op == "dial" || e.Op == "proxyconnect")
}

// sized gives a body of unknown length a length and makes it repeatable, so that it is
// not sent in chunks, which some gateways refuse, and net/http can send it again on a
// fresh connection when the pooled one turned out to be dead before a byte was written.
func sized(req *http.Request) error {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil && req.ContentLength > 0 {
		return nil
	}
	b, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(b))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	req.Body, _ = req.GetBody()
	if len(b) == 0 {
		req.Body = http.NoBody
	}
	return nil
}
