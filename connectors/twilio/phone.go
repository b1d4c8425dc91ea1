package twilio

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/oncall"
)

const (
	// requestTime bounds one request to Twilio, its answer included.
	requestTime = 10 * time.Second
	// overrides tell Twilio to ask again where the hub did not answer or answered that it
	// cannot at the moment: normally it does so only where it could not connect. They are
	// no part of what is signed. https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
	overrides = "#rc=3&rp=5xx,ct,rt"
	// slack is by how much Twilio's clock may be behind the hub's.
	slack = 5 * time.Second
	// listed is how many calls or messages to one number are looked through.
	listed = 100
)

// Call rings a number. Twilio asks /twilio/voice/ what to say when somebody picks up, and
// looks for an answering machine while the person hears it already. It waits for the
// account's turn for 2 s, near the head of the queue for 8 s, and is Throttled then, with
// its place kept.
// https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
func (c *Client) Call(ctx context.Context, call oncall.Call) (oncall.Placed, error) {
	if err := c.wait(ctx, "call", c.cfg.CallsPerSecond, call.Attempt, call.Severity, 1); err != nil {
		return oncall.Placed{}, err
	}
	status := c.address("status", call.Attempt) + overrides
	p := &openapi.CreateCallParams{}
	p.SetTo(call.To)
	p.SetFrom(c.cfg.From)
	p.SetUrl(c.address("voice", call.Attempt) + overrides)
	p.SetMethod(http.MethodPost)
	p.SetTimeout(max(5, int(call.Ring/time.Second)))
	p.SetStatusCallback(status)
	p.SetStatusCallbackMethod(http.MethodPost)
	p.SetStatusCallbackEvent([]string{"initiated", "ringing", "answered", "completed"})
	p.SetMachineDetection("Enable")
	p.SetAsyncAmd("true")
	p.SetAsyncAmdStatusCallback(status)
	p.SetAsyncAmdStatusCallbackMethod(http.MethodPost)

	ctx, answer := transport.Capture(ctx)
	made, err := c.api(ctx).CreateCall(p)
	if err = created(answer, err, made != nil && text(made.Sid) != "", "The call"); err != nil {
		return oncall.Placed{}, err
	}
	return placedCall(made), nil
}

// Text sends a text, from the messaging service where there is one. It waits like Call.
// https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
func (c *Client) Text(ctx context.Context, t oncall.Text) (oncall.Placed, error) {
	if err := c.wait(ctx, "text", c.cfg.TextsPerSecond, t.Attempt, t.Severity, segments(t.Body)); err != nil {
		return oncall.Placed{}, err
	}
	p := &openapi.CreateMessageParams{}
	p.SetTo(t.To)
	p.SetBody(t.Body)
	if c.cfg.MessagingServiceSID != "" {
		p.SetMessagingServiceSid(c.cfg.MessagingServiceSID)
	} else {
		p.SetFrom(c.cfg.From)
	}
	p.SetStatusCallback(c.address("status", t.Attempt) + overrides)

	ctx, answer := transport.Capture(ctx)
	made, err := c.api(ctx).CreateMessage(p)
	if err = created(answer, err, made != nil && text(made.Sid) != "", "The text"); err != nil {
		return oncall.Placed{}, err
	}
	return placedText(made), nil
}

// HangUp ends a call. A call that has not been answered is cancelled, another one
// completed; one that is over stays as it is, without an error. Doing it twice does no
// harm, so an answer that was lost is Unavailable.
// https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
func (c *Client) HangUp(ctx context.Context, sid string) error {
	ctx, answer := transport.Capture(ctx)
	api := c.api(ctx)
	call, err := api.FetchCall(sid, nil)
	if err != nil || call == nil {
		return read(answer, err, "The call could not be ended")
	}
	status := text(call.Status)
	for range 2 {
		switch status {
		case "queued", "initiated", "ringing":
			status = "canceled"
		case "in-progress":
			status = "completed"
		default:
			return nil
		}
		call, err = api.UpdateCall(sid, (&openapi.UpdateCallParams{}).SetStatus(status))
		switch {
		case err == nil && call != nil && status == "canceled":
			status = text(call.Status) // somebody may have picked up in between
		case err == nil && call != nil:
			return nil
		case problem(answer).Code == notThatState && status == "canceled":
			status = "in-progress"
		case problem(answer).Code == notThatState:
			return nil
		default:
			return read(answer, err, "The call could not be ended")
		}
	}
	return nil
}

// notThatState is Twilio's code for a call that is over, or not as far yet.
const notThatState = 21220

// Find lists what was placed to a number since a time, newest first. Twilio's own filters
// look at when a call was dialled or a text was sent, and what still waits in its queue
// has no such time: so the newest of the number are listed and the time at which they
// were made is compared here, with some seconds for clocks that differ.
// https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources
func (c *Client) Find(ctx context.Context, way responsehub.Way, to string, since time.Time) ([]oncall.Placed, error) {
	ctx, answer := transport.Capture(ctx)
	var found []oncall.Placed
	switch way {
	case responsehub.ByCall:
		page, err := c.api(ctx).PageCall((&openapi.ListCallParams{}).SetTo(to).SetPageSize(listed), "", "")
		if err != nil {
			return nil, read(answer, err, "The calls to the number could not be listed")
		}
		for i := range page.Calls {
			found = append(found, placedCall(&page.Calls[i]))
		}
	case responsehub.ByText:
		page, err := c.api(ctx).PageMessage((&openapi.ListMessageParams{}).SetTo(to).SetPageSize(listed), "", "")
		if err != nil {
			return nil, read(answer, err, "The texts to the number could not be listed")
		}
		for i := range page.Messages {
			found = append(found, placedText(&page.Messages[i]))
		}
	default:
		return nil, fmt.Errorf("twilio: there is no way %q", way)
	}
	since = since.Add(-slack).Truncate(time.Second)
	found = slices.DeleteFunc(found, func(p oncall.Placed) bool { return p.At.Before(since) || p.To != to })
	slices.SortStableFunc(found, func(a, b oncall.Placed) int { return b.At.Compare(a.At) })
	return found, nil
}

func placedCall(call *openapi.ApiV2010Call) oncall.Placed {
	p := callProgress(text(call.Status), text(call.AnsweredBy), 0, 0)
	p.SID = text(call.Sid)
	return oncall.Placed{SID: p.SID, To: text(call.To), At: date(call.DateCreated), Progress: p}
}

func placedText(m *openapi.ApiV2010Message) oncall.Placed {
	n := 0
	if m.ErrorCode != nil {
		n = *m.ErrorCode
	}
	p := textProgress(text(m.Status), n)
	p.SID = text(m.Sid)
	return oncall.Placed{SID: p.SID, To: text(m.To), Body: text(m.Body), At: date(m.DateCreated), Progress: p}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// date reads Twilio's times, such as "Tue, 31 Aug 2010 20:36:28 +0000". One that cannot be
// read counts as now: rather look at too much than miss a call that was placed.
func date(s *string) time.Time {
	t, err := time.Parse(time.RFC1123Z, text(s))
	if err != nil {
		return time.Now().UTC()
	}
	return t.UTC()
}
