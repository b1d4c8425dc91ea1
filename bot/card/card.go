package card

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"responsehub"
)

// MaxSize is the largest card, in bytes of JSON. Teams allows about 100 KB counted in
// UTF-16 with the whole message around it, and older notes say 40 KB; 28 KB is safe
// under all of them.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
const MaxSize = 28 << 10

// View is what differs between two drawings of the same incident.
type View struct {
	Answer   string                          // sentence above the card for the person who just clicked; empty on the posted card
	ReadOnly bool                            // a copy without buttons
	Console  string                          // https address of the incident's page in the console; empty: no link
	Lacks    func(responsehub.StepID) string // what is known to keep a waiting step from working; nil: nothing
	Now      time.Time                       // to tell whether a one-time password has expired; zero: it has not
}

// detail is how much of long lists and texts is drawn; the richest that fits is used.
type detail struct{ evidence, items, text, choices int }

var details = []detail{
	{evidence: 5, items: 15, text: 400, choices: 40},
	{evidence: 3, items: 10, text: 200, choices: 20},
	{evidence: 2, items: 5, text: 100, choices: 10},
	{evidence: 0, items: 0, text: 60, choices: 0},
}

// Card draws the incident. The result is at most [MaxSize] bytes of JSON.
func Card(inc *responsehub.Incident, view View) []byte {
	var b []byte
	for _, d := range details {
		if b = encode(draw(inc, view, d)); len(b) <= MaxSize {
			return b
		}
	}
	return b
}

// Hash names what a drawn card shows, for comparing it with the one that was posted.
func Hash(card []byte) string {
	sum := sha256.Sum256(card)
	return hex.EncodeToString(sum[:16])
}

func draw(inc *responsehub.Incident, view View, d detail) obj {
	var body []obj
	if view.Answer != "" {
		body = append(body, obj{"type": "Container", "style": "emphasis", "items": []obj{line(nil, bold(Clean(view.Answer, 600)))}})
	}
	body = append(body, head(inc, d)...)
	if !inc.State.Closed() {
		body = append(body, seen(inc, d)...)
	}
	body = append(body, steps(inc, view, d)...)
	var acts []obj
	switch {
	case view.ReadOnly && !inc.State.Closed():
		body = append(body, words(wordsReadOnly, obj{"isSubtle": true, "separator": true}))
	case !view.ReadOnly:
		acts = actions(inc, view, d)
	}
	c := adaptive(body, acts)
	c["fallbackText"] = wordsCannot
	c["msteams"] = obj{"width": "Full"}
	return c
}

// head says what happened to whom, and what is asked of the reader.
func head(inc *responsehub.Incident, d detail) []obj {
	body := []obj{
		line(nil, run(inc.Ref+"  "+Clean(inc.Title, min(d.text, 200)), obj{"weight": "Bolder", "size": "Large"})),
	}
	body = append(body, facts(inc)...)
	switch {
	case inc.State.Closed():
		closed := incidentWords[inc.State] + " " + when(inc.ClosedAt)
		if s := inc.Step(responsehub.Close); s != nil && s.RequestedBy.Name != "" {
			closed += ", " + Clean(s.RequestedBy.Name, 80)
		}
		body = append(body, line(nil, bold("Closed: "), plain(closed)))
	case inc.State == responsehub.Unpublished:
		body = append(body,
			words(wordsActNow, obj{"weight": "Bolder", "color": "Attention", "spacing": "Medium"}),
			words(wordsPublish, nil))
	default:
		body = append(body, line(obj{"spacing": "Medium"}, bold(standing(inc))))
	}
	body = append(body, withdrawn(inc, d)...)
	return body
}

// facts say to whom, where, how bad, since when, and who is at it.
func facts(inc *responsehub.Incident) []obj {
	rows := []obj{
		line(nil, bold("Account: "), plain(Clean(inc.Account.Label(), 200))),
		line(obj{"spacing": "None"}, bold("Tenant: "), plain(Clean(tenantName(inc), 120)),
			bold(" · Severity: "), plain(Clean(string(inc.Severity), 20)), bold(" · State: "), plain(incidentWords[inc.State])),
	}
	since := line(obj{"spacing": "None"}, bold("Detected: "), plain(when(inc.DetectedAt)))
	if lock := inc.Step(responsehub.Lock); lock != nil && lock.State == responsehub.Done && lock.VerifiedAt.After(inc.ReceivedAt) {
		since = line(obj{"spacing": "None"}, bold("Detected: "), plain(when(inc.DetectedAt)), bold(" · Locked: "), plain(span(lock.VerifiedAt.Sub(inc.ReceivedAt))+" after the alert came in"))
	}
	rows = append(rows, since)
	if a := inc.Acknowledged; a != nil {
		rows = append(rows, line(obj{"spacing": "None"}, bold("Taken by: "), plain(Clean(a.By.Name, 80)+", "+when(a.At)+" "+surfaceWords[a.By.Via])))
	}
	return rows
}

// seen shows the detector's words.
func seen(inc *responsehub.Incident, d detail) []obj {
	if inc.Summary == "" && len(inc.Evidence) == 0 {
		return nil
	}
	body := []obj{words(wordsSeen, obj{"weight": "Bolder", "separator": true, "spacing": "Medium"})}
	if s := Clean(inc.Summary, d.text); s != "" {
		body = append(body, line(nil, plain(s)))
	}
	for i, e := range inc.Evidence {
		if i == d.evidence {
			body = append(body, line(nil, subtle(more(len(inc.Evidence)-i, "of evidence"))))
			break
		}
		text := Clean(e.Text, d.text)
		if !e.At.IsZero() {
			text = when(e.At) + "  " + text
		}
		if from := strings.TrimSpace(Clean(e.IP, 64) + " " + Clean(e.Country, 40)); from != "" {
			text += " (" + from + ")"
		}
		body = append(body, line(nil, plain(text)))
	}
	return body
}
