package halopsa

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// Config is one connection.
type Config struct {
	URL          string             // of the instance: https://msp.halopsa.com
	AuthURL      string             // of its sign-in; "" is URL/auth
	Tenant       string             // of a hosted instance that asks for one; "" for none
	ClientID     string             // of the API application
	ClientSecret responsehub.Secret // of the API application
	Team         string             // name; "" as HaloPSA gives
	CatchAll     string             // name of the client of tickets without one
	Statuses     map[ticket.Stage]string
	Priorities   map[responsehub.Severity]string
	Type         string // name of the ticket type; "" as HaloPSA gives
	Public       bool   // notes may be read by the customer
	EventKey     string // password with which webhooks sign in; "" takes no events
}

// scope is what the hub asks to be allowed, and no more.
const scope = "read:tickets edit:tickets read:customers"

// Desk is a service desk in one HaloPSA instance. It is safe for concurrent use.
type Desk struct {
	cfg  Config
	api  string // address below which paths stand
	web  string
	auth string // address of tokens
	hc   *http.Client

	pace  *transport.Tempo
	lists lists

	mu      sync.Mutex
	token   string
	expires time.Time
	shown   atomic.Pointer[string] // the token, for taking it out of texts
}

var (
	_ ticket.Desk     = (*Desk)(nil)
	_ ticket.Inbox    = (*Desk)(nil)
	_ ticket.Mapper   = (*Desk)(nil)
	_ ticket.Finisher = (*Desk)(nil)
)

// New returns a desk. It makes no request.
func New(cfg Config, hc *http.Client) (*Desk, error) {
	web := strings.TrimSuffix(strings.TrimRight(cfg.URL, "/"), "/api")
	u, err := url.Parse(web)
	if err != nil || u.Host == "" {
		return nil, errors.New("url must be an address such as https://msp.halopsa.com")
	}
	auth := strings.TrimSuffix(strings.TrimRight(cmp.Or(cfg.AuthURL, web+"/auth"), "/"), "/token")
	a, err := url.Parse(auth)
	if err != nil || a.Host == "" || a.Scheme != u.Scheme {
		return nil, errors.New("the address of the sign-in must be like https://msp.halopsa.com/auth")
	}
	return &Desk{pace: tempo(), cfg: cfg, api: web + "/api", web: web, auth: auth + "/token", hc: hc}, nil
}

// bearer returns a token. One that was refused is replaced.
func (d *Desk) bearer(ctx context.Context, refused string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock() // the others need the token too
	if d.token != "" && d.token != refused && time.Now().Before(d.expires) {
		return d.token, nil
	}
	address := d.auth
	if d.cfg.Tenant != "" {
		address += "?tenant=" + url.QueryEscape(d.cfg.Tenant)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {d.cfg.ClientID}, "client_secret": {string(d.cfg.ClientSecret)}, "scope": {scope}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := transport.Do(d.hc, req)
	if err != nil {
		e, ok := errors.AsType[*transport.Error](err)
		if ok && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
			return "", &responsehub.Error{Kind: responsehub.Unauthorized, Message: "HaloPSA refuses the hub's sign-in. Check psa client_id and client_secret, and that the application may use client credentials with the scopes " + scope + "." + d.sayings(e.Body), Err: e}
		}
		return "", d.fault("sign in", false, err) // a token more does no harm
	}
	defer resp.Body.Close()
	var got struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Token == "" {
		return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "The address does not answer as HaloPSA's sign-in does. Check psa url.", Err: errors.New("the token is no JSON")}
	}
	life := time.Duration(got.Seconds) * time.Second
	d.shown.Store(&got.Token)
	d.token, d.expires = got.Token, time.Now().Add(max(life-time.Minute, life/2))
	return d.token, nil
}

// request is one call of the API.
type request struct {
	what   string // names it in errors: "read the ticket"
	method string
	path   string // below /api
	query  url.Values
	in     any
}

// call sends a request and decodes the answer into out, which may be nil.
func (d *Desk) call(ctx context.Context, r request, out any) error {
	_, err := d.send(ctx, r, out)
	return err
}

func (d *Desk) send(ctx context.Context, r request, out any) (http.Header, error) {
	var body []byte
	if r.in != nil {
		var err error
		if body, err = json.Marshal(r.in); err != nil {
			return nil, fmt.Errorf("halopsa: %s: %w", r.what, err)
		}
	}
	token, err := d.bearer(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := d.pace.Wait(ctx); err != nil {
		return nil, err
	}
	header, err := d.once(ctx, r, token, body, out)
	// A token may be withdrawn before its time. What is refused was not carried out.
	if e, ok := errors.AsType[*transport.Error](err); ok && e.Status == http.StatusUnauthorized {
		fresh, terr := d.bearer(ctx, token)
		if terr != nil {
			return nil, terr
		}
		header, err = d.once(ctx, r, fresh, body, out)
	}
	if err != nil {
		return nil, d.fault(r.what, r.method != http.MethodGet, err)
	}
	return header, nil
}

func (d *Desk) once(ctx context.Context, r request, token string, body []byte, out any) (http.Header, error) {
	address := d.api + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := transport.Do(d.hc, req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if out == nil {
		return resp.Header, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return nil, &transport.Error{Method: r.method, Host: req.URL.Host, Sent: true, Err: errors.New("the answer is not what HaloPSA answers")}
	}
	return resp.Header, nil
}

// tempo is kept because HaloPSA refuses many requests a second, and does not publish from when on.
func tempo() *transport.Tempo {
	return &transport.Tempo{Vendor: "HaloPSA", Each: 250 * time.Millisecond, Burst: 20, Most: 3 * time.Second}
}
