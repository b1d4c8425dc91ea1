package responsehub

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// AddressID names an outgoing address without telling it: whoever knows the address of a
// webhook can post there, so it is kept and shown under this name only.
func AddressID(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:8])
}

// Signing says which of its secrets an outgoing webhook is signed with. The secrets
// themselves follow from the hub's key, the address and the generation; none is kept.
type Signing struct {
	Generation int       `json:"generation"`
	Since      time.Time `json:"since,omitzero"` // when the generation before was replaced; zero: there was none
}

// SigningOverlap is how long after a rotation deliveries carry both signatures.
const SigningOverlap = 24 * time.Hour

// Generations are those to sign with now, the newest first.
func (s Signing) Generations(now time.Time) []int {
	if s.Generation > 0 && !s.Since.IsZero() && now.Before(s.Since.Add(SigningOverlap)) {
		return []int{s.Generation, s.Generation - 1}
	}
	return []int{s.Generation}
}

// Rotated is the signing after a new secret was made. Before it is over that of an earlier
// rotation, the generation before that one is good no longer.
func (s Signing) Rotated(now time.Time) Signing {
	return Signing{Generation: s.Generation + 1, Since: now.UTC()}
}

// Fresh is the signing of an address that nobody else uses: what it was signed with in
// former times is not used again.
func (s Signing) Fresh() Signing { return Signing{Generation: s.Generation + 1} }
