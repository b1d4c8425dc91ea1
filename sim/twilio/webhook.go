package twilio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"responsehub/sim/wire"
)

const (
	maxRetries   = 5
	maxRedirects = 5
	maxSent      = 400 // deliveries that Snapshot shows
)

// Delivery is one try of a webhook.
type Delivery struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // callback, voice, text
	Path   string    `json:"path"`
	About  string    `json:"about"` // SID of the call or text
	State  string    `json:"state"` // its status as told
	Try    int       `json:"try"`
	Status int       `json:"status"` // 0: no answer
	Error  string    `json:"error,omitempty"`
	Millis int64     `json:"millis"`
}

// Alert is an entry of Twilio's debugger.
type Alert struct {
	At    time.Time `json:"at"`
	Code  int       `json:"code"`
	About string    `json:"about"`
	What  string    `json:"what"`
}

// hook is a request that Twilio makes.
type hook struct {
	kind, method, address string
	about, state          string
	form                  url.Values
}

// heard is what was answered.
type heard struct {
	status int
	kind   string // content type
	body   []byte
	base   *url.URL // where it came from, for relative addresses
}

// overrides are the connection overrides of an address's fragment.
// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
type overrides struct {
	retries int
	policy  map[string]bool
}

func readOverrides(fragment string) overrides {
	o := overrides{retries: 1, policy: map[string]bool{"ct": true}}
	for part := range strings.SplitSeq(fragment, "&") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "rc":
			if n, err := strconv.Atoi(value); err == nil && n >= 0 && n <= maxRetries {
				o.retries = n
			}
		case "rp":
			o.policy = map[string]bool{}
			for p := range strings.SplitSeq(value, ",") {
				o.policy[p] = true
			}
		}
	}
	return o
}

// again says whether a try that ended so is repeated.
func (o overrides) again(status int, err error) bool {
	switch {
	case o.policy["all"]:
		return err != nil || status >= 400
	case err != nil && isConnect(err):
		return o.policy["ct"]
	case err != nil:
		return o.policy["rt"]
	default:
		return (status/100 == 4 && o.policy["4xx"]) || (status/100 == 5 && o.policy["5xx"])
	}
}

