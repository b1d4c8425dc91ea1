package graph

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub/connectors/transport"
)

// send makes a request for which the SDK's package would weigh more than it helps, by the
// same way as all others. path lies below Graph's base and is escaped already.
func (c *Client) send(ctx context.Context, k call, method abs.HttpMethod, address *url.URL, body any) (*transport.Answer, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	return c.do(ctx, k, func(ctx context.Context) error {
		r := abs.NewRequestInformation()
		r.Method = method
		r.SetUri(*address)
		r.Headers.TryAdd("Accept", "application/json")
		if content != nil {
			r.SetStreamContentAndContentType(content, "application/json")
		}
		if method == abs.GET {
			_, err := c.adapter.SendPrimitive(ctx, r, "[]byte", nil)
			return err
		}
		return c.adapter.SendNoContent(ctx, r, nil)
	})
}

// address is an address below Graph's base; each part is escaped.
func (c *Client) address(query url.Values, parts ...string) *url.URL {
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = url.PathEscape(p)
	}
	u := c.base.JoinPath(strings.Join(escaped, "/"))
	u.RawQuery = query.Encode()
	return u
}

// objects reads a whole list. An object of an unexpected shape is an error, since it may
// be the one that was looked for.
func objects[T any](ctx context.Context, c *Client, k call, address *url.URL) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	for range maxPages {
		answer, err := c.send(ctx, k, abs.GET, address, nil)
		if err != nil {
			return all, err
		}
		var page struct {
			Value []T    `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(answer.Body, &page); err != nil {
			return all, astray(k, errEmpty)
		}
		all = append(all, page.Value...)
		if page.Next == "" {
			return all, nil
		}
		if err := c.follow(page.Next, seen); err != nil {
			return all, astray(k, err)
		}
		if address, err = url.Parse(page.Next); err != nil {
			return all, astray(k, err)
		}
	}
	return all, astray(k, errEndless)
}
