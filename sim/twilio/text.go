package twilio

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text is one text as the network knows it.
type Text struct {
	SID       string    `json:"sid"`
	To        string    `json:"to"`
	From      string    `json:"from"`
	Service   string    `json:"service,omitempty"`
	Direction string    `json:"direction"` // outbound-api, outbound-reply, inbound
	Status    string    `json:"status"`    // Twilio's words
	Body      string    `json:"body"`
	Segments  int       `json:"segments"`
	Code      int       `json:"code,omitempty"` // of Twilio's errors
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	Sent      time.Time `json:"sent,omitzero"`
	Delivered time.Time `json:"delivered,omitzero"`
}

// text is a text with what drives it.
type text struct {
	Text
	callback string
	tail     <-chan struct{} // closed when the last report is out
}

// unsettled says that the network still has something to do with it.
func (t *text) unsettled() bool {
	return slices.Contains([]string{"accepted", "queued", "sending", "sent"}, t.Status) && t.Direction != "inbound"
}

// How long the network takes.
const (
	toSend    = 200 * time.Millisecond
	toDeliver = 800 * time.Millisecond
)

// carry takes a text to the phone, or to where it is lost.
func (s *Service) carry(t *text) {
	s.mu.Lock()
	p, body := s.phoneOf(t.To), t.Body
	status := t.Status
	s.mu.Unlock()
	does := script{texts: 30005} // a number that nobody has
	if p != nil {
		does = s.fate(p, "TEXT", body)
	}
	if does.quiet {
		s.settle(t, "scheduled", 0)
		return
	}
	if status == "accepted" {
		s.chooseSender(t)
		s.settle(t, "queued", 0)
	}
	if status != "sent" {
		if !s.pause(s.ctx, toSend) {
			return
		}
		s.settle(t, "sent", 0)
	}
	if does.unheard || !s.pause(s.ctx, toDeliver) {
		return
	}
	if does.texts != 0 {
		s.settle(t, "undelivered", does.texts)
		return
	}
	s.effect("text", t.To, t.SID)
	s.settle(t, "delivered", 0)
	for _, r := range does.replies {
		s.reply(p, t, r)
	}
}

// chooseSender picks the service's number for a person, always the same.
func (s *Service) chooseSender(t *text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sticky[t.To] == "" {
		s.sticky[t.To] = s.cfg.Numbers[len(s.sticky)%len(s.cfg.Numbers)]
	}
	t.From = s.sticky[t.To]
}

// settle changes the status and tells of it. The first status is not told.
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
func (s *Service) settle(t *text, status string, code int) {
	s.mu.Lock()
	t.Status, t.Code, t.Updated = status, code, time.Now().UTC()
	switch status {
	case "sent":
		t.Sent = t.Updated
	case "delivered":
		t.Delivered = t.Updated
	}
	form := url.Values{
		"MessageSid": {t.SID}, "SmsSid": {t.SID}, "MessageStatus": {status}, "SmsStatus": {status}, "AccountSid": {s.cfg.AccountSID},
		"ApiVersion": {version}, "To": {t.To}, "From": {t.From},
	}
	if t.Service != "" {
		form.Set("MessagingServiceSid", t.Service)
	}
	if code != 0 {
		form.Set("ErrorCode", strconv.Itoa(code))
	}
	if !t.Delivered.IsZero() {
		form.Set("RawDlrDate", t.Delivered.Format("0601021504"))
	}
	s.mu.Unlock()
	s.notify(&t.tail, hook{kind: "callback", method: "POST", address: t.callback, about: t.SID, state: status, form: form})
}

// reply lets a scripted person answer a text.
func (s *Service) reply(p *phone, t *text, r reply) {
	s.mu.Lock()
	words, once := r.answerTo(t.Body)
	known := words == "" || p.replied[once]
	if !known {
		p.replied[once] = true
	}
	from, to := p.Number, t.From
	s.mu.Unlock()
	if known {
		return
	}
	s.spawn(func() {
		wait := r.wait
		if wait == 0 {
			wait = time.Second
		}
		if !s.pause(s.ctx, wait) {
			return
		}
		for range r.times {
			if err := s.arrive(s.ctx, from, to, words); err != nil && s.ctx.Err() == nil {
				s.alert(from, &fault{11200, err.Error()})
			}
		}
	})
}

var (
	stopWords  = []string{"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"}
	startWords = []string{"START", "UNSTOP", "YES"}
)

