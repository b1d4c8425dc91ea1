package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// call describes one request, for its place at the gates and for the sentence when it
// fails.
type call struct {
	op      string   // continues "The hub could not ..."
	tenant  string   // Microsoft tenant id
	mailbox string   // of a mail request
	lists   bool     // belongs to the mail lane though it reads the directory
	bulk    bool     // one of very many: it may wait long at the tenant's gate
	traces  bool     // a message trace
	needs   []string // permissions of which any one suffices
	about   subject  // what is asked about
	write   bool     // has an effect
	once    bool     // must not be repeated blindly
	admin   bool     // Microsoft protects administrators from it
}

// subject is what a request is about; it chooses the words when it is not there.
type subject string

const (
	anAccount subject = "account"
	aMailbox  subject = "mailbox"
	aMessage  subject = "message"
	aRule     subject = "rule"
	aGroup    subject = "group"
	anApp     subject = "app"
	aDevice   subject = "device"
)

// How often a fresh token is forced for a tenant whose calls are refused. The first 403
// tells an administrator which right to grant; whoever tries again after granting it
// must not be told for minutes that it is still missing.
const (
	renewAfter401 = time.Minute
	renewAfter403 = 15 * time.Second
)

// do runs f, which makes exactly one request with the context it is given, and returns
// what came back. A call that is refused for want of rights is tried once more with a
// fresh token, since consent given a minute ago only shows there; a refused call had no
// effect, so that this is no blind repetition.
func (c *Client) do(ctx context.Context, k call, f func(ctx context.Context) error) (*transport.Answer, error) {
	resource := c.login.Cloud().Graph
	token, err := c.login.Token(ctx, k.tenant, resource)
	if err != nil {
		return nil, err
	}
	answer, err := c.once(ctx, k, token, f)
	if answer == nil || err == nil || !c.mayRenew(k.tenant, answer.Status) {
		return answer, err
	}
	fresh, renewErr := c.login.Renew(ctx, k.tenant, resource, token)
	if renewErr != nil {
		return answer, renewErr
	}
	return c.once(ctx, k, fresh, f)
}

