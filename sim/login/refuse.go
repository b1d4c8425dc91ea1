package login

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// refusal is one AADSTS error.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
type refusal struct {
	status int
	kind   string // OAuth error
	code   int    // AADSTS number
	text   string
}

func (e *refusal) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.code, e.text) }

func refusef(status int, kind string, code int, format string, args ...any) *refusal {
	return &refusal{status, kind, code, fmt.Sprintf(format, args...)}
}

func noTenant(key string) string {
	return fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", key)
}

// refuse answers with an error as Entra writes it.
func (s *Server) refuse(w http.ResponseWriter, status int, kind string, code int, text string) {
	trace, correlation, at := uuid.NewString(), uuid.NewString(), time.Now().UTC().Format("2006-01-02 15:04:05Z")
	w.Header().Set("X-Ms-Request-Id", trace)
	reply(w, status, map[string]any{
		"error":             kind,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, text, trace, correlation, at),
		"error_codes":       []int{code},
		"timestamp":         at,
		"trace_id":          trace,
		"correlation_id":    correlation,
		"error_uri":         fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", code),
	})
}

const (
	badRequest   = http.StatusBadRequest
	unauthorized = http.StatusUnauthorized
)
