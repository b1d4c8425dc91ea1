package graph

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
)

const (
	maxItems = 20 // requests in one batch
	atOnce   = 4  // of one batch at the Outlook service
)

type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

// batch answers up to 20 requests in one, each judged by itself; the order of the answers means
// nothing. Items with dependsOn run one after the other, others four at a time. Scripted faults whose
// match fits an item's path hit that item only.
// https://learn.microsoft.com/graph/json-batching
func (c *call) batch() reply {
	var in struct {
		Requests []batchItem `json:"requests"`
	}
	if json.Unmarshal(c.body, &in) != nil || len(in.Requests) == 0 {
		return unreadable()
	}
	if len(in.Requests) > maxItems {
		return fail(http.StatusBadRequest, "BadRequest", "Number of batch request steps exceeds the maximum value of %d.", maxItems)
	}
	seen, chained := map[string]bool{}, false
	for _, it := range in.Requests {
		if it.ID == "" || seen[it.ID] {
			return fail(http.StatusBadRequest, "BadRequest", "Invalid batch payload format: the id of a request is missing or not unique.")
		}
		seen[it.ID] = true
		for _, d := range it.DependsOn {
			if chained = true; !seen[d] {
				return fail(http.StatusBadRequest, "BadRequest", "Invalid batch payload format: '%s' depends on a request that does not come before it.", it.ID)
			}
		}
	}
	answers := make([]batchAnswer, len(in.Requests))
	if chained {
		c.chain(in.Requests, answers)
	} else {
		c.spread(in.Requests, answers)
	}
	slices.Reverse(answers) // Graph answers in any order: nobody may count on it
	return reply{status: http.StatusOK, body: object{"responses": answers}}
}

func (c *call) chain(items []batchItem, answers []batchAnswer) {
	failed := map[string]bool{}
	for i, it := range items {
		if slices.ContainsFunc(it.DependsOn, func(d string) bool { return failed[d] }) {
			answers[i] = answerOf(it, fail(http.StatusFailedDependency, "FailedDependency", "A request this one depends on has failed."))
		} else {
			answers[i] = c.item(it)
		}
		failed[it.ID] = answers[i].Status >= 400
	}
}

func (c *call) spread(items []batchItem, answers []batchAnswer) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, it := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			answers[i] = c.item(it)
		})
	}
	wg.Wait()
}

// item answers one request of a batch.
func (c *call) item(it batchItem) batchAnswer {
	path, rawQuery, _ := strings.Cut(it.URL, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil || !slices.Contains([]string{"GET", "POST", "PATCH", "PUT", "DELETE"}, it.Method) {
		return answerOf(it, fail(http.StatusBadRequest, "BadRequest", "The request of the batch is malformed."))
	}
	header := http.Header{}
	for k, v := range it.Headers {
		header.Set(k, v)
	}
	body := []byte(it.Body)
	if string(body) == "null" {
		body = nil
	}
	if len(body) > 0 && !strings.HasPrefix(strings.ToLower(header.Get("Content-Type")), "application/json") {
		return answerOf(it, unreadable())
	}
	sub := &call{
		ctx: c.ctx, s: c.s, claims: c.claims, method: it.Method, path: "/" + strings.TrimPrefix(path, "/"), query: query, header: header, body: body, base: c.base,
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		decoded = path
	}
	plain, err := url.QueryUnescape(rawQuery)
	if err != nil {
		plain = rawQuery
	}
	fault, ok := c.s.log.Pick(vendor, it.Method, prefix+"/"+strings.TrimPrefix(decoded, "/")+"?"+plain, string(body))
	if !ok || fault.Status == 0 {
		return answerOf(it, sub.do())
	}
	if fault.After {
		sub.do()
	}
	out := reply{status: fault.Status, header: fault.Header}
	if fault.Answer != "" {
		out.body = json.RawMessage(fault.Answer)
	}
	return answerOf(it, out)
}

func answerOf(it batchItem, out reply) batchAnswer {
	id := uuid.NewString()
	h := map[string]string{"request-id": id}
	maps.Copy(h, out.header)
	if out.body != nil {
		h["Content-Type"] = "application/json"
	}
	if raw, ok := out.body.(json.RawMessage); ok && !json.Valid(raw) {
		out.body = json.RawMessage(strconv.Quote(string(raw)))
	}
	return batchAnswer{ID: it.ID, Status: out.status, Headers: h, Body: stamp(out.body, id, id)}
}
