package teams

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint by definition (RFC 7517 4.8)
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// issuer is who signs what Teams posts to a bot.
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
const issuer = "https://api.botframework.com"

// signingKey is one key of the service with what it may vouch for.
type signingKey struct {
	kid          string
	endorsements []string
	private      *rsa.PrivateKey
}

// keyring holds the published keys and one that is not published.
type keyring struct {
	mu        sync.Mutex
	serial    int
	current   *signingKey
	previous  *signingKey
	webchat   *signingKey // published, endorsed for another channel only
	unrelated *signingKey // never published: what an attacker might sign with
}

func (k *keyring) make(endorsements ...string) (*signingKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("sim/teams: make a signing key: %w", err)
	}
	k.serial++
	sum := sha1.Sum(private.N.Bytes()) //nolint:gosec // see above
	return &signingKey{
		kid:          fmt.Sprintf("%d-%s", k.serial, base64.RawURLEncoding.EncodeToString(sum[:])),
		endorsements: endorsements, private: private,
	}, nil
}

// roll makes a new current key; at first it makes all of them.
func (k *keyring) roll() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, err := k.make("msteams", "skype", "directline", "outlook", "webchat")
	if err != nil {
		return err
	}
	if k.current == nil {
		if k.webchat, err = k.make("webchat"); err != nil {
			return err
		}
		if k.unrelated, err = k.make("msteams"); err != nil {
			return err
		}
	}
	k.previous, k.current = k.current, next
	return nil
}

// key picks by name: "" current, "previous", "webchat" or "unrelated".
func (k *keyring) key(name string) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := map[string]*signingKey{"": k.current, "previous": k.previous, "webchat": k.webchat, "unrelated": k.unrelated}[name]
	if key == nil {
		return nil, fmt.Errorf("sim/teams: there is no key %q", name)
	}
	return key, nil
}

// jwks is the published key set.
func (k *keyring) jwks() map[string]any {
	k.mu.Lock()
	defer k.mu.Unlock()
	var keys []any
	for _, key := range []*signingKey{k.webchat, k.previous, k.current} {
		if key == nil {
			continue
		}
		keys = append(keys, map[string]any{
			"kty": "RSA", "use": "sig", "kid": key.kid, "x5t": key.kid,
			"n":            base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()),
			"e":            base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.private.E)).Bytes()),
			"endorsements": key.endorsements,
		})
	}
	return map[string]any{"keys": keys}
}

// Tamper spoils the token or the activity of one delivery, for bots that must refuse it. The zero
// value spoils nothing.
type Tamper struct {
	Key        string `json:"key"`         // "previous" (still good), "webchat", "unrelated"
	Kid        string `json:"kid"`         // kid to name instead of the key's own
	Alg        string `json:"alg"`         // "none" or "HS256" instead of RS256
	Issuer     string `json:"issuer"`      // instead of https://api.botframework.com
	Audience   string `json:"audience"`    // instead of the bot's app id
	ServiceURL string `json:"serviceurl"`  // claim serviceurl; "-" leaves it out
	AgeSeconds int    `json:"age_seconds"` // shifts iat, nbf and exp into the past; negative: into the future
	NoExpiry   bool   `json:"no_expiry"`   // leaves exp out
	NoToken    bool   `json:"no_token"`    // sends no Authorization at all
	Scheme     string `json:"scheme"`      // instead of "Bearer"
	TenantID   string `json:"tenant_id"`   // the tenant that the activity names
	Activity   string `json:"activity"`    // serviceUrl of the activity; "-" leaves it out
}

// authorization makes the header with which the service posts to the bot, "" for none.
func (s *Service) authorization(t Tamper) (string, error) {
	if t.NoToken {
		return "", nil
	}
	key, err := s.keys.key(t.Key)
	if err != nil {
		return "", err
	}
	or := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	start := time.Now().Add(-time.Duration(t.AgeSeconds) * time.Second)
	claims := map[string]any{
		"iss": or(t.Issuer, issuer), "aud": or(t.Audience, s.cfg.AppID), "serviceurl": or(t.ServiceURL, s.ServiceURL()),
		"nbf": start.Unix(), "iat": start.Unix(), "exp": start.Add(time.Hour).Unix(),
	}
	if t.ServiceURL == "-" {
		delete(claims, "serviceurl")
	}
	if t.NoExpiry {
		delete(claims, "exp")
	}
	alg := or(t.Alg, "RS256")
	token, err := sign(key, alg, map[string]any{"typ": "JWT", "alg": alg, "kid": or(t.Kid, key.kid), "x5t": key.kid}, claims)
	if err != nil {
		return "", err
	}
	return or(t.Scheme, "Bearer") + " " + token, nil
}

func sign(key *signingKey, alg string, header, claims map[string]any) (string, error) {
	var parts [2]string
	for i, v := range []map[string]any{header, claims} {
		b, err := json.Marshal(v)
		if err != nil {
			return "", fmt.Errorf("sim/teams: encode token: %w", err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(b)
	}
	text := parts[0] + "." + parts[1]
	sum := sha256.Sum256([]byte(text))
	switch alg {
	case "none":
		return text + ".", nil
	case "HS256": // the public key as the secret: the classic confusion of algorithms
		mac := hmac.New(sha256.New, key.private.N.Bytes())
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
	}
	sig, err := rsa.SignPKCS1v15(rand.Reader, key.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sim/teams: sign token: %w", err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}
