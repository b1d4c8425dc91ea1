package console

import (
	"fmt"
	"time"

	"responsehub"
)

// The words of the pages that are not in a template.

var stateWords = map[responsehub.StepState]string{
	responsehub.Waiting: "not started", responsehub.Queued: "starting", responsehub.Running: "running",
	responsehub.Sent: "sent, checking", responsehub.Done: "done", responsehub.Partial: "partly done",
	responsehub.Failed: "failed", responsehub.NeedsHuman: "needs a person", responsehub.Skipped: "set aside",
	responsehub.Undone: "taken back",
}

var incidentWords = map[responsehub.IncidentState]string{
	responsehub.Unpublished: "unpublished", responsehub.Active: "active",
	responsehub.Remediated: "remediated", responsehub.FalseAlarm: "false alarm",
}

var surfaceWords = map[responsehub.Surface]string{
	responsehub.ViaTeams: "in Teams", responsehub.ViaAPI: "by the API", responsehub.ViaConsole: "in the console",
	responsehub.ViaPhone: "by phone", responsehub.ViaText: "by text", responsehub.ViaPSA: "in the ticket",
}

// stamp is an exact time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006 15:04:05 UTC")
}

// clock is an exact time of a day that is said elsewhere.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05")
}

// span is a length of time as people say it.
func span(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return "less than 0.1 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// grouped writes a number with commas: 7,312.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

var attemptWords = map[responsehub.AttemptState]string{
	responsehub.AttemptQueued: "about to be placed", responsehub.AttemptRequested: "asked for", responsehub.AttemptRinging: "ringing",
	responsehub.AttemptInProgress: "on the line", responsehub.AttemptSent: "sent", responsehub.AttemptDelivered: "delivered",
	responsehub.AttemptVoicemail: "voicemail, not reached", responsehub.AttemptNoAnswer: "no answer", responsehub.AttemptBusy: "busy",
	responsehub.AttemptFailed: "failed", responsehub.AttemptUndelivered: "not delivered", responsehub.AttemptHeard: "answered, nothing pressed",
	responsehub.AttemptCancelled: "called off", responsehub.AttemptAcknowledged: "acknowledged",
}
