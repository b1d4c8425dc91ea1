package receiver

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"responsehub/sim/wire"
)

// SlackPath is the path of the only incoming webhook there is.
const SlackPath = "/receiver/slack/services/T0SIM/B0SIM/incidents0000000000000001"

// Slack takes a message a second from a webhook, and short bursts of more:
// https://docs.slack.dev/apis/web-api/rate-limits#incoming-webhooks
const burst = 5

// chat is an incoming webhook:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
func (s *Service) chat(rw http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != SlackPath:
		say(rw, http.StatusNotFound, "no_service")
		return
	case r.Method != http.MethodPost:
		say(rw, http.StatusBadRequest, "invalid_payload")
		return
	case s.tooFast(time.Now()):
		rw.Header().Set("Retry-After", "1")
		say(rw, http.StatusTooManyRequests, "rate_limited")
		return
	}
	raw, err := io.ReadAll(r.Body)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == "application/x-www-form-urlencoded" {
		form, _ := url.ParseQuery(string(raw)) // what cannot be parsed lacks the payload
		raw = []byte(form.Get("payload"))
	}
	var m message
	if err != nil || json.Unmarshal(raw, &m) != nil {
		say(rw, http.StatusBadRequest, "invalid_payload")
		return
	}
	if m.Text == "" && len(m.Blocks) == 0 {
		say(rw, http.StatusBadRequest, "no_text")
		return
	}
	if fault := m.fault(); fault != "" {
		s.cfg.Log.Unexpected("slack", "invalid_blocks: "+fault)
		say(rw, http.StatusBadRequest, "invalid_blocks")
		return
	}
	for _, mention := range []string{"<!channel", "<!here", "<!everyone", "<@", "<!subteam"} {
		if strings.Contains(string(raw), strings.ReplaceAll(mention, "<", `\u003c`)) || strings.Contains(string(raw), mention) {
			s.cfg.Log.Unexpected("slack", "a message mentions people: "+mention)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slack = append(s.slack, Message{At: time.Now().UTC(), Text: cut(m.Text, 40_000), Blocks: len(m.Blocks), Raw: string(raw)})
	s.cfg.Log.Effect(wire.Effect{Vendor: "slack", Kind: "message", Target: "incidents"})
	say(rw, http.StatusOK, "ok")
}

func (s *Service) tooFast(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.NoLimits {
		return false
	}
	for len(s.posted) > 0 && now.Sub(s.posted[0]) > burst*time.Second {
		s.posted = s.posted[1:]
	}
	if len(s.posted) >= burst {
		return true
	}
	s.posted = append(s.posted, now)
	return false
}

// message is what is read of a payload.
type message struct {
	Text   string  `json:"text"`
	Blocks []block `json:"blocks"`
}

type block struct {
	Type string `json:"type"`
	Text *struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"text"`
}

// fault names what Slack's reference forbids: https://docs.slack.dev/reference/block-kit/blocks
func (m *message) fault() string {
	if len(m.Blocks) > 50 {
		return "more than 50 blocks"
	}
	for _, b := range m.Blocks {
		switch {
		case b.Type == "divider":
			continue
		case b.Type != "header" && b.Type != "section":
			return "a block of type " + b.Type
		case b.Text == nil || b.Text.Text == "":
			return "a " + b.Type + " without text"
		case b.Type == "header" && (b.Text.Type != "plain_text" || utf8.RuneCountInString(b.Text.Text) > 150):
			return "a header that is no plain text of 150 characters"
		case b.Type == "section" && (b.Text.Type != "mrkdwn" && b.Text.Type != "plain_text" || utf8.RuneCountInString(b.Text.Text) > 3000):
			return "a section that is no text of 3000 characters"
		}
	}
	return ""
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
