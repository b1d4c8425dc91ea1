// Package email hands mails to an SMTP server.
//
// It promises TLS with a verified certificate before a password or a mail goes out, but
// to loopback addresses; a deadline on each mail, and an end to it when its context ends;
// and errors that tell a refusal for good (Permanent) from a server that is away or asks
// for patience (Unavailable), and from a mail of which nobody knows whether the server
// took it (UnknownOutcome). It repeats nothing by itself.
//
// What may go wrong is what SMTP leaves open: a server may take a mail and send it back
// later, and the hub does not see that.
package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"responsehub"
	letters "responsehub/mail"
)

// Config says which server is used, and as whom.
type Config struct {
	SMTP   responsehub.Secret // smtp://user:password@host:587 (STARTTLS) or smtps://...:465
	From   string             // the sender's address, with or without a name
	CAFile string             // PEM file of trust roots beside the system's; empty is none
}

// within bounds one mail, from the first packet to the server's word that it has it.
const within = 30 * time.Second

// Sender hands mails to one server, each over a connection of its own.
type Sender struct {
	host     string
	port     int
	implicit bool // TLS from the first byte
	plain    bool // a loopback address: without TLS where none is offered
	user     string
	password responsehub.Secret
	from     *mail.Address
	tls      *tls.Config
}

var _ letters.Sender = (*Sender)(nil)

// New returns a sender. It makes no connection.
func New(cfg Config) (*Sender, error) {
	u, err := url.Parse(string(cfg.SMTP))
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("email: the address of the server must be smtp://user:password@host:587 or smtps://user:password@host:465") // not url.Parse's words: they quote the password
	}
	from, err := mail.ParseAddress(cfg.From)
	if err != nil {
		return nil, errors.New("email: the sender is no mail address")
	}
	s := &Sender{host: u.Hostname(), implicit: u.Scheme == "smtps", user: u.User.Username(), from: from}
	password, _ := u.User.Password()
	s.password = responsehub.Secret(password)
	s.plain = !s.implicit && loopback(s.host)
	s.port = 587
	if s.implicit {
		s.port = 465
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("email: the port of the server is none")
		}
	}
	s.tls = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if cfg.CAFile != "" {
		if s.tls.RootCAs, err = roots(cfg.CAFile); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func roots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("email: read the extra trust roots: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("email: read the system's trust roots: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("email: the file %s holds no PEM certificate", file)
	}
	return pool, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Send hands a mail over.
func (s *Sender) Send(ctx context.Context, l letters.Letter) error {
	m, err := s.message(l)
	if err != nil {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "The mail cannot be written to this address.", Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	w := s.wire(ctx)
	defer w.close()
	session, err := w.open()
	if err != nil {
		return unreached(err, s.user != "")
	}
	err = w.client.SendWithSMTPClient(session, m)
	if m.IsDelivered() {
		_ = session.Quit() // the mail is theirs; how the talk ends does not matter
		return nil
	}
	return undelivered(err)
}

// Login connects, signs in and leaves.
func (s *Sender) Login(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	w := s.wire(ctx)
	defer w.close()
	session, err := w.open()
	if err != nil {
		return unreached(err, s.user != "")
	}
	_ = session.Quit()
	return nil
}

func (s *Sender) message(l letters.Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(s.from)
	if err := m.To(l.To); err != nil {
		return nil, errors.New("the recipient is no mail address") // the library's words quote it
	}
	m.Subject(oneLine(l.Subject))
	m.SetDate()
	m.SetMessageIDWithValue(oneLine(l.MessageID))
	if n := len(l.References); n > 0 {
		ids := make([]string, 0, n)
		for _, id := range l.References {
			ids = append(ids, "<"+oneLine(id)+">")
		}
		m.SetGenHeader(gomail.HeaderInReplyTo, ids[n-1])
		m.SetGenHeaderPreformatted(gomail.HeaderReferences, strings.Join(ids, "\r\n "))
	}
	// https://www.rfc-editor.org/rfc/rfc3834#section-5: no machine is to answer.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	if l.ListID != "" {
		m.SetGenHeader("List-Id", "<"+oneLine(l.ListID)+">")
	}
	if l.Urgent {
		m.SetImportance(gomail.ImportanceHigh)
	}
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	}
	return m, nil
}

// oneLine keeps a stranger's words from beginning a header of their own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// wire is one connection. The library ends no connection whose context ends and leaks one
// whose handshake fails, so both is done here.
type wire struct {
	s      *Sender
	ctx    context.Context //nolint:containedctx // of one connection
	client *gomail.Client
	mu     sync.Mutex
	conn   net.Conn
	stop   func() bool
}

func (s *Sender) wire(ctx context.Context) *wire { return &wire{s: s, ctx: ctx} }

func (w *wire) open() (*session, error) {
	s := w.s
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(within), gomail.WithTLSConfig(s.tls), gomail.WithDialContextFunc(w.dial),
	}
	switch {
	case s.implicit:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic)) // there is TLS already
	case s.plain && s.user == "":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // whose certificate seldom is anybody's
	case s.plain:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic)) // servers take a password over TLS only
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if _, domain, ok := strings.Cut(s.from.Address, "@"); ok {
		options = append(options, gomail.WithHELO(domain))
	}
	if s.user != "" {
		auth := gomail.SMTPAuthAutoDiscover
		if s.plain {
			auth = gomail.SMTPAuthPlainNoEnc
		}
		options = append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(s.user), gomail.WithPassword(string(s.password)))
	}
	var err error
	if w.client, err = gomail.NewClient(s.host, options...); err != nil {
		return nil, err
	}
	return w.client.DialToSMTPClientWithContext(w.ctx)
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	var err error
	if w.s.implicit {
		conn, err = (&tls.Dialer{Config: w.s.tls}).DialContext(ctx, network, address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	w.stop = context.AfterFunc(w.ctx, func() { _ = conn.Close() })
	return conn, nil
}

func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		w.stop()
		_ = w.conn.Close() // it may be closed already
	}
}
