package graph

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"responsehub/sim/login"
)

// failure is Graph's error body.
// https://learn.microsoft.com/graph/errors
type failure struct {
	Error failureMain `json:"error"`
}

type failureMain struct {
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Inner   failureInner `json:"innerError"`
}

type failureInner struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// fail is an error answer.
func fail(status int, code, format string, args ...any) reply {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	return reply{status: status, body: failure{failureMain{Code: code, Message: message}}}
}

// stamp fills in what ties an error to its request.
func stamp(body any, id, clientID string) any {
	f, ok := body.(failure)
	if !ok {
		return body
	}
	f.Error.Inner = failureInner{Date: time.Now().UTC().Format("2006-01-02T15:04:05Z"), RequestID: id, ClientRequestID: clientID}
	return f
}

func unauthenticated(err error) reply {
	text := "Access token validation failure."
	switch {
	case errors.Is(err, login.ErrNoToken):
		text = "Access token is empty."
	case errors.Is(err, login.ErrExpired):
		text = "Lifetime validation failed, the token is expired."
	case errors.Is(err, login.ErrAudience):
		text = "Access token validation failure. Invalid audience."
	}
	out := fail(http.StatusUnauthorized, "InvalidAuthenticationToken", "%s", text)
	out.header = map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`}
	return out
}

func unreadable() reply {
	return fail(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
}

func insufficient() reply {
	return fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

func mailDenied() reply {
	return fail(http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

func methodsDenied() reply {
	return fail(http.StatusForbidden, "accessDenied", "Request Authorization failed")
}

func notThere(id string) reply {
	return fail(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)
}

func itemGone() reply {
	return fail(http.StatusNotFound, "ErrorItemNotFound", "The specified object was not found in the store.")
}

func badRequest(format string, args ...any) reply {
	return fail(http.StatusBadRequest, "Request_BadRequest", format, args...)
}

func onPremMastered() reply {
	return badRequest("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
}
