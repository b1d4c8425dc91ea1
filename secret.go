package responsehub

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that must not be seen: a one-time password, a key. It prints,
// logs and encodes as "redacted"; only an explicit conversion to string shows it.
type Secret string

const redacted = "redacted"

// String returns "redacted".
func (Secret) String() string { return redacted }

// Format prints "redacted" whatever the verb: %d would show the bytes otherwise.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// GoString returns "redacted", so that %#v does not show the secret either.
func (Secret) GoString() string { return redacted }

// LogValue returns "redacted".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "redacted", which covers JSON, YAML and XML alike.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
