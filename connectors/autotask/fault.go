package autotask

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// crowded is how long to wait when Autotask says that there are too many calls and not
// for how long.
const crowded = time.Minute

// complaints are Autotask's own words about a refusal: validation and missing rights come
// as 500 with them.
func complaints(body []byte) []string {
	var r struct {
		Errors []string `json:"errors"`
	}
	_ = json.Unmarshal(body, &r) // a gateway's page says nothing
	return r.Errors
}

// said is Autotask's own text, which technicians search for, without the hub's keys.
func (d *Desk) said(texts []string) string {
	text := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.Join(texts, " - "))
	for _, secret := range []string{string(d.cfg.Secret), string(d.cfg.IntegrationCode), d.cfg.EventKey} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return ticket.Short(strings.Join(strings.Fields(text), " "), 400)
}

// fault makes an error for people of a failed call.
func (d *Desk) fault(what string, write bool, err error) error {
	e, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return err
	}
	texts := complaints(e.Body)
	out := &responsehub.Error{RetryAfter: e.RetryAfter, RequestID: e.RequestID, Err: e}
	said := ""
	if text := d.said(texts); text != "" {
		said = " It says: " + text
	}
	words := strings.ToLower(strings.Join(texts, " "))
	spoken := e.Status == http.StatusInternalServerError && strings.TrimSpace(words) != ""
	switch {
	case e.Status == http.StatusTooManyRequests, spoken && holds(words, "thread", "threshold", "too many requests"):
		out.Kind, out.Message = responsehub.Throttled, "Autotask asks the hub to slow down."+said
		if out.RetryAfter == 0 {
			out.RetryAfter = crowded
		}
	case spoken && holds(words, "timeout", "timed out", "deadlock"):
		out.Kind, out.Message = responsehub.Unavailable, "Autotask is too busy to "+what+"."+said
		if write {
			out.Kind = responsehub.UnknownOutcome
		}
	case spoken && holds(words, "permission", "not authorized", "not have access", "access denied"):
		out.Kind, out.Message = responsehub.Forbidden, "Autotask does not let the hub's API user "+what+". Check its security level."+said
	case spoken:
		out.Kind, out.Message = responsehub.Permanent, "Autotask refuses to "+what+"."+said
	case write && (e.Status == 0 && e.Sent || e.Status == http.StatusRequestTimeout || e.Status >= 500):
		out.Kind, out.Message = responsehub.UnknownOutcome, "Autotask was asked to "+what+" and gave no usable answer; the hub looks whether it was done."
	case e.Status == 0, e.Status >= 500, e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly:
		out.Kind, out.Message = responsehub.Unavailable, "Autotask cannot be reached to "+what+"."
	case e.Status == http.StatusUnauthorized:
		out.Kind, out.Message = responsehub.Unauthorized, "Autotask refuses the hub's keys. Check psa username, secret and integration_code, and that the API user is active and not locked."+said
	case e.Status == http.StatusForbidden:
		out.Kind, out.Message = responsehub.Forbidden, "Autotask does not let the hub's API user "+what+". Check its security level."+said
	case e.Status == http.StatusNotFound:
		out.Kind, out.Message = responsehub.NotFound, "Autotask has no such record to "+what+"."+said
	case e.Status < 400:
		out.Kind, out.Message = responsehub.Permanent, "The address sends the hub elsewhere. Check psa zone_url."
	default:
		out.Kind, out.Message = responsehub.Permanent, "Autotask refuses to "+what+"."+said
	}
	return out
}

func holds(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
