package twilio

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"strings"
	"unicode"

	"responsehub/oncall"
)

// TwiML is written by encoding/xml from these structs, so that the same words are the
// same bytes. https://www.twilio.com/docs/voice/twiml

type response struct {
	XMLName xml.Name `xml:"Response"`
	Verbs   []any
}

type say struct {
	XMLName  xml.Name `xml:"Say"`
	Language string   `xml:"language,attr,omitempty"`
	Text     string   `xml:",chardata"`
}

type gather struct {
	XMLName xml.Name `xml:"Gather"`
	Input   string   `xml:"input,attr"`
	Action  string   `xml:"action,attr"`
	Method  string   `xml:"method,attr"`
	Timeout int      `xml:"timeout,attr"`
	Digits  int      `xml:"numDigits,attr"`
	Finish  string   `xml:"finishOnKey,attr"`
	Empty   string   `xml:"actionOnEmptyResult,attr,omitempty"`
	Says    []say
}

type pauseVerb struct {
	XMLName xml.Name `xml:"Pause"`
	Length  int      `xml:"length,attr"`
}

type redirectVerb struct {
	XMLName xml.Name `xml:"Redirect"`
	Method  string   `xml:"method,attr"`
	Address string   `xml:",chardata"`
}

type hangup struct {
	XMLName xml.Name `xml:"Hangup"`
}

type message struct {
	XMLName xml.Name `xml:"Message"`
	Text    string   `xml:",chardata"`
}

const (
	// keyWithin is how long a digit is awaited after the last word, in seconds.
	keyWithin = 8
	// sentence is the most characters of one line that are said.
	sentence = 600
	// lines is the most lines that are said.
	lines = 20
)

// document writes verbs as a whole answer.
func document(verbs ...any) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(response{Verbs: verbs}); err != nil {
		return []byte(xml.Header + "<Response></Response>") // cannot be: the structs are ours
	}
	return b.Bytes()
}

// spoken is a speech as TwiML. Where a digit is awaited the lines are said twice, and the
// second silence is told to action too.
func spoken(s oncall.Speech, action string) []byte {
	says := sayings(s.Lines, s.Language)
	last := sayings([]string{s.Goodbye}, s.Language)
	var verbs []any
	if s.Ask {
		ask := gather{Input: "dtmf", Action: action, Method: "POST", Timeout: keyWithin, Digits: 1, Says: says}
		again := ask
		again.Empty = "true"
		verbs = append(verbs, ask, again)
	} else {
		verbs = append(verbs, anys(says)...)
	}
	return document(append(append(verbs, anys(last)...), hangup{})...)
}

// again says "one moment" and has Twilio ask once more.
func again(address, language string, seconds int) []byte {
	return document(say{Language: tongue(language), Text: oneMoment}, pauseVerb{Length: seconds}, redirectVerb{Method: "POST", Address: address})
}

// ended says one sentence and hangs up.
func ended(text, language string) []byte {
	return document(say{Language: tongue(language), Text: text}, hangup{})
}

// reply is a text that answers a text.
func reply(text string) []byte { return document(message{Text: clean(text, 1600)}) }

func sayings(texts []string, language string) []say {
	var says []say
	for _, t := range texts[:min(len(texts), lines)] {
		if t = clean(t, sentence); t != "" {
			says = append(says, say{Language: tongue(language), Text: t})
		}
	}
	return says
}

func anys(says []say) []any {
	var verbs []any
	for _, s := range says {
		verbs = append(verbs, s)
	}
	return verbs
}

var languageShape = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$`)

// tongue is the language attribute; anything that is no language is left to Twilio.
func tongue(language string) string {
	if !languageShape.MatchString(language) {
		return ""
	}
	return language
}

// clean takes out what cannot be said or shown and shortens to n characters.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar || r == 0xFFFE || r == 0xFFFF:
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
