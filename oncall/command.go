package oncall

import (
	"slices"
	"strings"
	"unicode"
)

// verb is what a text asks for.
type verb string

const (
	verbNone   verb = "" // not understood
	verbAck    verb = "ack"
	verbNext   verb = "next"
	verbStatus verb = "status"
	verbHelp   verb = "help"
	verbStop   verb = "stop"
	verbStart  verb = "start"
	verbWrong  verb = "wrong number"
)

// command is a text as it is understood.
type command struct {
	verb verb
	code string // four digits, or "" for none
}

// The words that carriers and Twilio take for "no more texts" and "texts again". Twilio
// acts on them by itself, so they are no commands of the hub.
// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
var (
	stopWordList  = []string{"stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel", "stop all", "opt out"}
	startWordList = []string{"start", "unstop", "yes"}
	wrongWordList = []string{"wrong number", "who is this", "whos this", "wrong person"}
	verbWords     = map[string]verb{
		"ack": verbAck, "acknowledge": verbAck, "acknowledged": verbAck, "acked": verbAck, "code": verbAck,
		"next": verbNext, "pass": verbNext, "status": verbStatus, "help": verbHelp, "info": verbHelp,
	}
)

// longestText bounds what is looked at: a reply is a few words.
const longestText = 200

// parse reads a text the way people type it at night: any case, quotes, punctuation and
// digits of any script.
func parse(body string) command {
	if len(body) > longestText*4 {
		return command{}
	}
	words := wordsOf(body)
	line := strings.Join(words, " ")
	switch {
	case len(words) == 0:
		return command{}
	case slices.Contains(stopWordList, line):
		return command{verb: verbStop}
	case slices.Contains(startWordList, line):
		return command{verb: verbStart}
	case slices.Contains(wrongWordList, line):
		return command{verb: verbWrong}
	}
	c := command{}
	for _, w := range words {
		switch v, known := verbWords[w]; {
		case isCode(w) && c.code == "":
			c.code = w
		case known && (c.verb == verbNone || c.verb == v || w == "code"):
			if w != "code" || c.verb == verbNone {
				c.verb = v
			}
		case known && c.verb == verbAck:
			c.verb = v // "code 4821 next"
		default:
			return command{} // two codes, or words that the hub does not know: better asked again than guessed
		}
	}
	if c.verb == verbNone {
		c.verb = verbAck
	}
	if c.verb == verbAck && c.code == "" && slices.Contains(words, "code") {
		return command{}
	}
	return c
}

func isCode(w string) bool {
	return len(w) == 4 && strings.Trim(w, "0123456789") == ""
}

// wordsOf splits a text into words of letters and ASCII digits, in lower case.
func wordsOf(body string) []string {
	var b strings.Builder
	for _, r := range body {
		switch {
		case unicode.IsDigit(r):
			b.WriteByte('0' + digit(r))
		case unicode.IsLetter(r):
			b.WriteRune(unicode.ToLower(r))
		case r == '\'' || r == '’' || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Me, r):
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

// digit is the value of a digit of any script: they stand in runs of ten.
func digit(r rune) byte {
	for _, t := range unicode.Digit.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	for _, t := range unicode.Digit.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	return 0
}
