package entra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"responsehub"
	"responsehub/connectors/transport"
)

// Config is the hub's app registration.
type Config struct {
	ClientID     string
	ClientSecret responsehub.Secret
	Certificate  string // PEM text with key, or the path of a PEM file; wins over ClientSecret
	Authority    string // empty is https://login.microsoftonline.com
	Graph        string // address of Graph; only tells the DoD cloud from GCC High
}

// A token is used until margin before its end, and renewed by Warm from warm before.
const (
	margin = 2 * time.Minute
	warm   = 15 * time.Minute
)

// Login gets and keeps tokens. It is safe for concurrent use.
type Login struct {
	clientID   string
	cloud      Cloud
	authority  *url.URL
	credential func(tenant string) (azcore.TokenCredential, error)
	proof      proof // the same credential, for what azidentity does not do

	mu      sync.Mutex
	tenants map[string]*tenant
}

// tenant is one tenant's credential and its tokens by resource.
type tenant struct {
	turn       chan struct{} // holds one element: whoever takes it may ask Microsoft
	credential azcore.TokenCredential

	mu     sync.Mutex
	tokens map[string]Token
	failed map[string]failure
}

type failure struct {
	at  time.Time
	err error
}

// New checks the configuration and returns a Login; it makes no request.
func New(cfg Config, client *http.Client) (*Login, error) {
	if cfg.ClientID == "" {
		return nil, errors.New("microsoft.client_id is missing")
	}
	authority, err := login(cmp.Or(cfg.Authority, "https://login.microsoftonline.com"))
	if err != nil {
		return nil, err
	}
	l := &Login{clientID: cfg.ClientID, authority: authority, cloud: cloudOf(authority.Hostname(), cfg.Graph), tenants: map[string]*tenant{}}
	options := azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: authority.String()},
		Transport: sender{client},
		// The engine decides when to try again; a sleeping worker would hold its lane.
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}
	offline := !isMicrosofts(authority.Hostname())
	switch {
	case cfg.Certificate != "":
		pem := []byte(cfg.Certificate)
		if !strings.Contains(cfg.Certificate, "-----BEGIN") {
			if pem, err = os.ReadFile(cfg.Certificate); err != nil {
				return nil, fmt.Errorf("microsoft.certificate: %w", err)
			}
		}
		certs, key, err := azidentity.ParseCertificates(pem, nil)
		if err != nil {
			return nil, errors.New("microsoft.certificate holds no certificate with its private key in PEM form")
		}
		l.proof = proof{certs: certs, key: key}
		l.credential = func(tenant string) (azcore.TokenCredential, error) {
			return azidentity.NewClientCertificateCredential(tenant, cfg.ClientID, certs, key,
				&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: offline, SendCertificateChain: true})
		}
	case cfg.ClientSecret != "":
		l.proof.secret = cfg.ClientSecret
		l.credential = func(tenant string) (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(tenant, cfg.ClientID, string(cfg.ClientSecret),
				&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: offline})
		}
	default:
		return nil, errors.New("microsoft needs a client_secret or a certificate")
	}
	return l, nil
}

// ClientID is the hub's own app id.
func (l *Login) ClientID() string { return l.clientID }

// Cloud is the cloud of the authority.
func (l *Login) Cloud() Cloud { return l.cloud }

// Token returns a token of the tenant for the resource, from memory when there is one.
func (l *Login) Token(ctx context.Context, tenant, resource string) (Token, error) {
	return l.get(ctx, tenant, resource, func(t Token) bool { return time.Until(t.Expires) > margin }, false)
}

// Warm makes sure that the tenant's token for the resource is good for a quarter of an
// hour, so that the next incident finds it in memory. Call it every ten minutes.
func (l *Login) Warm(ctx context.Context, tenant, resource string) error {
	_, err := l.get(ctx, tenant, resource, func(t Token) bool { return time.Until(t.Expires) > warm }, false)
	return err
}

// Renew returns a token other than stale: rights that were granted or withdrawn after
// a token was made only show in the next one. Many callers holding the same stale
// token cause one request.
func (l *Login) Renew(ctx context.Context, tenant, resource string, stale Token) (Token, error) {
	return l.get(ctx, tenant, resource, func(t Token) bool {
		return t.Value != stale.Value && time.Until(t.Expires) > margin
	}, true)
}

func (l *Login) get(ctx context.Context, id, resource string, good func(Token) bool, fresh bool) (Token, error) {
	t := l.tenant(id)
	asked := time.Now()
	if token, ok := t.held(resource, good); ok {
		return token, nil
	}
	select {
	case <-t.turn:
		defer func() { t.turn <- struct{}{} }()
	case <-ctx.Done():
		return Token{}, context.Cause(ctx)
	}
	// While this caller waited, another one may have got it, or been refused.
	if token, ok := t.held(resource, good); ok {
		return token, nil
	}
	t.mu.Lock()
	f := t.failed[resource]
	t.mu.Unlock()
	if f.err != nil && f.at.After(asked) {
		return Token{}, f.err
	}
	token, err := l.ask(ctx, t, id, resource, fresh)
	if err != nil {
		if ctx.Err() != nil {
			return Token{}, context.Cause(ctx)
		}
		t.mu.Lock()
		t.failed[resource] = failure{at: time.Now(), err: err}
		t.mu.Unlock()
		return Token{}, err
	}
	t.mu.Lock()
	t.tokens[resource] = token
	delete(t.failed, resource)
	t.mu.Unlock()
	return token, nil
}

// ask gets a token from Microsoft. The caller has the tenant's turn.
func (l *Login) ask(ctx context.Context, t *tenant, id, resource string, fresh bool) (Token, error) {
	if t.credential == nil || fresh {
		// A new credential has an empty cache: the library offers no other way round it.
		c, err := l.credential(id)
		if err != nil {
			return Token{}, &responsehub.Error{Kind: responsehub.Permanent, Message: badTenantWords(id)}
		}
		t.credential = c
	}
	inner, seen := watch(ctx)
	got, err := t.credential.GetToken(inner, policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}})
	if err != nil {
		return Token{}, seen.refusal(id, l.clientID, resource)
	}
	return newToken(got.Token, got.ExpiresOn), nil
}

func (l *Login) tenant(id string) *tenant {
	id = strings.ToLower(id)
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tenants[id]
	if t == nil {
		t = &tenant{turn: make(chan struct{}, 1), tokens: map[string]Token{}, failed: map[string]failure{}}
		t.turn <- struct{}{}
		l.tenants[id] = t
	}
	return t
}

func (t *tenant) held(resource string, good func(Token) bool) (Token, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.tokens[resource]
	return token, ok && good(token)
}

// sender is the client as the identity library wants it. It keeps what came back: the
// library's own errors carry neither the network's error nor, safely, the answer.
type sender struct{ client *http.Client }

func (s sender) Do(req *http.Request) (*http.Response, error) {
	resp, err := s.client.Do(req)
	if e, ok := errors.AsType[*transport.Error](err); ok {
		if seen, ok := req.Context().Value(seenKey{}).(*seen); ok {
			seen.err = e
		}
		return nil, e
	}
	return resp, err
}
