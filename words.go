package responsehub

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// clock is a time of day as people read it in a sentence.
func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// list joins names for a sentence and counts those past the limit.
func list(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + itoa(len(names)-most) + " more"
}

func itoa(n int) string { return strconv.Itoa(n) }

// shortHash is a short stable id of a text, for ids that people may have to type.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
