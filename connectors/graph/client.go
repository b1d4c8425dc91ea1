package graph

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	khttp "github.com/microsoft/kiota-http-go"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/applications"
	"github.com/microsoftgraph/msgraph-sdk-go/oauth2permissiongrants"
	"github.com/microsoftgraph/msgraph-sdk-go/serviceprincipals"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// Config says where Graph is and which apps are the hub's.
type Config struct {
	Graph   string   // address; empty is the cloud's own, such as https://graph.microsoft.com
	OwnApps []string // app ids that the hub must never touch beside its own: its bot, the RMM
}

// Client is Microsoft Graph for all tenants. It is safe for concurrent use.
type Client struct {
	base    *url.URL // with /v1.0
	login   *entra.Login
	limiter *transport.Limiter
	adapter *khttp.NetHttpRequestAdapter
	ownApps []string
	log     *slog.Logger

	mu      sync.Mutex
	renewed map[string]time.Time // by tenant: when a fresh token was last forced
	apart   map[string]bool      // tenants whose mailboxes take one rule in a search
}

var (
	_ steps.Directory = (*Client)(nil)
	_ steps.Mail      = (*Client)(nil)
	_ steps.Scanner   = (*Client)(nil)
	_ steps.Foothold  = (*Rules)(nil)
	_ steps.Foothold  = (*EnterpriseApps)(nil)
	_ steps.Foothold  = (*Registrations)(nil)
	_ steps.Foothold  = (*Methods)(nil)
	_ steps.Foothold  = (*Devices)(nil)
	_ steps.Foothold  = (*AutoReplies)(nil)
)

// New returns a client; it makes no request. The limiter may be shared with other
// connectors and may be nil.
func New(cfg Config, login *entra.Login, client *http.Client, limiter *transport.Limiter, log *slog.Logger) (*Client, error) {
	base, err := address(cmp.Or(cfg.Graph, login.Cloud().Graph))
	if err != nil {
		return nil, err
	}
	if limiter == nil {
		limiter = &transport.Limiter{}
	}
	c := &Client{
		base: base, login: login, limiter: limiter, log: log,
		ownApps: append([]string{login.ClientID()}, cfg.OwnApps...), renewed: map[string]time.Time{}, apart: map[string]bool{},
	}
	c.ownApps = slices.DeleteFunc(c.ownApps, func(id string) bool { return id == "" })
	c.adapter, err = khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		bearer{c}, kjson.NewJsonParseNodeFactory(), kjson.NewJsonSerializationWriterFactory(),
		transport.Client(&wire{transport.Over(client.Transport)}))
	if err != nil {
		return nil, err
	}
	c.adapter.SetBaseUrl(base.String())
	return c, nil
}

// Rules returns the visible inbox rules.
func (c *Client) Rules() *Rules { return &Rules{c} }

// EnterpriseApps returns the tenant's service principals.
func (c *Client) EnterpriseApps() *EnterpriseApps { return &EnterpriseApps{c} }

// Registrations returns the apps registered in the tenant.
func (c *Client) Registrations() *Registrations { return &Registrations{c} }

// Methods returns the ways in which users can sign in.
func (c *Client) Methods() *Methods { return &Methods{c} }

// Devices returns the tenant's registered devices.
func (c *Client) Devices() *Devices { return &Devices{c} }

// AutoReplies returns the automatic replies of mailboxes.
func (c *Client) AutoReplies() *AutoReplies { return &AutoReplies{c} }

// Warm fetches the tenant's token, so that the first request of an incident goes out at
// once. Call it for every tenant at start and every ten minutes.
func (c *Client) Warm(ctx context.Context, tenant string) error {
	return c.login.Warm(ctx, tenant, c.login.Cloud().Graph)
}

// Rights returns what the hub's token for the tenant says it may do there.
func (c *Client) Rights(ctx context.Context, tenant string) (entra.Rights, error) {
	t, err := c.login.Token(ctx, tenant, c.login.Cloud().Graph)
	return t.Rights, err
}

// address checks Graph's address. Plain http is for loopback only: the token would be
// readable on the way.
func address(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("microsoft.graph must be an address such as https://graph.microsoft.com")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, errors.New("microsoft.graph must begin with https:// (http is for loopback only)")
	}
	if !strings.HasSuffix(u.Path, "/v1.0") {
		u.Path += "/v1.0"
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// The SDK writes into the map of path parameters, so that each call gets its own.
func (c *Client) params() map[string]string { return map[string]string{"baseurl": c.base.String()} }

func (c *Client) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(c.params(), c.adapter)
}

func (c *Client) user(id string) *users.UserItemRequestBuilder { return c.users().ByUserId(id) }

func (c *Client) servicePrincipals() *serviceprincipals.ServicePrincipalsRequestBuilder {
	return serviceprincipals.NewServicePrincipalsRequestBuilderInternal(c.params(), c.adapter)
}

func (c *Client) applications() *applications.ApplicationsRequestBuilder {
	return applications.NewApplicationsRequestBuilderInternal(c.params(), c.adapter)
}

func (c *Client) grants() *oauth2permissiongrants.Oauth2PermissionGrantsRequestBuilder {
	return oauth2permissiongrants.NewOauth2PermissionGrantsRequestBuilderInternal(c.params(), c.adapter)
}
