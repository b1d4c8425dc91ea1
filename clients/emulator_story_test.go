package clients_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub/config"
	"responsehub/sim"
)

const cardType = "application/vnd.microsoft.card.adaptive"

// TestEmulator plays an incident of a customer without Response in Microsoft's emulator
// of Teams, with the hub's checks of who is calling as in production.
func TestEmulator(t *testing.T) {
	key := newSigner(t, "emulated")
	openid := serveKeys(t, key.jwk("msteams"))
	h := startHub(t, func(cfg *config.Config) {
		cfg.Teams.OpenID = openid
		for i := range cfg.Tenants {
			cfg.Tenants[i].Notify.Teams = []string{incident}
		}
	})
	connector := keep(t)
	bot, answered := signing(t, key, h.url, sim.BotAppID)
	e := startEmulator(t, bot+"/api/messages", connector.url+"/_connector")
	connector.connect(t, e.url)
	e.install(t)
	until(t, 10*time.Second, "the hub has taken the install events", func() bool {
		return answered("installationUpdate 200") > 0 && answered("conversationUpdate 200") > 0
	})

	watch := talk(t, "emulator.cjs")
	var ready string
	watch(40*time.Second, map[string]string{
		"chromium": chromium(t), "url": e.url, "folder": artifacts(t, "emulator"), "channel": "Security desk - Incidents",
	}, &ready)

	h.raise(t, "manual")
	var posted called
	until(t, 20*time.Second, "a card in the channel", func() bool {
		for _, c := range connector.calls(http.MethodPost, "/v3/conversations") {
			if c.Status == http.StatusCreated {
				posted = c
			}
		}
		return posted.Status != 0
	})
	first, _ := posted.Sent["activity"].(map[string]any)
	if channel := at(posted.Sent, "channelData", "channel", "id"); channel != incident || cardOf(first) == "" || first["text"] != nil {
		t.Fatalf("posted to %v with text %v and card %q", channel, first["text"], cardOf(first))
	}
	if posted.Bearer == "" {
		t.Error("the hub called the connector without a token")
	}
	thread, _ := posted.Answer["id"].(string)
	message, _ := posted.Answer["activityId"].(string)
	if thread == "" || message == "" {
		t.Fatalf("the emulator answered createConversation with %v", posted.Answer)
	}
	shown := func() string { // what everybody sees
		card := cardOf(first)
		for _, c := range connector.calls(http.MethodPut, "/activities/"+message) {
			if c.Status/100 == 2 {
				card = cardOf(c.Sent)
			}
		}
		return card
	}

	victim := h.world.Scenes[1].Victim.ID
	publish := button(t, shown(), "Publish Incident")
	answer := e.press(t, mallory, thread, message, publish)
	if answer["type"] == cardType || !isSentence(answer) {
		t.Errorf("a stranger's press was answered %v", answer)
	}
	if strings.Contains(shown(), "1 Revoke sessions and lock account\",\"type\":\"Action") {
		t.Error("a stranger published the incident")
	}
	answer = e.press(t, ann, thread, message, publish)
	if answer["type"] != cardType {
		t.Fatalf("Ann's press was answered with %v %v", answer["type"], answer["value"])
	}
	until(t, 10*time.Second, "the card in the channel shows the steps", func() bool { return hasButton(shown(), "1 Revoke sessions and lock account") })
	if h.effects("disable", victim) != 0 {
		t.Error("publishing locked the account")
	}

	// Two people at the same instant: the work is done once, both get the card.
	lock := button(t, shown(), "1 Revoke sessions and lock account")
	answers := make([]map[string]any, 2)
	var both sync.WaitGroup
	for i, who := range []string{ann, bob} {
		both.Go(func() { answers[i] = e.press(t, who, thread, message, lock) })
	}
	both.Wait()
	for i, a := range answers {
		if a["type"] != cardType {
			t.Errorf("press %d was answered with %v %v", i, a["type"], a["value"])
		}
	}
	until(t, 20*time.Second, "the channel's card shows that the lock was read back", func() bool {
		return strings.Contains(shown(), "✓") || strings.Contains(shown(), "✅")
	})
	if n := h.effects("disable", victim); n != 1 {
		t.Errorf("the account was disabled %d times", n)
	}
	if n := h.effects("revoke", victim); n != 1 {
		t.Errorf("sessions were revoked %d times", n)
	}
	if n := len(connector.calls(http.MethodPost, "/v3/conversations")); n != 1 {
		t.Errorf("%d threads for one incident", n)
	}
	if odd := h.world.Wire.UnexpectedAll(); len(odd) > 0 {
		t.Errorf("the simulated Microsoft did not expect: %q", odd)
	}

	talkToBot(t, e, connector, thread, message, refOf(t, shown()), lock)

	// The next step in the emulator's own page, as a person does it.
	var page struct{ Before, After string }
	watch(30*time.Second, map[string]string{"press": "2 Retract phishing emails"}, &page)
	if !strings.Contains(page.Before, "2 Retract phishing emails") || !strings.Contains(page.After, "2 Retract phishing emails") || page.Before == page.After {
		t.Errorf("the page showed %q, then %q", page.Before, page.After)
	}
	until(t, 20*time.Second, "the mails are retracted", func() bool { return hasMark(shown(), "2 Retract phishing emails") })
	throughSteps(t, e, connector, thread, message, shown)
	for _, c := range connector.calls("", "") {
		if c.Status/100 != 2 {
			t.Errorf("the connector refused %s %s: %d %v", c.Method, c.Path, c.Status, c.Answer)
		}
	}
}

// refOf is the name by which people call the incident of a card.
func refOf(t *testing.T, card string) string {
	t.Helper()
	ref := regexp.MustCompile(`RH-[0-9A-Z]+`).FindString(card)
	if ref == "" {
		t.Fatalf("the card names no incident: %s", card)
	}
	return ref
}

// isSentence reports whether a press was answered with words for the person only.
func isSentence(answer map[string]any) bool {
	s, ok := answer["value"].(string)
	return ok && answer["type"] == "application/vnd.microsoft.activity.message" && len(s) > 10
}

// hasMark reports whether the line of a step carries a check mark.
func hasMark(card, step string) bool {
	var c struct{ Body []json.RawMessage }
	_ = json.Unmarshal([]byte(card), &c)
	for _, line := range c.Body {
		if s := string(line); strings.Contains(s, step) && (strings.Contains(s, "✓") || strings.Contains(s, "✅")) {
			return true
		}
	}
	return false
}

func hasButton(card, title string) bool { return find(card, title) != nil }

// button is the action of the card with the title.
func button(t *testing.T, card, title string) map[string]any {
	t.Helper()
	b := find(card, title)
	if b == nil {
		t.Fatalf("the card has no button %q: %s", title, card)
	}
	return b
}

func find(card, title string) map[string]any {
	var c struct {
		Actions []map[string]any `json:"actions"`
	}
	_ = json.Unmarshal([]byte(card), &c)
	for _, a := range c.Actions {
		if a["title"] == title && a["type"] == "Action.Execute" {
			return a
		}
	}
	return nil
}

// at reads a value deep inside an object, or nil.
func at(v any, path ...string) any {
	for _, k := range path {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}
