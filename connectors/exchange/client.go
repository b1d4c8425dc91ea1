package exchange

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"responsehub/connectors/entra"
	"responsehub/connectors/transport"
	"responsehub/remediation/steps"
)

// Config says where Exchange Online is.
type Config struct {
	Exchange string        // address; empty is the cloud's own, such as https://outlook.office365.com
	Timeout  time.Duration // for one cmdlet; 0 is 90 s
}

// Client is Exchange Online for all tenants. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	login   *entra.Login
	client  *http.Client
	limiter *transport.Limiter

	mu      sync.Mutex
	renewed map[string]time.Time // by tenant: when a fresh token was last forced
}

var (
	_ steps.Scanner  = (*Client)(nil)
	_ steps.Foothold = (*Connectors)(nil)
	_ steps.Foothold = (*HiddenRules)(nil)
	_ steps.Foothold = (*Forwarding)(nil)
	_ steps.Foothold = (*Delegates)(nil)
	_ steps.Foothold = (*SweepRules)(nil)
	_ steps.Foothold = (*TransportRules)(nil)
)

// New returns a client; it makes no request. The limiter may be shared with other
// connectors and may be nil.
func New(cfg Config, login *entra.Login, client *http.Client, limiter *transport.Limiter) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cmp.Or(cfg.Exchange, login.Cloud().Exchange), "/"))
	if err != nil || base.Host == "" || base.RawQuery != "" || base.User != nil {
		return nil, errors.New("microsoft.exchange must be an address such as https://outlook.office365.com")
	}
	if base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())) {
		return nil, errors.New("microsoft.exchange must begin with https:// (http is for loopback only)")
	}
	if limiter == nil {
		limiter = &transport.Limiter{}
	}
	slow := transport.Over(client.Transport).WithTimeout(cmp.Or(cfg.Timeout, 90*time.Second))
	return &Client{base: base, login: login, client: transport.Client(slow), limiter: limiter, renewed: map[string]time.Time{}}, nil
}

// Connectors returns the tenant's inbound connectors.
func (c *Client) Connectors() *Connectors { return &Connectors{c} }

// HiddenRules returns the inbox rules that only Exchange shows.
func (c *Client) HiddenRules() *HiddenRules { return &HiddenRules{c} }

// Forwarding returns the forwarding of mailboxes.
func (c *Client) Forwarding() *Forwarding { return &Forwarding{c} }

// Delegates returns who may use somebody else's mailbox.
func (c *Client) Delegates() *Delegates { return &Delegates{c} }

// SweepRules returns the rules that sweep mail away.
func (c *Client) SweepRules() *SweepRules { return &SweepRules{c} }

// TransportRules returns the organisation's mail flow rules.
func (c *Client) TransportRules() *TransportRules { return &TransportRules{c} }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
