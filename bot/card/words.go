package card

import (
	"fmt"
	"time"

	"responsehub"
)

// Every sentence of the card stands here.

const (
	wordsActNow      = "Act now: nothing runs by itself for this tenant. Press Publish Incident, then run the steps in order."
	wordsPublished   = "Act now: Response is off for this tenant. Run the steps in order."
	wordsOffYours    = "Your turn: Response is off for this tenant; steps 1 to 3 are settled. Go on in order."
	wordsOff         = "Response is off for this tenant."
	wordsOn          = "Response is on: steps 1 to 3 run by themselves."
	wordsWanted      = "Act now: something needs a person. Response is on, the rest runs by itself."
	wordsYours       = "Your turn: what runs by itself is through."
	wordsUnheard     = "Act now: those on call were tried and nobody has taken this."
	wordsDone        = "Done"
	wordsSetAside    = "Set aside"
	wordsTakenBack   = "Taken back"
	wordsUnderWay    = "Under way"
	wordsLeft        = "Left for you"
	wordsNobody      = "nobody yet"
	wordsPassed      = "cannot take it, the next person is called"
	wordsToTell      = " (that nobody is needed any more)"
	wordsToShare     = " (what was done by itself)"
	wordsExhausted   = "nobody took it by phone"
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
	wordsTest        = "This is a test of responsehub."
	wordsTestPassed  = "Test passed: responsehub can post here and change what it posted."
	wordsTestNothing = "Nothing has happened and there is nothing to do."
	wordsCannot      = "This client cannot show the card. Open the incident in the console."
)

var severityWords = map[responsehub.Severity]string{
	responsehub.Critical: "critical, the highest of four", responsehub.High: "high, second of four",
	responsehub.Medium: "medium, third of four", responsehub.Low: "low, the last of four",
}

var shortTitles = map[responsehub.StepID]string{
	responsehub.Lock: "lock", responsehub.Retract: "retract mail", responsehub.Persistence: "persistence",
	responsehub.Password: "password", responsehub.Reenable: "re-enable", responsehub.Close: "close",
}

// checkMark stands on a card once for each numbered step that was read back, and
// nowhere else.
const checkMark = "✓"

// when is an exact time as the card shows it.
func when(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04:05 UTC") }

// moment is an exact time, without the date on the day of the alert.
func moment(inc *responsehub.Incident, t time.Time) string {
	if t.UTC().Format(time.DateOnly) == inc.ReceivedAt.UTC().Format(time.DateOnly) {
		return t.UTC().Format("15:04:05 UTC")
	}
	return when(t)
}

// alerted is when the alert came in, from whom, and when that saw it.
func alerted(inc *responsehub.Incident) string {
	text := when(inc.ReceivedAt)
	if inc.Source != "" {
		text += " from " + Clean(inc.Source, 40)
	}
	if !inc.DetectedAt.IsZero() {
		text += ", detected " + moment(inc, inc.DetectedAt)
	}
	return text
}

// local is a time as the reader's client writes it, in the reader's zone and language.
// Teams does so in text blocks only.
// https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features#datetime-function-rules
func local(t time.Time) string {
	at := t.UTC().Format("2006-01-02T15:04:05Z")
	return fmt.Sprintf("Your time: {{DATE(%s, SHORT)}} {{TIME(%s)}}", at, at)
}

// severity is the detector's grade with what it asks for.
func severity(inc *responsehub.Incident) string {
	if word, ok := severityWords[inc.Severity]; ok {
		return word
	}
	return Clean(string(inc.Severity), 20)
}

// title is a step's name with its number, as on its button.
func title(id responsehub.StepID) string {
	if id == responsehub.Publish {
		return id.Title()
	}
	return fmt.Sprintf("%d %s", id.Number(), id.Title())
}

// retraction tells how far the search for phish has come.
func retraction(p *responsehub.Progress) string {
	s := fmt.Sprintf("%s of %s searched, %s moved", responsehub.Grouped(p.Searched), responsehub.Grouped(p.Mailboxes), responsehub.Grouped(p.Moved))
	if p.Found > 0 {
		s = fmt.Sprintf("%s of %s searched, %s found, %s moved", responsehub.Grouped(p.Searched), responsehub.Grouped(p.Mailboxes), responsehub.Grouped(p.Found), responsehub.Grouped(p.Moved))
	}
	if p.Already > 0 {
		s += ", " + responsehub.Grouped(p.Already) + " already deleted"
	}
	if p.Kept > 0 {
		s += ", " + responsehub.Grouped(p.Kept) + " left as evidence"
	}
	if p.Unreachable > 0 {
		s += ", " + responsehub.Grouped(p.Unreachable) + " could not be read"
	}
	return s
}

// more counts what was left out of a list, with the way to all of it.
func more(inc *responsehub.Incident, view View, n int, what string) []obj {
	text := fmt.Sprintf("and %s more %s; ", responsehub.Grouped(n), what)
	if to := address(view.Console, true); to != "" {
		return []obj{subtle(text), run("see all", obj{"selectAction": obj{"type": "Action.OpenUrl", "title": wordsConsole, "url": to}})}
	}
	return []obj{subtle(text + "responsehub incident show " + inc.Ref + " lists all")}
}

// Summary is the one line for the notification of a new card: no markup, and short
// enough for a toast.
func Summary(inc *responsehub.Incident) string {
	call := "act now"
	switch {
	case inc.State.Closed():
		call = inc.State.Words()
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
