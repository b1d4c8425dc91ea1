package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// Error is a request that failed: refused with a status, or without an answer. Its
// text names the method and the host only.
type Error struct {
	Method     string
	Host       string
	Status     int           // of the answer; 0 when there was none
	RetryAfter time.Duration // asked for by the answer; 0 when it did not say
	RequestID  string        // the service's id of the request
	Code       string        // the service's own code, where the connector knows how to read it
	Body       []byte        // the answer's body, for the connector to read; never shown or logged
	Sent       bool          // the request may have reached the service
	Err        error         // the cause when there was no answer
}

// Error says what failed, without anything that could be secret.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s:", e.Method, e.Host)
	if e.Status != 0 {
		fmt.Fprintf(&b, " status %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(" " + printable(e.Code))
	}
	if e.RequestID != "" {
		b.WriteString(" (request id " + e.RequestID + ")")
	}
	if e.Err != nil {
		b.WriteString(" " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Unknown reports whether the request may have taken effect although it failed: it
// went out and nothing, or a gateway's word only, came back. Reads have no effect.
func (e *Error) Unknown() bool {
	if e.Method == http.MethodGet || e.Method == http.MethodHead {
		return false
	}
	switch e.Status {
	case 0:
		return e.Sent
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Do sends a request and returns its answer, or an *[Error] for any status but a 2xx.
// Unlike the client's own method it never puts the address into the error.
func Do(client *http.Client, req *http.Request) (*http.Response, error) {
	resp, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return nil, e
		}
		return nil, &Error{Method: req.Method, Host: req.URL.Host, Sent: true, Err: bare(err)}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, Refusal(resp)
	}
	return resp, nil
}

// bare takes the address off a client's error.
func bare(err error) error {
	type addressed interface {
		error
		Timeout() bool
		Unwrap() error
	}
	if u, ok := err.(addressed); ok && u.Unwrap() != nil { //nolint:errorlint // only the outermost error carries the address
		return u.Unwrap()
	}
	return err
}

// Refusal makes an *[Error] of an answer and closes it.
func Refusal(resp *http.Response) *Error {
	var a Answer
	a.take(resp)
	e := &Error{Status: resp.StatusCode, RetryAfter: a.RetryAfter, RequestID: a.RequestID, Sent: true}
	if resp.Request != nil {
		e.Method = resp.Request.Method
		if resp.Request.URL != nil {
			e.Host = resp.Request.URL.Host
		}
	}
	if resp.Body != nil {
		e.Body = head(resp)
	}
	return e
}

// repeatable are the statuses after which the same request may fare better.
var repeatable = []int{
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// Retryable reports whether the request behind err may succeed later, and how long the
// service asked to wait (0: it did not say). It says nothing about whether a repetition
// is harmless: ask [Error.Unknown] for that.
func Retryable(err error) (after time.Duration, ok bool) {
	if errors.Is(err, context.Canceled) {
		return 0, false
	}
	if e, found := errors.AsType[*responsehub.Error](err); found {
		return e.RetryAfter, e.Kind == responsehub.Throttled || e.Kind == responsehub.Unavailable
	}
	e, found := errors.AsType[*Error](err)
	if !found {
		return 0, false
	}
	if e.Status == 0 {
		return 0, e.Err == nil || !errors.Is(e.Err, errTooMuch)
	}
	return e.RetryAfter, slices.Contains(repeatable, e.Status)
}

// head reads what a connector needs of a refusal's body.
func head(resp *http.Response) []byte {
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // a broken body only loses detail
	return b
}
