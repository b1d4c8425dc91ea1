package entra

import (
	"context"
	"net/url"
	"time"
)

// fresh is how old a token may be whose rights count as those of now.
const fresh = 2 * time.Second

// ConsentLink is where an administrator of the tenant grants everything that the hub's
// app asks for. It names the tenant, so that nobody consents in another one by mistake.
// https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent
func (l *Login) ConsentLink(tenant string) string {
	q := url.Values{"client_id": {l.clientID}, "scope": {l.cloud.Graph + "/.default"}}
	return l.authority.JoinPath(tenant, "v2.0", "adminconsent").String() + "?" + q.Encode()
}

// FreshRights asks for a new token of the tenant for the resource and returns what it
// says that the hub may do.
func (l *Login) FreshRights(ctx context.Context, tenant, resource string) (Rights, error) {
	held, err := l.Token(ctx, tenant, resource)
	if err != nil {
		return Rights{}, err
	}
	if time.Since(held.Got) < fresh {
		return held.Rights, nil
	}
	t, err := l.Renew(ctx, tenant, resource, held)
	return t.Rights, err
}
