package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
	"responsehub/bot/card"
	"responsehub/remediation"
)

// message answers a command in chat. The answer is posted after the request is
// answered: Teams waits only for a short time.
func (b *Bot) message(act *schema.Activity) {
	said, actor, at := command(act.Text), b.actor(act), *act
	b.later("answer a command", func(ctx context.Context) error {
		reply, err := b.reply(ctx, actor, said, &at)
		if err != nil {
			reply = sentence(responsehub.Sentence(err))
		}
		if reply.Text == "" && len(reply.Attachments) == 0 {
			return nil // nothing to say
		}
		if err := b.room(ctx, at.Conversation.ID); err != nil {
			return err
		}
		reply.Type, reply.ReplyToID = schema.Message, at.ID
		_, err = b.client.say(ctx, at.ServiceURL, at.Conversation.ID, reply)
		return err
	})
}

// room waits until the limits of a conversation leave room for an answer.
func (b *Bot) room(ctx context.Context, conversation string) error {
	for {
		wait, err := b.cfg.Limits.Admit(ctx, sending(conversation), sendWindows...)
		if err != nil || wait == 0 {
			return err
		}
		select {
		case <-time.After(jitter(wait)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

var mention = regexp.MustCompile(`(?is)<at[^>]*>.*?</at>`)

// maxCommand is how much of a message is looked at, in bytes.
const maxCommand = 500

// command is the words of a message without the mention of the bot.
func command(text string) []string {
	if len(text) > maxCommand {
		text = text[:maxCommand]
	}
	text = html.UnescapeString(mention.ReplaceAllString(text, " "))
	return strings.Fields(card.Clean(text, maxCommand))
}

// sentence is a message of plain text, never read as markdown.
func sentence(text string) schema.Activity {
	return schema.Activity{Text: text, TextFormat: schema.TextFormatTypes("plain")}
}

func attached(c []byte, summary string) schema.Activity {
	// Text beside a card would make Teams split the message in two, without an id.
	return schema.Activity{Type: schema.Message, Summary: summary, Attachments: []schema.Attachment{{ContentType: card.ContentType, Content: json.RawMessage(c)}}}
}

// reply is the answer to a command.
func (b *Bot) reply(ctx context.Context, actor responsehub.Actor, said []string, act *schema.Activity) (schema.Activity, error) {
	switch line := strings.ToLower(strings.TrimRight(strings.Join(said, " "), "?!. ")); {
	case line == "" || line == "help" || line == "hi" || line == "hello":
		return sentence(sayHelp), nil
	case line == "whoami" || line == "who am i":
		id := act.From.AadObjectID
		if id == "" {
			// Some clients leave it out of messages; the roster has it.
			m, err := b.client.member(ctx, act.ServiceURL, act.Conversation.ID, act.From.ID)
			if err != nil {
				return schema.Activity{}, err
			}
			id = m.ObjectID
		}
		return sentence(sayWho(actor, card.Clean(id, 64))), nil
	case line == "incidents" || line == "open":
		return b.list(ctx, actor)
	case line == "who is on call" || line == "who's on call" || line == "oncall" || line == "on call":
		return b.onCall(actor)
	case line == "incident":
		return sentence(sayWhichRef), nil
	case line == "ack" || line == "acknowledge":
		return b.acknowledge(ctx, actor, act)
	case len(said) == 2 && strings.HasPrefix(line, "incident "):
		inc, err := b.engine.Incident(ctx, actor, said[1])
		if err != nil {
			return schema.Activity{}, err
		}
		view := b.view(inc, "")
		view.ReadOnly = true
		return attached(card.Card(inc, view), card.Summary(inc)), nil
	case len(said) == 2 && (strings.HasPrefix(line, "ack ") || strings.HasPrefix(line, "acknowledge ")):
		return b.take(ctx, actor, said[1], act)
	}
	// A chat that two programs hold with each other must end.
	wait, err := b.cfg.Limits.Admit(ctx, "teams:unknown:"+act.From.ID, unknownWindow)
	if err != nil || wait > 0 {
		return schema.Activity{}, err
	}
	return sentence(sayUnknown), nil
}

// listed is how many incidents the chat shows.
const listed = 10

// list shows the newest open incidents that the person may see.
func (b *Bot) list(ctx context.Context, actor responsehub.Actor) (schema.Activity, error) {
	var lines []string
	for _, state := range []responsehub.IncidentState{responsehub.Unpublished, responsehub.Active} {
		page, err := b.engine.Incidents(ctx, actor, remediation.Query{State: state, Limit: listed})
		if err != nil {
			return schema.Activity{}, err
		}
		for _, inc := range page.Incidents {
			lines = append(lines, sayLine(inc))
		}
		if page.Next != "" {
			lines = append(lines, sayMore(listed))
		}
	}
	if len(lines) == 0 {
		return sentence(sayNone), nil
	}
	return attached(card.List(sayOpen, lines), fmt.Sprintf("%s: %d", sayOpen, len(lines))), nil
}

// acknowledge takes the one incident that can be meant: that of the thread in which it
// was said, or the only one that nobody has. Otherwise it lists them.
func (b *Bot) acknowledge(ctx context.Context, actor responsehub.Actor, act *schema.Activity) (schema.Activity, error) {
	channel, _, _ := strings.Cut(act.Conversation.ID, ";messageid=")
	var free []*responsehub.Incident
	for _, state := range []responsehub.IncidentState{responsehub.Unpublished, responsehub.Active} {
		page, err := b.engine.Incidents(ctx, actor, remediation.Query{State: state, Limit: listed})
		if err != nil {
			return schema.Activity{}, err
		}
		for _, inc := range page.Incidents {
			if inc.Cards[channel].Activity != "" && inc.Cards[channel].Conversation == act.Conversation.ID {
				return b.take(ctx, actor, inc.ID, act)
			}
			if inc.Acknowledged == nil {
				free = append(free, inc)
			}
		}
	}
	switch len(free) {
	case 0:
		return sentence(sayNoneFree), nil
	case 1:
		return b.take(ctx, actor, free[0].ID, act)
	}
	lines := make([]string, len(free))
	for i, inc := range free {
		lines[i] = sayLine(inc)
	}
	return attached(card.List(sayWhichAck, lines), sayWhichAck), nil
}

func (b *Bot) take(ctx context.Context, actor responsehub.Actor, ref string, act *schema.Activity) (schema.Activity, error) {
	got, err := b.engine.Acknowledge(ctx, actor, ref, "teams:"+act.ID)
	if err != nil {
		return schema.Activity{}, err
	}
	text := got.Sentence
	if got.Incident != nil {
		text = got.Incident.Ref + ": " + text
	}
	return sentence(text), nil
}

// onCall tells the phone sequences of the person's tenants.
func (b *Bot) onCall(actor responsehub.Actor) (schema.Activity, error) {
	if actor.Role == "" {
		return schema.Activity{}, actor.May(responsehub.See, responsehub.TenantRef{})
	}
	names := map[string]string{}
	for _, p := range b.directory.People() {
		names[p.ID] = p.Name
	}
	var lines []string
	for _, t := range b.directory.Tenants() {
		if !actor.Sees(t.Ref()) {
			continue
		}
		var sequence []string
		if t.Notify.Phone != nil {
			for _, id := range t.Notify.Phone.Sequence {
				name := names[id]
				if name == "" {
					name = id
				}
				sequence = append(sequence, name)
			}
		}
		now := ""
		if p, ok := b.answers(t); ok {
			now = p.Name
		}
		lines = append(lines, saySequence(t.Name, now, sequence))
	}
	if len(lines) == 0 {
		return sentence(sayNoTenant), nil
	}
	return attached(card.List(sayOnCall, lines), sayOnCall), nil
}

// submitted is a button pressed in a client that knows no Action.Execute: it comes as
// a message and cannot be answered with a card. The card follows by its lane; a
// refusal goes to the person's own chat, since the channel is no place for it.
func (b *Bot) submitted(act *schema.Activity) {
	at := *act
	b.later("take a button of an old client", func(ctx context.Context) error {
		if at.ID == "" {
			return errors.New("the message has no id")
		}
		c, err := readData(at.Value)
		if err != nil {
			return fmt.Errorf("read a button: %w", err)
		}
		if c.verb == "" {
			return nil // somebody else's card
		}
		_, said, err := b.ask(ctx, &at, c)
		if q, ok := errors.AsType[*asked](err); ok {
			said = unasked(q)
		} else if err != nil {
			said = b.sentence(ctx, err, sayLate)
		}
		chat := at.Conversation.ID
		if at.Conversation.ConversationType != "personal" {
			if chat, err = b.client.direct(ctx, at.ServiceURL, at.Recipient.ID, at.From.ID, b.cfg.TenantID); err != nil {
				return fmt.Errorf("open a personal chat: %w", err)
			}
		}
		if err := b.room(ctx, chat); err != nil {
			return err
		}
		reply := sentence(said)
		reply.Type = schema.Message
		_, err = b.client.say(ctx, at.ServiceURL, chat, reply)
		return err
	})
}
