package login

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"

	"responsehub/sim/tenant"
	"responsehub/sim/wire"
)

// saved is what a Server needs to accept the tokens it gave out before.
type saved struct {
	KeyID string `json:"key_id"`
	Key   []byte `json:"key"` // PKCS #8
}

// Save encodes the signing key for Restore.
func (s *Server) Save() (json.RawMessage, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, fmt.Errorf("sim/login: save: %w", err)
	}
	return json.Marshal(saved{s.keyID, der})
}

// Restore is New with the signing key that Save encoded: tokens given out before are still good.
func Restore(world *tenant.World, log *wire.Log, raw json.RawMessage) (*Server, error) {
	var in saved
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("sim/login: restore: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(in.Key)
	if err != nil {
		return nil, fmt.Errorf("sim/login: restore: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || in.KeyID == "" {
		return nil, errors.New("sim/login: restore: no RSA key with an id")
	}
	return serve(world, log, key, in.KeyID), nil
}
