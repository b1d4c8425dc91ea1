package connectwise

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	Site       string             // https://na.myconnectwise.net
	Company    string             // company id used at login
	PublicKey  string             // of the API member
	PrivateKey responsehub.Secret // of the API member
	ClientID   string             // the integrator's; every call needs it
	Board      string             // name of the service board
	CatchAll   string             // identifier of the company of tickets without one
	Statuses   map[ticket.Stage]string
	Priorities map[responsehub.Severity]string
	Type       string // name of a type of the board
	Source     string
	Public     bool // notes may be read by the customer
}

// version is the API's version that the hub was written for.
const version = "application/vnd.connectwise.com+json; version=2025.1"

// apiHosts are the cloud's hosts whose API stands at a host of its own.
// https://developer.connectwise.com/Products/ConnectWise_PSA/Developer_Guide
var apiHosts = []string{"na.myconnectwise.net", "eu.myconnectwise.net", "au.myconnectwise.net", "aus.myconnectwise.net", "za.myconnectwise.net"}

// Desk is a service desk on one ConnectWise site. It is safe for concurrent use.
type Desk struct {
	cfg    Config
	site   *url.URL
	auth   string
	hc     *http.Client
	pace   *transport.Tempo
	member atomic.Pointer[string] // the hub's own API member, once it is known

	mu        sync.Mutex
	codebase  string
	confirmed time.Time // when it was read anew and was the same

	tables tables
	keys   keys
}

var (
	_ ticket.Desk   = (*Desk)(nil)
	_ ticket.Inbox  = (*Desk)(nil)
	_ ticket.Mapper = (*Desk)(nil)
)

// New returns a desk. It makes no request.
func New(cfg Config, hc *http.Client) (*Desk, error) {
	site, err := url.Parse(strings.TrimRight(cfg.Site, "/"))
	if err != nil || site.Host == "" {
		return nil, errors.New("site must be an address such as https://na.myconnectwise.net")
	}
	// People copy either address.
	if host, ok := strings.CutPrefix(site.Host, "api-"); ok && slices.Contains(apiHosts, host) {
		site.Host = host
	}
	d := &Desk{pace: tempo(), cfg: cfg, site: site, hc: hc}
	d.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(cfg.Company+"+"+cfg.PublicKey+":"+string(cfg.PrivateKey)))
	return d, nil
}

// base is the address of the API below which paths stand.
func (d *Desk) base(codebase string) string {
	u := *d.site
	if slices.Contains(apiHosts, u.Host) {
		u.Host = "api-" + u.Host
	}
	return u.String() + "/" + codebase + "apis/3.0"
}

// find returns the codebase, read anew when it differs from what failed.
func (d *Desk) find(ctx context.Context, failed string) (string, error) {
	d.mu.Lock()
	codebase, confirmed := d.codebase, d.confirmed
	d.mu.Unlock()
	if codebase != "" && (failed == "" || codebase != failed || time.Since(confirmed) < time.Minute) {
		return codebase, nil
	}
	var info *struct {
		Codebase string `json:"Codebase"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.site.String()+"/login/companyinfo/"+url.PathEscape(d.cfg.Company), http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := transport.Do(d.hc, req)
	if err != nil {
		return "", d.fault("read the company's address", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "The site does not answer as ConnectWise PSA does. Check psa site.", Err: errors.New("companyinfo is no JSON")}
	}
	if info == nil || info.Codebase == "" {
		return "", &responsehub.Error{Kind: responsehub.Permanent, Message: "ConnectWise does not know the login company. Check psa company and site."}
	}
	codebase = strings.Trim(info.Codebase, "/") + "/"
	d.mu.Lock()
	if d.codebase = codebase; codebase == failed {
		d.confirmed = time.Now()
	}
	d.mu.Unlock()
	return codebase, nil
}

// call sends a request and decodes the answer into out, which may be nil. what names the
// call in errors.
func (d *Desk) call(ctx context.Context, what, method, path string, query url.Values, in, out any) error {
	_, err := d.send(ctx, what, method, path, query, in, out)
	return err
}

func (d *Desk) send(ctx context.Context, what, method, path string, query url.Values, in, out any) (http.Header, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("connectwise: %s: %w", what, err)
		}
	}
	codebase, err := d.find(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := d.pace.Wait(ctx); err != nil {
		return nil, err
	}
	header, err := d.once(ctx, method, d.base(codebase)+path, query, body, out)
	// A path that is not there was not carried out. After an upgrade it stands elsewhere.
	if e, ok := errors.AsType[*transport.Error](err); ok && e.Status == http.StatusNotFound && complaint(e.Body).Code != "NotFound" {
		moved, merr := d.find(ctx, codebase)
		if merr != nil {
			return nil, merr
		}
		if moved != codebase {
			header, err = d.once(ctx, method, d.base(moved)+path, query, body, out)
		}
	}
	if err != nil {
		return nil, d.fault(what, err)
	}
	return header, nil
}

func (d *Desk) once(ctx context.Context, method, address string, query url.Values, body []byte, out any) (http.Header, error) {
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	d.sign(req)
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
		return nil, &transport.Error{Method: method, Host: req.URL.Host, Status: 0, Sent: true, Err: errors.New("the answer is not what ConnectWise answers")}
	}
	return resp.Header, nil
}

func (d *Desk) sign(req *http.Request) {
	req.Header.Set("Authorization", d.auth)
	req.Header.Set("clientId", d.cfg.ClientID)
	req.Header.Set("Accept", version)
}

// pages calls each page of a list until one is not full.
func pages[T any](ctx context.Context, d *Desk, what, path string, query url.Values, most int) ([]T, error) {
	const size = 200
	var all []T
	query.Set("pageSize", fmt.Sprint(size))
	for page := 1; ; page++ {
		query.Set("page", fmt.Sprint(page))
		var some []T
		if err := d.call(ctx, what, http.MethodGet, path, query, nil, &some); err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < size || len(all) >= most {
			return all[:min(len(all), cmp.Or(most, len(all)))], nil
		}
	}
}

// tempo is kept because ConnectWise begins to refuse at about a thousand requests a minute, which the hub
// shares with every other integration.
func tempo() *transport.Tempo {
	return &transport.Tempo{Vendor: "ConnectWise", Each: 200 * time.Millisecond, Burst: 10, Most: 3 * time.Second}
}
