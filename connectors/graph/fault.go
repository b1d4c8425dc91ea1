package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"responsehub"
)

// Class says what a failure at Graph means for the hub.
type Class string

// The classes.
const (
	Auth            Class = "auth"             // the token was refused
	Permission      Class = "permission"       // a permission is missing, or the target is protected: cannot be told apart
	Missing         Class = "missing"          // a permission is missing for certain
	ProtectedTarget Class = "protected_target" // the account has an admin role
	RestrictedUnit  Class = "restricted_unit"  // the account is in a restricted management unit
	Withheld        Class = "withheld"         // the tenant keeps this mailbox from the hub
	OnPremMastered  Class = "on_prem_mastered"
	NotFound        Class = "not_found"
	NoMailbox       Class = "no_mailbox"
	Licence         Class = "licence"
	Throttled       Class = "throttled"
	Transient       Class = "transient"
	Conflict        Class = "conflict"
	BadRequest      Class = "bad_request"
	PolicyRejected  Class = "policy_rejected" // the password is refused by the tenant's policy
	UnknownOutcome  Class = "unknown_outcome"
	Unreachable     Class = "unreachable" // the request never got there
	ReadOnly        Class = "read_only"   // a rule that Graph cannot change
)

// Fault is the cause inside the *responsehub.Error of a failed call.
type Fault struct {
	Class Class
	Op    string // what was being done
	Err   error  // *transport.Error nearly always
}

// Error names class and cause, without texts of the service.
func (f *Fault) Error() string {
	s := "graph: " + f.Op + ": " + string(f.Class)
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// ClassOf returns the class of the fault in err's chain, or "".
func ClassOf(err error) Class {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Class
	}
	return ""
}

// complaint reads code and message of Graph's error body. Bodies may be empty, "{}",
// HTML of a gateway, or carry error as a text; all of these are no complaint.
func complaint(body []byte) (code, message string) {
	var outer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return "", ""
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(outer.Error, &inner) != nil {
		return "", ""
	}
	text := func(key string) (s string) {
		_ = json.Unmarshal(inner[key], &s) // anything but a text is none
		return s
	}
	return text("code"), text("message")
}

var (
	noMailboxCodes = []string{"mailboxnotenabledforrestapi", "errorinvaliduser", "errornonexistentmailbox", "mailboxnotsupportedforrestapi"}
	throttledCodes = []string{"toomanyrequests", "applicationthrottled", "activitylimitreached", "errortoomanyobjectsopened", "errorserverbusy"}
	licenceCodes   = []string{"authentication_requestfromnonpremiumtenantorb2ctenant"}
	transientCodes = []string{"servicenotavailable", "errorinternalservertransienterror", "mailboxinfostale", "errormailboxstoreunavailable", "errormailboxmovinginprogress"}
	conflictCodes  = []string{"directory_concurrencyviolation"}
)

// classify sorts a refused request. Codes differ in case between services and may be
// missing, so that the status decides where they say nothing. mail tells that the
// request was to a mailbox.
func classify(status int, code, message string, mail bool) Class {
	code, message = strings.ToLower(code), strings.ToLower(message)
	has := func(s string) bool { return strings.Contains(message, s) }
	switch {
	case status == http.StatusTooManyRequests, slices.Contains(throttledCodes, code):
		return Throttled
	case status == http.StatusUnauthorized:
		return Auth
	case slices.Contains(noMailboxCodes, code), has("mailbox is either inactive"), mail && code == "resourcenotfound":
		return NoMailbox
	case slices.Contains(licenceCodes, code), has("premium license"), has("not licensed for this feature"):
		return Licence
	case slices.Contains(conflictCodes, code), status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return Conflict
	case slices.Contains(transientCodes, code):
		return Transient
	case status == http.StatusForbidden && mail:
		return Withheld
	case status == http.StatusForbidden:
		return Permission
	case has("for the segment"):
		return BadRequest // an address the service does not know says nothing about the thing
	case status == http.StatusNotFound, status == http.StatusGone:
		return NotFound
	case has("on-premises mastered"), has("directory sync objects"):
		return OnPremMastered
	case status == http.StatusBadRequest && has("password") && (has("comply") || has("complexity") || has("policy") || has("banned") || has("weak")):
		return PolicyRejected
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusFailedDependency, status >= 500, status < 400:
		return Transient
	}
	return BadRequest
}

// kind is the class as the engine branches on it.
func (c Class) kind() responsehub.Kind {
	switch c {
	case Auth, Permission, Missing, ProtectedTarget, RestrictedUnit, Withheld, ReadOnly:
		return responsehub.Forbidden
	case NotFound, NoMailbox:
		return responsehub.NotFound
	case Throttled:
		return responsehub.Throttled
	case Transient, Conflict, Unreachable:
		return responsehub.Unavailable
	case PolicyRejected:
		return responsehub.Invalid
	case UnknownOutcome:
		return responsehub.UnknownOutcome
	}
	return responsehub.Permanent
}
