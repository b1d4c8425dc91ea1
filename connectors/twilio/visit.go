package twilio

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"responsehub"
	"responsehub/oncall"
)

// visit is one request that may come in.
type visit struct {
	c       *Client
	board   oncall.Switchboard
	route   string
	attempt string
	form    url.Values // the body's
	query   url.Values // the address's, as signed as the body
}

func (v *visit) serve(ctx context.Context) (int, []byte) {
	switch v.route {
	case "voice":
		return v.voice(ctx)
	case "gather":
		return v.pressed(ctx)
	case "status":
		return v.reported(ctx)
	}
	return v.texted(ctx)
}

// voice asks the switchboard what to say.
func (v *visit) voice(ctx context.Context) (int, []byte) {
	var speech oncall.Speech
	err := within(ctx, answerWithin, func(ctx context.Context) (err error) {
		if v.attempt == incoming {
			speech, err = v.board.CalledIn(ctx, v.form.Get("From"))
			speech.Ask, speech.Wait = false, "" // who calls can pretend to be anybody: no key counts
			return err
		}
		speech, err = v.board.Answered(ctx, v.attempt)
		return err
	})
	if err == nil {
		return http.StatusOK, spoken(speech, v.menu(1))
	}
	v.c.log.Error("what to say on a call is not known", "attempt", v.attempt, "error", err)
	if try := v.number("try", tries); try < tries {
		address := v.c.public + "/twilio/voice"
		if v.attempt != incoming {
			address = v.c.address("voice", v.attempt)
		}
		return http.StatusOK, again(address+"?try="+strconv.Itoa(try+1)+overrides, "", 2)
	}
	return http.StatusOK, ended(trouble, "")
}

// menu is where the key is sent that is pressed at the nth question of a call. The number
// tells a key that is pressed again from a request that comes again.
func (v *visit) menu(n int) string {
	return v.c.address("gather", v.attempt) + "?n=" + strconv.Itoa(n) + overrides
}

// pressed takes a digit. It stands in the address when this is a further try: then the
// body is that of a redirect.
func (v *visit) pressed(ctx context.Context) (int, []byte) {
	sid, try, n := v.form.Get("CallSid"), v.number("try", tries), v.number("n", 1000)
	digit := v.form.Get("Digits")
	if try > 0 {
		digit = v.query.Get("digit")
	}
	if len(digit) > 1 {
		digit = digit[:1]
	}
	// Without a digit nothing happens, so there is nothing to remember.
	key := ""
	if digit != "" {
		key = "digit:" + v.attempt + ":" + sid + ":" + strconv.Itoa(n) + ":" + digit
		if answer, found := v.recall(ctx, key); found {
			return http.StatusOK, []byte(answer)
		}
	}
	var speech oncall.Speech
	err := within(ctx, answerWithin, func(ctx context.Context) (err error) {
		speech, err = v.board.Pressed(ctx, v.attempt, sid, digit, try)
		return err
	})
	switch {
	case err != nil || speech.Wait != "":
		if err != nil {
			v.c.log.Error("a pressed key was not taken", "attempt", v.attempt, "try", try, "error", err)
		}
		if try >= tries {
			return http.StatusOK, ended(notTaken, speech.Language)
		}
		q := url.Values{"digit": {digit}, "n": {strconv.Itoa(n)}, "try": {strconv.Itoa(try + 1)}}
		return http.StatusOK, again(v.c.address("gather", v.attempt)+"?"+q.Encode()+overrides, speech.Language, 3)
	}
	if digit == "" && speech.Ask {
		speech.Ask, speech.Lines = false, nil // it was asked twice already: goodbye
	}
	answer := spoken(speech, v.menu(n+1))
	v.keep(ctx, key, string(answer))
	return http.StatusOK, answer
}

// number is a number that the hub put into the address.
func (v *visit) number(name string, most int) int {
	n, err := strconv.Atoi(v.query.Get(name))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, most)
}

