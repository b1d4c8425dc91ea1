package sim

import (
	"context"
	"crypto/tls"
	"fmt"

	"responsehub/sim/smtp"
	"responsehub/sim/twilio"
)

// The hub's account at Twilio and its mailbox.
const (
	TwilioAccount = "ACc0ffee00000000000000000000000001"
	TwilioKey     = "SKc0ffee00000000000000000000000002"
	TwilioService = "MGc0ffee00000000000000000000000003"
	HubNumber     = "+12065550100" // calls and texts come from it
	HubMail       = "hub@desk.example"
	mailUser      = "hub"
)

// Numbers are the phones of Staff by key.
var Numbers = map[string]string{"ann": "+12065550101", "bob": "+12065550102"}

// phones is the telephone network around the hub's account.
func (w *World) phones() twilio.Config {
	c := twilio.Config{
		URL: w.URL() + "/twilio", AccountSID: TwilioAccount, AuthToken: w.secrets.twilioToken, APIKey: TwilioKey, APISecret: w.secrets.twilioSecret,
		Numbers: []string{HubNumber}, ServiceSID: TwilioService, SMSURL: w.opts.HubURL + "/twilio/sms", VoiceURL: w.opts.HubURL + "/twilio/voice",
		Log: w.Wire, Client: loopbackClient(), NoLimits: w.opts.NoLimits, Speed: w.opts.PhoneSpeed,
	}
	c.People = append(c.People, w.opts.Phones...)
	for _, p := range Staff {
		if n := Numbers[p.Key]; n != "" {
			c.People = append(c.People, twilio.Person{Key: p.Key, Name: p.Name, Number: n})
		}
	}
	return c
}

// mail is the mail server that the hub sends by.
func (w *World) mail() smtp.Config {
	return smtp.Config{
		Username: mailUser, Password: w.secrets.mail, Sender: HubMail, Log: w.Wire, Taken: w.mailTaken,
		TLS: &tls.Config{Certificates: []tls.Certificate{w.tls}, MinVersion: tls.VersionTLS12},
	}
}

// mailTaken keeps a mail before the hub is told that it is taken.
func (w *World) mailTaken() {
	if w.dirIsOurs {
		return
	}
	if err := w.save(); err != nil {
		w.log.Error("the simulated world is not kept", "err", err)
	}
}

// MailAddress is where the mail server listens: for STARTTLS, and for TLS from the first byte.
func (w *World) MailAddress() (startTLS, secure string) {
	return w.mailPlain.Addr().String(), w.mailSecure.Addr().String()
}

// playPhone is what people do with their phones. It reports whether it knows the act.
func (w *World) playPhone(ctx context.Context, a Act) (seen string, known bool, err error) {
	switch a.Do {
	case "answer":
		return "Answered.", true, w.Twilio.Answer(a.Person)
	case "press":
		return "Pressed " + a.Value + ".", true, w.Twilio.Press(a.Person, a.Value)
	case "hang_up":
		return "Hung up.", true, w.Twilio.HangUp(a.Person)
	case "call_in":
		return "Calling.", true, w.Twilio.CallIn(a.Person)
	case "script":
		return "From the next call or text on.", true, w.Twilio.Script(a.Person, a.Value)
	case "text":
		if err := w.Twilio.Write(ctx, a.Person, "", a.Text); err != nil {
			return "", true, fmt.Errorf("sim: the text is on its way and the hub did not take it: %w", err)
		}
		return "Sent.", true, nil
	}
	return "", false, nil
}
