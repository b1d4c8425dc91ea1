package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"responsehub"
)

const (
	callTimeout = 10 * time.Second
	maxAnswer   = 1 << 20 // bytes of the connector's answer
	gccService  = "https://smba.infra.gcc.teams.microsoft.com/teams"
)

// client speaks to the connector.
type client struct {
	http   *http.Client
	tokens *tokens
	hosts  hosts
}

func newClient(hc *http.Client, t *tokens, h hosts) *client {
	own := *hc
	// The token must not travel to wherever a redirect points.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{http: &own, tokens: t, hosts: h}
}

// posted is where a new activity is found again.
type posted struct {
	Conversation string `json:"id"` // with ;messageid= for a new thread
	Activity     string `json:"activityId"`
}

// thread starts a new thread in a channel with the activity as its first message.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
func (c *client) thread(ctx context.Context, ch responsehub.Channel, act schema.Activity) (posted, error) {
	if !validID(ch.ID) {
		return posted{}, oddID()
	}
	first, err := pruned(act)
	if err != nil {
		return posted{}, err
	}
	body, err := encode(map[string]any{
		"isGroup":     true,
		"bot":         map[string]string{"id": ch.BotID},
		"tenantId":    ch.TenantID,
		"channelData": map[string]any{"channel": map[string]string{"id": ch.ID}, "tenant": map[string]string{"id": ch.TenantID}},
		"activity":    json.RawMessage(first),
	})
	if err != nil {
		return posted{}, err
	}
	var p posted
	if err := c.post(ctx, address(ch.ServiceURL, "conversations"), body, &p); err != nil {
		return posted{}, err
	}
	if p.Activity == "" {
		_, p.Activity, _ = strings.Cut(p.Conversation, ";messageid=")
	}
	if !validID(p.Conversation) || !validID(p.Activity) {
		// Without its id the card can never be updated: it is as good as lost.
		return posted{}, &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: sayNoID}
	}
	return p, nil
}

// say posts an activity into a conversation, as a reply where it names one.
func (c *client) say(ctx context.Context, service, conversation string, act schema.Activity) (posted, error) {
	if !validID(conversation) {
		return posted{}, oddID()
	}
	body, err := pruned(act)
	if err != nil {
		return posted{}, err
	}
	var answer struct {
		ID string `json:"id"`
	}
	if err := c.post(ctx, address(service, "conversations", conversation, "activities"), body, &answer); err != nil {
		return posted{}, err
	}
	if !validID(answer.ID) {
		return posted{}, &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: sayNoID}
	}
	return posted{Conversation: conversation, Activity: answer.ID}, nil
}

// direct opens, or finds, the personal chat with a member: Teams gives the same chat
// each time. It works where the app is installed for the person or a team of theirs.
func (c *client) direct(ctx context.Context, service, bot, member, tenant string) (conversation string, err error) {
	body, err := encode(map[string]any{
		"bot":         map[string]string{"id": bot},
		"members":     []map[string]string{{"id": member}},
		"tenantId":    tenant,
		"channelData": map[string]any{"tenant": map[string]string{"id": tenant}},
	})
	if err != nil {
		return "", err
	}
	var p posted
	if err := c.post(ctx, address(service, "conversations"), body, &p); err != nil {
		return "", err
	}
	if !validID(p.Conversation) {
		return "", &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: sayNoID}
	}
	return p.Conversation, nil
}

// update replaces a posted activity. It may be repeated safely.
func (c *client) update(ctx context.Context, service, conversation, activity string, act schema.Activity) error {
	if !validID(conversation) || !validID(activity) {
		return oddID()
	}
	act.ServiceURL, act.Conversation.ID, act.ID = service, conversation, activity
	return c.replace(ctx, act)
}

// member is one member of a conversation.
type member struct {
	ObjectID string `json:"aadObjectId"`
}

// member reads a member of a conversation by Teams id or Entra object id.
func (c *client) member(ctx context.Context, service, conversation, id string) (member, error) {
	if !validID(conversation) || !validID(id) {
		return member{}, oddID()
	}
	b, err := c.do(ctx, http.MethodGet, address(service, "conversations", conversation, "members", id), nil)
	if err != nil {
		return member{}, err
	}
	var m member
	if err := json.Unmarshal(b, &m); err != nil {
		return member{}, fmt.Errorf("read a member: %w", err)
	}
	return m, nil
}

