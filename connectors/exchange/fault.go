package exchange

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
)

// Class says what a failure at Exchange means for the hub.
type Class string

// The classes.
const (
	Auth           Class = "auth"
	Permission     Class = "permission"
	NotFound       Class = "not_found"
	Throttled      Class = "throttled"
	Transient      Class = "transient"
	BadRequest     Class = "bad_request"
	Unsupported    Class = "unsupported" // the surface is not there
	UnknownOutcome Class = "unknown_outcome"
	Unreachable    Class = "unreachable"
)

var kinds = map[Class]responsehub.Kind{
	Auth: responsehub.Forbidden, Permission: responsehub.Forbidden, NotFound: responsehub.NotFound, Throttled: responsehub.Throttled,
	Transient: responsehub.Unavailable, Unreachable: responsehub.Unavailable, UnknownOutcome: responsehub.UnknownOutcome,
	BadRequest: responsehub.Permanent, Unsupported: responsehub.Permanent,
}

// Fault is the cause inside the *responsehub.Error of a failed cmdlet.
type Fault struct {
	Class     Class
	Cmdlet    string
	Exception string // type of Exchange's exception, without its text
	Err       error
}

// Error names cmdlet, class and exception, without texts of the service.
func (f *Fault) Error() string {
	s := "exchange: " + f.Cmdlet + ": " + string(f.Class)
	if f.Exception != "" {
		s += " " + f.Exception
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// ClassOf returns the class of the fault in err's chain, or "".
func ClassOf(err error) Class {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Class
	}
	return ""
}

// complaint is what Exchange says in an error body.
type complaint struct {
	exception string // type, such as ManagementObjectNotFoundException
	text      string // lower case
}

// complain reads an error body. The most exact text stands in the details, then in the
// inner exception, then in the message; it is plain or "id|exception type|text".
func complain(body []byte) complaint {
	var b struct {
		Error struct {
			Message json.RawMessage `json:"message"`
			Details []struct {
				Message json.RawMessage `json:"message"`
			} `json:"details"`
			Inner struct {
				Exception struct {
					Message json.RawMessage `json:"message"`
				} `json:"internalException"`
			} `json:"innererror"`
		} `json:"error"`
	}
	// A field of an unexpected type loses only itself: what was read before it counts.
	_ = json.Unmarshal(body, &b)
	texts := []json.RawMessage{}
	for _, d := range b.Error.Details {
		texts = append(texts, d.Message)
	}
	texts = append(texts, b.Error.Inner.Exception.Message, b.Error.Message)
	for _, raw := range texts {
		var s string
		if json.Unmarshal(raw, &s) != nil || s == "" {
			continue
		}
		parts := strings.SplitN(s, "|", 3)
		if len(parts) < 3 {
			return complaint{text: strings.ToLower(s)}
		}
		return complaint{exception: typeName(parts[1]), text: strings.ToLower(parts[2])}
	}
	return complaint{}
}

// typeName is the last part of a .NET type's name, or "" when it is none.
func typeName(s string) string {
	s = strings.TrimSpace(s)
	s = s[strings.LastIndexByte(s, '.')+1:]
	if len(s) > 80 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return ""
	}
	return s
}

// classify sorts a refused cmdlet.
func classify(status int, c complaint) Class {
	has := func(s string) bool { return strings.Contains(c.text, s) }
	switch {
	case status == http.StatusTooManyRequests, has("maximum number of concurrent requests"):
		return Throttled
	case c.exception == "ManagementObjectNotFoundException", c.exception == "" && has("couldn't be found"):
		return NotFound
	case has("not present in the role definition"), status == http.StatusForbidden:
		return Permission
	case status == http.StatusUnauthorized:
		return Auth
	case strings.Contains(c.exception, "Transient"), strings.Contains(c.exception, "ServerBusy"):
		return Transient
	case status == http.StatusRequestTimeout, status >= 500 && c.exception == "", status < 400, status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return Transient
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return Unsupported
	}
	return BadRequest
}

// fault makes the error for people of a failed request.
func (c *Client) fault(k cmdlet, token entra.Token, h http.Header, err error) error {
	e, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return c.fail(k, Transient, "", 0, err)
	}
	switch {
	case k.write() && e.Unknown():
		return c.fail(k, UnknownOutcome, e.RequestID, e.RetryAfter, e)
	case e.Status == 0 && !e.Sent:
		return c.fail(k, Unreachable, "", 0, e)
	case e.Status == 0:
		return c.fail(k, Transient, e.RequestID, 0, e)
	}
	said := complain(e.Body)
	if said.exception == "" {
		said.exception = typeName(h.Get("X-ExceptionType"))
	}
	class := classify(e.Status, said)
	after := e.RetryAfter
	if class == Throttled && after == 0 {
		after = reset(h.Get("Rate-Limit-Reset"), time.Now())
	}
	out := &responsehub.Error{
		Kind: kinds[class], Message: words(class, k), RequestID: e.RequestID, RetryAfter: after,
		Err: &Fault{Class: class, Cmdlet: k.name, Exception: said.exception, Err: e},
	}
	if (class == Auth || class == Permission) && token.Rights.Known && !token.Rights.Any("Exchange.ManageAsApp") {
		out.Message = manageAsAppWords(k)
	}
	return out
}

func (c *Client) fail(k cmdlet, class Class, request string, after time.Duration, err error) error {
	return &responsehub.Error{Kind: kinds[class], Message: words(class, k), RequestID: request, RetryAfter: after, Err: &Fault{Class: class, Cmdlet: k.name, Err: err}}
}

// reset reads Rate-Limit-Reset, a time or a number of seconds; 0 when it is neither.
func reset(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if n, err := strconv.Atoi(v); err == nil {
		return min(max(0, time.Duration(min(n, 1<<20))*time.Second), transport.MaxRetryAfter)
	}
	for _, layout := range []string{time.RFC3339, http.TimeFormat} {
		if at, err := time.Parse(layout, v); err == nil {
			return min(max(0, at.Sub(now)), transport.MaxRetryAfter)
		}
	}
	return 0
}
