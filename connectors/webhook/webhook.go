// Package webhook delivers to addresses that the hub's operators typed in: outgoing
// webhooks, signed by Standard Webhooks, and Slack's incoming webhooks.
//
// It promises TLS with a verified certificate, no redirects, a deadline of 10 seconds and
// a bound on the answer, and that no connection is made to a private, link-local or
// otherwise not public address, whatever a name resolves to at that moment. It repeats
// nothing by itself. Addresses are secrets: errors name the host only.
//
// What may go wrong: behind a proxy (HTTPS_PROXY) the proxy resolves the names, and it is
// the proxy that has to keep the hub from private addresses.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"responsehub"
	"responsehub/connectors/transport"
)

// Config says how addresses are reached.
type Config struct {
	Version string
	CAFile  string // trust roots beside the system's
	Key     []byte // the hub's key, from which the signing secrets are derived
	// Generations are those of an address's secrets with which it is signed now, the
	// newest first; nil: always the first one.
	Generations   func(address string) []int
	AllowLoopback bool // addresses on this machine are reached, also without TLS: for simulators
}

const (
	timeout   = 10 * time.Second
	maxAnswer = 64 << 10
)

// Sender delivers. Make it with New.
type Sender struct {
	cfg Config
	hc  *http.Client
}

// New returns a sender. It makes no request.
func New(cfg Config) (*Sender, error) {
	hc, err := transport.New(transport.Config{
		Version: cfg.Version, CAFile: cfg.CAFile, Timeout: timeout, MaxAnswer: maxAnswer, PerHost: 4,
		Allowed: func(to netip.AddrPort) error { return allowed(to.Addr(), cfg.AllowLoopback) },
	})
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return &Sender{cfg: cfg, hc: hc}, nil
}

// Secret is the whsec_ secret with which deliveries to the address are signed. It follows
// from the hub's key, the address and how often the secret was made anew.
func Secret(key []byte, address string, generation int) responsehub.Secret {
	return responsehub.Secret("whsec_" + base64.StdEncoding.EncodeToString(derived(key, address, generation)))
}

func derived(key []byte, address string, generation int) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("outgoing webhook to " + address))
	if generation > 0 {
		fmt.Fprintf(mac, "\ngeneration %d", generation) // no address has a line break
	}
	return mac.Sum(nil)
}

// Webhook posts a body signed by Standard Webhooks,
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
// While a secret is rotated there are two signatures, the newest first. 410 is Gone: the
// receiver wants nothing more.
func (s *Sender) Webhook(ctx context.Context, address, id string, at time.Time, body []byte) error {
	generations := []int{0}
	if s.cfg.Generations != nil {
		generations = s.cfg.Generations(address)
	}
	var signatures []string
	for _, g := range generations {
		key, err := webhooks.NewWebhookRaw(derived(s.cfg.Key, address, g))
		if err != nil {
			return fmt.Errorf("webhook: %w", err)
		}
		signature, err := key.Sign(id, at, body)
		if err != nil {
			return fmt.Errorf("webhook: %w", err)
		}
		signatures = append(signatures, signature)
	}
	return s.post(ctx, address, body, http.Header{
		http.CanonicalHeaderKey(webhooks.HeaderWebhookID):        {id},
		http.CanonicalHeaderKey(webhooks.HeaderWebhookTimestamp): {strconv.FormatInt(at.Unix(), 10)},
		http.CanonicalHeaderKey(webhooks.HeaderWebhookSignature): {strings.Join(signatures, " ")},
	}, http.StatusGone)
}

// Chat posts a message to a Slack incoming webhook. Slack answers 404 (no_service,
// channel_not_found), 410 (channel_is_archived) and 403 (action_prohibited) for what does
// not get better by itself: those are Gone.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
func (s *Sender) Chat(ctx context.Context, address string, body []byte) error {
	return s.post(ctx, address, body, http.Header{}, http.StatusForbidden, http.StatusNotFound, http.StatusGone)
}

func (s *Sender) post(ctx context.Context, address string, body []byte, header http.Header, gone ...int) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !s.cfg.AllowLoopback || !loopback(u.Hostname())) {
		return &responsehub.Error{Kind: responsehub.Gone, Message: notHTTPS}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return &responsehub.Error{Kind: responsehub.Gone, Message: notHTTPS}
	}
	header.Set("Content-Type", "application/json")
	req.Header = header
	resp, err := transport.Do(s.hc, req)
	if err == nil {
		return resp.Body.Close()
	}
	out := &responsehub.Error{Kind: responsehub.Unavailable, Message: noAnswer, Err: err}
	var refused *forbidden
	if errors.As(err, &refused) {
		out.Message = refused.Error()
		return out
	}
	e, ok := errors.AsType[*transport.Error](err)
	if !ok || e.Status == 0 {
		return out
	}
	out.Message, out.RetryAfter = fmt.Sprintf(answered, e.Status), e.RetryAfter
	for _, status := range gone {
		if e.Status == status {
			out.Kind = responsehub.Gone
		}
	}
	return out
}
