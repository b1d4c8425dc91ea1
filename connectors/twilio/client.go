package twilio

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/oncall"
)

// Config says which account is used, and how.
type Config struct {
	AccountSID          string               // AC...
	APIKey              string               // SK...: requests are made with it
	APISecret           responsehub.Secret   // of the API key
	AuthTokens          []responsehub.Secret // with which Twilio signs; two during rotation
	From                string               // E.164; the number that calls
	MessagingServiceSID string               // MG..., for texts; empty: texts come from From
	API                 string               // base address; empty is https://api.twilio.com
	PublicURL           string               // under which Twilio reaches the hub; a path in it is what a proxy strips
	Key                 []byte               // the hub's key, from which that of the callback addresses is derived
	Line                Line                 // shared by all replicas; nil paces this process only
	Memory              Memory               // shared by all replicas; nil remembers nothing
	CallsPerSecond      int                  // of the account; 0 is 1, Twilio's default
	TextsPerSecond      int                  // segments of the sender; 0 is 1, the limit of a long number in the US
}

// Line is the queue of all replicas before each sender.
type Line interface {
	// Next returns 0 when the place may go now: the rate allows it, and nobody with a lower
	// rank asks. Otherwise it says how long until it is worth asking again; a place that
	// does not ask any more is forgotten.
	Next(ctx context.Context, name string, perSecond int, place string, rank float64) (time.Duration, error)
	// Leave forgets a place at once.
	Leave(ctx context.Context, name, place string) error
}

// Memory remembers what was answered, for all replicas.
type Memory interface {
	// Recall returns what was kept under the key.
	Recall(ctx context.Context, key string) (answer string, found bool, err error)
	// Keep keeps an answer for a time. The first one stays.
	Keep(ctx context.Context, key, answer string, span time.Duration) error
}

// Client is an account at Twilio.
type Client struct {
	cfg     Config
	base    *url.URL
	public  string // PublicURL without a slash at its end
	macKey  []byte
	rt      http.RoundTripper
	queue   *queue
	log     *slog.Logger
	metrics *metrics
}

var _ oncall.Phone = (*Client)(nil)

// Twilio's own words for what its ids and secrets look like. The SDK refuses credentials
// with any other character before it makes a request.
var (
	accountShape = regexp.MustCompile(`^AC[0-9a-zA-Z]{32}$`)
	keyShape     = regexp.MustCompile(`^(SK|AC)[0-9a-zA-Z]{32}$`)
	serviceShape = regexp.MustCompile(`^MG[0-9a-zA-Z]{32}$`)
	secretShape  = regexp.MustCompile(`^[0-9a-zA-Z]+$`)
	numberShape  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// New returns a client. It makes no request. hc's transport is used with a deadline of
// its own.
func New(cfg Config, hc *http.Client, log *slog.Logger) (*Client, error) {
	cfg.API = cmp.Or(cfg.API, "https://api.twilio.com")
	cfg.CallsPerSecond, cfg.TextsPerSecond = cmp.Or(cfg.CallsPerSecond, 1), cmp.Or(cfg.TextsPerSecond, 1)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	base, err := url.Parse(strings.TrimRight(cfg.API, "/"))
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("twilio: the address of the API cannot be read")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		cfg: cfg, base: base, public: strings.TrimRight(cfg.PublicURL, "/"), macKey: derive(cfg.Key, "twilio callback address"),
		rt: transport.Over(hc.Transport).WithTimeout(requestTime), log: log, metrics: newMetrics(),
	}
	c.queue = newQueue(cfg.Line, log)
	return c, nil
}

func (cfg *Config) check() error {
	for _, f := range []struct {
		name, value string
		shape       *regexp.Regexp
	}{
		{"account SID", cfg.AccountSID, accountShape},
		{"API key", cfg.APIKey, keyShape},
		{"secret of the API key", string(cfg.APISecret), secretShape},
		{"number that calls", cfg.From, numberShape},
	} {
		if !f.shape.MatchString(f.value) {
			return fmt.Errorf("twilio: the %s does not look like one", f.name)
		}
	}
	if cfg.MessagingServiceSID != "" && !serviceShape.MatchString(cfg.MessagingServiceSID) {
		return fmt.Errorf("twilio: the messaging service does not look like one")
	}
	if len(cfg.AuthTokens) == 0 {
		return fmt.Errorf("twilio: without an auth token nothing that comes in can be checked")
	}
	for _, t := range cfg.AuthTokens {
		if t == "" {
			return fmt.Errorf("twilio: an auth token is empty: anybody could sign with it")
		}
	}
	if len(cfg.Key) < 16 {
		return fmt.Errorf("twilio: the hub's key is too short")
	}
	if u, err := url.Parse(cfg.PublicURL); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("twilio: the hub's public address is needed, without a query")
	}
	return nil
}

func derive(key []byte, use string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("responsehub " + use))
	return m.Sum(nil)
}

// mac is what shows that an attempt's id in an address is one that the hub gave out.
func (c *Client) mac(attempt string) string {
	m := hmac.New(sha256.New, c.macKey)
	m.Write([]byte(attempt))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:16])
}

// address is where Twilio reaches one of the hub's routes for an attempt.
func (c *Client) address(route, attempt string) string {
	return c.public + "/twilio/" + route + "/" + attempt + "." + c.mac(attempt)
}

// api is the SDK for one request, or for several one after the other. The SDK knows no
// contexts, takes its region from the environment and its base address is fixed: so it
// gets a handler without a region, and a round tripper that puts both right.
func (c *Client) api(ctx context.Context) *openapi.ApiService {
	sdk := &client.Client{
		Credentials: client.NewCredentials(c.cfg.APIKey, string(c.cfg.APISecret)),
		HTTPClient:  transport.Client(redirect{ctx: ctx, base: c.base, next: c.rt}),
	}
	sdk.SetAccountSid(c.cfg.AccountSID)
	return openapi.NewApiService(&client.RequestHandler{Client: sdk})
}

// redirect gives requests of the SDK their context and the configured address.
type redirect struct {
	ctx  context.Context //nolint:containedctx // the SDK has no place for one
	base *url.URL
	next http.RoundTripper
}

// RoundTrip sends the request.
func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(r.ctx)
	out.URL.Scheme, out.URL.Host, out.Host = r.base.Scheme, r.base.Host, ""
	out.URL.Path, out.URL.RawPath = r.base.Path+out.URL.Path, ""
	return r.next.RoundTrip(out)
}

// metrics counts what came in.
type metrics struct {
	inbound *prometheus.CounterVec
}

func newMetrics() *metrics {
	return &metrics{inbound: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "responsehub_twilio_requests_total", Help: "Requests that came in at Twilio's routes, by what became of them.",
	}, []string{"route", "result"})}
}

// Collectors are the client's metrics.
func (c *Client) Collectors() []prometheus.Collector {
	return []prometheus.Collector{c.metrics.inbound}
}
