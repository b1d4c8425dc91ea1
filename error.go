package responsehub

import (
	"errors"
	"time"
)

// Kind says what class of failure an [Error] is; surfaces and steps branch on it.
type Kind string

// The kinds of failure.
const (
	Invalid        Kind = "invalid"         // the request is malformed; Pointer names the field
	Unauthorized   Kind = "unauthorized"    // who asks is not known
	Forbidden      Kind = "forbidden"       // who asks is known and may not; or the hub lacks a right at Microsoft
	NotFound       Kind = "not_found"       // the thing does not exist (any more)
	Refused        Kind = "refused"         // a gate is shut; the message says what has to happen first
	Conflict       Kind = "conflict"        // the same id was used for something else
	Gone           Kind = "gone"            // it was there, was used up, and does not come back
	Throttled      Kind = "throttled"       // the other side asks to wait RetryAfter
	Unavailable    Kind = "unavailable"     // may work later
	UnknownOutcome Kind = "unknown_outcome" // the request may have taken effect: read back before repeating it
	Permanent      Kind = "permanent"       // will not work however often it is tried
)

// Error is a failure that a person may read: a kind to branch on, one sentence that
// says what happened and what to do, and the cause behind it for the log.
// Message never contains a secret or a raw body of another system.
type Error struct {
	Kind       Kind
	Message    string
	Pointer    string        // JSON pointer to the faulty field of the request, for Invalid
	RetryAfter time.Duration // how long the other side asked to wait; 0 when it did not say
	RequestID  string        // the other side's request id, for its support
	Err        error         // the cause
}

// Error returns the sentence, and the cause behind it where there is one.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first [Error] in err's chain, or Unavailable for a
// foreign error: what is not understood may pass, and is worth another try.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unavailable
}

// Sentence returns what a person may be shown of err: the message of the first
// [Error] in its chain, or a general sentence, never the text of a foreign error.
func Sentence(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return "Something went wrong inside the hub; it is in the log and will be tried again."
}

// Refuse returns a Refused error with the sentence.
func Refuse(sentence string) error { return &Error{Kind: Refused, Message: sentence} }
