package bot

import (
	"context"
	"net/http"
	"net/url"

	"github.com/infracloudio/msbotbuilder-go/connector/auth"
	"github.com/infracloudio/msbotbuilder-go/core"
	"github.com/infracloudio/msbotbuilder-go/schema"
)

// This file is the seam to msbotbuilder-go's adapter: it reads requests and updates
// activities, with our validator and our client plugged in. The library's own validator
// accepts everything when the app id is empty, keeps keys for five days and panics on a
// token without claims; its client has no context and drops the answers.

// checked gives the library our validator.
type checked struct{ v *validator }

// AuthenticateRequest never returns nil and nil, which the library takes for a yes
// without an identity.
func (c checked) AuthenticateRequest(ctx context.Context, act schema.Activity, header string, _ auth.CredentialProvider, _ string) (auth.ClaimsIdentity, error) {
	if err := c.v.check(ctx, &act, header); err != nil {
		return nil, err
	}
	return auth.NewClaimIdentity(map[string]any{}, true), nil
}

// bound is our client for the length of one call: the library's interface has no
// context and no answer.
type bound struct {
	ctx context.Context
	c   *client
}

func (b bound) Post(u url.URL, act schema.Activity) error {
	return b.send(http.MethodPost, u, act)
}

func (b bound) Put(u url.URL, act schema.Activity) error {
	return b.send(http.MethodPut, u, act)
}

func (b bound) Delete(u url.URL, act schema.Activity) error {
	return b.send(http.MethodDelete, u, act)
}

func (b bound) send(method string, u url.URL, act schema.Activity) error {
	body, err := pruned(act)
	if err != nil {
		return err
	}
	_, err = b.c.do(b.ctx, method, escaped(u).String(), body)
	return err
}

// parse reads and authenticates a request. The error is a *denied when the request is
// not to be believed; any other means that it cannot be read.
func (b *Bot) parse(r *http.Request) (schema.Activity, error) {
	adapter := core.BotFrameworkAdapter{
		AdapterSetting: core.AdapterSetting{AppID: b.cfg.AppID},
		TokenValidator: checked{b.validator},
	}
	act, err := adapter.ParseRequest(r.Context(), r)
	if err != nil {
		// The library hands out the activity together with the error.
		return schema.Activity{}, err
	}
	return act, nil
}

// replace puts a new version in the place of a posted activity.
func (c *client) replace(ctx context.Context, act schema.Activity) error {
	adapter := core.BotFrameworkAdapter{Client: bound{ctx, c}}
	return adapter.UpdateActivity(ctx, act)
}
