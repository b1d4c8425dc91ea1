package intake

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"responsehub"
)

// Every sentence a sender can get stands here.

const (
	titleInvalid     = "The alert cannot be used"
	titleConflict    = "This webhook-id was used for another message"
	titleUnavailable = "The alert could not be stored"
	titleFailed      = "The alert could not be taken"
)

var (
	unknownSource = problem{Type: "urn:responsehub:problem:unknown-source", Title: "No such source", Status: http.StatusNotFound,
		Detail: "The last part of the address is not the name of a source in the hub's configuration."}
	wrongMethod = problem{Type: "urn:responsehub:problem:method", Title: "Only POST is answered here", Status: http.StatusMethodNotAllowed}
	notJSON     = problem{Type: "urn:responsehub:problem:content-type", Title: "The alert must be JSON", Status: http.StatusUnsupportedMediaType,
		Detail: "Send it with Content-Type: application/json, in UTF-8."}
	packed = problem{Type: "urn:responsehub:problem:content-encoding", Title: "The alert must not be compressed", Status: http.StatusUnsupportedMediaType,
		Detail: "Send it without Content-Encoding."}
	notProven = problem{Type: "urn:responsehub:problem:unauthorized", Title: "The sender is not known", Status: http.StatusUnauthorized}
	tooSlow   = problem{Type: "urn:responsehub:problem:timeout", Title: "The alert came too slowly", Status: http.StatusRequestTimeout}
	brokenOff = problem{Type: "urn:responsehub:problem:broken-off", Title: "The alert broke off", Status: http.StatusBadRequest,
		Detail: "The body ended before its announced length. Send it again."}
)

func tooBig(most int64) *problem {
	return &problem{Type: "urn:responsehub:problem:too-big", Title: "The alert is too big", Status: http.StatusRequestEntityTooLarge,
		Detail: fmt.Sprintf("An alert may have at most %d bytes.", most)}
}

// invalid is an Invalid error at a pointer.
func invalid(pointer, format string, args ...any) error {
	where := pointer
	if where == "" {
		where = "The alert"
	}
	return &responsehub.Error{Kind: responsehub.Invalid, Pointer: pointer, Message: shortened(where) + " " + fmt.Sprintf(format, args...)}
}

// Sentences about one field; the pointer stands before them.
const (
	wordsNotUTF8   = "is not valid UTF-8."
	wordsNotJSON   = "is not valid JSON."
	wordsDeep      = "is nested more than %d levels deep."
	wordsMany      = "has more than %d values."
	wordsTwice     = "stands there twice."
	wordsNumber    = "is a number that is too large or too long."
	wordsUnknown   = "is not a field of the alert format."
	wordsObject    = "must be an object."
	wordsList      = "must be a list."
	wordsText      = "must be a text."
	wordsTime      = "must be a time in RFC 3339, such as 2026-11-23T09:40:00Z, between 1970 and 2999."
	wordsMapFailed = "could not be mapped: the expression failed on this message."
	wordsMapSlow   = "could not be mapped: the expression took longer than allowed."
	wordsMapMany   = "could not be mapped: the expression gives more than one value."
	wordsMapBig    = "could not be mapped: the expression gives more than %d bytes."
	wordsMapShape  = "could not be mapped: the expression gives %s where %s is needed."
)

// errorAs finds the first root error in the chain.
func errorAs(err error) (*responsehub.Error, bool) {
	return errors.AsType[*responsehub.Error](err)
}

// shortened keeps a stranger's key names from filling an answer.
func shortened(pointer string) string {
	const most = 200
	if utf8.RuneCountInString(pointer) <= most {
		return pointer
	}
	return string([]rune(pointer)[:most]) + "..."
}

// What the operators read about a source that is asked.
const (
	wordsPollDown     = "The source %s cannot be asked what it found, so a message of it that gets lost would be missed. %s"
	wordsPollBack     = "The source %s can be asked again. What it found meanwhile is taken in now."
	wordsPollCut      = "The source %s found more than it gives at once: the hub got %d incidents since %s UTC. Look there whether older ones are open."
	wordsPollUnusable = "The source %s lists an incident that the hub cannot use: %s. Look at it there. %s"
)
