package hook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"responsehub"
)

// slackBlocks are what Slack documents of a message with blocks.
type slackMessage struct {
	Text   string
	Blocks []struct {
		Type string
		Text struct{ Type, Text string }
	}
}

// TestSlackTakesTheLongestMessage: everything that strangers may make long, and made of
// what has to be escaped, stays within the limits that Slack documents.
func TestSlackTakesTheLongestMessage(t *testing.T) {
	for name, stranger := range map[string]string{"markup": strings.Repeat("<&>", 3000), "format": strings.Repeat("*_~`", 3000), "lines": strings.Repeat("a\n", 9000), "letters": strings.Repeat("Ж用", 9000)} {
		inc := responsehub.NewIncident("01TEST", "RH-7K2M", time.Now(), "petra", &responsehub.Alert{
			Severity: responsehub.Critical, Title: stranger, Account: responsehub.Account{DisplayName: stranger, UserPrincipalName: "pat@contoso.example"},
		}, responsehub.TenantRef{ID: "t1", Name: stranger}, true)
		var events []responsehub.Event
		for range 500 {
			events = append(events, responsehub.Event{At: time.Now(), Kind: responsehub.EventFailed, Text: stranger, By: responsehub.By{Name: stranger}})
		}
		raw, err := message(inc, events, true, "https://hub.example/incidents/1?a=1&b=<2>")
		if err != nil {
			t.Fatal(err)
		}
		var m slackMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Blocks) < 2 || len(m.Blocks) > 50 || m.Blocks[0].Type != "header" || m.Blocks[0].Text.Type != "plain_text" || utf8.RuneCountInString(m.Blocks[0].Text.Text) > 150 {
			t.Errorf("%s: %d blocks, the first %+v", name, len(m.Blocks), m.Blocks[0])
		}
		whole := ""
		for i, b := range m.Blocks[1:] {
			if n := utf8.RuneCountInString(b.Text.Text); n == 0 || n > 3000 || b.Type != "section" || b.Text.Type != "mrkdwn" {
				t.Errorf("%s: block %d is a %s of %d characters", name, i+1, b.Type, n)
			}
			whole += b.Text.Text + "\n"
		}
		for _, text := range []string{whole, m.Text} {
			rest := strings.Replace(text, "<https://hub.example/incidents/1?a=1&amp;b=&lt;2&gt;|Open the incident>", "", 1)
			if len(rest) == len(text) || strings.ContainsAny(rest, "<>") || !strings.Contains(rest, "Response is on there") || !strings.Contains(rest, "(and 490 earlier)") {
				t.Errorf("%s: the text is %.300q", name, text)
			}
		}
		if utf8.RuneCountInString(m.Text) > 40_000 {
			t.Errorf("%s: the text beside the blocks has %d characters", name, utf8.RuneCountInString(m.Text))
		}
	}
}

// TestNoSecretIsInAPayload: what a webhook is told is made of named fields; sealed
// passwords, pages' codes and numbers of people are none of them.
func TestNoSecretIsInAPayload(t *testing.T) {
	inc := responsehub.NewIncident("01TEST", "RH-7K2M", time.Now(), "petra", &responsehub.Alert{Title: "Takeover", Account: responsehub.Account{UserPrincipalName: "pat@contoso.example"}}, responsehub.TenantRef{ID: "t1", Name: "Contoso"}, true)
	inc.Sealed = map[string]responsehub.Sealed{"password": {Box: []byte("SEALED-BOX")}}
	inc.Hooks = map[string]responsehub.HookRef{"k": {Host: "hooks.slack.example"}}
	e := responsehub.Event{Seq: 1, At: time.Now(), Kind: responsehub.EventOpened, Text: "Alert received"}
	raw, err := payload(inc, &e, "https://hub.example")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]map[string]map[string]any
	_ = json.Unmarshal(raw, &m) // type and timestamp are texts: the rest is read all the same
	var got []string
	for k := range m["data"]["incident"] {
		got = append(got, k)
	}
	if len(got) < 8 || strings.Contains(string(raw), "U0VBTEVELUJPWA") || strings.Contains(string(raw), "hooks.slack") {
		t.Errorf("%s", raw)
	}
	for _, k := range got {
		if !strings.Contains(" id ref state severity title tenant account opened_at link ", " "+k+" ") {
			t.Errorf("the payload tells %s: %s", k, fmt.Sprint(m["data"]["incident"][k]))
		}
	}
}
