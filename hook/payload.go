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
	linesMost = 10  // of a message; the page has all
	lineMost  = 500 // characters of a line
	chatTitle = 500 // characters of the first lines; escaped five times as many, which a section still holds
)

// Slack's limits: https://docs.slack.dev/reference/block-kit/blocks/header-block (150
// characters of plain text), .../section-block (3,000 characters) and
// https://docs.slack.dev/reference/block-kit/blocks (50 blocks in a message). The text
// beside the blocks is what a notification and a screen reader say.
const (
	headerMost  = 150
	sectionMost = 3000
	blocksMost  = 50
)

// message is what a chat gets: one header, sections of mrkdwn, in which &, < and > are
// control characters and must be escaped, and the link:
// https://docs.slack.dev/messaging/formatting-message-text#escaping and
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func message(inc *responsehub.Incident, events []responsehub.Event, first bool, link string) ([]byte, error) {
	head := fmt.Sprintf(headline, inc.Ref, inc.Account.Label(), inc.Tenant.Name)
	var lines []string
	if first {
		lines = append(lines, plain(fmt.Sprintf(opening, inc.Severity, inc.Title), chatTitle))
		switch {
		case inc.State == responsehub.Unpublished:
			lines = append(lines, unpublished)
		case inc.Response:
			lines = append(lines, responds)
		}
	}
	left := max(0, len(events)-linesMost)
	if left > 0 {
		lines = append(lines, fmt.Sprintf(earlier, left))
	}
	for _, e := range events[left:] {
		line := e.At.UTC().Format("15:04:05") + " UTC: " + e.Text
		if e.By.Name != "" {
			line += " (" + e.By.Name + ")"
		}
		lines = append(lines, "• "+plain(line, lineMost))
	}
	if link != "" {
		lines = append(lines, fmt.Sprintf("<%s|%s>", escaped.Replace(link), openLink))
	}
	return blocks(head, lines)
}

// blocks lays lines out under a head.
func blocks(head string, lines []string) ([]byte, error) {
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type block struct {
		Type string `json:"type"`
		Text text   `json:"text"`
	}
	all := []block{{"header", text{"plain_text", cut(oneLine(head), headerMost)}}}
	section := ""
	flush := func() {
		if section != "" && len(all) < blocksMost {
			all = append(all, block{"section", text{"mrkdwn", section}})
		}
		section = ""
	}
	for _, l := range lines {
		if len([]rune(section))+1+len([]rune(l)) > sectionMost {
			flush()
		}
		section = strings.TrimPrefix(section+"\n"+l, "\n")
	}
	flush()
	return json.Marshal(map[string]any{
		"text": strings.Join(append([]string{"*" + plain(head, chatTitle) + "*"}, lines...), "\n"), "blocks": all, "unfurl_links": false, "unfurl_media": false,
	})
}

// testPayload is a webhook's test event: of the usual shape, with no incident behind it.
func testPayload(t *responsehub.Tenant, actor responsehub.Actor, now time.Time) ([]byte, error) {
	return json.Marshal(map[string]any{"type": "test", "timestamp": now.UTC(), "data": map[string]any{
		"tenant": t.Ref(), "event": event{By: actor.By(), Text: fmt.Sprintf(testEvent, actor.Name)},
	}})
}

func testMessage(tenant, who string) ([]byte, error) {
	return json.Marshal(map[string]any{"text": plain(fmt.Sprintf(testText, tenant, who), chatTitle)})
}

var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// plain makes a stranger's text show as it is, on one line: nothing in it mentions
// anybody, links anywhere or formats. A zero-width space follows what would format.
func plain(s string, most int) string {
	return marks.Replace(cut(oneLine(s), most))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

var marks = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "*\u200b", "_", "_\u200b", "~", "~\u200b", "`", "`\u200b")
