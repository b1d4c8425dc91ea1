package twilio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// speech is how many characters are said in a second.
const speech = 15

// maxDocuments bounds how many documents one call may ask for, so that a redirect to itself ends.
const maxDocuments = 200

// applicationError is what Twilio says when a document cannot be had or read.
const applicationError = "We are sorry, an application error has occurred. Goodbye."

// errHungUp ends a document: Hangup, or its last verb is done.
var errHungUp = errors.New("hung up")

// step is the next document of a call.
type step struct {
	hook
	inline string // the document itself
}

// redirected is a change of the document from outside.
type redirected struct{ to asked }

func (*redirected) Error() string { return "redirected" }

// talk does what documents say until the call is over.
func (s *Service) talk(c *call, does script) *ending {
	over := &ending{status: "completed", sip: 200}
	if c.asked.TimeLimit > 0 {
		limit := time.AfterFunc(s.scaled(time.Duration(c.asked.TimeLimit)*time.Second), func() { c.end(&ending{status: "completed", sip: 200}) })
		defer limit.Stop()
	}
	if c.asked.Machine != "" {
		if c.asked.Async {
			s.spawn(func() {
				if s.detect(c, does) {
					s.tellMachine(c)
				}
			})
		} else if !s.detect(c, does) {
			return over
		}
	}
	keys := slices.Clone(does.keys)
	next := s.firstStep(c, c.asked)
	for range maxDocuments {
		verbs, base, err := s.document(c, next)
		if err == nil {
			next, err = s.perform(c, verbs, base, &keys, does.late)
		}
		var away *redirected
		switch {
		case err == nil:
		case errors.As(err, &away):
			next = s.firstStep(c, away.to)
		default:
			return over
		}
	}
	s.alert(c.SID, &fault{12200, "the call asked for too many documents"})
	return over
}

// firstStep is the document that a creation or update names.
func (s *Service) firstStep(c *call, a asked) step {
	form := s.about(c)
	s.mu.Lock()
	if c.AnsweredBy != "" && !c.asked.Async {
		form.Set("AnsweredBy", c.AnsweredBy)
	}
	s.mu.Unlock()
	if a.URL == "" {
		return step{inline: a.Twiml}
	}
	return step{hook: hook{kind: "voice", method: a.Method, address: a.URL, about: c.SID, state: "in-progress", form: form}}
}

// detect finds out who picked up; false when the call ended before.
func (s *Service) detect(c *call, does script) bool {
	by, after := "human", 2*time.Second
	if does.pickup == "voicemail" {
		by, after = "machine_start", 4*time.Second
		if c.asked.Machine == "DetectMessageEnd" {
			by, after = "machine_end_beep", 12*time.Second
		}
	}
	if !s.pause(c.ctx, after) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.AnsweredBy = by
	return true
}

// tellMachine posts the result of a detection beside the call.
// https://www.twilio.com/docs/voice/answering-machine-detection
func (s *Service) tellMachine(c *call) {
	s.mu.Lock()
	form := url.Values{
		"CallSid": {c.SID}, "AccountSid": {s.cfg.AccountSID}, "AnsweredBy": {c.AnsweredBy},
		"MachineDetectionDuration": {strconv.FormatInt(time.Since(c.Answered).Milliseconds(), 10)},
	}
	by, none := c.AnsweredBy, (<-chan struct{})(nil)
	s.mu.Unlock()
	s.notify(&none, hook{kind: "callback", method: c.asked.AMDMethod, address: c.asked.AMDCallback, about: c.SID, state: by, form: form})
}

// document gets and reads one. When it cannot be had the fallback is asked, and without one the
// caller hears of an application error.
func (s *Service) document(c *call, at step) ([]verb, *url.URL, error) {
	verbs, base, f := s.fetch(c, at)
	if f == nil {
		return verbs, base, nil
	}
	if c.ctx.Err() != nil {
		return nil, nil, context.Cause(c.ctx)
	}
	s.alert(c.SID, f)
	if c.asked.FallbackURL != "" {
		form := s.about(c)
		form.Set("ErrorCode", strconv.Itoa(f.code))
		form.Set("ErrorUrl", at.address)
		var again *fault
		verbs, base, again = s.fetch(c, step{hook: hook{kind: "voice", method: c.asked.FallbackMethod, address: c.asked.FallbackURL, about: c.SID, state: "in-progress", form: form}})
		if again == nil {
			return verbs, base, nil
		}
		s.alert(c.SID, again)
	}
	if err := s.say(c, applicationError); err != nil {
		return nil, nil, err
	}
	return nil, nil, errHungUp
}