// reported takes a report. One that could not be taken is answered with 503, so that
// Twilio sends it again.
func (v *visit) reported(ctx context.Context) (int, []byte) {
	p := report(v.form)
	if p.SID == "" || p.State == "" && !p.Machine {
		return http.StatusOK, nil // a human answered, or a status of tomorrow
	}
	key := "report:" + p.SID + ":" + v.form.Get("CallStatus") + v.form.Get("MessageStatus") + ":" + v.form.Get("SequenceNumber") + ":" + v.form.Get("AnsweredBy")
	if _, found := v.recall(ctx, key); found {
		return http.StatusOK, nil
	}
	if err := within(ctx, answerWithin, func(ctx context.Context) error { return v.board.Reported(ctx, v.attempt, p) }); err != nil {
		if responsehub.KindOf(err) == responsehub.NotFound {
			return http.StatusOK, nil // nobody waits for it any more
		}
		v.c.log.Error("a report about a call or text was not taken", "attempt", v.attempt, "error", err)
		return http.StatusServiceUnavailable, nil
	}
	v.keep(ctx, key, "")
	return http.StatusOK, nil
}

// report reads a status callback, of a call or of a text, or the result of
// answering-machine detection, which has no status.
// https://www.twilio.com/docs/voice/api/call-resource#statuscallback
// https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
func report(form url.Values) oncall.Progress {
	number := func(name string) int {
		n, err := strconv.Atoi(form.Get(name))
		if err != nil || n < 0 || n > 1<<30 {
			return 0
		}
		return n
	}
	if status := form.Get("MessageStatus"); status != "" {
		p := textProgress(status, number("ErrorCode"))
		p.SID, p.Sequence = form.Get("MessageSid"), number("SequenceNumber")
		return p
	}
	p := callProgress(form.Get("CallStatus"), form.Get("AnsweredBy"), number("ErrorCode"), number("SipResponseCode"))
	p.SID, p.Sequence = form.Get("CallSid"), number("SequenceNumber")
	return p
}

// texted takes a text, with a second try while there is time: Twilio does not send a text
// again unless the number's webhook says so.
func (v *visit) texted(ctx context.Context) (int, []byte) {
	in := oncall.Incoming{SID: v.form.Get("MessageSid"), From: v.form.Get("From"), To: v.form.Get("To"), Body: v.form.Get("Body")}
	if in.SID == "" || in.From == "" {
		return http.StatusOK, nil
	}
	key := "text:" + in.SID
	if answer, found := v.recall(ctx, key); found {
		return http.StatusOK, []byte(answer)
	}
	var text string
	var err error
	for range 2 {
		if err = within(ctx, answerWithin, func(ctx context.Context) (err error) {
			text, err = v.board.Texted(ctx, in)
			return err
		}); err == nil {
			break
		}
	}
	if err != nil {
		v.c.log.Error("a text was not taken", "error", err)
		return http.StatusServiceUnavailable, nil
	}
	var answer []byte
	if strings.TrimSpace(text) != "" {
		answer = reply(text)
	}
	v.keep(ctx, key, string(answer))
	return http.StatusOK, answer
}

// recall and keep make a repetition harmless. Whoever takes the requests bears
// repetitions too, so a memory that cannot be asked does not stop anything.
func (v *visit) recall(ctx context.Context, key string) (answer string, found bool) {
	if v.c.cfg.Memory == nil {
		return "", false
	}
	err := within(ctx, memoryWithin, func(ctx context.Context) (err error) {
		answer, found, err = v.c.cfg.Memory.Recall(ctx, key)
		return err
	})
	if err != nil {
		v.c.log.Warn("what Twilio was answered before cannot be asked", "error", err)
	}
	return answer, found && err == nil
}

func (v *visit) keep(ctx context.Context, key, answer string) {
	if v.c.cfg.Memory == nil || key == "" {
		return
	}
	if err := within(ctx, memoryWithin, func(ctx context.Context) error { return v.c.cfg.Memory.Keep(ctx, key, answer, remembered) }); err != nil {
		v.c.log.Warn("what Twilio was answered cannot be kept", "error", err)
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
