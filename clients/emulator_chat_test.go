package clients_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub/sim"
)

// say writes to the bot in a conversation, as a person does.
func (e *emulator) say(t *testing.T, who, conversation, text string) {
	t.Helper()
	body := map[string]any{"from": map[string]any{"id": who}, "text": text, "textFormat": "plain"}
	if mark, _, ok := strings.Cut(text, "</at>"); ok { // in a channel only a mention reaches the bot
		body["mentions"] = []map[string]any{{"mentioned": map[string]any{"id": "28:" + sim.BotAppID}, "text": mark + "</at>"}}
	}
	e.post(t, "/_conversation/v1/conversations/"+url.PathEscape(conversation)+"/messages", body)
}

// said waits until the bot has posted a message with the words into the conversation.
func (l *ledger) said(t *testing.T, conversation, words string) called {
	t.Helper()
	var found called
	defer func() {
		if t.Failed() {
			for _, c := range l.calls(http.MethodPost, "/activities") {
				t.Logf("posted to %s: %d %v", c.Path, c.Status, c.Sent["text"])
			}
		}
	}()
	until(t, 15*time.Second, "the bot says "+words+" in "+conversation, func() bool {
		for _, c := range l.calls(http.MethodPost, "/activities") {
			text, _ := c.Sent["text"].(string)
			if strings.Contains(c.Path, conversation) && strings.Contains(text+cardOf(c.Sent), words) {
				found = c
				return true
			}
		}
		return false
	})
	if found.Status/100 != 2 {
		t.Errorf("the connector refused %v: %d %v", found.Sent, found.Status, found.Answer)
	}
	return found
}

// talkToBot plays what is done in words: the thread of the card, presses on a card that is
// older than the incident, and the commands in a chat and by mention.
func talkToBot(t *testing.T, e *emulator, l *ledger, thread, message, ref string, old map[string]any) {
	t.Helper()
	reply := l.said(t, thread, "is locked, read back at")
	if reply.Sent["attachments"] != nil {
		t.Errorf("a reply of text and a card has no id: %v", reply.Sent)
	}
	locks := 0
	for _, c := range l.calls(http.MethodPost, "/activities") {
		if text, _ := c.Sent["text"].(string); strings.Contains(text, "is locked, read back at") {
			locks++
		}
	}
	if locks != 1 {
		t.Errorf("the lock was told %d times", locks)
	}

	// A card from before the lock: nothing runs, and whoever presses gets the present one.
	answer := e.press(t, bob, thread, message, old)
	if shown, _ := json.Marshal(answer["value"]); answer["type"] != cardType || !strings.Contains(string(shown), "was started by") || !strings.Contains(string(shown), "✓") {
		t.Errorf("a press on the old card was answered %v %s", answer["type"], shown)
	}

	for _, tc := range []struct{ in, text, want string }{
		{incident, "<at>ResponseHub</at> incidents", ref},
		{"a-chat", "incident " + ref, "This is a copy to read"},
		{"a-chat", "on call", "On call, in the order in which people are called"},
		{"a-chat", "acknowledge " + ref, "acknowledged this at"},
		{"a-chat", "whoami", "Your Entra object id is"},
		{"a-chat", "help", "I know: incidents"},
		{"a-chat", "make me a sandwich", "I do not know that"},
	} {
		e.say(t, ann, tc.in, tc.text)
		l.said(t, tc.in, tc.want)
	}
}
