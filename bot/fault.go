package bot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"responsehub"
)

// refusal is what the connector said: the status, and the code of its error body where
// it sent one. Gateways in front of it answer in HTML.
type refusal struct {
	status int
	code   string
}

func (r *refusal) Error() string {
	if r.code == "" {
		return fmt.Sprintf("connector: status %d", r.status)
	}
	return fmt.Sprintf("connector: status %d, %s", r.status, r.code)
}

// The connector's error codes that ask for something of their own.
const (
	codeNoActivity = "ActivityNotFoundInConversation"
	codeWrongHost  = "InvalidBotApiHost"
)

// maxWait is the longest pause the connector can ask for.
const maxWait = time.Hour

// refused turns an answer that is no success into an error of the hub's kinds.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes-from-bot-conversational-apis
func refused(method string, res *http.Response, body []byte) *responsehub.Error {
	r := &refusal{status: res.StatusCode, code: errorCode(body)}
	e := &responsehub.Error{Kind: responsehub.Permanent, Message: sayTeamsRefused(r.status, r.code), RequestID: res.Header.Get("X-Ms-Request-Id"), Err: r}
	switch res.StatusCode {
	case http.StatusUnauthorized:
		e.Kind, e.Message = responsehub.Unauthorized, saySignIn
	case http.StatusForbidden:
		e.Kind, e.Message = responsehub.Forbidden, sayForbidden(r.code)
	case http.StatusNotFound:
		e.Kind, e.Message = responsehub.NotFound, sayNotThere
	case http.StatusTooManyRequests:
		e.Kind, e.Message, e.RetryAfter = responsehub.Throttled, sayThrottled, retryAfter(res.Header, time.Now())
	case http.StatusPreconditionFailed, http.StatusRequestTimeout:
		e.Kind, e.Message = responsehub.Unavailable, sayTeamsDown(r.status)
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		// The documentation advises against repeating after a 500 at once. The hub repeats
		// with growing pauses, because a card that is never posted is worse.
		e.Kind, e.Message, e.RetryAfter = responsehub.Unavailable, sayTeamsDown(r.status), retryAfter(res.Header, time.Now())
		if method == http.MethodPost {
			e.Kind = responsehub.UnknownOutcome
		}
	}
	return e
}

var codeShape = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}$`)

// errorCode reads {"error":{"code":...}}; anything else has no code.
func errorCode(body []byte) string {
	var b struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &b) != nil || !codeShape.MatchString(b.Error.Code) {
		return ""
	}
	return b.Error.Code
}

// retryAfter reads the header in both its forms: seconds or a date.
// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(maxWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(at.Sub(now), 0), maxWait)
	}
	return 0
}
