package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"responsehub"
)

const (
	keyPrefix    = "rh_"
	minBootstrap = 32
	maxToken     = 512
)

// keyRoles are the roles a key may have. A guest is a person of the customer.
var keyRoles = []responsehub.Role{responsehub.Admin, responsehub.Responder, responsehub.Reader}

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewKey makes an API key: plain is shown once to whoever asked for it, the second is
// what is stored. hashKey is the hub's key ([Config.Key]); no tenants means all.
func NewKey(hashKey []byte, name string, role responsehub.Role, tenants []string, now time.Time) (plain responsehub.Secret, key responsehub.APIKey, err error) {
	return newKey(hashKey, random(10), name, role, tenants, now)
}

func newKey(hashKey []byte, id, name string, role responsehub.Role, tenants []string, now time.Time) (plain responsehub.Secret, key responsehub.APIKey, err error) {
	switch {
	case len(hashKey) == 0:
		return "", key, &responsehub.Error{Kind: responsehub.Invalid, Message: "The hub has no key (secrets.key) to hash API keys with."}
	case strings.TrimSpace(name) == "" || len(name) > 100:
		return "", key, invalid("/name", "An API key needs a name of at most 100 characters.")
	case !slices.Contains(keyRoles, role):
		return "", key, invalid("/role", "The role of an API key is admin, responder or reader.")
	}
	if len(tenants) == 0 {
		tenants = []string{"*"}
	}
	secret := random(32)
	return responsehub.Secret(keyPrefix + id + "_" + secret), responsehub.APIKey{
		V: 1, ID: id, Name: name, Hash: hashSecret(hashKey, secret), Role: role, Tenants: slices.Clone(tenants), Created: now.UTC(),
	}, nil
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return strings.ToLower(letters.EncodeToString(b))
}

// hashSecret is the keyed hash that is stored. The label keeps it apart from whatever
// else the hub's key is used for.
func hashSecret(hashKey []byte, secret string) string {
	m := hmac.New(sha256.New, hashKey)
	m.Write([]byte("responsehub api key v1\x00" + secret))
	return hex.EncodeToString(m.Sum(nil))
}

// doors finds out who asks.
type doors struct {
	hashKey   []byte
	bootstrap []byte // SHA-256 of the bootstrap key; nil when there is none
	dir       Directory
	log       *slog.Logger
}

func newDoors(hashKey []byte, bootstrap responsehub.Secret, dir Directory, log *slog.Logger) doors {
	d := doors{hashKey: hashKey, dir: dir, log: log}
	switch {
	case len(bootstrap) >= minBootstrap:
		sum := sha256.Sum256([]byte(bootstrap))
		d.bootstrap = sum[:]
	case bootstrap != "":
		log.Error("the bootstrap API key is shorter than 32 characters and is not accepted")
	}
	return d
}

var bootstrapActor = responsehub.Actor{ID: "key:bootstrap", Name: "bootstrap key", Role: responsehub.Admin, Via: responsehub.ViaAPI, Tenants: []string{"*"}}

// open returns the actor behind the request's key.
func (d doors) open(r *http.Request) (responsehub.Actor, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return responsehub.Actor{}, unauthorized("An API key is missing. Send it as \"Authorization: Bearer rh_...\".")
	}
	return d.identify(token, "method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr)
}

// identify returns the actor behind a key; about says in the log what it was used for.
func (d doors) identify(token string, about ...any) (responsehub.Actor, error) {
	if len(token) > maxToken {
		return responsehub.Actor{}, unauthorized("This API key is not known.")
	}
	if sum := sha256.Sum256([]byte(token)); d.bootstrap != nil && subtle.ConstantTimeCompare(sum[:], d.bootstrap) == 1 {
		d.log.Warn("the bootstrap API key was used", about...)
		return bootstrapActor, nil
	}
	key, ok := d.find(token)
	if !ok {
		return responsehub.Actor{}, unauthorized("This API key is not known. It may have been removed.")
	}
	return key.Actor(), nil
}

// holder returns the actor with the id, if its key is still there.
func (d doors) holder(id string) (responsehub.Actor, error) {
	if id == bootstrapActor.ID && d.bootstrap != nil {
		return bootstrapActor, nil
	}
	keys := d.dir.Keys()
	if i := slices.IndexFunc(keys, func(k responsehub.APIKey) bool { return "key:"+k.ID == id }); i >= 0 {
		return keys[i].Actor(), nil
	}
	return responsehub.Actor{}, unauthorized("This API key was removed.")
}

// find looks the key up. An unknown id costs as much time as a wrong secret.
func (d doors) find(token string) (responsehub.APIKey, bool) {
	rest, ok := strings.CutPrefix(token, keyPrefix)
	id, secret, ok2 := strings.Cut(rest, "_")
	if !ok || !ok2 || len(d.hashKey) == 0 {
		return responsehub.APIKey{}, false
	}
	var key responsehub.APIKey
	if keys := d.dir.Keys(); id != "" {
		if i := slices.IndexFunc(keys, func(k responsehub.APIKey) bool { return k.ID == id }); i >= 0 {
			key = keys[i]
		}
	}
	same := hmac.Equal([]byte(hashSecret(d.hashKey, secret)), []byte(key.Hash))
	return key, same && key.Hash != ""
}

func unauthorized(sentence string) error {
	return &responsehub.Error{Kind: responsehub.Unauthorized, Message: sentence}
}
