package autotask

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// Config is one connection.
type Config struct {
	Name            string             // of the connection; names its budget
	ZoneURL         string             // https://webservices2.autotask.net, where the zone is asked for
	Username        string             // of the API user
	Secret          responsehub.Secret // of the API user
	IntegrationCode responsehub.Secret // tracking identifier
	Queue           string             // label of the queue
	CatchAll        string             // name of the company of tickets without one
	Statuses        map[ticket.Stage]string
	Priorities      map[responsehub.Severity]string
	Category        string  // label of the ticket category; "" as Autotask gives
	Source          string  // label of the source; "" for none
	Public          bool    // notes may be read by the customer
	EventKey        string  // with which webhooks are signed, at most 64 characters; "" takes no events
	Buckets         Buckets // shared by all replicas; nil: this process keeps the budget by itself
	Hourly          int     // calls an hour of all replicas, at least 60; 0 is 1,000 of the 10,000 that all integrations share
}

// Buckets are token buckets that all replicas share.
type Buckets interface {
	// TakeMany takes so many of n tokens per period, or none of them; it returns 0, or how
	// long to wait for them. n may change; the part of the bucket that is full stays.
	TakeMany(ctx context.Context, name string, tokens, n int, per time.Duration) (time.Duration, error)
}

// Desk is a service desk in one Autotask database. It is safe for concurrent use.
type Desk struct {
	cfg  Config
	home *url.URL
	hc   *http.Client

	budget budget
	fields fields
	people people

	mu        sync.Mutex
	at        zone
	confirmed time.Time // when the zone was read anew and was the same
}

var (
	_ ticket.Desk     = (*Desk)(nil)
	_ ticket.Inbox    = (*Desk)(nil)
	_ ticket.Mapper   = (*Desk)(nil)
	_ ticket.Finisher = (*Desk)(nil)
)

// New returns a desk. It makes no request.
func New(cfg Config, hc *http.Client) (*Desk, error) {
	home, err := url.Parse(strings.TrimSuffix(strings.TrimRight(cfg.ZoneURL, "/"), "/ATServicesRest"))
	if err != nil || home.Host == "" {
		return nil, errors.New("zone_url must be an address such as https://webservices.autotask.net")
	}
	if len(cfg.EventKey) > 64 {
		return nil, errors.New("the key of events must not be longer than 64 characters")
	}
	d := &Desk{cfg: cfg, home: home, hc: hc}
	d.budget.init(cfg)
	return d, nil
}

// zone is where a user's database is.
type zone struct {
	API string `json:"url"` // ends with /ATServicesRest/
	Web string `json:"webUrl"`
}

// zoneRest is how long a zone that was read is taken to be right although it is refused.
const zoneRest = time.Minute

// zone returns the zone, read anew when it is the one that refused the hub.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/General_Topics/REST_Zones.htm
func (d *Desk) zone(ctx context.Context, refused string) (zone, error) {
	d.mu.Lock()
	z, confirmed := d.at, d.confirmed
	d.mu.Unlock()
	if z.API != "" && (refused == "" || z.API != refused || time.Since(confirmed) < zoneRest) {
		return z, nil
	}
	// The only call without credentials: it must not need what it finds out.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.home.String()+"/ATServicesRest/v1.0/zoneInformation?user="+url.QueryEscape(d.cfg.Username), http.NoBody)
	if err != nil {
		return zone{}, err
	}
	resp, err := transport.Do(d.hc, req)
	if err != nil {
		if e, ok := errors.AsType[*transport.Error](err); ok && e.Status == http.StatusInternalServerError && len(complaints(e.Body)) > 0 {
			return zone{}, &responsehub.Error{Kind: responsehub.Unauthorized, Message: "Autotask does not know the API user. Check psa username. It says: " + d.said(complaints(e.Body)), Err: e}
		}
		return zone{}, d.fault("find the zone of its API user", false, err)
	}
	defer resp.Body.Close()
	z = zone{}
	if err := json.NewDecoder(resp.Body).Decode(&z); err != nil || z.API == "" {
		return zone{}, &responsehub.Error{Kind: responsehub.Permanent, Message: "The address does not answer as Autotask does. Check psa zone_url.", Err: errors.New("the zone is no JSON")}
	}
	if !d.trusted(z.API) {
		return zone{}, &responsehub.Error{Kind: responsehub.Permanent, Message: "The zone lies at an address that is not Autotask's, and gets none of the hub's keys. Check psa zone_url."}
	}
	z.API = strings.TrimRight(z.API, "/") + "/"
	d.mu.Lock()
	if d.at = z; z.API == refused {
		d.confirmed = time.Now()
	}
	d.mu.Unlock()
	return z, nil
}

// trusted reports whether the hub's keys may go to the address: to the configured host, or
// from one host of Autotask's to another.
func (d *Desk) trusted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Host == "" || u.Scheme != d.home.Scheme {
		return false
	}
	const cloud = ".autotask.net"
	here, there := strings.ToLower(d.home.Hostname()), strings.ToLower(u.Hostname())
	return strings.EqualFold(u.Host, d.home.Host) || strings.HasSuffix(here, cloud) && strings.HasSuffix(there, cloud) && u.Port() == "" || loopback(here) && loopback(there)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

// request is one call of the API.
type request struct {
	what   string // names it in errors: "read the ticket"
	method string
	path   string // below V1.0
	in     any
	write  bool // it changes something: without an answer its outcome is not known
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
			return nil, fmt.Errorf("autotask: %s: %w", r.what, err)
		}
	}
	z, err := d.zone(ctx, "")
	if err != nil {
		return nil, err
	}
	header, err := d.once(ctx, r, z, body, out)
	// A database may have moved to another zone. What is refused was not carried out.
	if e, ok := errors.AsType[*transport.Error](err); ok && e.Status == http.StatusUnauthorized {
		moved, zerr := d.zone(ctx, z.API)
		if zerr != nil {
			return nil, zerr
		}
		if moved.API != z.API {
			header, err = d.once(ctx, r, moved, body, out)
		}
	}
	if err != nil {
		return nil, d.fault(r.what, r.write, err)
	}
	return header, nil
}

func (d *Desk) once(ctx context.Context, r request, z zone, body []byte, out any) (http.Header, error) {
	leave, err := d.budget.enter(ctx, r.path)
	if err != nil {
		return nil, err
	}
	defer leave()
	return d.do(ctx, r, z.API+"V1.0/"+r.path, body, out)
}

// do sends a request to an address of the zone.
func (d *Desk) do(ctx context.Context, r request, address string, body []byte, out any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("UserName", d.cfg.Username)
	req.Header.Set("Secret", string(d.cfg.Secret))
	req.Header.Set("ApiIntegrationCode", string(d.cfg.IntegrationCode))
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
		return nil, &transport.Error{Method: r.method, Host: req.URL.Host, Sent: true, Err: errors.New("the answer is not what Autotask answers")}
	}
	return resp.Header, nil
}