// mayRenew decides, and notes, whether a refusal is worth a fresh token.
func (c *Client) mayRenew(tenant string, status int) bool {
	var pause time.Duration
	switch status {
	case http.StatusUnauthorized:
		pause = renewAfter401
	case http.StatusForbidden:
		pause = renewAfter403
	default:
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last, ok := c.renewed[tenant]
	if ok && time.Since(last) < pause {
		return false
	}
	c.renewed[tenant] = time.Now()
	return true
}

// How patient the calls of a retraction are. A mailbox that is busy is left for later;
// a tenant that is busy is waited for, since all its mailboxes are.
const (
	mailboxPatience = 2 * time.Second
	bulkPatience    = 10 * time.Minute
	tolerance       = 0.1 // share of complaints that is a matter of single mailboxes
)

func (c *Client) gates(k call) []transport.Gate {
	// One app may have four requests at one mailbox at once; some of Microsoft's pages say
	// four in all. Starting low and halving when complaints are many, or say that they are
	// about all, satisfies either reading; see docs/adr/0012. https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits
	box := transport.Gate{Name: "graph mailbox " + k.tenant + " " + k.mailbox, Who: mailboxWho, Start: 4, Patience: mailboxPatience}
	bulk := transport.Gate{Name: "graph mail " + k.tenant, Who: mailWho, Start: 16, Floor: 4, Cap: 64, Patience: bulkPatience, Tolerance: tolerance}
	switch {
	case k.bulk:
		return []transport.Gate{box, bulk}
	case k.mailbox != "":
		// The victim's rules are not to queue behind ten thousand searches.
		return []transport.Gate{box, {Name: "graph rules " + k.tenant, Who: mailWho, Start: 4}}
	case k.lists:
		return []transport.Gate{bulk}
	case k.traces:
		return []transport.Gate{{Name: "graph traces " + k.tenant, Who: tracesWho, Start: 2, Patience: 10 * time.Second}}
	}
	return []transport.Gate{{Name: "graph directory " + k.tenant, Who: directoryWho, Start: 8}}
}

func (c *Client) once(ctx context.Context, k call, token entra.Token, f func(ctx context.Context) error) (answer *transport.Answer, err error) {
	gates := c.gates(k)
	pass, err := c.limiter.Enter(ctx, gates...)
	if err != nil {
		return nil, err
	}
	defer pass.Leave()
	inner, answer := transport.Capture(ctx)
	err = guarded(context.WithValue(inner, tokenKey{}, token), f)
	if err == nil {
		return answer, nil
	}
	fault := c.fault(k, token, answer, err)
	if e, ok := errors.AsType[*responsehub.Error](fault); ok && e.Kind == responsehub.Throttled {
		shut := []string{gates[0].Name}
		if k.bulk || k.mailbox != "" && !overOneMailbox(err) {
			shut = append(shut, gates[1].Name) // the bulk gate shuts only when complaints are many
		}
		if overAll(answer.Header) {
			pass.ThrottledAll(e.RetryAfter, shut...)
		} else {
			pass.Throttled(e.RetryAfter, shut...)
		}
	}
	return answer, fault
}

// overAll reports whether a complaint says that it is about the app, or about all that it
// does in the tenant, and not about one user or thing: <Scope>/<Limit>/<app>/<of whom>.
// https://learn.microsoft.com/en-us/graph/throttling-limits#identity-and-access-service-limits
func overAll(h http.Header) bool {
	scope, _, _ := strings.Cut(strings.ToLower(h.Get("x-ms-throttle-scope")), "/")
	return scope == "tenant_application" || scope == "application" || scope == "tenant"
}

// overOneMailbox reports whether a complaint is about one mailbox only.
func overOneMailbox(err error) bool {
	e, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return false
	}
	_, message := complaint(e.Body)
	return strings.Contains(strings.ToLower(message), "mailboxconcurrency")
}

// guarded runs f and turns a panic into an error: the SDK asserts types while it decodes
// what a stranger sent, and one bad answer must not end the hub.
func guarded(ctx context.Context, f func(ctx context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the answer could not be decoded (%T)", r)
		}
	}()
	return f(ctx)
}

// fault makes the error for people of whatever went wrong in one request.
func (c *Client) fault(k call, token entra.Token, answer *transport.Answer, err error) error {
	out := &responsehub.Error{RequestID: answer.RequestID, RetryAfter: answer.RetryAfter}
	var class Class
	e, ok := errors.AsType[*transport.Error](err)
	switch {
	case !ok && answer.Status == 0:
		class = BadRequest // never sent: the address was refused or the request could not be made
	case !ok:
		// Accepted, but the answer is not what Graph answers: a proxy's page, a cut-off text.
		class = Transient
		if k.write {
			class = UnknownOutcome
		}
		err = errors.New("the answer could not be read")
	case k.write && (e.Unknown() || k.once && e.Status >= 500 && e.Status != http.StatusServiceUnavailable):
		class, err = UnknownOutcome, e
	case e.Status == 0 && !e.Sent:
		class, err = Unreachable, e
	case e.Status == 0:
		class, err = Transient, e
	default:
		code, message := complaint(e.Body)
		class, err = classify(e.Status, code, message, k.mailbox != ""), e
	}
	if class == Permission || class == Withheld && len(k.needs) > 0 {
		class = told(class, k, token.Rights)
	}
	out.Kind, out.Message = class.kind(), words(class, k)
	out.Err = &Fault{Class: class, Op: k.op, Err: err}
	return out
}

// told tells a missing permission from a protected target by what the token says.
func told(class Class, k call, r entra.Rights) Class {
	switch {
	case !r.Known:
		return class
	case !r.Any(k.needs...):
		return Missing
	case class == Permission && k.admin:
		return ProtectedTarget
	}
	return class
}

func receipt(a *transport.Answer) steps.Receipt {
	return steps.Receipt{RequestID: a.RequestID, At: a.At}
}
