package intake

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"responsehub"
)

// problem is an answer by RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457).
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail,omitempty"`
	Pointer string `json:"pointer,omitempty"` // JSON pointer into the native alert

	retryAfter time.Duration
}

// retryAfter is what senders are asked to wait when the hub cannot store.
const retryAfter = 5 * time.Second

// problemOf turns a root error into what the sender is told. Whatever is not
// understood is 503, so that the sender repeats: an alert must not get lost here.
func problemOf(err error) problem {
	var p problem
	wait := time.Duration(0)
	if e, ok := errorAs(err); ok {
		p.Pointer, wait = shortened(e.Pointer), e.RetryAfter
	}
	switch responsehub.KindOf(err) {
	case responsehub.Invalid:
		p.Type, p.Title, p.Status = "urn:responsehub:problem:invalid-alert", titleInvalid, http.StatusBadRequest
	case responsehub.Conflict:
		p.Type, p.Title, p.Status = "urn:responsehub:problem:delivery-reused", titleConflict, http.StatusConflict
	case responsehub.NotFound:
		return unknownSource
	case responsehub.Permanent, responsehub.Forbidden, responsehub.Unauthorized, responsehub.Refused, responsehub.Gone:
		p.Type, p.Title, p.Status = "urn:responsehub:problem:failed", titleFailed, http.StatusInternalServerError
	default:
		p.Type, p.Title, p.Status = "urn:responsehub:problem:unavailable", titleUnavailable, http.StatusServiceUnavailable
		p.retryAfter = max(wait, retryAfter)
	}
	p.Detail = responsehub.Sentence(err)
	return p
}

func answerProblem(w http.ResponseWriter, p problem) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	switch p.Status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestTimeout:
		// What is left of the body would be read as the next request, or waited for.
		h.Set("Connection", "close")
	}
	answer(w, p.Status, p)
}

// incidentAnswer is what a sender learns about its alert.
type incidentAnswer struct {
	Incident string                    `json:"incident"`
	Ref      string                    `json:"ref"`
	State    responsehub.IncidentState `json:"state"`
}

func answerIncident(w http.ResponseWriter, inc *responsehub.Incident, known bool) {
	status := http.StatusAccepted
	if known {
		status = http.StatusOK
	}
	w.Header().Set("Content-Type", "application/json")
	answer(w, status, incidentAnswer{Incident: inc.ID, Ref: inc.Ref, State: inc.State})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the sender hung up: it will ask again
}
