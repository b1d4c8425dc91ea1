package smtp

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"responsehub/sim/wire"
)

// Config is what a Server needs to know.
type Config struct {
	Domain   string      // own name, in the greeting; "" = mail.desk.example
	Username string      // of the only account; required
	Password string      // required
	Sender   string      // address that the account may send as; required
	TLS      *tls.Config // for STARTTLS and for Serve with secure; required
	MaxBytes int64       // largest mail; 0 = 10 MiB
	Taken    func()      // called when a mail lies in its mailboxes, before the answer; nil for nothing
	Log      *wire.Log   // ledger of effects and of the unexpected, scripted faults; nil makes its own
}

// Server is the mail server. It is safe for concurrent use.
type Server struct {
	cfg    Config
	server *gosmtp.Server
	ctx    context.Context
	cancel context.CancelFunc

	serving sync.WaitGroup

	mu       sync.Mutex
	mails    []Mail
	refusals []Refused
}

// New makes a Server. Stop must be called.
func New(cfg Config) (*Server, error) {
	if cfg.Username == "" || cfg.Password == "" || cfg.Sender == "" || cfg.TLS == nil {
		return nil, errors.New("sim/smtp: Config.Username, Password, Sender or TLS is empty")
	}
	cfg.Domain, cfg.MaxBytes = cmp.Or(cfg.Domain, "mail.desk.example"), cmp.Or(cfg.MaxBytes, 10<<20)
	if cfg.Log == nil {
		cfg.Log = wire.NewLog()
	}
	s := &Server{cfg: cfg}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.server = gosmtp.NewServer(gosmtp.BackendFunc(func(c *gosmtp.Conn) (gosmtp.Session, error) {
		return &session{s: s, conn: c}, nil
	}))
	s.server.Domain, s.server.TLSConfig, s.server.MaxMessageBytes = cfg.Domain, cfg.TLS, cfg.MaxBytes
	s.server.MaxRecipients, s.server.ReadTimeout, s.server.WriteTimeout = 100, time.Minute, time.Minute
	s.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	return s, nil
}

// Serve answers on a listener until Stop: with STARTTLS, or secure with TLS from the first byte.
func (s *Server) Serve(l net.Listener, secure bool) error {
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return l.Close()
	}
	s.serving.Add(1)
	s.mu.Unlock()
	defer s.serving.Done()
	stop := context.AfterFunc(s.ctx, func() { _ = l.Close() }) // Serve then returns
	defer stop()
	var accepts net.Listener = ending{l, s.ctx}
	if secure {
		accepts = tls.NewListener(accepts, s.cfg.TLS)
	}
	if err := s.server.Serve(accepts); err != nil && s.ctx.Err() == nil {
		return fmt.Errorf("sim/smtp: %w", err)
	}
	return nil
}

// ending closes what it accepted when ctx ends.
type ending struct {
	net.Listener
	ctx context.Context
}

// Accept is that of the listener.
func (e ending) Accept() (net.Conn, error) {
	c, err := e.Listener.Accept()
	if err == nil {
		context.AfterFunc(e.ctx, func() { _ = c.Close() })
	}
	return c, err
}

// Stop ends listeners and connections and waits for them. It may be called more than once.
func (s *Server) Stop() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.serving.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.server.Shutdown(ctx) // every connection is closed: it only waits
}

// session is one connection.
type session struct {
	s      *Server
	conn   *gosmtp.Conn
	known  bool // has signed in
	from   string
	to     []string
	secure bool
}

// answer is a refusal as a server words it.
func answer(code int, enhanced gosmtp.EnhancedCode, message string) *gosmtp.SMTPError {
	return &gosmtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: message}
}

// refuse notes a refusal and is its answer.
func (x *session) refuse(command, about string, e *gosmtp.SMTPError) error {
	x.s.mu.Lock()
	x.s.refusals = append(x.s.refusals, Refused{At: time.Now().UTC(), Command: command, About: about, Code: e.Code, Answer: e.Message})
	x.s.mu.Unlock()
	if e.Code == 421 { // the connection is closed behind it
		nc := x.conn.Conn()
		_, _ = fmt.Fprintf(nc, "421 %d.%d.%d %s\r\n", e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2], e.Message)
		_ = nc.Close()
	}
	return e
}

