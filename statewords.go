package responsehub

import (
	"fmt"
	"time"
)

// What every surface says in the same words: a card, a page and a report of one incident
// must not contradict each other.

var stepStateWords = map[StepState]string{
	Waiting: "not started", Queued: "starting", Running: "running", Sent: "sent, checking", Done: "done", Partial: "partly done",
	Failed: "failed", NeedsHuman: "needs a person", Skipped: "set aside", Undone: "taken back",
}

// Words is the state as people read it.
func (s StepState) Words() string { return stepStateWords[s] }

var incidentStateWords = map[IncidentState]string{
	Unpublished: "unpublished", Active: "active", Remediated: "remediated", FalseAlarm: "false alarm",
}

// Words is the state as people read it.
func (s IncidentState) Words() string { return incidentStateWords[s] }

var attemptStateWords = map[AttemptState]string{
	AttemptQueued: "about to be placed", AttemptRequested: "asked for", AttemptRinging: "ringing", AttemptInProgress: "on the line",
	AttemptSent: "sent", AttemptDelivered: "delivered", AttemptVoicemail: "voicemail", AttemptNoAnswer: "no answer", AttemptBusy: "busy",
	AttemptFailed: "failed", AttemptUndelivered: "not delivered", AttemptHeard: "answered, no key pressed", AttemptCancelled: "called off",
	AttemptAcknowledged: "acknowledged",
}

// Words is the state as people read it.
func (s AttemptState) Words() string { return attemptStateWords[s] }

var surfaceWords = map[Surface]string{
	ViaTeams: "in Teams", ViaAPI: "by the API", ViaConsole: "in the console", ViaPhone: "by phone", ViaText: "by text", ViaPSA: "in the ticket",
}

// Words is the way as people read it after a name, or "".
func (s Surface) Words() string { return surfaceWords[s] }

// Span is a length of time as people say it.
func Span(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return "less than 0.1 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 10*time.Minute:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Grouped writes a number with commas: 7,312.
func Grouped(n int) string {
	s := itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
