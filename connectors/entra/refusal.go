package entra

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
)

// Class is what a refused token means.
type Class string

// The classes.
const (
	ConsentMissing  Class = "consent_missing"
	ResourceMissing Class = "resource_missing" // the tenant has no such service
	Credential      Class = "credential"       // the hub's own secret: all tenants at once
	AppDisabled     Class = "app_disabled"
	TenantGone      Class = "tenant_gone"
	PolicyBlocks    Class = "ca_block"
	Transient       Class = "transient"
	Unreachable     Class = "unreachable"
	Other           Class = "other"
)

// Refusal is the cause inside the *responsehub.Error of a refused token.
type Refusal struct {
	Class Class
	Code  int // number of the AADSTS error, 0 without one
	Err   error
}

// Error names the class and the number.
func (r *Refusal) Error() string {
	s := "token: " + string(r.Class)
	if r.Code != 0 {
		s += fmt.Sprintf(" AADSTS%d", r.Code)
	}
	if r.Err != nil {
		s += ": " + r.Err.Error()
	}
	return s
}

// Unwrap returns the network's error, if there was one.
func (r *Refusal) Unwrap() error { return r.Err }

// ClassOf returns the class of the refusal in err's chain, or "".
func ClassOf(err error) Class {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Class
	}
	return ""
}

// The numbers of https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
var classes = map[int]Class{
	700016: ConsentMissing, 7000229: ConsentMissing, 65001: ConsentMissing, 90094: ConsentMissing, 650051: ConsentMissing,
	500011: ResourceMissing, 650052: ResourceMissing,
	7000215: Credential, 7000222: Credential, 7000218: Credential, 700027: Credential, 50013: Credential,
	7000112: AppDisabled,
	90002:   TenantGone, 900023: TenantGone, 5000224: TenantGone,
	90055: Transient, 90033: Transient, 90006: Transient, 50196: Transient,
}

func classOf(code int) Class {
	if c, ok := classes[code]; ok {
		return c
	}
	if code/1000 == 53 || code/10000 == 53 { // Conditional Access: 53003, 530032 and their like
		return PolicyBlocks
	}
	return Other
}

type seenKey struct{}

// seen is what came back from the login during one request for a token.
type seen struct {
	answer *transport.Answer
	err    *transport.Error
}

func watch(ctx context.Context) (context.Context, *seen) {
	s := &seen{}
	ctx, s.answer = transport.Capture(ctx)
	return context.WithValue(ctx, seenKey{}, s), s
}

// refusal turns what was seen into an error for people.
func (s *seen) refusal(tenant, client, resource string) error {
	if s.err != nil && s.err.Status == 0 {
		message := loginAwayWords
		if _, ok := errors.AsType[*tls.CertificateVerificationError](s.err); ok {
			message = loginUntrustedWords
		}
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: message, Err: &Refusal{Class: Unreachable, Err: s.err}}
	}
	code, request := numbers(s.answer.Body)
	e := &responsehub.Error{RequestID: request, RetryAfter: s.answer.RetryAfter}
	class := classOf(code)
	switch {
	case code == 0 && s.answer.Status == http.StatusTooManyRequests:
		class = Transient
	case code == 0 && (s.answer.Status >= 500 || s.answer.Status < 400):
		class = Unreachable
	case class == Other && (s.answer.Status == http.StatusTooManyRequests || s.answer.Status >= 500):
		class = Transient
	}
	e.Err = &Refusal{Class: class, Code: code}
	e.Message = words(class, code, tenant, client, resource)
	switch class {
	case Transient:
		e.Kind = responsehub.Unavailable
		if s.answer.Status == http.StatusTooManyRequests {
			e.Kind = responsehub.Throttled
		}
	case Unreachable:
		e.Kind = responsehub.Unavailable
	case ResourceMissing, TenantGone:
		e.Kind = responsehub.Permanent
	default:
		e.Kind = responsehub.Forbidden
	}
	if code == 650051 { // the app's entry in the tenant is just being made
		e.Kind, e.RetryAfter = responsehub.Unavailable, max(e.RetryAfter, 30*time.Second)
	}
	return e
}

var numbered = regexp.MustCompile(`^AADSTS(\d{4,8})\b`)

// numbers reads the error's number and trace id from the login's answer. The numbers
// stand in error_codes; only where that is missing does the text begin with one.
func numbers(body []byte) (code int, request string) {
	var b struct {
		Codes       []int  `json:"error_codes"`
		Description string `json:"error_description"`
		Trace       string `json:"trace_id"`
	}
	if json.Unmarshal(body, &b) != nil {
		return 0, ""
	}
	if len(b.Codes) > 0 {
		code = b.Codes[0]
	} else if m := numbered.FindStringSubmatch(b.Description); m != nil {
		code, _ = strconv.Atoi(m[1])
	}
	if guid.MatchString(b.Trace) {
		request = b.Trace
	}
	return code, request
}

var guid = regexp.MustCompile(`^[0-9a-fA-F-]{36}$`)
