package card

import (
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// Every sentence of the card stands here.

const (
	wordsActNow      = "Act now: nothing runs by itself for this tenant. Press Publish Incident, then run the steps in order."
	wordsPublished   = "Response is off for this tenant: run the steps in order."
	wordsPublish     = "Nothing has been done yet."
	wordsSeen        = "What was seen"
	wordsSteps       = "Remediation"
	wordsItems       = "Persistence found"
	wordsToDo        = "to do by hand"
	wordsMore        = "More"
	wordsShow        = "Show password"
	wordsReadOnly    = "This is a copy to read. The buttons are on the card in the incident's channel."
	wordsChoose      = "Persistence to disable or to set aside"
	wordsMade        = "made or changed"
	wordsBy          = "by"
	wordsAction      = "What to do with it"
	wordsReason      = "Reason (needed to set aside, to do again and to undo)"
	wordsTakingBack  = "being taken back"
	wordsUndo        = "Undo..."
	wordsUndoReason  = "Reason (needed), then press what is to be taken back"
	wordsLasting     = "Cannot be taken back:"
	wordsFalseAlarm  = "False alarm: take it all back and close"
	wordsCloseAnyway = "False alarm: close although this stays"
	wordsDisable     = "3 Disable chosen"
	wordsAside       = "Set chosen aside"
	wordsByHand      = "4 Password reset by hand: done"
	wordsPreview     = "2 Show what would be moved"
	wordsEverywhere  = "2 Search everywhere"
	wordsConsole     = "Open in the console"
	wordsDetector    = "Open the detector's page"
	wordsCannot      = "This client cannot show the card. Open the incident in the console."
)

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
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

// checkMark stands on a card once for each numbered step that was read back, and
// nowhere else.
const checkMark = "✓"

// when is an exact time as the card shows it.
func when(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05 UTC") }

// title is a step's name with its number, as on its button.
func title(id responsehub.StepID) string {
	if id == responsehub.Publish {
		return id.Title()
	}
	return fmt.Sprintf("%d %s", id.Number(), id.Title())
}

// standing says in one sentence what was done and what is left.
func standing(inc *responsehub.Incident) string {
	var done, busy, open []string
	for _, id := range responsehub.StepIDs[1:] {
		s := inc.Step(id)
		switch {
		case s == nil:
		case s.State.Settled():
			done = append(done, fmt.Sprint(id.Number()))
		case s.State.Busy():
			busy = append(busy, fmt.Sprint(id.Number()))
		default:
			open = append(open, fmt.Sprint(id.Number()))
		}
	}
	var parts []string
	for _, p := range []struct {
		word  string
		steps []string
	}{{"Settled", done}, {"Under way", busy}, {"Left for you", open}} {
		if len(p.steps) > 0 {
			parts = append(parts, p.word+": "+strings.Join(p.steps, ", ")+".")
		}
	}
	head := "Response is on. "
	if !inc.Response {
		head = wordsPublished + " "
	}
	return head + strings.Join(parts, " ")
}

// retraction tells how far the search for phish has come.
func retraction(p *responsehub.Progress) string {
	s := fmt.Sprintf("%s of %s searched, %s moved", grouped(p.Searched), grouped(p.Mailboxes), grouped(p.Moved))
	if p.Found > 0 {
		s = fmt.Sprintf("%s of %s searched, %s found, %s moved", grouped(p.Searched), grouped(p.Mailboxes), grouped(p.Found), grouped(p.Moved))
	}
	if p.Already > 0 {
		s += ", " + grouped(p.Already) + " already deleted"
	}
	if p.Unreachable > 0 {
		s += ", " + grouped(p.Unreachable) + " could not be read"
	}
	return s
}

// grouped writes a number with commas: 7,312.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// more counts what was left out of a list.
func more(n int, what string) string {
	return fmt.Sprintf("and %s more %s; responsehub incident show lists all", grouped(n), what)
}

// Summary is the one line for the notification of a new card: no markup, and short
// enough for a toast.
func Summary(inc *responsehub.Incident) string {
	call := "act now"
	switch {
	case inc.State.Closed():
		call = incidentWords[inc.State]
	case inc.State == responsehub.Active && inc.Response && inc.Step(responsehub.Lock).Held:
		call = "act now, not locked by itself"
	case inc.State == responsehub.Active && inc.Response:
		call = "response is running"
	case inc.State == responsehub.Active:
		call = "published"
	}
	return fmt.Sprintf("%s %s: %s, %s (%s): %s", inc.Ref, Clean(string(inc.Severity), 20), Clean(inc.Title, 80), Clean(inc.Account.Label(), 80), Clean(tenantName(inc), 60), call)
}

func tenantName(inc *responsehub.Incident) string {
	for _, s := range []string{inc.Tenant.Name, inc.Tenant.MicrosoftTenantID} {
		if s != "" {
			return s
		}
	}
	return "unknown tenant"
}
