package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"responsehub"
	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// systemMailbox routes cmdlets that are about the whole tenant.
const systemMailbox = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"

// atOnce is how many cmdlets run at a time in one tenant.
const atOnce = 2

// patience is how long a cmdlet waits for its turn: each takes a second or more, so that
// the usual patience would be over behind two of them.
const patience = 15 * time.Second

// cmdlet is one command with the names and types that PowerShell has for its parameters.
type cmdlet struct {
	name       string
	parameters map[string]any
	tenant     string
	mailbox    string // principal name, for cmdlets about one mailbox
	op         string // continues "The hub could not ..."
}

func (c cmdlet) write() bool { return !strings.HasPrefix(c.name, "Get-") }

// result is what a cmdlet returned: its objects, and what tells of the request.
type result struct {
	values  []json.RawMessage
	receipt steps.Receipt
}

// maxResultPages ends a list that does not end by itself.
const maxResultPages = 500

// run invokes a cmdlet and reads all pages of its result. A refusal for want of rights is
// tried once more with a fresh token, since a role given a moment ago only shows there.
func (c *Client) run(ctx context.Context, k cmdlet) (result, error) {
	resource := c.login.Cloud().Exchange
	token, err := c.token(ctx, k.tenant)
	if err != nil {
		return result{}, err
	}
	r, err := c.pages(ctx, k, token)
	if class := ClassOf(err); class != Auth && class != Permission || !c.mayRenew(k.tenant) {
		return r, err
	}
	fresh, err := c.login.Renew(ctx, k.tenant, resource, token)
	if err != nil {
		return result{}, err
	}
	return c.pages(ctx, k, fresh)
}

// token returns a token for Exchange. A tenant without Exchange has nothing that could be
// read there, which is not the same as being refused.
func (c *Client) token(ctx context.Context, tenant string) (entra.Token, error) {
	token, err := c.login.Token(ctx, tenant, c.login.Cloud().Exchange)
	if entra.ClassOf(err) == entra.ResourceMissing {
		err = &responsehub.Error{Kind: responsehub.NotFound, Message: noExchange, Err: err}
	}
	return token, err
}

// mayRenew decides, and notes, whether a refusal is worth a fresh token.
func (c *Client) mayRenew(tenant string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.renewed[tenant]; ok && time.Since(last) < 5*time.Minute {
		return false
	}
	c.renewed[tenant] = time.Now()
	return true
}

func (c *Client) pages(ctx context.Context, k cmdlet, token entra.Token) (result, error) {
	body, err := json.Marshal(map[string]any{"CmdletInput": map[string]any{"CmdletName": k.name, "Parameters": k.parameters}})
	if err != nil {
		return result{}, fmt.Errorf("encode %s: %w", k.name, err)
	}
	next := c.base.JoinPath("adminapi", "beta", k.tenant, "InvokeCommand").String()
	var all result
	seen := map[string]bool{}
	for range maxResultPages {
		seen[next] = true
		page, receipt, err := c.post(ctx, k, token, next, body)
		if err != nil {
			return result{}, err
		}
		all.values, all.receipt = append(all.values, page.Value...), receipt
		if page.Next == "" {
			return all, nil
		}
		// The next page is had by sending the same command to its link.
		if next = page.Next; seen[next] || !c.pinned(next) {
			return result{}, c.fail(k, Transient, receipt.RequestID, 0, errors.New("the link to the next page leads elsewhere"))
		}
	}
	return result{}, c.fail(k, Transient, all.receipt.RequestID, 0, errors.New("the list does not end"))
}

type page struct {
	Value []json.RawMessage `json:"value"`
	Next  string            `json:"@odata.nextLink"`
}

func (c *Client) post(ctx context.Context, k cmdlet, token entra.Token, address string, body []byte) (page, steps.Receipt, error) {
	pass, err := c.limiter.Enter(ctx, transport.Gate{Name: "exchange " + k.tenant, Who: exchangeWho, Start: atOnce, Patience: patience})
	if err != nil {
		return page{}, steps.Receipt{}, err
	}
	defer pass.Leave()
	ctx, answer := transport.Capture(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return page{}, steps.Receipt{}, c.fail(k, BadRequest, "", 0, errors.New("the address cannot be used"))
	}
	anchor := "APP:" + systemMailbox + "@" + k.tenant
	if k.mailbox != "" {
		anchor = "UPN:" + k.mailbox
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + string(token.Value), "Content-Type": "application/json; charset=utf-8", "Accept": "application/json",
		"X-CmdletName": k.name, "X-AnchorMailbox": header(anchor), "Prefer": "odata.maxpagesize=1000",
		"client-request-id": uuid.NewString(), "connection-id": uuid.NewString(),
	} {
		req.Header.Set(name, value)
	}
	resp, err := transport.Do(c.client, req) //nolint:bodyclose // the transport hands on answers that are read and closed
	if err != nil {
		err = c.fault(k, token, answer.Header, err)
		if e, ok := errors.AsType[*responsehub.Error](err); ok && e.Kind == responsehub.Throttled {
			pass.Throttled(e.RetryAfter, "exchange "+k.tenant)
		}
		return page{}, steps.Receipt{}, err
	}
	receipt := steps.Receipt{RequestID: answer.RequestID, At: answer.At}
	b, err := io.ReadAll(resp.Body)
	var p page
	if err == nil && len(bytes.TrimSpace(b)) > 0 {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		class := Transient
		if k.write() {
			class = UnknownOutcome
		}
		return page{}, receipt, c.fail(k, class, receipt.RequestID, 0, errors.New("the answer could not be read"))
	}
	return p, receipt, nil
}

// pinned reports whether a link is within Exchange's own address: the token goes there.
func (c *Client) pinned(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.Scheme == c.base.Scheme && strings.EqualFold(u.Host, c.base.Host) && u.User == nil
}

// header drops what a header cannot carry; names of mailboxes are strangers' text.
func header(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
