package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"

	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
)

type tokenKey struct{}

// bearer puts the call's token on a request, and only on one that goes to Graph: the
// address may come from a nextLink, which is a stranger's text.
type bearer struct{ c *Client }

func (b bearer) AuthenticateRequest(ctx context.Context, r *abs.RequestInformation, _ map[string]any) error {
	u, err := r.GetUri()
	if err != nil {
		return err
	}
	if !b.c.pinned(u) {
		return errors.New("an address outside Microsoft Graph was refused")
	}
	t, ok := ctx.Value(tokenKey{}).(entra.Token)
	if !ok {
		return errors.New("the call has no token")
	}
	r.Headers.Add("Authorization", "Bearer "+string(t.Value))
	return nil
}

// wire turns every answer that is not a success into an error before the SDK sees it.
type wire struct{ base *transport.Transport }

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		// The SDK reads "application/json" only, whatever the case or the charset.
		if t, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); strings.EqualFold(strings.TrimSpace(t), "application/json") {
			resp.Header.Set("Content-Type", "application/json")
		}
		return resp, nil
	}
	resp.Request = req
	e := transport.Refusal(resp)
	e.Code, _ = complaint(e.Body)
	return nil, e
}
