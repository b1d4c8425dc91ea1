package mail

import (
	"cmp"
	"crypto/rand"
	"strings"
)

// Alarm is a mail to an operator about what belongs to no incident, such as a number that
// is somebody else's. Each has an id of its own: send the same letter again, not a new one.
func Alarm(from, to, words string) Letter {
	_, domain, _ := strings.Cut(address(from), "@")
	return Letter{
		To: to, Subject: "responsehub: something needs the operators", Urgent: true,
		MessageID: strings.ToLower(rand.Text()) + "@" + cmp.Or(domain, "responsehub.invalid"),
		Text:      words + "\n\nThis belongs to no incident. Whoever keeps the hub should see to it.\n",
	}
}
