package twilio

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxTwiML is the largest document that Twilio takes, in bytes.
const maxTwiML = 64 << 10

// maxSay is the longest text of one Say, in characters.
const maxSay = 4096

// verb is one element of a document.
type verb struct {
	name string
	text string // of Say and Message, the address of Redirect
	attr map[string]string
	in   []verb // of Gather
}

// fault is what is wrong with a document, with the number of Twilio's error.
type fault struct {
	code int
	what string
}

func (f *fault) Error() string { return fmt.Sprintf("%d: %s", f.code, f.what) }

// grammar says which attributes a verb may have. Elements that only live inside of others are in
// inside.
type grammar map[string]string

var (
	// https://www.twilio.com/docs/voice/twiml
	voiceVerbs = grammar{
		"Say": "voice language loop", "Pause": "length", "Redirect": "method", "Hangup": "",
		"Gather": "action method timeout numDigits finishOnKey input language actionOnEmptyResult bargeIn hints speechTimeout profanityFilter",
	}
	gatherVerbs = grammar{"Say": voiceVerbs["Say"], "Pause": voiceVerbs["Pause"]}
	// https://www.twilio.com/docs/messaging/twiml
	textVerbs = grammar{"Message": "to from action method statusCallback", "Redirect": "method"}
	// https://www.twilio.com/docs/voice/twiml/say/text-speech#ssml
	speechMarks = grammar{
		"break": "strength time", "emphasis": "level", "lang": "lang", "p": "", "phoneme": "alphabet ph", "prosody": "volume rate pitch",
		"s": "", "say-as": "interpret-as format", "sub": "alias", "w": "role",
	}
)

// readTwiML reads a document whose verbs are known. It refuses what Twilio refuses, and also what
// Twilio only warns of.
func readTwiML(raw []byte, known grammar) ([]verb, *fault) {
	if len(raw) > maxTwiML {
		return nil, &fault{11750, "the document is larger than 64 kB"}
	}
	if !utf8.Valid(raw) {
		return nil, &fault{12100, "the document is not UTF-8"}
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	root, err := nextElement(d)
	if err != nil {
		return nil, asFault(err)
	}
	if root.Name.Local != "Response" || root.Name.Space != "" || len(root.Attr) > 0 {
		return nil, &fault{12200, "the document does not begin with a Response without attributes"}
	}
	verbs, err := children(d, known)
	if err != nil {
		return nil, asFault(err)
	}
	if after, err := nextElement(d); !errors.Is(err, io.EOF) {
		if err == nil {
			return nil, &fault{12100, "there is a second element " + after.Name.Local}
		}
		return nil, asFault(err)
	}
	return verbs, nil
}

func asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	return &fault{12100, "the document cannot be parsed: " + err.Error()}
}

// nextElement skips what may stand outside of the root.
func nextElement(d *xml.Decoder) (xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return xml.StartElement{}, &fault{12100, "text outside of the Response"}
			}
		case xml.Directive:
			return xml.StartElement{}, &fault{12100, "a document type"}
		}
	}
}

// children reads verbs up to the end of the element they are in.
func children(d *xml.Decoder, known grammar) (out []verb, err error) {
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return out, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, &fault{12200, "text between verbs"}
			}
		case xml.Directive, xml.ProcInst:
			return nil, &fault{12100, "an instruction inside of the document"}
		case xml.StartElement:
			v, err := readVerb(d, t, known)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
}

func readVerb(d *xml.Decoder, start xml.StartElement, known grammar) (v verb, err error) {
	v.name = start.Name.Local
	if v.attr, err = attributes(start, known); err != nil {
		return v, err
	}
	switch v.name {
	case "Gather":
		v.in, err = children(d, gatherVerbs)
	case "Say":
		v.text, err = content(d, speechMarks)
	case "Message":
		v.text, err = content(d, grammar{"Body": ""})
	default:
		v.text, err = content(d, nil)
	}
	if err != nil {
		return v, err
	}
	v.text = strings.TrimSpace(v.text)
	return v, v.check()
}

func attributes(start xml.StartElement, known grammar) (map[string]string, error) {
	allowed, ok := known[start.Name.Local]
	if !ok || start.Name.Space != "" {
		return nil, &fault{12200, "unknown element " + start.Name.Local}
	}
	out := map[string]string{}
	for _, a := range start.Attr {
		if !slices.Contains(strings.Fields(allowed), a.Name.Local) {
			return nil, &fault{12200, start.Name.Local + " has no attribute " + a.Name.Local}
		}
		if _, twice := out[a.Name.Local]; twice {
			return nil, &fault{12100, "attribute " + a.Name.Local + " twice"}
		}
		out[a.Name.Local] = a.Value
	}
	return out, nil
}

// content reads text with the marks that may be in it up to the end of the element.
func content(d *xml.Decoder, marks grammar) (string, error) {
	var b strings.Builder
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			if _, err := attributes(t, marks); err != nil {
				return "", err
			}
			if depth++; depth > 8 {
				return "", &fault{12200, "elements nested too deep"}
			}
		case xml.EndElement:
			if depth == 0 {
				return b.String(), nil
			}
			depth--
		case xml.Directive, xml.ProcInst:
			return "", &fault{12100, "an instruction inside of the document"}
		}
	}
}

// check holds values against what the verb takes.
func (v verb) check() error {
	wrong := func(what string) error { return &fault{12200, v.name + ": " + what} }
	for _, name := range []string{"timeout", "numDigits", "length", "loop"} {
		given, ok := v.attr[name]
		if n, err := strconv.Atoi(given); ok && (err != nil || n < 0 || n > 600 || (n == 0 && name == "numDigits")) {
			return wrong("attribute " + name + " is no number it takes")
		}
	}
	if m, ok := v.attr["method"]; ok && m != "GET" && m != "POST" {
		return wrong("method is neither GET nor POST")
	}
	for _, name := range []string{"actionOnEmptyResult", "bargeIn", "profanityFilter"} {
		if b, ok := v.attr[name]; ok && b != "true" && b != "false" {
			return wrong(name + " is neither true nor false")
		}
	}
	if in, ok := v.attr["input"]; ok && !slices.Contains([]string{"dtmf", "dtmf speech"}, in) {
		return wrong("input that the simulator cannot take")
	}
	if k, ok := v.attr["finishOnKey"]; ok && (len(k) > 1 || !isDigits(k)) {
		return wrong("finishOnKey is no key")
	}
	switch {
	case v.name == "Say" && (v.text == "" || utf8.RuneCountInString(v.text) > maxSay):
		return wrong("no text, or more than 4096 characters")
	case v.name == "Redirect" && v.text == "":
		return wrong("no address")
	case v.name == "Message" && utf8.RuneCountInString(v.text) > maxBody:
		return wrong("more than 1600 characters")
	case (v.name == "Pause" || v.name == "Hangup") && v.text != "":
		return wrong("text inside")
	}
	return nil
}

// seconds is an attribute in seconds.
func (v verb) seconds(name string, otherwise int) time.Duration {
	if n, err := strconv.Atoi(v.attr[name]); err == nil {
		return time.Duration(n) * time.Second
	}
	return time.Duration(otherwise) * time.Second
}

// isDigits says that every rune is a key of a phone.
func isDigits(s string) bool {
	return strings.Trim(s, "0123456789*#") == ""
}