func (c *client) post(ctx context.Context, to string, body []byte, into any) error {
	b, err := c.do(ctx, http.MethodPost, to, body)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: sayNoID, Err: errors.New("the connector's answer is no JSON")}
	}
	return nil
}

// do sends one request: once more with a new token after a 401, and once more at the
// government cloud's host when the connector says it is that one.
func (c *client) do(ctx context.Context, method, to string, body []byte) ([]byte, error) {
	b, err := c.once(ctx, method, to, body)
	r, ok := errors.AsType[*refusal](err)
	switch {
	case ok && r.status == http.StatusUnauthorized:
		c.tokens.drop()
		b, err = c.once(ctx, method, to, body)
	case ok && r.status == http.StatusForbidden && r.code == codeWrongHost:
		if _, rest, found := strings.Cut(to, "/v3/"); found && !strings.HasPrefix(to, gccService) {
			b, err = c.once(ctx, method, gccService+"/v3/"+rest, body)
		}
	}
	return b, err
}

func (c *client) once(ctx context.Context, method, to string, body []byte) ([]byte, error) {
	end := strings.LastIndex(to, "/v3/")
	if end < 0 {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: sayOddHost, Err: errors.New("no connector address")}
	}
	// Before there is a token at all: it must not go anywhere else.
	if _, err := c.hosts.check(to[:end]); err != nil {
		return nil, &responsehub.Error{Kind: responsehub.Forbidden, Message: sayOddHost, Err: err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, errors.New("the connector did not answer in time"))
	defer cancel()
	token, err := c.tokens.token(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: sayOddHost, Err: errors.New("the address cannot be used")}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "responsehub")
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, unsent(method, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, refused(method, res, b)
	}
	if err != nil {
		return nil, unsent(method, err)
	}
	return b, nil
}

// unsent is a failure without an answer. A post whose connection was never made did
// nothing; any other may have taken effect.
func unsent(method string, err error) error {
	e := &responsehub.Error{Kind: responsehub.Unavailable, Message: sayTeamsAway, Err: err}
	dial, ok := errors.AsType[*net.OpError](err)
	if method == http.MethodPost && !(ok && dial.Op == "dial") {
		e.Kind = responsehub.UnknownOutcome
	}
	return e
}

var idShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:@._;=+|~-]{0,499}$`)

// validID refuses ids that would lead to another path of the connector.
func validID(id string) bool { return idShape.MatchString(id) && !strings.Contains(id, "..") }

func oddID() error {
	return &responsehub.Error{Kind: responsehub.Invalid, Message: sayOddID}
}

// address builds a connector address from a service address and path segments.
func address(service string, segments ...string) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(service, "/") + "/v3")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// escaped writes the path that the library joined with every segment escaped.
func escaped(u url.URL) *url.URL {
	segments := strings.Split(u.Path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	u.RawPath = strings.Join(segments, "/")
	return &u
}

// open are the parts of an activity whose content is not ours to tidy.
var open = map[string]bool{"attachments": true, "value": true, "channelData": true}

// pruned encodes an activity without the zero times and empty objects that the
// library's types always write: connectors refuse some of them.
func pruned(act schema.Activity) ([]byte, error) {
	b, err := encode(act)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("encode an activity: %w", err)
	}
	for k, v := range m {
		if !open[k] && blank(v) {
			delete(m, k)
		}
	}
	// The address of the service is for us; it is no part of a message.
	delete(m, "serviceUrl")
	return encode(m)
}

// encode is json.Marshal without the escapes for HTML, which would make a card larger
// than it was built to be.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a message for Teams: %w", err)
	}
	return out.Bytes(), nil
}

// blank reports whether a value says nothing.
func blank(v json.RawMessage) bool {
	var x any
	if json.Unmarshal(v, &x) != nil {
		return false
	}
	return nothing(x)
}

func nothing(x any) bool {
	switch x := x.(type) {
	case nil:
		return true
	case string:
		return x == "" || x == "0001-01-01T00:00:00Z"
	case map[string]any:
		for _, v := range x {
			if !nothing(v) {
				return false
			}
		}
		return true
	case []any:
		return len(x) == 0
	}
	return false
}
