package remediation

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"responsehub"
)

// KeySize is the size of the vault's key in bytes.
const KeySize = 32

// Vault seals small secrets for Redis with AES-256-GCM. The text a secret is bound to
// (which incident, which use) is authenticated, so that a box moved elsewhere in the
// store does not open.
type Vault struct{ aead cipher.AEAD }

// NewVault returns a vault for a key of [KeySize] bytes.
func NewVault(key []byte) (*Vault, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("secrets.key has %d bytes, needs %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Vault{aead: aead}, nil
}

// Seal encrypts a secret bound to the given text.
func (v *Vault) Seal(secret responsehub.Secret, bound string) []byte {
	nonce := make([]byte, v.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return v.aead.Seal(nonce, nonce, []byte(secret), []byte(bound))
}

// Open decrypts what Seal returned for the same text. The error says nothing about
// the content.
func (v *Vault) Open(box []byte, bound string) (responsehub.Secret, error) {
	n := v.aead.NonceSize()
	if len(box) < n {
		return "", errors.New("sealed value is too short")
	}
	plain, err := v.aead.Open(nil, box[:n], box[n:], []byte(bound))
	if err != nil {
		return "", errors.New("sealed value does not open: was secrets.key changed?")
	}
	return responsehub.Secret(plain), nil
}
