package bot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
	"responsehub/bot/card"
)

// answer is the body that replies to a click. The HTTP status is 200 whenever the bot
// dealt with it; Teams shows other statuses as "something went wrong".
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards#response-format
type answer struct {
	StatusCode int    `json:"statusCode"`
	Type       string `json:"type"`
	Value      any    `json:"value"`
}

// only is a sentence that nobody but the person who clicked sees.
func only(sentence string) answer {
	return answer{http.StatusOK, "application/vnd.microsoft.activity.message", sentence}
}

func (b *Bot) drawn(inc *responsehub.Incident, sentence string) answer {
	return answer{http.StatusOK, card.ContentType, json.RawMessage(card.Card(inc, b.view(inc, sentence)))}
}

// view is how the card in the channel is drawn, with a sentence on top for a click.
func (b *Bot) view(inc *responsehub.Incident, sentence string) card.View {
	v := card.View{Answer: sentence, Now: time.Now(), Mention: b.mention(inc), Person: b.personName}
	if b.cfg.Lacks != nil && inc.Tenant.ID != "" {
		v.Lacks = func(id responsehub.StepID) string { return b.cfg.Lacks(inc.Tenant.ID, id) }
	}
	if b.cfg.Console != "" {
		v.Console = strings.TrimRight(b.cfg.Console, "/") + "/incidents/" + inc.ID
	}
	return v
}

// invoke answers what a person waits for.
func (b *Bot) invoke(ctx context.Context, act *schema.Activity) (status int, body any) {
	if act.ID == "" {
		return http.StatusBadRequest, nil // without an id a repeat could not be told
	}
	switch act.Name {
	case "adaptiveCard/action":
		c, automatic, err := readExecute(act.Value)
		if err != nil {
			b.log.Warn("teams click cannot be read", "activity", act.ID, "error", err)
			return http.StatusBadRequest, nil
		}
		if automatic {
			return http.StatusOK, b.refreshed(ctx, act, c)
		}
		return http.StatusOK, b.clicked(ctx, act, c)
	case "task/fetch":
		data, _ := act.Value["data"].(map[string]any)
		c, err := readData(data)
		if err != nil || data == nil {
			return http.StatusBadRequest, nil
		}
		return http.StatusOK, b.reveal(ctx, act, c)
	case "task/submit":
		return http.StatusOK, nil // closes the dialog
	}
	return http.StatusNotImplemented, nil
}

// clicked asks for the step and answers with the card as it is then.
func (b *Bot) clicked(ctx context.Context, act *schema.Activity, c click) answer {
	// Before the answer takes effect, so that the card follows it at once.
	if c.sure || c.verb == card.Cancel {
		b.unhold(ctx, act.Conversation.ID, act.ReplyToID)
	}
	if c.verb == card.Cancel {
		return b.refreshed(ctx, act, c)
	}
	inc, sentence, err := b.ask(ctx, act, c)
	if q, ok := errors.AsType[*asked](err); ok {
		b.hold(ctx, act.Conversation.ID, act.ReplyToID)
		return asks(inc, q.Question)
	}
	if err != nil {
		return only(b.sentence(ctx, err, sayLate))
	}
	return b.drawn(inc, sentence)
}

// refreshed answers a client that redraws by itself: never a click.
func (b *Bot) refreshed(ctx context.Context, act *schema.Activity, c click) answer {
	inc, err := b.cardOf(ctx, act, c)
	if err != nil {
		return only(b.sentence(ctx, err, sayLate))
	}
	return b.drawn(inc, "")
}

// ask carries a click to the engine: the card must be one the hub posted for the
// incident, the engine decides the rest.
func (b *Bot) ask(ctx context.Context, act *schema.Activity, c click) (*responsehub.Incident, string, error) {
	actor := b.actor(act)
	step := responsehub.StepID(c.verb)
	if c.verb == card.Undo || c.verb == card.FalseAlarm {
		return b.takeBack(ctx, act, actor, c)
	}
	if c.verb == card.Tick && c.step == "" && c.todo != "" {
		return b.tick(ctx, act, actor, c)
	}
	if !step.Valid() || c.step != "" && c.step != c.verb {
		return nil, "", &responsehub.Error{Kind: responsehub.Invalid, Message: sayNoButton}
	}
	inc, err := b.cardOf(ctx, act, c)
	if err != nil {
		if responsehub.KindOf(err) == responsehub.Forbidden {
			b.refuse(c.incident, actor, step, err)
		}
		return nil, "", err
	}
	if c.chosen && len(c.items) == 0 {
		return nil, "", &responsehub.Error{Kind: responsehub.Invalid, Message: sayChoose}
	}
	if stale(inc.Step(step), c.round) && actor.May(responsehub.See, inc.Tenant) == nil {
		return inc, sayAgain, nil
	}
	if q, ok := question(inc, actor, c, time.Now()); ok {
		return inc, "", &asked{q}
	}
	got, err := b.engine.Request(ctx, actor, inc.ID, step, c.request("teams:"+act.ID))
	if err != nil {
		b.refuse(inc.ID, actor, step, err)
		return nil, "", err
	}
	if got.Incident == nil {
		if got.Incident, err = b.engine.Incident(ctx, responsehub.Hub, inc.ID); err != nil {
			return nil, "", err
		}
	}
	return got.Incident, got.Sentence, nil
}