// isConnect says that no connection came about.
func isConnect(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// errLost is a webhook that a scripted fault swallowed.
var errLost = errors.New("lost on the way")

// deliver makes the request, and again as its address and scripted faults want it. An error means
// that there was no answer.
func (s *Service) deliver(ctx context.Context, h hook, f *wire.Fault) (heard, error) {
	u, err := url.Parse(h.address)
	if err != nil || u.Hostname() == "" {
		return heard{}, &fault{11100, "the address is not absolute"}
	}
	o, token := readOverrides(u.Fragment), newToken()
	address, _, _ := strings.Cut(h.address, "#") // byte for byte: the signature is over it
	if f != nil && f.Drop {
		return heard{}, errLost
	}
	var out heard
	for try := 0; ; try++ {
		out, err = s.once(ctx, h, address, token, try)
		if f != nil && f.After { // the same again, as after an answer that was lost
			out, err = s.once(ctx, h, address, token, try+1)
		}
		if f != nil && f.Status != 0 && err == nil {
			out = heard{status: f.Status, body: []byte(f.Answer), base: out.base}
		}
		f = nil
		if try >= o.retries || ctx.Err() != nil || !o.again(out.status, err) {
			return out, err
		}
	}
}

// once makes one try, with redirects followed by GET, which loses the form.
func (s *Service) once(ctx context.Context, h hook, address, token string, try int) (out heard, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.Timeout, errors.New("no answer within the time that Twilio waits"))
	defer cancel()
	start := time.Now()
	method, form := cmp.Or(h.method, http.MethodPost), h.form
	for range maxRedirects {
		var next string
		out, next, err = s.request(ctx, method, address, form, token)
		if err != nil || next == "" {
			break
		}
		s.cfg.Log.Unexpected(twilioUnexpected, "a webhook was answered by a redirect, which loses its form")
		method, form, address = http.MethodGet, nil, next
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	d := Delivery{At: start.UTC(), Kind: h.kind, About: h.about, State: h.state, Try: try, Status: out.status, Millis: time.Since(start).Milliseconds()}
	if u, err := url.Parse(address); err == nil {
		d.Path = u.Path
	}
	if err != nil {
		d.Error = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent = append(s.sent, d); len(s.sent) > maxSent {
		s.sent = append([]Delivery(nil), s.sent[len(s.sent)-maxSent:]...)
	}
	return out, err
}

func (s *Service) request(ctx context.Context, method, address string, form url.Values, token string) (out heard, next string, err error) {
	signed, body := form, io.Reader(nil)
	if method == http.MethodGet {
		if len(form) > 0 {
			joint := "?"
			if strings.Contains(address, "?") {
				joint = "&"
			}
			address += joint + form.Encode()
		}
		signed = nil
	} else {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return out, "", fmt.Errorf("sim/twilio: webhook: %w", err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", formContentType+"; charset=UTF-8")
	}
	req.Header.Set("X-Twilio-Signature", sign(s.cfg.AuthToken, address, signed))
	req.Header.Set("I-Twilio-Idempotency-Token", token)
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	resp, err := s.client.Do(req)
	if err != nil {
		return out, "", fmt.Errorf("sim/twilio: webhook: %w", err)
	}
	defer resp.Body.Close()
	out = heard{status: resp.StatusCode, kind: resp.Header.Get("Content-Type"), base: req.URL}
	if out.body, err = io.ReadAll(io.LimitReader(resp.Body, maxTwiML+1)); err != nil {
		return out, "", fmt.Errorf("sim/twilio: read the answer to a webhook: %w", err)
	}
	if resp.StatusCode/100 == 3 {
		to, err := resp.Location()
		if err != nil {
			return out, "", fmt.Errorf("sim/twilio: redirect: %w", err)
		}
		return out, to.String(), nil
	}
	return out, "", nil
}

// alert notes an entry of the debugger.
func (s *Service) alert(about string, f *fault) {
	s.mu.Lock()
	s.alerts = append(s.alerts, Alert{At: time.Now().UTC(), Code: f.code, About: about, What: f.what})
	s.mu.Unlock()
	if f.code/100 == 121 || f.code/100 == 122 || f.code/100 == 123 {
		s.cfg.Log.Unexpected(twilioUnexpected, "TwiML: "+f.Error())
	}
}

// notify posts a status callback, in the order of those to the same call or text before it.
func (s *Service) notify(tail *<-chan struct{}, h hook) {
	if h.address == "" {
		return
	}
	where := h.address
	if u, err := url.Parse(h.address); err == nil {
		where = u.Path + "?" + u.RawQuery
	}
	f, hit := s.cfg.Log.Pick("twilio.callback", cmp.Or(h.method, http.MethodPost), where, h.form.Encode())
	var strikes *wire.Fault
	if hit {
		strikes = &f
	}
	send := func() {
		got, err := s.deliver(s.ctx, h, strikes)
		switch {
		case s.ctx.Err() != nil || errors.Is(err, errLost):
		case err != nil:
			s.alert(h.about, &fault{11200, "status callback: " + err.Error()})
		case got.status >= 400:
			s.alert(h.about, &fault{11200, fmt.Sprintf("status callback answered %d", got.status)})
		}
	}
	if hit && f.DelayMS > 0 { // late: others overtake it
		s.spawn(func() {
			if s.pause(s.ctx, time.Duration(f.DelayMS)*time.Millisecond) {
				send()
			}
		})
		return
	}
	s.mu.Lock()
	before, done := *tail, make(chan struct{})
	*tail = done
	s.mu.Unlock()
	s.spawn(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		send()
	})
}
