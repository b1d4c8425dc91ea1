package twilio

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// newSID is a prefix of two letters and 32 hexadecimal digits.
func newSID(prefix string) string {
	raw := make([]byte, 16)
	rand.Read(raw)
	return prefix + hex.EncodeToString(raw)
}

// newToken is what I-Twilio-Idempotency-Token carries.
func newToken() string {
	raw := make([]byte, 16)
	rand.Read(raw)
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}

// rfc2822 is a time as Twilio writes it, nil for none.
func rfc2822(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC1123Z)
}

// orNull is a string of an answer, null when empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
