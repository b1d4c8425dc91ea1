package twilio

import (
	"fmt"

	"responsehub"
	"responsehub/oncall"
)

// callProgress reads the status of a call. sip is the carrier's answer, 0 for none.
// https://www.twilio.com/docs/voice/api/call-resource#call-status-values
func callProgress(status, answeredBy string, errorCode, sip int) oncall.Progress {
	p := oncall.Progress{Machine: isMachine(answeredBy), Code: errorCode}
	switch status {
	case "queued", "initiated":
		p.State = responsehub.AttemptRequested
	case "ringing":
		p.State = responsehub.AttemptRinging
	case "in-progress", "answered":
		p.State = responsehub.AttemptInProgress
	case "completed":
		p.State, p.Reason = responsehub.AttemptHeard, "The call was answered and no key was pressed"
	case "busy":
		p.State, p.Reason = responsehub.AttemptBusy, "The line was busy"
	case "no-answer":
		p.State, p.Reason = responsehub.AttemptNoAnswer, "Nobody picked up"
	case "canceled":
		p.State, p.Reason = responsehub.AttemptCancelled, "The call was taken back"
	case "failed":
		p = failedCall(p, sip)
	}
	if p.Machine && (p.State == "" || p.State == responsehub.AttemptInProgress || p.State == responsehub.AttemptHeard) {
		p.State, p.Reason = responsehub.AttemptVoicemail, "A machine answered"
	}
	return p
}

// failedCall tells a phone that is off or busy, which carriers report as a failure, from a
// number that is wrong. https://www.rfc-editor.org/rfc/rfc3261#section-21.4
func failedCall(p oncall.Progress, sip int) oncall.Progress {
	switch sip {
	case 408, 480:
		p.State, p.Reason = responsehub.AttemptNoAnswer, "The phone is off or out of reach"
		return p
	case 486, 600:
		p.State, p.Reason = responsehub.AttemptBusy, "The line was busy"
		return p
	}
	p.State = responsehub.AttemptFailed
	c := codes[p.Code]
	p.Refusal = refusals[c.class]
	if p.Code == 0 && (sip == 404 || sip == 410 || sip == 484 || sip == 604) {
		p.Refusal, c.reason = oncall.BadNumber, "the carrier does not know the number"
	}
	p.Reason = because("The call failed", c.reason, p.Code)
	return p
}

// textProgress reads the status of a text. One that Twilio holds back for a later hour
// counts as not arrived: nobody is paged by it.
// https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
func textProgress(status string, errorCode int) oncall.Progress {
	p := oncall.Progress{Code: errorCode}
	c := codes[errorCode]
	switch status {
	case "accepted", "queued", "sending":
		p.State = responsehub.AttemptRequested
	case "sent":
		p.State = responsehub.AttemptSent
	case "delivered", "read", "partially_delivered":
		p.State = responsehub.AttemptDelivered
	case "canceled":
		p.State, p.Reason = responsehub.AttemptCancelled, "The text was taken back"
	case "scheduled":
		p.State, p.Refusal, p.Reason = responsehub.AttemptUndelivered, oncall.NotNow, "Twilio holds the text back for a later hour"
	case "undelivered":
		p.State, p.Refusal, p.Reason = responsehub.AttemptUndelivered, refusals[c.class], because("The text did not arrive", c.reason, errorCode)
	case "failed":
		p.State, p.Refusal, p.Reason = responsehub.AttemptFailed, refusals[c.class], because("The text could not be sent", c.reason, errorCode)
	}
	return p
}

// isMachine reads what answering-machine detection found; unknown is taken for a person.
// https://www.twilio.com/docs/voice/answering-machine-detection
func isMachine(answeredBy string) bool {
	switch answeredBy {
	case "machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "machine", "fax":
		return true
	}
	return false
}

func because(what, reason string, n int) string {
	switch {
	case n == 0:
		return what
	case reason == "":
		return fmt.Sprintf("%s (Twilio error %d)", what, n)
	}
	return fmt.Sprintf("%s: %s (Twilio error %d)", what, reason, n)
}
