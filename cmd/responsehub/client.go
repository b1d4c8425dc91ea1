package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"responsehub"
	"responsehub/api"
)

// client asks a running hub over its API.
type client struct {
	base string
	key  responsehub.Secret
	http *http.Client
}

const maxAnswer = 64 << 20

// newClient reads where the hub is and who asks from the environment.
func newClient() (*client, error) {
	key := responsehub.Secret(os.Getenv("RESPONSEHUB_API_KEY"))
	if key == "" {
		return nil, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "RESPONSEHUB_API_KEY is not set. Set it to an API key; make one with: responsehub key create --config FILE --name NAME --role responder"}
	}
	base := cmp.Or(os.Getenv("RESPONSEHUB_URL"), "http://127.0.0.1:8080")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &responsehub.Error{Kind: responsehub.Invalid, Message: "RESPONSEHUB_URL must be the hub's address, such as https://hub.example.com"}
	}
	return &client{base: strings.TrimRight(base, "/"), key: key, http: &http.Client{
		Timeout: 30 * time.Second,
		// A redirect would carry the key to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// do sends one request and decodes the answer into out. What the hub refuses comes back
// as an error with the hub's sentence.
func (c *client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+string(c.key))
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	b, err := c.answer(req)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("What is at %s does not answer like a hub.", c.base), Err: err}
	}
	return nil
}

// patience is how often a document is asked for that the hub cannot make right now, such as
// while its incident changes.
const patience = 10

// get returns what the hub answers as it is, such as a document.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	for try := 1; ; try++ {
		b, err := c.getOnce(ctx, path)
		e, ok := errors.AsType[*responsehub.Error](err)
		if !ok || e.Kind != responsehub.Unavailable || e.RetryAfter <= 0 || try == patience {
			return b, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(e.RetryAfter, 5*time.Second)):
		}
	}
}

func (c *client) getOnce(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+string(c.key))
	return c.answer(req)
}

// answer sends a request and returns what came back; what the hub refuses is an error.
func (c *client) answer(req *http.Request) ([]byte, error) {
	res, err := c.http.Do(req)
	if err != nil {
		if req.Context().Err() != nil {
			return nil, req.Context().Err()
		}
		return nil, &responsehub.Error{Kind: responsehub.Unavailable, Message: fmt.Sprintf("The hub at %s cannot be reached. Is it running (responsehub serve)? RESPONSEHUB_URL says where it is.", c.base), Err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the hub's answer: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		err := refusal(res, b)
		if err.Kind == responsehub.Unauthorized {
			err.Message += " RESPONSEHUB_API_KEY is the key; an administrator makes one with: responsehub key add"
		}
		return nil, err
	}
	return b, nil
}

// kinds by status, as far as a command has to tell them apart.
var kinds = map[int]responsehub.Kind{
	http.StatusUnauthorized: responsehub.Unauthorized, http.StatusNotFound: responsehub.NotFound, http.StatusConflict: responsehub.Refused, http.StatusGone: responsehub.Gone,
	http.StatusTooManyRequests: responsehub.Throttled, http.StatusServiceUnavailable: responsehub.Unavailable,
	http.StatusBadGateway: responsehub.Unavailable, http.StatusGatewayTimeout: responsehub.Unavailable,
}

func refusal(res *http.Response, body []byte) *responsehub.Error {
	e := &responsehub.Error{Kind: cmp.Or(kinds[res.StatusCode], responsehub.Invalid)}
	var p api.Problem
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		e.Message = fmt.Sprintf("The hub answered %s.", res.Status)
		return e
	}
	e.Message = p.Detail
	if p.Pointer != "" && !strings.Contains(p.Detail, p.Pointer) {
		e.Message += " (" + p.Pointer + ")"
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// path makes a path of parts that may hold anything.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// orList names the command that shows what there is, where something is not there.
func orList(err error, command string) error {
	if e, ok := errors.AsType[*responsehub.Error](err); ok && e.Kind == responsehub.NotFound {
		return &responsehub.Error{Kind: e.Kind, Message: e.Message + " See: " + command}
	}
	return err
}
