package twilio

import (
	"encoding/json"
	"errors"
	"net/http"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/oncall"
)

// refusal is the body of Twilio's refusals. Its message repeats numbers and is not used.
// https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions
type refusal struct {
	Code int `json:"code"`
}

func problem(a *transport.Answer) refusal {
	var r refusal
	if a.Status >= 400 {
		_ = json.Unmarshal(a.Body, &r) // what is no JSON has no code
	}
	return r
}

// created says how a request came out that places a call or text. The status decides
// first: the SDK loses it where the body is no JSON.
func created(a *transport.Answer, err error, made bool, what string) error {
	switch {
	case err == nil && made && a.Status >= 200 && a.Status <= 299:
		return nil
	case a.Status == 0 && a.Sent:
		return fault(a, err, responsehub.UnknownOutcome, what+" may or may not have been placed: Twilio did not answer.")
	case a.Status == 0:
		return fault(a, err, responsehub.Unavailable, what+" was not placed: Twilio cannot be reached.")
	case a.Status < 300:
		return fault(a, err, responsehub.UnknownOutcome, what+" may or may not have been placed: Twilio's answer cannot be read.")
	case a.Status < 400:
		return refused(a, err, what, oncall.BadAccount, "twilio.api points elsewhere")
	case a.Status == http.StatusTooManyRequests:
		return fault(a, err, responsehub.Throttled, what+" was not placed: Twilio asks for a pause.")
	case a.Status >= 500, a.Status == http.StatusRequestTimeout:
		return fault(a, err, responsehub.UnknownOutcome, what+" may or may not have been placed: Twilio has trouble.")
	}
	n := problem(a).Code
	c := codes[n]
	switch c.class {
	case retry:
		return fault(a, err, responsehub.Throttled, because(what+" was not placed", c.reason, n)+".")
	case unknownOutcome:
		return fault(a, err, responsehub.UnknownOutcome, because(what+" may or may not have been placed", c.reason, n)+".")
	case unlisted:
		if a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status == http.StatusNotFound {
			return refused(a, err, what, oncall.BadAccount, "Twilio does not take the account or the API key")
		}
		return refused(a, err, what, oncall.BadNumber, "") // this attempt only: nobody knows what it means
	case retryLater, late, numberPermanent, blocked, optedOut, filtered, configPermanent, webhook, ourBug:
	}
	return refused(a, err, what, refusals[c.class], c.reason)
}

func refused(a *transport.Answer, err error, what string, r oncall.Refusal, reason string) error {
	n := problem(a).Code
	sentence := because(what+" was refused", reason, n)
	if n == 0 && reason != "" {
		sentence = what + " was refused: " + reason
	}
	cause := &oncall.Refused{Refusal: r, Code: n, Reason: sentence}
	return fault(a, errors.Join(cause, bare(err)), responsehub.Permanent, sentence+".")
}

// read says how a request failed that changes nothing, or that may be repeated.
func read(a *transport.Answer, err error, what string) error {
	n := problem(a).Code
	switch {
	case a.Status == http.StatusTooManyRequests:
		return fault(a, err, responsehub.Throttled, what+": Twilio asks for a pause.")
	case a.Status >= 400 && a.Status < 500 && a.Status != http.StatusRequestTimeout:
		return fault(a, err, responsehub.Permanent, because(what, codes[n].reason, n)+".")
	}
	return fault(a, err, responsehub.Unavailable, what+": Twilio cannot be reached or has trouble.")
}

func fault(a *transport.Answer, err error, kind responsehub.Kind, sentence string) error {
	return &responsehub.Error{Kind: kind, Message: sentence, RetryAfter: a.RetryAfter, RequestID: a.RequestID, Err: bare(err)}
}

// bare keeps of a cause what may be logged: the SDK's errors quote Twilio's messages,
// which quote numbers, and net/http's quote addresses.
func bare(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*transport.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*oncall.Refused](err); ok {
		return e
	}
	return nil
}
