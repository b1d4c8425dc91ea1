package email

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"responsehub"
)

type session = smtp.Client

// unreached is what to say when no mail was begun: all of it may work later, once the
// server is back or somebody has put the configuration right.
func unreached(err error, login bool) error {
	sentence := "The mail server cannot be reached. Check mail.smtp."
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		sentence = fmt.Sprintf("The mail server does not let the hub in (%s).", words(reply.Code, reply.Msg))
		if login && (reply.Code == 535 || reply.Code == 534 || reply.Code == 530) {
			sentence = fmt.Sprintf("The mail server does not take the user and password of mail.smtp (%s).", words(reply.Code, reply.Msg))
		}
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: sentence}
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid):
		sentence = "The mail server's certificate is not trusted. Use the name that stands in it, or put its authority into outbound.ca_file."
	case errors.As(err, &record):
		sentence = "The mail server does not speak TLS on this port. Use smtp:// for port 587 and smtps:// for port 465."
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		sentence = "The mail server offers no TLS, and without it no mail is sent. Use smtps://, or another port."
	case strings.Contains(err.Error(), "does not support SMTP AUTH"):
		sentence = "The mail server offers no sign-in, but mail.smtp has a user. Take the user out, or use another port."
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: sentence, Err: err}
}

// undelivered is what to say of a mail that was begun.
func undelivered(err error) error {
	e, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "Nobody knows whether the mail server took the mail.", Err: err}
	}
	code, text := e.ErrorCode(), reply(e)
	switch {
	case code >= 500 && e.Reason == gomail.ErrSMTPRcptTo:
		return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("The mail server refuses the address (%s).", words(code, text))}
	case code >= 500 && e.Reason == gomail.ErrSMTPMailFrom:
		return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("The mail server refuses the sender, mail.from (%s).", words(code, text))}
	case code >= 500:
		return &responsehub.Error{Kind: responsehub.Permanent, Message: fmt.Sprintf("The mail server refuses the mail (%s).", words(code, text))}
	case code >= 400:
		return &responsehub.Error{Kind: responsehub.Unavailable, Message: fmt.Sprintf("The mail server asks to try again later (%s).", words(code, text))}
	case e.Reason == gomail.ErrSMTPDataClose, e.Reason == gomail.ErrWriteContent, e.Reason == gomail.ErrAmbiguous:
		return &responsehub.Error{Kind: responsehub.UnknownOutcome, Message: "The mail server may or may not have taken the mail: the connection broke.", Err: err}
	}
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: "The connection to the mail server broke before it had the mail.", Err: err}
}

// words is a server's reply for people: its number, and what it says in short.
func words(code int, text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(text); len(r) > 160 {
		text = string(r[:160]) + "…"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, text))
}

// reply is the server's own words, which the library keeps in its text only.
func reply(e *gomail.SendError) string {
	_, text, _ := strings.Cut(e.Error(), strconv.Itoa(e.ErrorCode())+" ")
	for _, end := range []string{", affected recipient(s):", ", affected message ID:"} {
		text, _, _ = strings.Cut(text, end)
	}
	return strings.Trim(text, `"`) // of a recipient they are quoted
}
