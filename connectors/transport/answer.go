package transport

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest pause that a Retry-After may ask of the hub. More is
// taken for a mistake: an incident cannot wait for it.
const MaxRetryAfter = 10 * time.Minute

// Answer is what came back for the last request made with a context from [Capture].
// SDKs lose the status of answers they cannot parse and hide request ids; this keeps
// them.
type Answer struct {
	Status          int           // 0 when nothing came back
	RetryAfter      time.Duration // 0 when the answer did not say, or said nonsense
	RequestID       string        // the service's own id of the request
	ClientRequestID string        //
	At              time.Time     // when the answer's head was there
	Sent            bool          // the request may have reached the service
	Header          http.Header   //
	Body            []byte        // never to be logged
}

type answerKey struct{}

// Capture returns a context under which the last answer is kept in the returned
// struct. It must not be shared by requests that run at the same time.
func Capture(ctx context.Context) (context.Context, *Answer) {
	a := &Answer{}
	return context.WithValue(ctx, answerKey{}, a), a
}

func answerOf(ctx context.Context) *Answer {
	if a, ok := ctx.Value(answerKey{}).(*Answer); ok {
		return a
	}
	return &Answer{}
}

func (a *Answer) reset() { *a = Answer{} }

func (a *Answer) take(resp *http.Response) {
	now := time.Now()
	*a = Answer{
		Status: resp.StatusCode, RetryAfter: RetryAfter(resp.Header, now), RequestID: requestID(resp.Header),
		ClientRequestID: resp.Header.Get("client-request-id"), At: now, Sent: true, Header: resp.Header,
	}
}

// requestID finds the service's own id of a request under the names that services use.
func requestID(h http.Header) string {
	for _, name := range []string{"request-id", "x-ms-request-id", "twilio-request-id", "x-request-id", "x-correlation-id"} {
		if v := h.Get(name); v != "" {
			return printable(v)
		}
	}
	return ""
}

// printable makes a stranger's short text fit for logs and errors.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 100)]
}

// RetryAfter reads the header Retry-After, which is a number of seconds or an HTTP
// date. The result lies between 0 and [MaxRetryAfter]; 0 also stands for an absent or
// senseless value. See https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		if n > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter
		}
		return max(0, time.Duration(n)*time.Second)
	}
	if strings.Trim(v, "0123456789") == "" {
		return MaxRetryAfter // digits only, too many for 64 bits
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(0, at.Sub(now)), MaxRetryAfter)
	}
	return 0
}
