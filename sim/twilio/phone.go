package twilio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"responsehub/sim/wire"
)

// phone is a person's phone.
type phone struct {
	Person
	does    script
	rang    int             // calls that rang or were busy
	replied map[string]bool // texts that were answered, by their code
	live    *call           // rings or is answered
}

// phoneOf finds one by key or number. s.mu must be held.
func (s *Service) phoneOf(who string) *phone {
	for _, p := range s.phones {
		if who != "" && (p.Key == who || p.Number == who) {
			return p
		}
	}
	return nil
}

// Script changes what a person's phone does by itself, from the next call or text on.
func (s *Service) Script(who, words string) error {
	does, err := parseScript(words)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phoneOf(who)
	if p == nil {
		return fmt.Errorf("sim/twilio: nobody called %q has a phone", who)
	}
	p.Person.Script, p.does, p.rang = strings.TrimSpace(words), does, 0
	clear(p.replied)
	return nil
}

// fate is what happens to the next call or text to a phone: its script, or that of a fault.
func (s *Service) fate(p *phone, kind, body string) script {
	if f, ok := s.cfg.Log.Pick("phone", kind, p.Number, body); ok {
		if does, err := parseScript(f.Answer); err == nil {
			return does
		}
		s.cfg.Log.Unexpected("phone", "a fault whose answer is no script: "+f.Answer)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.does
}

// hand gives an act of a person to the call of their phone.
func (s *Service) hand(who string, a act, wanted ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phoneOf(who)
	if p == nil {
		return fmt.Errorf("sim/twilio: nobody called %q has a phone", who)
	}
	if p.live == nil {
		return fmt.Errorf("sim/twilio: the phone of %s does not ring", p.Name)
	}
	for _, status := range wanted {
		if p.live.Status != status {
			continue
		}
		select {
		case p.live.acts <- a:
			return nil
		default:
			return errors.New("sim/twilio: the call has other things to do")
		}
	}
	return fmt.Errorf("sim/twilio: the call to %s is %s", p.Name, p.live.Status)
}

// Answer picks up the ringing phone of a person, by key or number.
func (s *Service) Answer(who string) error { return s.hand(who, act{kind: "answer"}, "ringing") }

// Decline ends the ringing; the caller hears that the line is busy.
func (s *Service) Decline(who string) error { return s.hand(who, act{kind: "decline"}, "ringing") }

// Press presses keys (0-9 * #) during a call.
func (s *Service) Press(who, keys string) error {
	if keys == "" || !isDigits(keys) {
		return fmt.Errorf("sim/twilio: a phone has no key %q", keys)
	}
	return s.hand(who, act{kind: "keys", keys: keys}, "in-progress")
}

// HangUp ends a call that is answered, or declines one that rings.
func (s *Service) HangUp(who string) error {
	if s.Decline(who) == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phoneOf(who)
	if p == nil || p.live == nil {
		return fmt.Errorf("sim/twilio: %q has no call", who)
	}
	p.live.end(&ending{status: "completed"})
	return nil
}

// CallIn calls the account's first number from a person's phone.
func (s *Service) CallIn(who string) error {
	s.mu.Lock()
	p := s.phoneOf(who)
	switch {
	case p == nil:
		s.mu.Unlock()
		return fmt.Errorf("sim/twilio: nobody called %q has a phone", who)
	case p.live != nil:
		s.mu.Unlock()
		return fmt.Errorf("sim/twilio: %s is on the phone", p.Name)
	case s.cfg.VoiceURL == "":
		s.mu.Unlock()
		return errors.New("sim/twilio: nobody answers calls to the account's number")
	}
	now := time.Now().UTC()
	c := s.newCall(Call{SID: newSID("CA"), From: p.Number, To: s.cfg.Numbers[0], Direction: "inbound", Status: "in-progress", Created: now, Answered: now},
		asked{URL: s.cfg.VoiceURL, Method: "POST"})
	s.calls, p.live = append(s.calls, c), c
	s.mu.Unlock()
	s.place(c)
	return nil
}

// Write sends a text from a person to one of the account's numbers; "" is the one that wrote last.
func (s *Service) Write(ctx context.Context, who, to, body string) error {
	s.mu.Lock()
	p := s.phoneOf(who)
	if p == nil {
		s.mu.Unlock()
		return fmt.Errorf("sim/twilio: nobody called %q has a phone", who)
	}
	for i := len(s.texts) - 1; i >= 0 && to == ""; i-- {
		if s.texts[i].To == p.Number {
			to = s.texts[i].From
		}
	}
	to = cmp.Or(to, s.cfg.Numbers[0])
	number := p.Number
	s.mu.Unlock()
	return s.arrive(ctx, number, to, body)
}

// effect enters what a person could notice.
func (s *Service) effect(kind, number, detail string) {
	s.cfg.Log.Effect(wire.Effect{Vendor: "twilio", Kind: kind, Target: number, Detail: detail})
}
