package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Letter is a mail to one recipient.
type Letter struct {
	To         string   // an address, without a name
	Subject    string   // one line, in any alphabet
	MessageID  string   // without angle brackets
	References []string // Message-IDs of the thread, the first mail first; empty for the first mail
	ListID     string   // of the incident's tenant, by which mail programs sort
	Urgent     bool
	Text       string
	HTML       string
}

// Sender hands mails to a server. Its errors carry a [responsehub.Error]: Permanent is
// refused for good, Unavailable certainly not sent, UnknownOutcome may have been sent.
type Sender interface {
	Send(ctx context.Context, l Letter) error
}

// messageID is the id of the nth mail about an incident to a recipient. The same mail has
// the same id whoever sends it, in whatever replica.
func messageID(incident, to string, n int, domain string) string {
	sum := sha256.Sum256([]byte(incident + "\n" + strings.ToLower(to)))
	return fmt.Sprintf("%s.%d@%s", hex.EncodeToString(sum[:12]), n, domain)
}

// thread is the ids that the nth mail answers: the first one and those just before it.
func thread(incident, to string, n int, domain string) []string {
	if n == 0 {
		return nil
	}
	ids := []string{messageID(incident, to, 0, domain)}
	for i := max(1, n-5); i < n; i++ {
		ids = append(ids, messageID(incident, to, i, domain))
	}
	return ids
}
