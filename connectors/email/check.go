package email

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"responsehub"
	letters "responsehub/mail"
)

// Check signs in at the server without sending anything. With an address it sends a test
// mail there.
func (s *Sender) Check(ctx context.Context, to string) []responsehub.Check {
	if err := s.Login(ctx); err != nil {
		return []responsehub.Check{{Name: "mail server", Grade: responsehub.CheckMissing, Sentence: "No mail can be sent. " + responsehub.Sentence(err)}}
	}
	how := "The hub can sign in at the mail server."
	switch {
	case s.user == "" && s.plain:
		how = "The mail server on this machine answers."
	case s.user == "":
		how = "The mail server answers; the hub does not sign in, since mail.smtp has no user."
	}
	checks := []responsehub.Check{{Name: "mail server", Grade: responsehub.CheckOK, Sentence: how}}
	if to == "" {
		return checks
	}
	_, domain, _ := strings.Cut(s.from.Address, "@")
	err := s.Send(ctx, letters.Letter{
		To: to, Subject: "Test of responsehub", MessageID: strings.ToLower(rand.Text()) + "@" + domain,
		Text: "This is a test of responsehub. Nothing has happened and there is nothing to do.\n",
	})
	if err != nil {
		return append(checks, responsehub.Check{Name: "mail test", Grade: responsehub.CheckMissing, Sentence: fmt.Sprintf("The test mail to %s was not sent. %s", to, responsehub.Sentence(err))})
	}
	return append(checks, responsehub.Check{Name: "mail test", Grade: responsehub.CheckOK, Sentence: fmt.Sprintf("The mail server took a test mail to %s. Look whether it arrived, and not among the spam.", to)})
}
