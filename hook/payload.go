package hook

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"responsehub"
)

// body is what a webhook gets: the shape that Standard Webhooks advises,
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure
type body struct {
	Type      responsehub.EventKind `json:"type"`
	Timestamp time.Time             `json:"timestamp"`
	Data      data                  `json:"data"`
}

type data struct {
	Incident incident `json:"incident"`
	Event    event    `json:"event"`
}

// incident is the incident as it is when the event is delivered.
type incident struct {
	ID       string                    `json:"id"`
	Ref      string                    `json:"ref"`
	State    responsehub.IncidentState `json:"state"`
	Severity responsehub.Severity      `json:"severity"`
	Title    string                    `json:"title"`
	Tenant   responsehub.TenantRef     `json:"tenant"`
	Account  responsehub.Account       `json:"account"`
	OpenedAt time.Time                 `json:"opened_at"`
	Link     string                    `json:"link,omitempty"`
}

type event struct {
	Seq  int64              `json:"seq"`
	By   responsehub.By     `json:"by,omitzero"`
	Step responsehub.StepID `json:"step,omitempty"`
	Item string             `json:"item,omitempty"`
	Text string             `json:"text,omitempty"`
	Set  map[string]string  `json:"set,omitempty"`
}

func payload(inc *responsehub.Incident, e *responsehub.Event, link string) ([]byte, error) {
	return json.Marshal(body{Type: e.Kind, Timestamp: e.At, Data: data{
		Incident: incident{ID: inc.ID, Ref: inc.Ref, State: inc.State, Severity: inc.Severity, Title: inc.Title, Tenant: inc.Tenant, Account: inc.Account, OpenedAt: inc.OpenedAt, Link: link},
		Event:    event{Seq: e.Seq, By: e.By, Step: e.Step, Item: e.Item, Text: e.Text, Set: e.Set},
	}})
}

// notable reports whether people should notice an event.
func notable(e *responsehub.Event) bool {
	switch e.Kind {
	case responsehub.EventOpened, responsehub.EventAcknowledged, responsehub.EventPublished, responsehub.EventClosed, responsehub.EventFalseAlarm,
		responsehub.EventFailed, responsehub.EventNeedsHuman, responsehub.EventWatchRelocked, responsehub.EventHeldBack,
		responsehub.EventPageNobody, responsehub.EventPageAgain, responsehub.EventLaneDead, responsehub.EventJoined, responsehub.EventStepUndone:
		return true
	case responsehub.EventDone:
		return e.Step == responsehub.Lock || e.Step == responsehub.Reenable
	}
	return false
}

const (
	linesMost = 10   // of a message; the page has all
	lineMost  = 500  // characters of a line
	chatTitle = 1000 // characters of the first line
)

// message is what a chat gets. Slack takes mrkdwn in text, in which &, < and > are
// control characters and must be escaped:
// https://docs.slack.dev/messaging/formatting-message-text#escaping and
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func message(inc *responsehub.Incident, events []responsehub.Event, first bool, link string) ([]byte, error) {
	var b strings.Builder
	head := fmt.Sprintf(headline, inc.Ref, inc.Account.Label(), inc.Tenant.Name)
	fmt.Fprintf(&b, "*%s*", plain(head, chatTitle))
	if first {
		fmt.Fprintf(&b, "\n%s", plain(fmt.Sprintf(opening, inc.Severity, inc.Title), chatTitle))
		if inc.State == responsehub.Unpublished {
			b.WriteString("\n" + unpublished)
		}
	}
	left := 0
	if len(events) > linesMost {
		left = len(events) - linesMost
		events = events[left:]
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n"+earlier, left)
	}
	for _, e := range events {
		line := e.At.UTC().Format("15:04:05") + " UTC: " + e.Text
		if e.By.Name != "" {
			line += " (" + e.By.Name + ")"
		}
		b.WriteString("\n• " + plain(line, lineMost))
	}
	if link != "" {
		fmt.Fprintf(&b, "\n<%s|%s>", escaped.Replace(link), openLink)
	}
	return json.Marshal(map[string]any{"text": b.String(), "unfurl_links": false, "unfurl_media": false})
}

var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// plain makes a stranger's text show as it is, on one line: nothing in it mentions
// anybody, links anywhere or formats. A zero-width space follows what would format.
func plain(s string, most int) string {
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > most {
		runes = append(runes[:most-1], '…')
	}
	return marks.Replace(string(runes))
}

var marks = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "*\u200b", "_", "_\u200b", "~", "~\u200b", "`", "`\u200b")
