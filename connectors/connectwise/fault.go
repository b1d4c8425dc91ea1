package connectwise

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

// refusal is how ConnectWise says no. 429 has "error" instead of "code".
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Errors  []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field"`
	} `json:"errors"`
}

func complaint(body []byte) refusal {
	var r refusal
	_ = json.Unmarshal(body, &r) // a gateway's page says nothing
	return r
}

// has reports whether one of the errors has the code.
func (r refusal) has(code string) bool {
	for _, e := range r.Errors {
		if e.Code == code {
			return true
		}
	}
	return r.Code == code
}

// said is ConnectWise's own text, which technicians search for, without the hub's keys.
func (d *Desk) said(r refusal) string {
	parts := []string{r.Message}
	for _, e := range r.Errors {
		text := e.Message
		if e.Field != "" {
			text += " (field: " + e.Field + ")"
		}
		parts = append(parts, text)
	}
	text := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.Join(parts, " - "))
	for _, secret := range []string{d.auth, strings.TrimPrefix(d.auth, "Basic "), string(d.cfg.PrivateKey)} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return ticket.Short(strings.Join(strings.Fields(text), " "), 400)
}

// fault makes an error for people of a failed call.
func (d *Desk) fault(what string, err error) error {
	e, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return err
	}
	r := complaint(e.Body)
	out := &responsehub.Error{RetryAfter: e.RetryAfter, RequestID: e.RequestID, Err: e}
	said := ""
	if text := d.said(r); text != "" {
		said = " It says: " + text
	}
	write := e.Method != http.MethodGet && e.Method != http.MethodHead
	switch {
	case e.Status == 0 && e.Sent && write, write && (e.Status == http.StatusRequestTimeout || e.Status >= 500):
		out.Kind, out.Message = responsehub.UnknownOutcome, "ConnectWise was asked to "+what+" and gave no usable answer; the hub looks whether it was done."
	case e.Status == 0, e.Status >= 500, e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly:
		out.Kind, out.Message = responsehub.Unavailable, "ConnectWise cannot be reached to "+what+"."+said
	case e.Status == http.StatusTooManyRequests:
		out.Kind, out.Message = responsehub.Throttled, "ConnectWise asks the hub to slow down."
	case e.Status == http.StatusUnauthorized:
		out.Kind, out.Message = responsehub.Unauthorized, "ConnectWise refuses the hub's API keys. Check psa company, public_key, private_key and client_id, and that the API member is active."+said
	case e.Status == http.StatusForbidden:
		out.Kind, out.Message = responsehub.Forbidden, "ConnectWise does not let the hub's API member "+what+". Check its security role."+said
	case e.Status == http.StatusNotFound && r.Code == "NotFound":
		out.Kind, out.Message = responsehub.NotFound, "ConnectWise has no such record to "+what+"."+said
	case e.Status == http.StatusNotFound:
		out.Kind, out.Message = responsehub.Permanent, "ConnectWise does not know the address to "+what+". Check psa site and the API keys."+said
	case e.Status < 400:
		out.Kind, out.Message = responsehub.Permanent, "The site sends the hub elsewhere. Check psa site."
	default:
		out.Kind, out.Message = responsehub.Permanent, "ConnectWise refuses to "+what+"."+said
	}
	return out
}
