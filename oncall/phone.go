package oncall

import (
	"context"
	"errors"
	"time"

	"responsehub"
)

// Phone is the telephone network. Errors carry a [responsehub.Error] whose kind says
// what to do: Throttled and Unavailable are certain not to have been done; Permanent is
// refused for good, with a [Refusal] that says whose fault it is; UnknownOutcome may or
// may not have been done and is looked up with Find before it is tried again.
type Phone interface {
	// Call rings a number. What is said is asked for when somebody answers.
	Call(ctx context.Context, c Call) (Placed, error)
	// Text sends a text.
	Text(ctx context.Context, t Text) (Placed, error)
	// HangUp ends a call, whether it rings or is answered; ending one that is over is no error.
	HangUp(ctx context.Context, sid string) error
	// Find lists what was placed to a number since a time, newest first.
	Find(ctx context.Context, way responsehub.Way, to string, since time.Time) ([]Placed, error)
}

// Call is a call to be placed.
type Call struct {
	Attempt  string        // id of the attempt; all that the callback addresses carry
	To       string        // E.164
	Ring     time.Duration // how long it rings
	Severity responsehub.Severity
}

// Text is a text to be sent.
type Text struct {
	Attempt  string // id of the attempt
	To       string // E.164
	Body     string // within one GSM-7 segment
	Severity responsehub.Severity
}

// Placed is a call or text as the network knows it.
type Placed struct {
	SID      string
	To       string
	Body     string // of a text
	At       time.Time
	Progress Progress
}

// Progress is a report about a call or text. Reports come late, doubled, in any order or
// not at all.
type Progress struct {
	SID      string
	State    responsehub.AttemptState
	Sequence int  // the network's number of the report; 0 where it gives none
	Machine  bool // a machine answered
	Code     int  // the network's error code, 0 for none
	Refusal  Refusal
	Reason   string // for people
}

// Refusal says what is at fault where a call or text is refused for good.
type Refusal string

// The kinds of refusals.
const (
	BadNumber  Refusal = "number"   // no retry; the operators are told
	OptedOut   Refusal = "opt-out"  // the person wrote STOP: only calls from now on
	Filtered   Refusal = "filtered" // the carrier dropped it: not the same words again
	BadAccount Refusal = "account"  // nothing gets through: the operators are told by all other ways
	OurFault   Refusal = "request"  // a mistake of the hub
	NotNow     Refusal = "later"    // the phone is off or out of reach: the other way is used
)

// Refused is the cause behind a Permanent error of a [Phone].
type Refused struct {
	Refusal Refusal
	Code    int    // the network's error code, 0 for none
	Reason  string // for people
}

// Error says why, without the number.
func (r *Refused) Error() string { return r.Reason }

// RefusalOf says what is at fault where err is a refusal for good; "" where it is none.
func RefusalOf(err error) Refusal {
	if r, ok := errors.AsType[*Refused](err); ok {
		return r.Refusal
	}
	return ""
}

// Speech is what is said on a call.
type Speech struct {
	Lines    []string // sentences, said in this order
	Language string   // BCP 47
	Ask      bool     // one digit is awaited after the lines; said twice, then goodbye
	Goodbye  string   // said before hanging up
	Wait     string   // the digit that is worked on: say "one moment" and ask again with it
}

// Switchboard answers what the telephone network asks and takes what it reports. Every
// method returns within seconds; the work that follows is done by the lane.
type Switchboard interface {
	// Answered is asked when somebody or something picked up the call of an attempt.
	Answered(ctx context.Context, attempt string) (Speech, error)
	// Pressed takes a digit pressed on the call; the same key comes again when the answer
	// was lost. digit is "" when nothing was pressed. try counts "one moment" answers.
	Pressed(ctx context.Context, attempt, sid, digit string, try int) (Speech, error)
	// Reported takes a report about an attempt.
	Reported(ctx context.Context, attempt string, p Progress) error
	// Texted takes a text from a person. The reply is "" for none.
	Texted(ctx context.Context, t Incoming) (reply string, err error)
	// CalledIn is asked when somebody calls the hub's number.
	CalledIn(ctx context.Context, from string) (Speech, error)
}

// Incoming is a text that came in, verified to come from the network.
type Incoming struct {
	SID  string // the network's id; the same text may come again
	From string // E.164
	To   string // the hub's number
	Body string
}
