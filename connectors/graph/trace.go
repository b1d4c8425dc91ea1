package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/sync/errgroup"

	"responsehub"
	"responsehub/remediation/steps"
)

// Message traces as Microsoft documents them: 5,000 rows a page, 10 days a query, 90 days
// back, 100 queries in 5 minutes for the tenant, whoever makes them.
// https://learn.microsoft.com/en-us/graph/api/messagetracingroot-list-messagetraces
const (
	traceRows  = 5000
	traceSpan  = 10 * 24 * time.Hour
	traceReach = 90*24*time.Hour - time.Hour // the rest is for clocks that differ
	tracePages = 40                          // of one query; more would use up the tenant's share
)

var readsTraces = []string{"ExchangeMessageTrace.Read.All"}

var (
	errNotHere  = errors.New("there is no message trace in this cloud")
	errTooLong  = errors.New("the trace has too many pages")
	errTooOld   = errors.New("the window is over for too long")
	errNoTraces = errors.New("the answer is no message trace")
)

// Recipients asks the message trace who got the phish, by its message id and by sender
// and subject, and returns their mailboxes. Recipients outside the tenant are left out.
// A trace asks the tenant for the app 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373 of Microsoft
// and is 401 without it.
// https://techcommunity.microsoft.com/blog/exchange/message-trace-support-using-graph-api-is-now-in-public-preview/4488587
func (c *Client) Recipients(ctx context.Context, tenant string, p responsehub.Phish) ([]steps.Mailbox, error) {
	k := call{op: "read the message trace", tenant: tenant, traces: true, needs: readsTraces}
	if !c.login.Cloud().Global() {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: "Microsoft has it in the global cloud only.", Err: errNotHere}
	}
	spans := spansOf(p, time.Now())
	if len(spans) == 0 {
		return nil, &responsehub.Error{Kind: responsehub.Permanent, Message: "It reaches back 90 days only.", Err: errTooOld}
	}
	addresses := map[string]bool{}
	var mu sync.Mutex // of addresses
	take := func(row map[string]any) {
		// Looked at again here, as a filter may be ignored.
		named := p.InternetMessageID != "" && sameMessageID(textOf(row, "messageId"), p.InternetMessageID)
		similar := strings.EqualFold(textOf(row, "senderAddress"), p.Sender) && sameSubject(textOf(row, "subject"), p.Subject)
		if a := strings.ToLower(textOf(row, "recipientAddress")); a != "" && (named || similar) {
			mu.Lock()
			defer mu.Unlock()
			addresses[a] = true
		}
	}
	group, gctx := errgroup.WithContext(ctx)
	for _, span := range spans {
		for _, filter := range traceFilters(p) {
			group.Go(func() error {
				return c.trace(gctx, k, filter+" and receivedDateTime ge "+stamp(span[0])+" and receivedDateTime le "+stamp(span[1]), take)
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return c.resolve(ctx, tenant, addresses)
}

// traceFilters are the queries for a phish; "or" is said to be ignored in a trace.
func traceFilters(p responsehub.Phish) []string {
	var filters []string
	if id := strings.Trim(p.InternetMessageID, "<> \r\n\t"); id != "" {
		filters = append(filters, "messageId eq "+quote("<"+id+">"))
	}
	if p.Sender != "" && p.Subject != "" {
		filters = append(filters, "senderAddress eq "+quote(p.Sender)+" and subject eq "+quote(p.Subject))
	}
	return filters
}

// spansOf cuts the phish's window into what one query may span.
func spansOf(p responsehub.Phish, now time.Time) [][2]time.Time {
	from, to := p.ReceivedAfter, now
	if !p.ReceivedBefore.IsZero() && p.ReceivedBefore.Before(to) {
		to = p.ReceivedBefore.Add(time.Second)
	}
	if oldest := now.Add(-traceReach); from.Before(oldest) {
		from = oldest
	}
	var spans [][2]time.Time
	for from.Before(to) {
		end := from.Add(traceSpan)
		if end.After(to) {
			end = to
		}
		spans = append(spans, [2]time.Time{from, end})
		from = end
	}
	return spans
}

// trace makes one query, page by page. The SDK has no such call; its request is made by
// hand and goes out through the same pipeline.
func (c *Client) trace(ctx context.Context, k call, filter string, take func(row map[string]any)) error {
	q := url.Values{"$filter": {filter}, "$top": {fmt.Sprint(traceRows)}}
	link, seen := c.base.String()+"/admin/exchange/tracing/messageTraces?"+strings.ReplaceAll(q.Encode(), "+", "%20"), map[string]bool{}
	for range tracePages {
		if err := c.follow(link, seen); err != nil {
			return astray(k, err)
		}
		address, err := url.Parse(link)
		if err != nil {
			return astray(k, err)
		}
		var page map[string]any
		if err := c.patiently(ctx, k, func(ctx context.Context) (err error) {
			page, err = c.get(ctx, address)
			return err
		}); err != nil {
			return err
		}
		rows, ok := page["value"].([]any)
		if !ok {
			return astray(k, errNoTraces)
		}
		for _, r := range rows {
			if row, ok := r.(map[string]any); ok {
				take(row)
			}
		}
		if link = textOf(page, "@odata.nextLink"); link == "" {
			return nil
		}
	}
	return &responsehub.Error{Kind: responsehub.Permanent, Message: "It holds more deliveries than can be asked for.", Err: errTooLong}
}

// get makes one request of the hub's own and returns the object in its answer.
func (c *Client) get(ctx context.Context, address *url.URL) (map[string]any, error) {
	r := abs.NewRequestInformation()
	r.Method = abs.GET
	r.SetUri(*address)
	r.Headers.Add("Accept", "application/json")
	raw, err := c.adapter.SendPrimitive(ctx, r, "[]byte", nil)
	if err != nil {
		return nil, err
	}
	b, ok := raw.([]byte)
	if !ok {
		return nil, errEmpty
	}
	var answer map[string]any
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return answer, nil
}

const (
	chunk      = 15 // addresses that one look-up names; more is refused
	lookUps    = 32 // of them at once, as far as the gate lets them
	traceTries = 4  // of one request

	longestWait = 10 * time.Second // between two of them
)

// resolve finds the mailboxes of addresses. Those that are nobody's here are outside.
func (c *Client) resolve(ctx context.Context, tenant string, addresses map[string]bool) ([]steps.Mailbox, error) {
	k := call{op: "find the recipients' mailboxes", tenant: tenant, lists: true, about: anAccount, needs: listsUsers}
	all := make([]string, 0, len(addresses))
	for a := range addresses {
		all = append(all, a)
	}
	slices.Sort(all)
	chunks := slices.Collect(slices.Chunk(all, chunk))
	found := make([][]steps.Mailbox, len(chunks))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(lookUps)
	for i, some := range chunks {
		group.Go(func() error {
			var quoted []string
			for _, a := range some {
				quoted = append(quoted, "proxyAddresses/any(p:p eq "+quote("smtp:"+a)+")")
			}
			filter := strings.Join(quoted, " or ")
			cfg := &users.UsersRequestBuilderGetRequestConfiguration{QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
				Filter: &filter, Select: []string{"id", "mail", "userPrincipalName", "userType"}, Top: new(int32(999)),
			}}
			return c.patiently(gctx, k, func(ctx context.Context) error {
				r, err := c.users().Get(ctx, cfg)
				if err := present(r, err); err != nil {
					return err
				}
				found[i] = mailboxes(r.GetValue())
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// patiently makes one of the many requests behind one answer again when it is asked to
// wait a little, so that the others need not be made again for its sake.
func (c *Client) patiently(ctx context.Context, k call, f func(ctx context.Context) error) error {
	for try := 1; ; try++ {
		_, err := c.do(ctx, k, f)
		e, ok := errors.AsType[*responsehub.Error](err)
		if !ok || e.Kind != responsehub.Throttled || e.RetryAfter > longestWait || try == traceTries {
			return err
		}
		pause := time.NewTimer(max(time.Second, e.RetryAfter))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
	}
}

func textOf(row map[string]any, name string) string {
	s, _ := row[name].(string)
	return s
}
