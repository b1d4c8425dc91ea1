package twilio

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// think is how long a scripted person needs for a key.
const think = time.Second

// gather says what it holds and collects keys: as many as it wants, or up to the finishing key, or
// until nothing was pressed for its time. A key stops what is being said. With ended, the person hung
// up and these are the keys that come too late.
// https://www.twilio.com/docs/voice/twiml/gather
func (s *Service) gather(c *call, v verb, keys *[]string, late bool) (digits, ended string, err error) {
	s.ask(c, true)
	defer s.ask(c, false)
	want, _ := strconv.Atoi(v.attr["numDigits"])
	finish, given := v.attr["finishOnKey"]
	if !given {
		finish = "#"
	}
	var byItself <-chan time.Time
	mine := ""
	if len(*keys) > 0 {
		mine, *keys = (*keys)[0], (*keys)[1:]
		t := time.NewTimer(s.scaled(think))
		defer t.Stop()
		byItself = t.C
	}
	silence := v.seconds("timeout", 5)
	speaking := append([]verb(nil), v.in...)
	repeats := 0
	first := time.Duration(0)
	if len(speaking) == 0 {
		first = s.scaled(silence)
	}
	t := time.NewTimer(first)
	defer t.Stop()
	for {
		pressed := ""
		select {
		case <-c.ctx.Done():
			return "", "", context.Cause(c.ctx)
		case <-t.C:
			if len(speaking) == 0 {
				return digits, "", nil
			}
			var d time.Duration
			d, repeats = s.begin(c, speaking[0], repeats)
			if repeats == 0 {
				speaking = speaking[1:]
			}
			if len(speaking) == 0 {
				d += silence
			}
			t.Reset(s.scaled(d))
			continue
		case <-byItself:
			byItself = nil
			if late {
				return "", mine, &ending{status: "completed", sip: 200}
			}
			pressed = mine
		case a := <-c.acts:
			if a.kind == "redirect" {
				return "", "", &redirected{a.to}
			}
			pressed = a.keys
		}
		if pressed == "" {
			continue
		}
		s.note(c, pressed)
		speaking = nil
		for _, key := range strings.Split(pressed, "") {
			if key == finish {
				return digits, "", nil
			}
			if digits += key; len(digits) == want {
				return digits, "", nil
			}
		}
		t.Reset(s.scaled(silence))
	}
}

// begin starts one Say or Pause; it returns how long it takes and how often it is still to be said.
func (s *Service) begin(c *call, v verb, repeats int) (time.Duration, int) {
	if v.name == "Pause" {
		return v.seconds("length", 1), 0
	}
	if repeats == 0 {
		repeats = 1
		if n, err := strconv.Atoi(v.attr["loop"]); err == nil {
			repeats = max(1, min(n, 10))
		}
	}
	s.hear(c, v.text)
	return time.Duration(utf8.RuneCountInString(v.text)) * time.Second / speech, repeats - 1
}

func (s *Service) ask(c *call, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil { // what is saved after Stop is how it was
		c.Asking = on
	}
}

// pressedLate posts keys that came with the end of the call, two seconds after it. What is answered
// is heard by nobody.
func (s *Service) pressedLate(c *call, base *url.URL, v verb, keys string) {
	s.note(c, keys)
	s.spawn(func() {
		<-c.gone
		if !s.pause(s.ctx, 2*time.Second) {
			return
		}
		next, err := s.nextStep(c, base, v.attr["action"], v.attr["method"], url.Values{"Digits": {keys}})
		if err != nil {
			return
		}
		if _, err := s.deliver(s.ctx, next.hook, nil); err != nil && s.ctx.Err() == nil {
			s.alert(c.SID, &fault{11200, err.Error()})
		}
	})
}