// arrive takes a text from a person to the account: Twilio acts on STOP, START and HELP itself, posts
// the text, and sends what the answer says.
// https://www.twilio.com/docs/messaging/guides/webhook-request
func (s *Service) arrive(ctx context.Context, from, to, body string) error {
	if body == "" {
		return errors.New("sim/twilio: an empty text is not sent")
	}
	now := time.Now().UTC()
	t := &text{Text: Text{
		SID: newSID("SM"), To: to, From: from, Direction: "inbound", Status: "received", Body: body, Segments: segments(body),
		Created: now, Updated: now, Sent: now, Delivered: now,
	}}
	s.mu.Lock()
	if !s.owns(to) {
		s.mu.Unlock()
		return fmt.Errorf("sim/twilio: %s is none of the account's numbers", to)
	}
	if s.cfg.ServiceSID != "" && s.sticky[from] == to {
		t.Service = s.cfg.ServiceSID
	}
	s.texts = append(s.texts, t)
	s.mu.Unlock()
	s.effect("text.in", from, t.SID)
	s.consent(t)
	if s.cfg.SMSURL == "" {
		return nil
	}
	form := url.Values{
		"MessageSid": {t.SID}, "SmsMessageSid": {t.SID}, "SmsSid": {t.SID}, "AccountSid": {s.cfg.AccountSID}, "ApiVersion": {version},
		"From": {from}, "To": {to}, "Body": {body}, "NumMedia": {"0"}, "NumSegments": {strconv.Itoa(t.Segments)}, "SmsStatus": {"received"},
		"ToCountry": {"US"}, "FromCountry": {"US"}, "ToCity": {""}, "FromCity": {"SÃO PAULO"}, "ToState": {""}, "FromState": {""}, "ToZip": {""}, "FromZip": {""},
	}
	if t.Service != "" {
		form.Set("MessagingServiceSid", t.Service)
	}
	h := hook{kind: "text", method: "POST", address: s.cfg.SMSURL, about: t.SID, state: "received", form: form}
	got, err := s.deliverStruck(ctx, h)
	if err == nil {
		return s.obey(t, got)
	}
	if !errors.Is(err, errLost) {
		s.alert(t.SID, &fault{11200, err.Error()})
	}
	return fmt.Errorf("sim/twilio: post the text: %w", err)
}

// deliverStruck is deliver with the scripted fault that matches.
func (s *Service) deliverStruck(ctx context.Context, h hook) (heard, error) {
	f, ok := s.cfg.Log.Pick("twilio.callback", h.method, pathOf(h.address), h.form.Encode())
	if !ok {
		return s.deliver(ctx, h, nil)
	}
	if !s.pause(ctx, time.Duration(f.DelayMS)*time.Millisecond) {
		return heard{}, context.Cause(ctx)
	}
	return s.deliver(ctx, h, &f)
}

// consent does what Twilio does by itself with certain words.
// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
func (s *Service) consent(t *text) {
	word := strings.ToUpper(strings.TrimSpace(t.Body))
	say := ""
	s.mu.Lock()
	switch key := sender(t.To, t.Service) + " " + t.From; {
	case slices.Contains(stopWords, word):
		s.optedOut[key] = true
		say = "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe."
	case slices.Contains(startWords, word) && s.optedOut[key]:
		delete(s.optedOut, key)
		say = "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
	case word == "HELP" || word == "INFO":
		say = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
	}
	s.mu.Unlock()
	if say != "" {
		s.respond(t, say, true)
	}
}

// obey sends what the answer to a text says. Plain text is a text too.
func (s *Service) obey(t *text, got heard) error {
	if got.status/100 != 2 {
		s.alert(t.SID, &fault{11200, fmt.Sprintf("the answer to a text was %d", got.status)})
		return nil
	}
	if kind, _, err := mime.ParseMediaType(got.kind); err == nil && kind == "text/plain" {
		if body := strings.TrimSpace(string(got.body)); body != "" {
			s.respond(t, body, false)
		}
		return nil
	}
	verbs, f := readAnswer(got, textVerbs)
	if f != nil {
		s.alert(t.SID, f)
		return nil
	}
	for _, v := range verbs {
		if v.name == "Message" && v.text != "" {
			s.respond(t, v.text, false)
		}
	}
	return nil
}

// respond sends a text back to where one came from.
func (s *Service) respond(t *text, body string, byTwilio bool) {
	now := time.Now().UTC()
	out := &text{Text: Text{
		SID: newSID("SM"), To: t.From, From: t.To, Service: t.Service, Direction: "outbound-reply", Status: "queued", Body: body,
		Segments: segments(body), Created: now, Updated: now,
	}}
	s.mu.Lock()
	refused := !byTwilio && s.optedOut[sender(t.To, t.Service)+" "+t.From]
	if refused {
		out.Status, out.Code = "failed", 21610
	}
	s.texts = append(s.texts, out)
	s.mu.Unlock()
	if !refused {
		s.spawn(func() { s.carry(out) })
	}
}
