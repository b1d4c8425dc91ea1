package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"responsehub"
)

// token proves messages of senders that cannot sign by a fixed header. Whoever reads
// one message can send others: TLS in front is a must.
type token struct {
	header string
	sum    [sha256.Size]byte
}

func newToken(header string, secret responsehub.Secret) (*token, error) {
	if !IsHeaderName(header) {
		return nil, errors.New("has no usable header name")
	}
	if secret == "" {
		return nil, errors.New("has no token")
	}
	return &token{header: header, sum: sha256.Sum256([]byte(secret))}, nil
}

// early compares hashes, so that neither content nor length shows in the time taken.
func (t *token) early(h http.Header) error {
	values := h.Values(t.header)
	if len(values) != 1 {
		return errors.New("the token's header does not stand there exactly once")
	}
	got := sha256.Sum256([]byte(values[0]))
	if subtle.ConstantTimeCompare(got[:], t.sum[:]) != 1 {
		return errors.New("the token is another one")
	}
	return nil
}

// whole takes a webhook-id where the sender gives one, so that repeats are recognised.
func (t *token) whole(h http.Header, _ []byte) (string, error) {
	if id := h.Get(webhooks.HeaderWebhookID); isMessageID(id) {
		return id, nil
	}
	return "", nil
}

// IsHeaderName reports whether s can be the name of a header (RFC 9110, token).
func IsHeaderName(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}
