package oncall

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// A trial texts and calls a person about nothing, by the way that a page takes: whoever
// presses 4 has shown that the number is right, that it rings, and that Twilio reaches
// the hub. It stands in the book like an attempt of an incident that does not exist.
const trialOf = "trial"

const (
	trialLasts = 90 * time.Second // of the whole trial
	trialEvery = time.Second
)

// Try texts and calls a person, by name or id, as a test, and says what came of it. The
// call is answered by the hub that runs. It waits for the end of the call.
func (p *Pager) Try(ctx context.Context, person string) []responsehub.Check {
	check := func(name string, g responsehub.Grade, text string) responsehub.Check {
		return responsehub.Check{Name: "phone " + name, Grade: g, Sentence: text}
	}
	who, ok := p.named(person)
	switch {
	case !ok:
		return []responsehub.Check{check("test", responsehub.CheckMissing, fmt.Sprintf("There is nobody called %.60q on the list of people.", person))}
	case who.Phone == "":
		return []responsehub.Check{check("test", responsehub.CheckMissing, who.Name+" has no number.")}
	case p.Phone == nil:
		return []responsehub.Check{check("test", responsehub.CheckMissing, "The section twilio is missing: nobody is called or texted.")}
	}
	mute, err := p.Book.Muted(ctx, who.Phone)
	if err != nil {
		return []responsehub.Check{check("test", responsehub.CheckUnknown, responsehub.Sentence(err))}
	}
	if mute == MuteAll {
		return []responsehub.Check{check("test", responsehub.CheckMissing, trialMuted(who.Name))}
	}
	text := check("text", responsehub.CheckWarning, trialNoTexts(who.Name))
	textID, callID := rand.Text(), rand.Text()
	if mute == MuteNothing {
		err := p.tryOne(ctx, textID, who, responsehub.ByText)
		text = check("text", responsehub.CheckUnknown, cmp.Or(trialFailed(err), trialTextOpen))
	}
	if err := p.tryOne(ctx, callID, who, responsehub.ByCall); err != nil {
		return []responsehub.Check{text, check("call", responsehub.CheckMissing, trialFailed(err))}
	}
	call, over := check("call", responsehub.CheckWarning, trialNoReport), false
	for end := time.Now().Add(trialLasts); !over && ctx.Err() == nil && time.Now().Before(end); {
		select {
		case <-ctx.Done():
		case <-time.After(trialEvery):
		}
		if call, over, err = p.trialCall(ctx, callID, call); err != nil {
			return []responsehub.Check{text, check("call", responsehub.CheckUnknown, responsehub.Sentence(err))}
		}
	}
	_ = p.Book.Rung(context.WithoutCancel(ctx), who.Phone, callID) // it is given free by itself later
	for _, s := range []responsehub.AttemptState{responsehub.AttemptDelivered, responsehub.AttemptUndelivered, responsehub.AttemptFailed} {
		if p.trialSaw(ctx, textID, string(s)) {
			text = check("text", responsehub.CheckWarning, fmt.Sprintf("The test text to %s was %s.", who.Name, s.Words()))
			if s == responsehub.AttemptDelivered {
				text.Grade = responsehub.CheckOK
			}
		}
	}
	return []responsehub.Check{text, call}
}

func (p *Pager) named(person string) (responsehub.Person, bool) {
	for _, who := range p.Directory.People() {
		if who.ID == person || strings.EqualFold(who.Name, person) {
			return who, true
		}
	}
	return responsehub.Person{}, false
}

// tryOne places the text or the call of a trial.
func (p *Pager) tryOne(ctx context.Context, attempt string, who responsehub.Person, way responsehub.Way) error {
	if err := p.Book.Bind(ctx, attempt, Binding{Incident: trialOf, Person: who.ID, Way: way}); err != nil {
		return err
	}
	if way == responsehub.ByText {
		_, err := p.Phone.Text(ctx, Text{Attempt: attempt, To: who.Phone, Body: trialText, Severity: responsehub.Low})
		return err
	}
	holder, err := p.Book.Ring(ctx, who.Phone, attempt, trialLasts)
	if err != nil {
		return err
	}
	if holder != attempt {
		return &responsehub.Error{Kind: responsehub.Conflict, Message: "The hub is calling this phone about an incident; nothing was tried."}
	}
	if _, err = p.Phone.Call(ctx, Call{Attempt: attempt, To: who.Phone, Ring: defaultRing, Severity: responsehub.Low}); err != nil {
		_ = p.Book.Rung(context.WithoutCancel(ctx), who.Phone, attempt)
	}
	return err
}

