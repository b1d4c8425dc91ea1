package halopsa

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// said is HaloPSA's own text, which technicians search for: it comes as a text, as a text
// in JSON or in one of several fields. A page of a gateway says nothing.
func said(body []byte) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return text
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil {
		for _, name := range []string{"error_description", "ErrorMessage", "errormessage", "message", "Message", "error", "title"} {
			if json.Unmarshal(fields[name], &text) == nil && text != "" {
				return text
			}
		}
		return ""
	}
	if strings.ContainsAny(string(body), "<{[") {
		return ""
	}
	return string(body)
}

// sayings is the text as an end of a sentence, without the hub's keys.
func (d *Desk) sayings(body []byte) string {
	text := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(said(body), " "))
	secrets := []string{string(d.cfg.ClientSecret), d.cfg.EventKey}
	if token := d.shown.Load(); token != nil {
		secrets = append(secrets, *token)
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	if text = ticket.Short(strings.Join(strings.Fields(text), " "), 400); text == "" {
		return ""
	}
	return " It says: " + text
}

// fault makes an error for people of a failed call.
func (d *Desk) fault(what string, write bool, err error) error {
	e, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return err
	}
	out := &responsehub.Error{RetryAfter: e.RetryAfter, RequestID: e.RequestID, Err: e}
	says := d.sayings(e.Body)
	switch {
	case write && (e.Status == 0 && e.Sent || e.Status == http.StatusRequestTimeout || e.Status >= 500):
		out.Kind, out.Message = responsehub.UnknownOutcome, "HaloPSA was asked to "+what+" and gave no usable answer; the hub looks whether it was done."
	case e.Status == 0, e.Status >= 500, e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly:
		out.Kind, out.Message = responsehub.Unavailable, "HaloPSA cannot be reached to "+what+"."+says
	case e.Status == http.StatusTooManyRequests:
		out.Kind, out.Message = responsehub.Throttled, "HaloPSA asks the hub to slow down."
	case e.Status == http.StatusUnauthorized:
		out.Kind, out.Message = responsehub.Unauthorized, "HaloPSA refuses the hub's token. Check that the application is active and has an agent to act as."+says
	case e.Status == http.StatusForbidden, strings.Contains(strings.ToLower(says), "do not have access"):
		out.Kind, out.Message = responsehub.Forbidden, "HaloPSA does not let the hub's application "+what+". Check the scopes "+scope+" and the rights of its agent."+says
	case e.Status == http.StatusNotFound:
		out.Kind, out.Message = responsehub.NotFound, "HaloPSA has no such record to "+what+"."+says
	case e.Status < 400:
		out.Kind, out.Message = responsehub.Permanent, "The address sends the hub elsewhere. Check psa url."
	default:
		out.Kind, out.Message = responsehub.Permanent, "HaloPSA refuses to "+what+"."+says
	}
	return out
}
