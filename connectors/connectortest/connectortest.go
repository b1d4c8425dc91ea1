// Package connectortest is the contract that every connector passes: what is worth
// another try and what is not, a pause that was asked for is passed on, a lost answer of
// a write is an unknown outcome, a cancelled context ends the call, and no error text
// shows a secret, not even when the service echoes it.
//
// The suite needs no network: it stands behind the connector's *http.Client.
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
)

// Subject is a connector under test.
type Subject struct {
	// New makes the connector's calls over the client, fresh for each case.
	New func(t *testing.T, client *http.Client) Calls
	// Side answers requests that are not the call itself, such as those for a token; it
	// returns nil for the call. A nil Side means that there are none.
	Side func(req *http.Request) *http.Response
	// Secrets are texts that must appear in no error: keys, passwords, tokens.
	Secrets []string
}

// Calls are what the suite calls. Write may be nil for a connector that only reads, and
// Read for one that only writes.
type Calls struct {
	Read, Write func(ctx context.Context) error
}

// again are statuses after which the same call can fare better; never are those after
// which it cannot. Others are left to the connector.
var (
	again = []int{408, 429, 500, 502, 503, 504}
	never = []int{400, 401, 402, 403, 404, 405, 406, 410, 411, 413, 414, 415, 416, 417, 422, 428, 431, 451}
)

// Run runs the contract.
func Run(t *testing.T, s Subject) {
	t.Helper()
	t.Run("statuses", s.statuses)
	t.Run("pause", s.pause)
	t.Run("lost answer", s.lost)
	t.Run("cancelled", s.cancelled)
	t.Run("secrets", s.secrets)
}

func (s Subject) each(t *testing.T, service http.RoundTripper, f func(t *testing.T, name string, call func(context.Context) error)) {
	t.Helper()
	for _, name := range []string{"read", "write"} {
		calls := s.New(t, transport.Client(transport.Over(&stage{s.Side, service})))
		call := calls.Read
		if name == "write" {
			call = calls.Write
		}
		if call != nil {
			f(t, name, call)
		}
	}
}

func (s Subject) statuses(t *testing.T) {
	for status := 300; status < 600; status++ {
		s.each(t, answering(status, nil, `{"error":{}}`), func(t *testing.T, name string, call func(context.Context) error) {
			err := call(t.Context())
			if err == nil {
				if status == http.StatusNotFound || status == http.StatusGone {
					return // gone already is what some writes want
				}
				t.Errorf("%s: status %d is no error", name, status)
				return
			}
			e, ok := errors.AsType[*responsehub.Error](err)
			if !ok || e.Message == "" {
				t.Errorf("%s: status %d: %T has no sentence for people", name, status, err)
				return
			}
			_, retry := transport.Retryable(err)
			worth := retry || e.Kind == responsehub.UnknownOutcome
			if slices.Contains(again, status) && !worth {
				t.Errorf("%s: status %d is given up (%s), but may pass", name, status, e.Kind)
			}
			if slices.Contains(never, status) && worth {
				t.Errorf("%s: status %d is tried again (%s), but cannot pass", name, status, e.Kind)
			}
		})
	}
}

func (s Subject) pause(t *testing.T) {
	h := http.Header{"Retry-After": {"7"}}
	s.each(t, answering(http.StatusTooManyRequests, h, ""), func(t *testing.T, name string, call func(context.Context) error) {
		err := call(t.Context())
		if kind := responsehub.KindOf(err); kind != responsehub.Throttled {
			t.Errorf("%s: kind of a 429 is %s, want throttled", name, kind)
		}
		if after, ok := transport.Retryable(err); !ok || after != 7*time.Second {
			t.Errorf("%s: pause is %s (%t), want 7s", name, after, ok)
		}
	})
}

func (s Subject) lost(t *testing.T) {
	away := tripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	})
	s.each(t, away, func(t *testing.T, name string, call func(context.Context) error) {
		if err := call(t.Context()); responsehub.KindOf(err) != responsehub.Unavailable || err == nil {
			t.Errorf("%s: not connected: kind %s (%v), want unavailable: nothing was sent", name, responsehub.KindOf(err), err)
		}
	})
	cut := tripper(func(req *http.Request) (*http.Response, error) {
		if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
			trace.GotConn(httptrace.GotConnInfo{})
		}
		return nil, io.ErrUnexpectedEOF
	})
	s.each(t, cut, func(t *testing.T, name string, call func(context.Context) error) {
		want := responsehub.Unavailable
		if name == "write" {
			want = responsehub.UnknownOutcome
		}
		if err := call(t.Context()); err == nil || responsehub.KindOf(err) != want {
			t.Errorf("%s: answer lost: kind %s (%v), want %s", name, responsehub.KindOf(err), err, want)
		}
	})
}

func (s Subject) cancelled(t *testing.T) {
	var called atomic.Bool
	hang := tripper(func(req *http.Request) (*http.Response, error) {
		called.Store(true)
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	s.each(t, hang, func(t *testing.T, name string, call func(context.Context) error) {
		called.Store(false)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := call(ctx)
		if err == nil || time.Since(begin) > 5*time.Second {
			t.Errorf("%s: a cancelled call returned %v after %s", name, err, time.Since(begin))
		}
		if !called.Load() {
			t.Errorf("%s: the service was never called", name)
		}
	})
}

func (s Subject) secrets(t *testing.T) {
	// A service that says everything back: headers and body, as code and as text.
	echo := tripper(func(req *http.Request) (*http.Response, error) {
		var b strings.Builder
		_ = req.Header.Write(&b)
		if req.Body != nil {
			body, _ := io.ReadAll(req.Body)
			b.Write(body)
		}
		said := fmt.Sprintf("%s %s %s", strings.Join(s.Secrets, " "), b.String(), req.URL)
		return answer(req, http.StatusBadRequest, nil, fmt.Sprintf(`{"error":{"code":"Request_BadRequest","message":%q},"message":%q}`, said, said)), nil
	})
	for _, service := range []http.RoundTripper{
		echo, answering(http.StatusForbidden, nil, strings.Join(s.Secrets, " ")), answering(http.StatusInternalServerError, nil, ""),
		tripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }),
	} {
		s.each(t, service, func(t *testing.T, name string, call func(context.Context) error) {
			err := call(t.Context())
			if err == nil {
				t.Errorf("%s: a refusal is no error", name)
				return
			}
			for text := error(err); text != nil; text = errors.Unwrap(text) {
				for _, secret := range s.Secrets {
					if strings.Contains(text.Error(), secret) || strings.Contains(responsehub.Sentence(text), secret) {
						t.Errorf("%s: the text of %T shows a secret", name, text)
					}
				}
			}
		})
	}
}
