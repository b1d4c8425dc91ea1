package mail

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Alarm is a mail to an operator about what belongs to no incident, such as a number that
// is somebody else's. The same id to the same address makes the same letter, whichever
// process writes it: a mail program shows it once.
func Alarm(from, to, id, words string) Letter {
	_, domain, _ := strings.Cut(address(from), "@")
	sum := sha256.Sum256([]byte(id + "|" + to))
	return Letter{
		To: to, Subject: "responsehub: something needs the operators", Urgent: true,
		MessageID: hex.EncodeToString(sum[:16]) + "@" + cmp.Or(domain, "responsehub.invalid"),
		Text:      words + "\n\nThis belongs to no incident. Whoever keeps the hub should see to it.\n",
	}
}
