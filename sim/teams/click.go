package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"responsehub/sim/wire"
)

// Answer types of adaptiveCard/action.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards
const (
	typeMessage = "application/vnd.microsoft.activity.message"
	typeError   = "application/vnd.microsoft.error"
	typeLogin   = "application/vnd.microsoft.activity.loginRequest"
)

// Notice is a line that one person's client shows under a card.
type Notice struct {
	At       time.Time `json:"at"`
	Activity string    `json:"activity"`
	Level    string    `json:"level"` // info or error
	Text     string    `json:"text"`
}

// Outcome is what the person who pressed a button got to see.
type Outcome struct {
	Status   int             `json:"status"`             // HTTP status of the bot's answer
	Code     int             `json:"code,omitempty"`     // statusCode of an adaptiveCard/action answer
	Type     string          `json:"type,omitempty"`     // type of the answer
	Message  string          `json:"message,omitempty"`  // the sentence shown, if any
	Replaced bool            `json:"replaced,omitempty"` // the card changed in this person's window
	Card     json.RawMessage `json:"card,omitempty"`     // that card, or the dialog's
	Title    string          `json:"title,omitempty"`    // of the dialog
	Dialog   bool            `json:"dialog,omitempty"`   // a dialog is open
	Activity string          `json:"activity,omitempty"` // the card's message
	Millis   int64           `json:"millis"`             // how long the bot took
}

// failed is what a client says when an app does not answer an invoke as it should.
const failed = "Something went wrong. Please try again."

// Click presses a button of a card and applies the answer to that person's window, as Teams does.
// An Action.Execute is an invoke adaptiveCard/action; an Action.Submit with msteams.type task/fetch
// opens a dialog; any other Action.Submit is a message with a value. The error says why the button
// could not be pressed; what the bot answered badly is in the Outcome and in wire.Log.Unexpected.
func (s *Service) Click(ctx context.Context, p Press) (Outcome, error) {
	a, err := s.aim(p)
	if err != nil {
		return Outcome{}, fmt.Errorf("teams: click: %w", err)
	}
	data, err := a.data()
	if err != nil {
		return Outcome{}, fmt.Errorf("teams: click: %w", err)
	}
	s.cfg.Log.Effect(wire.Effect{Vendor: "teams", Tenant: s.cfg.TenantID, Kind: "click", Target: a.msg.conv + "/" + a.msg.id, Detail: a.person.Key + ": " + text(a.button.action, "title")})
	switch t := text(a.button.action, "type"); t {
	case "Action.Execute":
		action := map[string]any{"type": t, "verb": a.button.action["verb"], "title": text(a.button.action, "title"), "data": data}
		if id := text(a.button.action, "id"); id != "" {
			action["id"] = id
		}
		return s.invoke(ctx, a, "adaptiveCard/action", map[string]any{"action": action, "trigger": "manual"}, s.applyExecute)
	case "Action.Submit":
		if text(data, "msteams", "type") == "task/fetch" {
			return s.invoke(ctx, a, "task/fetch", map[string]any{"context": map[string]any{"theme": "default"}, "data": data}, s.applyTask)
		}
		return s.submitMessage(ctx, a, data)
	default:
		return Outcome{}, fmt.Errorf("teams: click: the button is an %s; the client does that alone", t)
	}
}

// Refresh sends the card's refresh action, as a client does by itself when the card is shown.
func (s *Service) Refresh(ctx context.Context, person, activity string) (Outcome, error) {
	who, err := s.person(person)
	if err != nil {
		return Outcome{}, fmt.Errorf("teams: refresh: %w", err)
	}
	s.mu.Lock()
	found := s.candidates(activity)
	if len(found) == 0 {
		s.mu.Unlock()
		return Outcome{}, errors.New("teams: refresh: there is no such card")
	}
	m := found[0]
	card, err := decode(m.cardFor(who.Key))
	a := aimed{person: who, msg: m, conv: s.place(m)}
	s.mu.Unlock()
	if err != nil {
		return Outcome{}, fmt.Errorf("teams: refresh: %w", err)
	}
	root, _ := card.(map[string]any)
	refresh, _ := root["refresh"].(map[string]any)
	action, ok := refresh["action"].(map[string]any)
	if !ok {
		return Outcome{}, errors.New("teams: refresh: the card has no refresh action")
	}
	return s.invoke(ctx, a, "adaptiveCard/action", map[string]any{"action": action, "trigger": "automatic"}, s.applyExecute)
}