// fault applies a scripted one; nil lets the command through.
func (x *session) fault(command, about, body string, after func()) error {
	f, ok := x.s.cfg.Log.Pick("smtp", command, about, body)
	if !ok {
		return nil
	}
	if f.After && after != nil {
		after()
	}
	if f.DelayMS > 0 {
		t := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
		case <-x.s.ctx.Done():
		}
	}
	switch {
	case f.Drop:
		_ = x.conn.Conn().Close()
		return x.refuse(command, about, answer(451, gosmtp.EnhancedCode{4, 3, 0}, "connection lost"))
	case f.Status != 0:
		class := f.Status / 100
		return x.refuse(command, about, answer(f.Status, gosmtp.EnhancedCode{class, 3, 0}, cmp.Or(f.Answer, "scripted")))
	case f.After:
		return errTaken
	}
	return nil
}

// errTaken is no error: the mail was taken before the wait.
var errTaken = errors.New("taken")

// AuthMechanisms says how one signs in.
func (x *session) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

// Auth signs in.
func (x *session) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if err := x.fault("AUTH", user, "", nil); err != nil {
			return err
		}
		right := subtle.ConstantTimeCompare([]byte(user+"\x00"+password), []byte(x.s.cfg.Username+"\x00"+x.s.cfg.Password)) == 1
		if !right {
			return x.refuse("AUTH", user, answer(535, gosmtp.EnhancedCode{5, 7, 8}, "Authentication credentials invalid"))
		}
		x.known = true
		return nil
	}
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case sasl.Login:
		return &login{check: check}, nil
	}
	return nil, gosmtp.ErrAuthUnknownMechanism
}

// login is the old mechanism LOGIN, which many clients still prefer.
type login struct {
	check func(user, password string) error
	asked int
	user  string
}

// Next takes the name, then the password.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	if l.asked == 0 && response == nil {
		l.asked = 1
		return []byte("Username:"), false, nil
	}
	if l.asked < 2 {
		l.asked, l.user = 2, string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

// Mail begins a mail.
func (x *session) Mail(from string, _ *gosmtp.MailOptions) error {
	if !x.known {
		return x.refuse("MAIL", from, answer(530, gosmtp.EnhancedCode{5, 7, 0}, "Authentication required"))
	}
	if err := x.fault("MAIL", from, "", nil); err != nil {
		return err
	}
	if !strings.EqualFold(from, x.s.cfg.Sender) {
		return x.refuse("MAIL", from, answer(550, gosmtp.EnhancedCode{5, 7, 60}, "Client does not have permissions to send as this sender"))
	}
	_, x.secure = x.conn.TLSConnectionState()
	x.from, x.to = from, nil
	return nil
}

// Rcpt adds a recipient.
func (x *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	if err := x.fault("RCPT", to, "", nil); err != nil {
		return err
	}
	local, domain, ok := strings.Cut(strings.ToLower(to), "@")
	switch {
	case !ok || local == "" || !strings.Contains(domain, "."):
		return x.refuse("RCPT", to, answer(553, gosmtp.EnhancedCode{5, 1, 3}, "The recipient address is not a valid address"))
	case strings.HasPrefix(local, "nobody"):
		return x.refuse("RCPT", to, answer(550, gosmtp.EnhancedCode{5, 1, 1}, "User unknown"))
	case strings.HasPrefix(local, "full"):
		return x.refuse("RCPT", to, answer(452, gosmtp.EnhancedCode{4, 2, 2}, "The recipient's mailbox is full"))
	}
	x.to = append(x.to, to)
	return nil
}

// Data takes the mail.
func (x *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		if errors.Is(err, gosmtp.ErrDataTooLarge) {
			return x.refuse("DATA", x.from, gosmtp.ErrDataTooLarge)
		}
		return err
	}
	m, wrong := read(raw)
	if wrong != nil {
		x.s.cfg.Log.Unexpected("smtp", wrong.Message)
		return x.refuse("DATA", x.from, wrong)
	}
	m.At, m.Sender, m.Recipients, m.TLS = time.Now().UTC(), x.from, x.to, x.secure
	take := func() {
		x.s.deliver(m)
		if x.s.cfg.Taken != nil {
			x.s.cfg.Taken()
		}
	}
	err = x.fault("DATA", x.from, string(raw), take)
	if errors.Is(err, errTaken) {
		return nil
	}
	if err == nil {
		take()
	}
	return err
}

// Reset forgets a mail that was begun.
func (x *session) Reset() { x.from, x.to = "", nil }

// Logout ends the session.
func (x *session) Logout() error { return nil }