// trialCall is what is known of the call of a trial by now.
func (p *Pager) trialCall(ctx context.Context, attempt string, was responsehub.Check) (c responsehub.Check, over bool, err error) {
	c = was
	for _, s := range responsehub.AttemptStates {
		if p.trialSaw(ctx, attempt, string(s)) {
			c.Sentence, over = "The test call: "+s.Words()+". Nobody pressed 4.", s.Over()
		}
	}
	// The phone is not given free before the call has ended: there is one at a time.
	if p.trialSaw(ctx, attempt, "4") {
		c.Grade, c.Sentence = responsehub.CheckOK, "The test call was answered and its 4 arrived."
	}
	return c, over, ctx.Err()
}

// trialNote remembers that something was seen of a trial.
func (p *Pager) trialNote(ctx context.Context, attempt, what string) error {
	return p.Book.Bar(ctx, trialOf+"|"+attempt+"|"+what, time.Hour)
}

func (p *Pager) trialSaw(ctx context.Context, attempt, what string) bool {
	left, err := p.Book.Barred(ctx, trialOf+"|"+attempt+"|"+what)
	return err == nil && left > 0
}

// trialPressed answers a key on the call of a trial. Nothing is open, so nothing is taken.
func (p *Pager) trialPressed(ctx context.Context, attempt, digit string, who responsehub.Person) (Speech, error) {
	switch digit {
	case "4":
		return Speech{Lines: []string{sayTrialDone}, Language: language(who)}, errors.Join(p.trialNote(ctx, attempt, digit), p.shown(ctx, who.Phone))
	case "":
		return Speech{Lines: []string{sayGoodbye}, Language: language(who)}, nil
	}
	return trialSpeech(who), nil
}

// shown remembers that somebody pressed 4 on a call to the phone.
func (p *Pager) shown(ctx context.Context, phone string) error {
	return p.Book.Bar(ctx, "shown|"+phone, ShownFor)
}

// Unshown says on whose phones nobody pressed 4 for a year, on a test or for an incident:
// whether these numbers are right is not known.
func (p *Pager) Unshown(ctx context.Context) []responsehub.Check {
	c := responsehub.Check{Name: "phone numbers", Grade: responsehub.CheckOK, Sentence: trialAllShown}
	var names []string
	some := false
	for _, who := range p.Directory.People() {
		if who.Phone == "" {
			continue
		}
		some = true
		left, err := p.Book.Barred(ctx, "shown|"+who.Phone)
		if err != nil {
			c.Grade, c.Sentence = responsehub.CheckUnknown, responsehub.Sentence(err)
			return []responsehub.Check{c}
		}
		if left == 0 {
			names = append(names, who.Name)
		}
	}
	switch {
	case !some:
		return nil
	case len(names) > 0:
		c.Grade, c.Sentence = responsehub.CheckWarning, trialUnshown(names)
	}
	return []responsehub.Check{c}
}

func trialSpeech(who responsehub.Person) Speech {
	return Speech{Lines: []string{sayTrial}, Language: language(who), Ask: true, Goodbye: sayGoodbye}
}

// trialReported keeps a report about a trial, for whoever waits for its end.
func (p *Pager) trialReported(ctx context.Context, attempt string, g Progress) error {
	state := g.State
	if g.Machine {
		state = responsehub.AttemptVoicemail
		if err := p.Phone.HangUp(ctx, g.SID); err != nil {
			p.log.Info("a call that a machine answered could not be ended; it ends by itself", "error", err)
		}
	}
	return p.trialNote(ctx, attempt, string(state))
}

const (
	trialText     = "responsehub: a test of your phone. A call follows that asks for a 4. There is no incident."
	sayTrial      = "This is a test of responsehub. There is no incident. Press 4 to show that this phone is yours. Press star to repeat."
	sayTrialDone  = "Thank you. This phone works for responsehub. Goodbye."
	trialNoReport = "Nothing was heard of the test call: Twilio does not reach the hub, or no hub runs under server.public_url."
	trialAllShown = "On every phone on the list of people a 4 was pressed within a year."
	trialTextOpen = "The test text left; whether it arrived was not told."
)

func trialMuted(name string) string {
	return "Whoever has the number of " + name + " said that it is not theirs, so nothing was tried. Correct it in the list of people."
}

func trialUnshown(names []string) string {
	return "Whether these phones work is not known, as nobody pressed 4 on a call to them within a year: " + someOf(names, 10) + ". Run responsehub doctor --test-phone NAME for each."
}

func trialNoTexts(name string) string {
	return "Texts to " + name + " are off: STOP was written from there. START turns them on."
}

// trialFailed is why a request of a trial was refused, or "".
func trialFailed(err error) string {
	if err == nil {
		return ""
	}
	return responsehub.Sentence(err)
}