// SubmitDialog sends task/submit with what was filled into a dialog that Click had opened on a card.
func (s *Service) SubmitDialog(ctx context.Context, person, activity string, data map[string]any) (Outcome, error) {
	who, err := s.person(person)
	if err != nil {
		return Outcome{}, fmt.Errorf("teams: submit dialog: %w", err)
	}
	s.mu.Lock()
	found := s.candidates(activity)
	if len(found) == 0 {
		s.mu.Unlock()
		return Outcome{}, errors.New("teams: submit dialog: there is no such card")
	}
	a := aimed{person: who, msg: found[0], conv: s.place(found[0])}
	s.mu.Unlock()
	return s.invoke(ctx, a, "task/submit", map[string]any{"context": map[string]any{"theme": "default"}, "data": data}, s.applyTask)
}

// invoke posts an invoke so often as the press asks, and applies the last answer.
func (s *Service) invoke(ctx context.Context, a aimed, name string, value map[string]any, apply func(aimed, []byte, *Outcome)) (Outcome, error) {
	activity := s.activity("invoke", a.person, a.conv)
	activity["name"], activity["value"], activity["replyToId"] = name, value, a.msg.id
	activity["channelData"].(map[string]any)["source"] = map[string]any{"name": "message"}
	var out Outcome
	for range max(1, a.Times) {
		start := time.Now()
		status, answer, err := s.Deliver(ctx, activity, a.Tamper)
		out = Outcome{Status: status, Activity: a.msg.id, Millis: time.Since(start).Milliseconds()}
		switch {
		case err != nil:
			out.Message = failed
			s.notice(a, "error", failed)
		case status != http.StatusOK:
			out.Message = failed
			s.notice(a, "error", failed)
		default:
			apply(a, answer, &out)
		}
	}
	return out, nil
}

func (s *Service) notice(a aimed, level, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notices[a.person.Key] = Notice{At: time.Now().UTC(), Activity: a.msg.id, Level: level, Text: text}
}

// bad shows the client's own sentence and records what the bot did wrong.
func (s *Service) bad(a aimed, out *Outcome, what string) {
	s.cfg.Log.Unexpected("teams", what)
	out.Message = failed
	s.notice(a, "error", failed)
}

// applyExecute does what a client does with the answer to adaptiveCard/action.
func (s *Service) applyExecute(a aimed, answer []byte, out *Outcome) {
	var body struct {
		StatusCode int             `json:"statusCode"`
		Type       string          `json:"type"`
		Value      json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		s.bad(a, out, "answer to adaptiveCard/action is not JSON: "+err.Error())
		return
	}
	out.Code, out.Type = body.StatusCode, body.Type
	switch {
	case body.Type == cardType && body.StatusCode == 200:
		if err := CheckCard(body.Value); err != nil {
			s.bad(a, out, "answer to adaptiveCard/action: "+err.Error())
			return
		}
		s.mu.Lock()
		a.msg.views[a.person.Key] = body.Value
		delete(s.notices, a.person.Key)
		s.mu.Unlock()
		out.Replaced, out.Card = true, body.Value
	case body.Type == typeMessage && body.StatusCode == 200:
		if err := json.Unmarshal(body.Value, &out.Message); err != nil {
			s.bad(a, out, "answer of type message whose value is not a string")
			return
		}
		s.notice(a, "info", out.Message)
	case body.Type == typeError && (body.StatusCode == 400 || body.StatusCode == 500):
		var fault struct{ Code, Message string }
		if err := json.Unmarshal(body.Value, &fault); err != nil || fault.Message == "" {
			s.bad(a, out, "answer of type error whose value has no message")
			return
		}
		out.Message = fault.Message
		s.notice(a, "error", fault.Message)
	case body.Type == typeLogin && body.StatusCode == 401:
		out.Message = "" // a client starts a sign-in of its own; nothing is shown here
	default:
		s.bad(a, out, fmt.Sprintf("answer to adaptiveCard/action with statusCode %d and type %q", body.StatusCode, body.Type))
	}
}

