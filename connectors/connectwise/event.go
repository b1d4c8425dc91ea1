package connectwise

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"responsehub"
	"responsehub/connectors/transport"
	"responsehub/ticket"
)

// payload is a callback's body. Entity, the whole record as a text, is not read: the
// ticket is asked for.
type payload struct {
	Action    string `json:"Action"`
	Company   string `json:"CompanyId"`
	ID        int    `json:"ID"`
	Member    string `json:"MemberId"`
	MessageID string `json:"MessageId"`
	Type      string `json:"Type"`
	Metadata  struct {
		KeyURL string `json:"key_url"`
	} `json:"Metadata"`
}

const signatureHeader = "x-content-signature"

func forged(why string) error {
	return &responsehub.Error{Kind: responsehub.Unauthorized, Message: "The event is not ConnectWise's: " + why}
}

// ParseEvent verifies a callback and returns its hint. The signature is
// base64(HMAC-SHA256(SHA256(signing key), body)), with the key that the body names; its
// address is taken only when it lies on the configured site.
// https://developer.connectwise.com/Products/ConnectWise_PSA/Developer_Guide#Callbacks
func (d *Desk) ParseEvent(r *http.Request, body []byte) (ticket.Event, error) {
	signature, err := base64.StdEncoding.DecodeString(r.Header.Get(signatureHeader))
	if err != nil || len(signature) != sha256.Size {
		return ticket.Event{}, forged("it has no signature.")
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return ticket.Event{}, &responsehub.Error{Kind: responsehub.Invalid, Message: "The event is no JSON as ConnectWise sends it."}
	}
	if !strings.EqualFold(p.Company, d.cfg.Company) {
		return ticket.Event{}, forged("it names another company.")
	}
	address, err := d.keyAddress(p.Metadata.KeyURL)
	if err != nil {
		return ticket.Event{}, err
	}
	if err := d.verify(r.Context(), address, body, signature); err != nil {
		return ticket.Event{}, err
	}
	if !strings.EqualFold(p.Type, "ticket") || p.ID <= 0 {
		return ticket.Event{}, nil // verified, and about nothing of ours
	}
	me := d.member.Load()
	return ticket.Event{
		ID: p.MessageID, Ticket: strconv.Itoa(p.ID), By: p.Member, Own: me != nil && *me != "" && p.Member == *me,
		Deleted: strings.EqualFold(p.Action, "deleted"),
	}, nil
}

// keyAddress refuses every address of a key but the site's own: whoever could choose it
// could sign events, or have the hub call where it should not.
func (d *Desk) keyAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", forged("its key stands at no address.")
	}
	host := strings.TrimPrefix(u.Host, "api-")
	if u.Host == d.site.Host {
		host = d.site.Host
	}
	clean := path.Clean(u.Path)
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || d.site.Scheme != "http" || !loopback(d.site.Hostname())):
		return "", forged("its key is not served by TLS.")
	case !strings.EqualFold(host, d.site.Host):
		return "", forged("its key lies on another site.")
	case u.User != nil || u.Fragment != "" || u.Opaque != "":
		return "", forged("its key's address holds what does not belong there.")
	case !strings.HasSuffix(clean, "/system/callbackkey/index.rails") || strings.Contains(u.Path, "..") || strings.Contains(u.EscapedPath(), "%"):
		return "", forged("its key lies elsewhere on the site.")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !ip.IsLoopback() && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()) {
		return "", forged("its key lies at a private address.")
	}
	return u.String(), nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

const (
	keyKept    = time.Hour
	keyEvery   = time.Minute // between two fetches that were not answered by the cache
	keyTimeout = 2 * time.Second
	keysMost   = 16
)

// keys keeps signing keys by their address.
type keys struct {
	mu    sync.Mutex
	known map[string]signingKey
	last  time.Time // fetch
}

type signingKey struct {
	key []byte
	at  time.Time
}

func signed(key, body, signature []byte) bool {
	derived := sha256.Sum256(key)
	mac := hmac.New(sha256.New, derived[:])
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), signature)
}

// verify checks the signature over the bytes as they came. A stranger who sends forgeries
// makes the hub fetch a key once a minute at most.
func (d *Desk) verify(ctx context.Context, address string, body, signature []byte) error {
	k := &d.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	known, ok := k.known[address]
	if ok && now.Sub(known.at) < keyKept && signed(known.key, body, signature) {
		return nil
	}
	fresh := ok && now.Sub(known.at) < keyEvery
	switch {
	case fresh:
		return forged("its signature is wrong.")
	case !k.last.IsZero() && now.Sub(k.last) < keyEvery:
		if ok && now.Sub(known.at) < keyKept {
			return forged("its signature is wrong.")
		}
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The key of the event was asked for a moment ago.", RetryAfter: keyEvery - now.Sub(k.last)}
	}
	k.last = now
	key, err := d.fetchKey(ctx, address)
	if err != nil {
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The key of the event cannot be read from ConnectWise.", Err: err}
	}
	if k.known == nil || len(k.known) >= keysMost {
		k.known = map[string]signingKey{}
	}
	k.known[address] = signingKey{key, now}
	if !signed(key, body, signature) {
		return forged("its signature is wrong.")
	}
	return nil
}

// fetchKey reads a key, at first without credentials: sites differ in whether they ask
// for them, and the address lies on the configured site.
func (d *Desk) fetchKey(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	var last error
	for _, authenticated := range []bool{false, true} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return nil, err
		}
		if authenticated {
			d.sign(req)
		}
		req.Header.Set("Accept", "application/json")
		resp, err := transport.Do(d.hc, req)
		if err != nil {
			e, ok := errors.AsType[*transport.Error](err)
			if last = err; ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
				continue
			}
			return nil, err
		}
		defer resp.Body.Close()
		var answer struct {
			Key string `json:"signing_key"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Key == "" {
			return nil, errors.New("the answer holds no key")
		}
		return []byte(answer.Key), nil
	}
	return nil, last
}
