package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"responsehub"
)

var stepWords = map[responsehub.StepState]string{
	responsehub.Waiting: "not started", responsehub.Queued: "starting", responsehub.Running: "running",
	responsehub.Sent: "sent, checking", responsehub.Done: "done", responsehub.Partial: "partly done",
	responsehub.Failed: "failed", responsehub.NeedsHuman: "needs a person", responsehub.Skipped: "set aside",
	responsehub.Undone: "taken back",
}

var stateWords = map[responsehub.IncidentState]string{
	responsehub.Unpublished: "unpublished", responsehub.Active: "active",
	responsehub.Remediated: "remediated", responsehub.FalseAlarm: "false alarm",
}

func standing(s *responsehub.Step) string {
	if s.State == responsehub.Done && !s.ByHand && !s.VerifiedAt.IsZero() {
		return "verified"
	}
	return stepWords[s.State]
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

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
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

// clean takes out what moves the cursor or turns the line round, and keeps a cell short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	const most = 2000
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// tame keeps a spreadsheet from taking a stranger's text for a formula.
// https://owasp.org/www-community/attacks/CSV_Injection
func tame(s string) string {
	s = clean(s)
	if s != "" && strings.ContainsRune("=+-@\t\r|%", rune(s[0])) {
		return "'" + s
	}
	return s
}