// applyTask does what a client does with the answer to task/fetch and task/submit.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/task-modules/task-modules-bots
func (s *Service) applyTask(a aimed, answer []byte, out *Outcome) {
	var body struct {
		Task *struct {
			Type  string          `json:"type"`
			Value json.RawMessage `json:"value"`
		} `json:"task"`
	}
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &body); err != nil {
			s.bad(a, out, "answer to a dialog is not JSON: "+err.Error())
			return
		}
	}
	if body.Task == nil { // closes the dialog
		return
	}
	out.Type = body.Task.Type
	switch body.Task.Type {
	case "message":
		if err := json.Unmarshal(body.Task.Value, &out.Message); err != nil {
			s.bad(a, out, "dialog message that is not a string")
		}
	case "continue":
		var value struct {
			Title string `json:"title"`
			Card  struct {
				ContentType string          `json:"contentType"`
				Content     json.RawMessage `json:"content"`
			} `json:"card"`
		}
		if err := json.Unmarshal(body.Task.Value, &value); err != nil {
			s.bad(a, out, "dialog: "+err.Error())
			return
		}
		if value.Card.ContentType != cardType {
			s.bad(a, out, fmt.Sprintf("dialog with content of type %q", value.Card.ContentType))
			return
		}
		if err := CheckCard(value.Card.Content); err != nil {
			s.bad(a, out, "dialog: "+withoutValues(err))
			return
		}
		out.Dialog, out.Title, out.Card = true, value.Title, value.Card.Content
	default:
		s.bad(a, out, fmt.Sprintf("dialog answer of type %q", body.Task.Type))
	}
}

// withoutValues keeps what a dialog says out of the ledger: it may be a password.
func withoutValues(error) string { return "its card is no adaptive card 1.5" }

// submitMessage sends what old clients make of an Action.Submit: a message with a value, no text.
func (s *Service) submitMessage(ctx context.Context, a aimed, data map[string]any) (Outcome, error) {
	activity := s.activity("message", a.person, a.conv)
	activity["value"], activity["replyToId"] = data, a.msg.id
	var out Outcome
	for range max(1, a.Times) {
		start := time.Now()
		status, _, err := s.Deliver(ctx, activity, a.Tamper)
		out = Outcome{Status: status, Activity: a.msg.id, Millis: time.Since(start).Milliseconds()}
		if err != nil || status/100 != 2 {
			out.Message = failed
			s.notice(a, "error", failed)
		}
	}
	return out, nil
}

// Say posts what a person writes: to the bot's chat with them when channel is "", otherwise as a
// mention of the bot in the channel, below the message thread when that is given.
func (s *Service) Say(ctx context.Context, person, channel, thread, words string) (Outcome, error) {
	who, err := s.person(person)
	if err != nil {
		return Outcome{}, fmt.Errorf("teams: say: %w", err)
	}
	if channel == "" {
		channel = s.chat(who)
	}
	s.mu.Lock()
	c := s.convs[channel]
	if c == nil || (thread != "" && s.messages[thread] == nil) {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("teams: say: there is no conversation %q %q", channel, thread)
	}
	id := s.add(channel, thread, who.Key, outgoing{kind: "message", text: words})
	root, kind := s.messages[id].root, c.kind
	s.mu.Unlock()
	conv := channel
	if kind == "channel" {
		conv += ";messageid=" + root
	}
	activity := s.activity("message", who, conv)
	activity["id"], activity["text"], activity["textFormat"] = id, words, "plain"
	if kind == "channel" {
		at := "<at>ResponseHub</at>"
		activity["text"] = at + " " + words
		activity["entities"] = append(activity["entities"].([]any), map[string]any{
			"type": "mention", "text": at, "mentioned": map[string]any{"id": s.botID(), "name": "ResponseHub"},
		})
	}
	start := time.Now()
	status, _, err := s.Deliver(ctx, activity, Tamper{})
	out := Outcome{Status: status, Activity: id, Millis: time.Since(start).Milliseconds()}
	if err != nil || status/100 != 2 {
		out.Message = "The app did not take the message."
	}
	return out, nil
}
