package teams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// maxAnswer is how much of the bot's answer is read, in bytes.
const maxAnswer = 256 << 10

// maxSent is how many deliveries are remembered.
const maxSent = 200

// Delivery is one activity posted to the bot and how it was answered.
type Delivery struct {
	At     time.Time `json:"at"`
	Type   string    `json:"type"` // message, invoke, installationUpdate, conversationUpdate
	Name   string    `json:"name"` // of an invoke
	From   string    `json:"from"`
	Status int       `json:"status"` // 0 when there was no answer
	Millis int64     `json:"millis"`
	Error  string    `json:"error"`
}

// activity makes what every activity of a person has. conv may carry ;messageid=.
func (s *Service) activity(kind string, p Person, conv string) map[string]any {
	base, _ := splitConversation(conv)
	s.mu.Lock()
	c := *s.convs[base]
	s.mu.Unlock()
	tenant := s.cfg.TenantID
	if p.ForeignTenant != "" {
		tenant = p.ForeignTenant
	}
	now := time.Now().UTC()
	conversation := map[string]any{"conversationType": c.kind, "tenantId": tenant, "id": conv}
	data := map[string]any{"tenant": map[string]any{"id": tenant}}
	if c.kind == "channel" {
		conversation["isGroup"] = true
		conversation["name"] = c.name
		data["team"] = map[string]any{"id": s.cfg.TeamID, "name": s.cfg.TeamName, "aadGroupId": s.cfg.GroupID}
		data["channel"] = map[string]any{"id": base}
	}
	return map[string]any{
		"type": kind, "id": uuid.NewString(), "channelId": "msteams", "serviceUrl": s.ServiceURL(),
		"timestamp": now.Format("2006-01-02T15:04:05.000Z"), "localTimestamp": now.Format("2006-01-02T15:04:05.000-07:00"),
		"localTimezone": "UTC", "locale": "en-US",
		"from":         map[string]any{"id": p.MRI(), "name": p.Name, "aadObjectId": p.EntraID},
		"recipient":    map[string]any{"id": s.botID(), "name": "ResponseHub"},
		"conversation": conversation, "channelData": data,
		"entities": []any{map[string]any{"type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web", "timezone": "UTC"}},
	}
}

// Deliver signs an activity and posts it to the bot, spoiled as t says. It returns the status and
// the body of the answer; an error means that there was none in time.
func (s *Service) Deliver(ctx context.Context, activity map[string]any, t Tamper) (status int, answer []byte, err error) {
	activity = maps.Clone(activity)
	switch t.Activity {
	case "":
	case "-":
		delete(activity, "serviceUrl")
	default:
		activity["serviceUrl"] = t.Activity
	}
	if conv, ok := activity["conversation"].(map[string]any); ok && t.TenantID != "" {
		conv = maps.Clone(conv)
		conv["tenantId"] = t.TenantID
		activity["conversation"] = conv
		data, _ := activity["channelData"].(map[string]any)
		data = maps.Clone(data)
		data["tenant"] = map[string]any{"id": t.TenantID}
		activity["channelData"] = data
	}
	start := time.Now()
	status, answer, err = s.send(ctx, activity, t)
	d := Delivery{At: start.UTC(), Type: text(activity, "type"), Name: text(activity, "name"), From: text(activity, "from", "name"), Status: status, Millis: time.Since(start).Milliseconds()}
	if err != nil {
		d.Error = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent = append(s.sent, d); len(s.sent) > maxSent {
		s.sent = append([]Delivery(nil), s.sent[len(s.sent)-maxSent:]...)
	}
	return status, answer, err
}

func (s *Service) send(ctx context.Context, activity map[string]any, t Tamper) (int, []byte, error) {
	body, err := json.Marshal(activity)
	if err != nil {
		return 0, nil, fmt.Errorf("teams: encode activity: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.Timeout, errors.New("the app did not answer in time"))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.BotURL, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("teams: post activity: %w", err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)")
	authorization, err := s.authorization(t)
	if err != nil {
		return 0, nil, err
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return 0, nil, fmt.Errorf("teams: post activity: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return resp.StatusCode, nil, fmt.Errorf("teams: read the app's answer: %w", err)
	}
	return resp.StatusCode, answer, nil
}

// Install adds the bot to the team and tells it so, with the two events in the order in which Teams
// mostly sends them, until the bot takes both or ctx ends. From the first try on the connector
// answers the bot.
func (s *Service) Install(ctx context.Context) error { return s.membership(ctx, true) }

// Uninstall takes the bot out of the team and tells it so; the connector answers 403
// BotNotInConversationRoster from then on.
func (s *Service) Uninstall(ctx context.Context) error { return s.membership(ctx, false) }

func (s *Service) membership(ctx context.Context, add bool) error {
	if len(s.cfg.People) == 0 {
		return errors.New("teams: nobody is there to install the app")
	}
	s.mu.Lock()
	s.installed = add
	s.mu.Unlock()
	selected := s.cfg.Channels[0].ID
	install := s.activity("installationUpdate", s.cfg.People[0], selected)
	update := s.activity("conversationUpdate", s.cfg.People[0], selected)
	install["action"], update["membersAdded"] = "add", []any{map[string]any{"id": s.botID(), "name": "ResponseHub"}}
	event := "teamMemberAdded"
	if !add {
		delete(update, "membersAdded")
		install["action"], update["membersRemoved"] = "remove", []any{map[string]any{"id": s.botID(), "name": "ResponseHub"}}
		event = "teamMemberRemoved"
	}
	for _, a := range []map[string]any{install, update} {
		data := a["channelData"].(map[string]any)
		data["settings"] = map[string]any{"selectedChannel": map[string]any{"id": selected}}
		if a["type"] == "conversationUpdate" {
			data["eventType"] = event
		}
		if err := s.insist(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// insist delivers until the bot answers 2xx; the bot may be started later than Teams.
func (s *Service) insist(ctx context.Context, activity map[string]any) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		status, _, err := s.Deliver(ctx, activity, Tamper{})
		if err == nil && status/100 == 2 {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("the app answered %d", status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("teams: tell the app of %v: %w (last: %w)", activity["type"], context.Cause(ctx), err)
		case <-time.After(wait):
		}
	}
}
