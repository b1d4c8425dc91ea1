package email

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// box is a mail server that keeps what it gets and refuses what it is told to.
type box struct {
	mu     sync.Mutex
	mails  []string // as they came
	rcpts  []string
	auth   bool // asks for a password
	rcpt   error
	from   error
	data   error
	hang   chan struct{} // DATA waits for it
	drop   bool          // DATA is read and the connection breaks
	signed int           // logins
}

type talk struct {
	box  *box
	conn *smtp.Conn
	in   bool
}

func (b *box) NewSession(c *smtp.Conn) (smtp.Session, error) { return &talk{box: b, conn: c}, nil }

func (t *talk) AuthMechanisms() []string {
	if t.box.auth {
		return []string{sasl.Plain}
	}
	return nil
}

func (t *talk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "hub@example.com" || password != "p@ss word" {
			return smtp.ErrAuthFailed
		}
		t.box.mu.Lock()
		defer t.box.mu.Unlock()
		t.in = true
		t.box.signed++
		return nil
	}), nil
}

func (t *talk) Mail(string, *smtp.MailOptions) error {
	if t.box.auth && !t.in {
		return smtp.ErrAuthRequired
	}
	return t.box.from
}

func (t *talk) Rcpt(to string, _ *smtp.RcptOptions) error {
	t.box.mu.Lock()
	defer t.box.mu.Unlock()
	t.box.rcpts = append(t.box.rcpts, to)
	return t.box.rcpt
}

func (t *talk) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if t.box.hang != nil {
		<-t.box.hang
	}
	if t.box.drop {
		_ = t.conn.Conn().Close()
		return errors.New("gone")
	}
	if t.box.data != nil {
		return t.box.data
	}
	t.box.mu.Lock()
	defer t.box.mu.Unlock()
	t.box.mails = append(t.box.mails, string(b))
	return nil
}

func (*talk) Reset()        {}
func (*talk) Logout() error { return nil }

func refusal(code int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: words}
}

// serve starts the server: "plain", "starttls" or "tls". With TLS its name is
// mail.example.com at a loopback address, which it returns with the file of its authority.
func serve(t *testing.T, b *box, how string) (addr, ca string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(b)
	srv.Domain, srv.ReadTimeout, srv.WriteTimeout = "mail.example.com", 10*time.Second, 10*time.Second
	srv.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.AllowInsecureAuth = how == "plain"
	if how != "plain" {
		srv.TLSConfig, ca = certificate(t)
	}
	if how == "tls" {
		l = tls.NewListener(l, srv.TLSConfig)
		srv.TLSConfig = nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends with Close
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return l.Addr().String(), ca
}

func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"mail.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, file
}
