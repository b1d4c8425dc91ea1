package bot

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	keysFresh   = 24 * time.Hour  // how long a set of keys is used without asking again
	keysFloor   = 5 * time.Minute // between two reloads for the sake of an unknown key id
	keysRetry   = time.Second     // after a load that failed while there are none
	keysTimeout = 5 * time.Second // of one load
	maxKeys     = 1 << 20         // bytes of a key document
	minModulus  = 2048            // bits
)

// key is one of the Bot Framework's signing keys.
type key struct {
	public       *rsa.PublicKey
	endorsements []string // channels it may sign for; empty: not limited
}

// keySet reads and keeps the signing keys. An unknown key id, as after a roll, makes it
// read again, but no forged ids can make it ask more than once in five minutes. While
// Microsoft cannot be reached the old keys stay in use.
type keySet struct {
	metadata string // address of the OpenID document
	plain    bool   // loopback http allowed
	http     *http.Client
	log      *slog.Logger
	flight   singleflight.Group

	mu     sync.Mutex
	keys   map[string]key
	loaded time.Time // last load that worked
	asked  time.Time // last load but the first, whatever came of it
}

// key returns the key with the id.
func (s *keySet) key(ctx context.Context, id string) (key, error) {
	k, known, due := s.look(id)
	if !due {
		if known {
			return k, nil
		}
		return key{}, errors.New("the token is signed with an unknown key")
	}
	// One load serves all who wait, so it must not end with the first one's request.
	done := s.flight.DoChan("load", func() (any, error) {
		// A load may have ended since we looked: a second one for nothing would use up the
		// one that a roll of keys needs.
		if _, _, due := s.look(id); !due {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
		defer cancel()
		return nil, s.load(ctx)
	})
	var failed error
	select {
	case r := <-done:
		failed = r.Err
	case <-ctx.Done():
		failed = context.Cause(ctx)
	}
	if k, known, _ = s.look(id); known {
		return k, nil
	}
	if failed != nil {
		return key{}, fmt.Errorf("the signing keys cannot be read: %w", failed)
	}
	return key{}, errors.New("the token is signed with an unknown key")
}

// warm reads the keys unless they are there already. Like a request it joins a load that
// is under way: a second one for nothing would use up the one that a roll needs.
func (s *keySet) warm(ctx context.Context) error {
	_, err := s.key(ctx, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys != nil {
		return nil // that there is no key without a name is no fault
	}
	return err
}

// look finds a key and says whether the set has to be read again first.
func (s *keySet) look(id string) (k key, known, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known = s.keys[id]
	now := time.Now()
	switch {
	case s.keys == nil:
		due = now.Sub(s.asked) >= keysRetry
	case now.Sub(s.loaded) >= keysFresh, !known && id != "":
		due = now.Sub(s.asked) >= keysFloor
	}
	return k, known, due
}

func (s *keySet) load(ctx context.Context) error {
	keys, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.keys == nil
	if !first || err != nil {
		s.asked = time.Now()
	}
	if err != nil {
		s.log.Error("the Bot Framework's signing keys cannot be read", "error", err, "kept", len(s.keys))
		return err
	}
	if first {
		s.asked = time.Time{}
	}
	s.keys, s.loaded = keys, time.Now()
	return nil
}

func (s *keySet) fetch(ctx context.Context) (map[string]key, error) {
	var meta struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := s.read(ctx, s.metadata, &meta); err != nil {
		return nil, fmt.Errorf("read the OpenID metadata: %w", err)
	}
	u, err := url.Parse(meta.JWKS)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(s.plain && u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, errors.New("the OpenID metadata names no https address of keys")
	}
	var set struct {
		Keys []webKey `json:"keys"`
	}
	if err := s.read(ctx, meta.JWKS, &set); err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	keys := map[string]key{}
	for _, w := range set.Keys {
		// A key of another kind is no reason to lose the others.
		if k, ok := w.key(); ok {
			keys[w.ID] = k
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key document holds no usable key")
	}
	return keys, nil
}

func (s *keySet) read(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxKeys+1))
	if err != nil {
		return err
	}
	if len(b) > maxKeys {
		return errors.New("the document is too large")
	}
	return json.Unmarshal(b, into)
}

// webKey is a JSON Web Key with the Bot Framework's own member: endorsements.
// https://www.rfc-editor.org/rfc/rfc7517
type webKey struct {
	Type         string   `json:"kty"`
	Use          string   `json:"use"`
	ID           string   `json:"kid"`
	N            string   `json:"n"`
	E            string   `json:"e"`
	Endorsements []string `json:"endorsements"`
}

func (w *webKey) key() (key, bool) {
	if w.Type != "RSA" || w.ID == "" || w.Use != "" && w.Use != "sig" {
		return key{}, false
	}
	n, err1 := base64.RawURLEncoding.DecodeString(strings.TrimRight(w.N, "="))
	e, err2 := base64.RawURLEncoding.DecodeString(strings.TrimRight(w.E, "="))
	if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 {
		return key{}, false
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if public.N.BitLen() < minModulus || public.N.BitLen() > 8192 || public.E < 3 || public.E%2 == 0 {
		return key{}, false
	}
	return key{public: public, endorsements: w.Endorsements}, true
}
