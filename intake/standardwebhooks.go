package intake

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"responsehub"
)

// Tolerance is how far a message's timestamp may be from the hub's clock, either way.
// The library has the same figure, unexported.
const Tolerance = 5 * time.Minute

// Sizes of headers. The library takes any; a header of signatures is compared one by
// one, so its length is work that a stranger orders.
const (
	maxID         = 256
	maxTimestamp  = 12
	maxSignatures = 4096
	leastKey      = 16 // the specification asks for 24; an empty key would let anyone sign
)

// The names as they stand in a request's [http.Header].
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// signed proves messages by Standard Webhooks 1.0.0, HMAC-SHA256 ("v1").
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
type signed struct{ keys []*webhooks.Webhook }

func newSigned(secrets []responsehub.Secret) (*signed, error) {
	if len(secrets) == 0 {
		return nil, errors.New("has no secrets")
	}
	s := &signed{}
	for n, secret := range secrets {
		if err := CheckSecret(secret); err != nil {
			return nil, fmt.Errorf("secret %d %w", n+1, err)
		}
		key, err := webhooks.NewWebhook(string(secret))
		if err != nil {
			return nil, fmt.Errorf("secret %d %w", n+1, errSecret)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

func (s *signed) early(h http.Header) error {
	for _, name := range []string{headerID, headerTimestamp, headerSignature} {
		if len(h[name]) != 1 {
			return fmt.Errorf("%s does not stand there exactly once", strings.ToLower(name))
		}
	}
	if !isMessageID(h[headerID][0]) {
		return errors.New("webhook-id is empty, too long or has characters that ids do not have")
	}
	if len(h[headerSignature][0]) > maxSignatures {
		return errors.New("webhook-signature is too long")
	}
	at, err := timestamp(h[headerTimestamp][0])
	if err != nil {
		return err
	}
	if age := time.Since(at); age > Tolerance || age < -Tolerance {
		return fmt.Errorf("webhook-timestamp is %s from the hub's clock", age.Truncate(time.Second))
	}
	return nil
}

func (s *signed) whole(h http.Header, body []byte) (string, error) {
	for _, key := range s.keys {
		if key.Verify(body, h) == nil {
			return h[headerID][0], nil
		}
	}
	return "", errors.New("no signature matches")
}

// timestamp reads seconds since 1970. The library would also take a sign and numbers
// that overflow a time.
func timestamp(s string) (time.Time, error) {
	if len(s) > maxTimestamp {
		return time.Time{}, errors.New("webhook-timestamp is too long")
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return time.Time{}, errors.New("webhook-timestamp is not a number of seconds")
	}
	return time.Unix(int64(n), 0), nil
}

// isMessageID reports whether s can be a webhook-id. What is signed is
// "id.timestamp.body" without lengths, so an id that could hold the beginning of a
// JSON body would let one signed message be cut up into another one.
func isMessageID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '{' || c == '[' || c == '"' {
			return false
		}
	}
	return true
}

var errSecret = errors.New("is not a Standard Webhooks secret: whsec_ and base64 of 24 to 64 bytes")

// CheckSecret returns nil for a usable whsec_ secret; the error does not contain it.
func CheckSecret(secret responsehub.Secret) error {
	n, ok := keySize(secret)
	if !ok {
		return errSecret
	}
	if n < leastKey {
		return fmt.Errorf("is a key of %d bytes; at least %d are needed, 24 are advised", n, leastKey)
	}
	return nil
}

// keySize is the length of a whsec_ secret's key.
func keySize(secret responsehub.Secret) (int, bool) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
	return len(key), err == nil
}

// Sign returns the headers with which the secret's owner posts the body: for
// `alert send`, simulators and tests.
func Sign(secret responsehub.Secret, id string, at time.Time, body []byte) (http.Header, error) {
	if err := CheckSecret(secret); err != nil {
		return nil, fmt.Errorf("sign alert: the secret %w", err)
	}
	if !isMessageID(id) {
		return nil, fmt.Errorf("sign alert: %q cannot be a webhook-id", id)
	}
	key, err := webhooks.NewWebhook(string(secret))
	if err != nil {
		return nil, fmt.Errorf("sign alert: the secret %w", errSecret)
	}
	signature, err := key.Sign(id, at, body)
	if err != nil {
		return nil, fmt.Errorf("sign alert: %w", err)
	}
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set(webhooks.HeaderWebhookID, id)
	h.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(webhooks.HeaderWebhookSignature, signature)
	return h, nil
}
