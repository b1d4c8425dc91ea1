package bot

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"responsehub"
)

// tokens gives the bot's own token for the connector. The credential keeps tokens
// itself; when the connector refuses one, the credential is made anew.
type tokens struct {
	scope string
	make  func() (azcore.TokenCredential, error)

	mu   sync.Mutex
	cred azcore.TokenCredential
}

// newTokens reads the credential from the configuration.
// https://learn.microsoft.com/azure/developer/go/sdk/authentication/credential-chains
func newTokens(c *Config, hc *http.Client) *tokens {
	t := &tokens{scope: c.region().scope}
	t.make = func() (azcore.TokenCredential, error) {
		if c.Credential != nil {
			return c.Credential, nil
		}
		return azidentity.NewClientSecretCredential(c.TenantID, c.AppID, string(c.ClientSecret), &azidentity.ClientSecretCredentialOptions{
			ClientOptions: azcore.ClientOptions{
				Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: c.Login},
				Transport: hc,
				Retry:     policy.RetryOptions{MaxRetries: 1, RetryDelay: 300 * time.Millisecond, TryTimeout: 5 * time.Second},
			},
			DisableInstanceDiscovery: !microsoftLogin(c.Login),
		})
	}
	return t
}

// microsoftLogin reports whether the address is one of Microsoft's own sign-in
// services, which know each other; any other cannot be looked up at them.
func microsoftLogin(login string) bool {
	u, err := url.Parse(login)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Host) {
	case "login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn":
		return true
	}
	return false
}

// token returns a token for the connector.
func (t *tokens) token(ctx context.Context) (string, error) {
	t.mu.Lock()
	if t.cred == nil {
		cred, err := t.make()
		if err != nil {
			t.mu.Unlock()
			return "", &responsehub.Error{Kind: responsehub.Permanent, Message: saySignIn, Err: err}
		}
		t.cred = cred
	}
	cred := t.cred
	t.mu.Unlock()
	got, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{t.scope}})
	if err == nil && got.Token != "" {
		return got.Token, nil
	}
	e := &responsehub.Error{Kind: responsehub.Unavailable, Message: saySignInLater, Err: err}
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		if s := failed.RawResponse.StatusCode; s == http.StatusBadRequest || s == http.StatusUnauthorized || s == http.StatusForbidden {
			e.Kind, e.Message = responsehub.Forbidden, saySignIn
		}
	}
	return "", e
}

// drop forgets the token and with it the credential that keeps it.
func (t *tokens) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cred = nil
}
