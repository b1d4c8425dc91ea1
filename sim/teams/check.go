package teams

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Fields of the connector's objects.
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
const (
	activityFields = "type id timestamp localTimestamp localTimezone callerId serviceUrl channelId from conversation recipient " +
		"textFormat attachmentLayout membersAdded membersRemoved reactionsAdded reactionsRemoved topicName historyDisclosed locale " +
		"text speak inputHint summary suggestedActions attachments entities channelData action replyToId label valueType value name " +
		"relatesTo code expiration importance deliveryMode listenFor textHighlights semanticAction"
	conversationFields = "isGroup bot members topicName tenantId activity channelData"
	attachmentFields   = "contentType contentUrl content name thumbnailUrl"
)

// outgoing is what a bot wants to post.
type outgoing struct {
	kind, text, summary, replyTo string
	card                         []byte
	split                        bool // text and attachment together: Teams makes two messages of it
}

// strictObject reads one JSON object whose fields are all known, none empty and no time zero.
func (s *Service) strictObject(what string, raw []byte, allowed string) (map[string]any, *refusal) {
	v, err := decode(raw)
	if err != nil {
		return nil, refuse("BadArgument", what+": "+err.Error())
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, refuse("BadArgument", what+" is not an object")
	}
	known := strings.Fields(allowed)
	for name, v := range m {
		fault := ""
		switch empty, isObject := v.(map[string]any); {
		case !slices.Contains(known, name):
			fault = "unknown field " + name
		case isObject && len(empty) == 0 && name != "value":
			fault = name + " is an empty object"
		case isText(v, "0001-01-01T00:00:00Z"):
			fault = name + " is a zero time"
		default:
			continue
		}
		s.cfg.Log.Unexpected("teams", what+": "+fault)
		return nil, refuse("BadArgument", what+": "+fault)
	}
	return m, nil
}

func isText(v any, want string) bool { s, ok := v.(string); return ok && s == want }

func text(m map[string]any, path ...string) string {
	for _, name := range path[:len(path)-1] {
		m, _ = m[name].(map[string]any)
	}
	s, _ := m[path[len(path)-1]].(string)
	return s
}

// checkActivity reads an activity that a bot posts.
func (s *Service) checkActivity(raw []byte) (outgoing, *refusal) {
	m, bad := s.strictObject("activity", raw, activityFields)
	if bad != nil {
		return outgoing{}, bad
	}
	out := outgoing{kind: text(m, "type"), text: text(m, "text"), summary: text(m, "summary"), replyTo: text(m, "replyToId")}
	if out.kind != "message" && out.kind != "typing" {
		return outgoing{}, refuse("BadArgument", fmt.Sprintf("Unknown activity type %q", out.kind))
	}
	if from := text(m, "from", "id"); from != "" && from != s.botID() {
		return outgoing{}, refuse("BadArgument", "from is not the bot")
	}
	if utf16Size(raw) > maxMessage {
		return outgoing{}, refuse("MessageSizeTooBig", "")
	}
	var parts struct{ Attachments []json.RawMessage } // as sent: the size of a card counts
	if err := json.Unmarshal(raw, &parts); err != nil {
		return outgoing{}, refuse("BadArgument", "attachments is not a list")
	}
	for _, a := range parts.Attachments {
		if out.card != nil {
			return outgoing{}, refuse("BadArgument", "more than one attachment")
		}
		if out.card, bad = s.checkAttachment(a); bad != nil {
			return outgoing{}, bad
		}
	}
	if out.kind == "message" && out.text == "" && out.card == nil {
		return outgoing{}, refuse("BadArgument", "Activity must include text or attachments")
	}
	out.split = out.text != "" && out.card != nil
	return out, nil
}

func list(m map[string]any, name string) ([]any, *refusal) {
	v, given := m[name]
	if !given || v == nil {
		return nil, nil
	}
	items, ok := v.([]any)
	if !ok {
		return nil, refuse("BadArgument", name+" is not a list")
	}
	return items, nil
}

func (s *Service) checkAttachment(raw []byte) ([]byte, *refusal) {
	a, bad := s.strictObject("attachment", raw, attachmentFields)
	if bad != nil {
		return nil, bad
	}
	if t := text(a, "contentType"); t != cardType {
		s.cfg.Log.Unexpected("teams", fmt.Sprintf("attachment of type %q", t))
		return nil, refuse("BadArgument", fmt.Sprintf("attachment type %q is not supported", t))
	}
	var part struct{ Content json.RawMessage }
	if err := json.Unmarshal(raw, &part); err != nil {
		return nil, refuse("BadArgument", "attachment: "+err.Error())
	}
	card := part.Content
	if len(card) > maxCard {
		return nil, refuse("MessageSizeTooBig", "")
	}
	if err := CheckCard(card); err != nil {
		s.cfg.Log.Unexpected("teams", err.Error())
		return nil, refuse("BadArgument", err.Error())
	}
	return card, nil
}

// utf16Size is the length of a message as Teams counts it, in bytes.
func utf16Size(raw []byte) int {
	n := 0
	for _, r := range string(raw) {
		n += 2 * max(1, utf16.RuneLen(r))
	}
	return n
}

func (s *Service) botID() string { return "28:" + s.cfg.AppID }
