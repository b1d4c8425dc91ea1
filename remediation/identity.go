package remediation

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// NewID returns a new incident id (a ULID) that falls into the partition of the
// account key. So the index "which incident is open for this account" shares the hash
// slot of the incident, and one script can open or join without a gap between.
func NewID(accountKey string, now time.Time) string {
	want := Partition(accountKey)
	var text [ulid.EncodedSize]byte
	for {
		id := ulid.MustNew(ulid.Timestamp(now), rand.Reader)
		_ = id.MarshalTextTo(text[:]) // fails only where the room is too short
		// The last two characters lead to every partition many times.
		const free = ulid.EncodedSize - 2
		start := checksum(0, text[:free])
		for n := range 1 << 10 {
			tried := binary.BigEndian.Uint16(id[14:]) + uint16(n)
			text[free], text[free+1] = refAlphabet[tried>>5&31], refAlphabet[tried&31]
			if partitionOf(checksum(start, text[free:])) == want {
				return string(text[:])
			}
		}
	}
}

// refAlphabet has no letters that are misread or misheard (Crockford's base 32).
const refAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const refPrefix = "RH-"

// NewRef returns a short name for an incident of the partition, with n characters
// after the prefix. Its first character tells the partition.
func NewRef(partition, n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	b[0] = refAlphabet[partition+Partitions*int(b[0]&1)]
	for i := 1; i < n; i++ {
		b[i] = refAlphabet[b[i]&31]
	}
	return refPrefix + string(b)
}

// RefPartition returns the partition of a ref, in whatever case it was typed.
func RefPartition(ref string) (int, bool) {
	rest, ok := strings.CutPrefix(strings.ToUpper(ref), refPrefix)
	if !ok || rest == "" {
		return 0, false
	}
	i := strings.IndexByte(refAlphabet, rest[0])
	return i % Partitions, i >= 0
}

// isRef reports whether s looks like a ref rather than an id.
func isRef(s string) bool {
	_, ok := RefPartition(s)
	return ok && len(s) <= 12
}
