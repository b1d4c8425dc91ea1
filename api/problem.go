package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"responsehub"
)

const mimeProblem = "application/problem+json"

// Problem is an error as a program reads it (RFC 9457). It holds the sentence for a
// person and never the cause, which may name what is nobody's business.
type Problem struct {
	Type    string `json:"type" doc:"urn:responsehub:problem: and the kind of failure, to branch on"`
	Title   string `json:"title" doc:"the HTTP status in words"`
	Status  int    `json:"status"`
	Detail  string `json:"detail" doc:"what happened and what to do, for a person"`
	Pointer string `json:"pointer,omitempty" doc:"JSON pointer to the faulty field of the body, or the name of the faulty query parameter"`

	retryAfter time.Duration
}

// Error returns the sentence, so that a problem can be returned as an error.
func (p *Problem) Error() string { return p.Detail }

var statuses = map[responsehub.Kind]int{
	responsehub.Invalid:        http.StatusBadRequest,
	responsehub.Unauthorized:   http.StatusUnauthorized,
	responsehub.Forbidden:      http.StatusForbidden,
	responsehub.NotFound:       http.StatusNotFound,
	responsehub.Refused:        http.StatusConflict,
	responsehub.Conflict:       http.StatusConflict,
	responsehub.Gone:           http.StatusGone,
	responsehub.Throttled:      http.StatusTooManyRequests,
	responsehub.Unavailable:    http.StatusServiceUnavailable,
	responsehub.UnknownOutcome: http.StatusServiceUnavailable,
	responsehub.Permanent:      http.StatusInternalServerError,
}

// problemOf turns any error into a problem.
func problemOf(err error) *Problem {
	if err == nil {
		return &Problem{}
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.filled()
	}
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		return (&Problem{Status: he.Code, Detail: http.StatusText(he.Code) + "."}).filled()
	}
	kind := responsehub.KindOf(err)
	p := &Problem{Type: problemType(string(kind)), Status: statuses[kind], Detail: responsehub.Sentence(err)}
	if e, ok := errors.AsType[*responsehub.Error](err); ok {
		p.Pointer, p.retryAfter = e.Pointer, e.RetryAfter
	}
	return p.filled()
}

// filled completes what follows from the status.
func (p *Problem) filled() *Problem {
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
	}
	p.Title = http.StatusText(p.Status)
	if p.Type == "" {
		p.Type = problemType(strings.ReplaceAll(strings.ToLower(p.Title), " ", "_"))
	}
	wait := p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests
	if wait && p.retryAfter <= 0 {
		p.retryAfter = 5 * time.Second
	}
	return p
}

func problemType(kind string) string { return "urn:responsehub:problem:" + kind }

// writeProblem answers with the problem that err is.
func writeProblem(c echo.Context, err error) error {
	p, h := problemOf(err), c.Response().Header()
	if p.Status == http.StatusUnauthorized {
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="responsehub"`)
	}
	if p.retryAfter > 0 {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	return writeJSON(c, p.Status, mimeProblem, p)
}

// writeJSON answers with v. It encodes before it writes the status, so that what cannot
// be encoded is an error and not half an answer.
func writeJSON(c echo.Context, status int, mime string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return c.Blob(status, mime, b.Bytes())
}

// ErrorHandler answers what echo itself refuses, such as a wrong method, as a problem.
// It is for echo's HTTPErrorHandler.
func ErrorHandler(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if c.Request().Method == http.MethodHead {
		_ = c.NoContent(problemOf(err).Status)
		return
	}
	_ = writeProblem(c, err)
}