// fetch asks for a document while the call may end.
func (s *Service) fetch(c *call, at step) ([]verb, *url.URL, *fault) {
	if at.address == "" {
		verbs, f := readTwiML([]byte(at.inline), voiceVerbs)
		return verbs, &url.URL{}, f
	}
	var got heard
	var err error
	if fault, ok := s.cfg.Log.Pick("twilio.callback", cmp.Or(at.method, "POST"), pathOf(at.address), at.form.Encode()); ok {
		if !s.pause(c.ctx, time.Duration(fault.DelayMS)*time.Millisecond) {
			err = context.Cause(c.ctx)
		} else {
			got, err = s.deliver(c.ctx, at.hook, &fault)
		}
	} else {
		got, err = s.deliver(c.ctx, at.hook, nil)
	}
	if err != nil {
		return nil, nil, &fault{11200, err.Error()}
	}
	verbs, f := readAnswer(got, voiceVerbs)
	return verbs, got.base, f
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Path + "?" + u.RawQuery
}

// readAnswer reads the document that was answered. No content is an empty document.
func readAnswer(got heard, known grammar) ([]verb, *fault) {
	if got.status/100 != 2 {
		return nil, &fault{11200, fmt.Sprintf("the answer was %d", got.status)}
	}
	if got.status == 204 {
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(got.kind)
	if err != nil || !slices.Contains([]string{"text/xml", "application/xml"}, kind) {
		return nil, &fault{12300, "the content type is " + strconv.Quote(got.kind)}
	}
	return readTwiML(got.body, known)
}

// perform does the verbs and returns what to ask for next, or errHungUp.
func (s *Service) perform(c *call, verbs []verb, base *url.URL, keys *[]string, late bool) (step, error) {
	for _, v := range verbs {
		switch v.name {
		case "Say", "Pause":
			if err := s.utter(c, v); err != nil {
				return step{}, err
			}
		case "Hangup":
			return step{}, errHungUp
		case "Redirect":
			return s.nextStep(c, base, v.text, v.attr["method"], nil)
		case "Gather":
			digits, ended, err := s.gather(c, v, keys, late)
			if ended != "" {
				s.pressedLate(c, base, v, ended)
			}
			if err != nil {
				return step{}, err
			}
			if digits != "" || v.attr["actionOnEmptyResult"] == "true" {
				return s.nextStep(c, base, v.attr["action"], v.attr["method"], url.Values{"Digits": {digits}, "FinishedOnKey": {""}, "msg": {"Gather End"}})
			}
		}
	}
	return step{}, errHungUp
}

// nextStep is a document by an address that may be relative; "" is the present one.
func (s *Service) nextStep(c *call, base *url.URL, address, method string, more url.Values) (step, error) {
	u, err := base.Parse(address)
	if err != nil || u.Hostname() == "" {
		s.alert(c.SID, &fault{11100, "no absolute address for the next document"})
		if err := s.say(c, applicationError); err != nil {
			return step{}, err
		}
		return step{}, errHungUp
	}
	full := u.String()
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		full = address // byte for byte: the signature is over it
	}
	form := s.about(c)
	for name, v := range more {
		form[name] = v
	}
	return step{hook: hook{kind: "voice", method: method, address: full, about: c.SID, state: "in-progress", form: form}}, nil
}

// utter does what a Gather may hold: Say and Pause.
func (s *Service) utter(c *call, v verb) error {
	if v.name == "Pause" {
		return s.idle(c, v.seconds("length", 1))
	}
	times := 1
	if n, err := strconv.Atoi(v.attr["loop"]); err == nil {
		times = max(1, min(n, 10))
	}
	for range times {
		if err := s.say(c, v.text); err != nil {
			return err
		}
	}
	return nil
}

// say lets the other side hear a text.
func (s *Service) say(c *call, text string) error {
	s.hear(c, text)
	return s.idle(c, time.Duration(utf8.RuneCountInString(text))*time.Second/speech)
}

func (s *Service) hear(c *call, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Said = append(c.Said, Line{At: time.Now().UTC(), Text: text})
}

// idle waits while keys are pressed in vain.
func (s *Service) idle(c *call, d time.Duration) error {
	t := time.NewTimer(s.scaled(d))
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return nil
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case a := <-c.acts:
			switch a.kind {
			case "redirect":
				return &redirected{a.to}
			case "keys":
				s.note(c, a.keys)
			}
		}
	}
}

// note writes keys into the call's record.
func (s *Service) note(c *call, keys string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Pressed += keys
}