// tick carries a person's word that a to-do is done to the engine.
func (b *Bot) tick(ctx context.Context, act *schema.Activity, actor responsehub.Actor, c click) (*responsehub.Incident, string, error) {
	inc, err := b.cardOf(ctx, act, c)
	if err != nil {
		if responsehub.KindOf(err) == responsehub.Forbidden {
			b.refuse(c.incident, actor, "", err)
		}
		return nil, "", err
	}
	got, err := b.engine.Tick(ctx, actor, inc.ID, c.todo, "teams:"+act.ID)
	if err != nil {
		b.refuse(inc.ID, actor, "", err)
		return nil, "", err
	}
	return got.Incident, got.Sentence, nil
}

// stale reports whether the step was asked for again since the card was drawn and came
// to an end that invites another click. While it is at work or done, the engine
// itself tells who was first.
func stale(s *responsehub.Step, round string) bool {
	if s == nil || round == "" || s.State.Busy() || s.State == responsehub.Done {
		return false
	}
	n, err := strconv.Atoi(round)
	return err != nil || n < s.Round
}

// cardOf returns the incident that the click names, if the click came from the card
// that the hub posted for it. Who clicked plays no part here.
func (b *Bot) cardOf(ctx context.Context, act *schema.Activity, c click) (*responsehub.Incident, error) {
	if c.incident == "" {
		return nil, &responsehub.Error{Kind: responsehub.Invalid, Message: sayNoButton}
	}
	inc, err := b.engine.Incident(ctx, responsehub.Hub, c.incident)
	if err != nil && responsehub.KindOf(err) == responsehub.NotFound {
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: sayNoIncident, Err: err}
	}
	if err != nil {
		return nil, err
	}
	// A ref would find it too, but buttons carry ids.
	if inc.ID != c.incident {
		return nil, &responsehub.Error{Kind: responsehub.Invalid, Message: sayNoButton}
	}
	channel, _, _ := strings.Cut(act.Conversation.ID, ";messageid=")
	ref, ok := inc.Cards[channel]
	switch {
	case ok && ref.Activity != "" && ref.Activity == act.ReplyToID:
		return inc, nil
	case ok && ref.Activity == "" && ref.Failure == "":
		return nil, &responsehub.Error{Kind: responsehub.NotFound, Message: sayCardYoung}
	}
	return nil, &responsehub.Error{Kind: responsehub.Forbidden, Message: sayNotOurCard}
}

// sentence is what the person reads of an error; late is said when time ran out, since
// then nobody knows whether the request was written.
func (b *Bot) sentence(ctx context.Context, err error, late string) string {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errTime) {
		return late
	}
	switch responsehub.KindOf(err) {
	case responsehub.Unavailable, responsehub.Permanent, responsehub.UnknownOutcome:
		b.log.Error("teams click failed", "error", err)
	}
	return responsehub.Sentence(err)
}

// refuse keeps a refused click in the incident's record. The person is not made to
// wait for it.
func (b *Bot) refuse(id string, actor responsehub.Actor, step responsehub.StepID, err error) {
	switch responsehub.KindOf(err) {
	case responsehub.Refused, responsehub.Forbidden, responsehub.Unauthorized, responsehub.Gone, responsehub.Conflict, responsehub.Invalid:
	default:
		return // nobody was refused; nothing was found, or something is down
	}
	at, why := time.Now(), responsehub.Sentence(err)
	b.later("note a refusal", func(ctx context.Context) error {
		return b.engine.Note(ctx, id, responsehub.Event{At: at, Kind: responsehub.EventRefused, By: actor.By(), Step: step, Text: sayRefused(actor.Name, why)})
	})
}
