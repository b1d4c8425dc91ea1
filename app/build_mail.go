package app

import (
	"context"
	"fmt"
	"net/mail"

	"responsehub"
	"responsehub/connectors/email"
	mailing "responsehub/mail"
)

// buildMail makes the sender of mails and its follower, where mail is configured.
func (a *App) buildMail() error {
	m := a.cfg.Mail
	if m == nil {
		return nil
	}
	var err error
	if a.post, err = email.New(email.Config{SMTP: m.SMTP, From: m.From, CAFile: a.cfg.Outbound.CAFile}); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	a.engine.Follow(mailing.NewFollower(mailing.Config{
		From: m.From, PublicURL: a.cfg.Server.PublicURL, Fallback: a.cfg.Fallback.Mail, Tenant: a.directory.Tenant, Before: a.engine.Before,
	}, a.post, a.log.With("part", "mail")))
	return nil
}

// checkMail signs in at the mail server, sends a test mail where one was asked for, and
// names the addresses that cannot be written to.
func (a *App) checkMail(ctx context.Context, tenants []responsehub.Tenant, testTo string) []responsehub.Check {
	if a.post == nil {
		if testTo == "" {
			return nil
		}
		return []responsehub.Check{{Name: "mail test", Grade: responsehub.CheckMissing, Sentence: "The section mail is missing: no mail can be sent."}}
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	checks := a.post.Check(ctx, testTo)
	for _, t := range tenants {
		for _, to := range t.Notify.Mail {
			if _, err := mail.ParseAddress(to); err != nil {
				checks = append(checks, responsehub.Check{Name: "mail " + t.Name, Grade: responsehub.CheckMissing, Sentence: fmt.Sprintf("%q is no mail address: nobody gets that mail.", to)})
			}
		}
	}
	if len(a.cfg.Fallback.Mail) == 0 {
		checks = append(checks, responsehub.Check{Name: "mail fallback", Grade: responsehub.CheckWarning, Sentence: "fallback.mail is empty: nobody is written to about unknown tenants, or when nobody answers."})
	}
	return checks
}
