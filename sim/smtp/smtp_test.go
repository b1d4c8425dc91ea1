package smtp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"responsehub/sim/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sender = "hub@desk.example"

// serve starts a server; both addresses, and what its certificate is to be checked with.
func serve(t *testing.T, raw []byte) (s *Server, log *wire.Log, plain, secure string, trust *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(der)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	log = wire.NewLog()
	s, err = Restore(Config{
		Username: "hub", Password: "secret", Sender: sender, MaxBytes: 64 << 10, Log: log,
		TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
	}, raw)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	var addresses [2]string
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addresses[i] = l.Addr().String()
		serving.Go(func() {
			if err := s.Serve(l, i == 1); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { s.Stop(); serving.Wait() })
	return s, log, addresses[0], addresses[1], &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

// enter opens a session that has signed in.
func enter(t *testing.T, address string, trust *tls.Config) *gosmtp.Client {
	t.Helper()
	c, err := gosmtp.DialStartTLS(address, trust)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Auth(sasl.NewPlainClient("", "hub", "secret")); err != nil {
		t.Fatal(err)
	}
	return c
}

func letter(change func(string) string) string {
	m := "From: ResponseHub <hub@desk.example>\r\nTo: Ann <ann@desk.example>\r\nSubject: =?utf-8?q?RH-7K2M_M=C3=BCller?=\r\n" +
		"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@desk.example>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: quoted-printable\r\n\r\nM=C3=BCller is locked.\r\n.\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+\r\n--b--\r\n"
	if change != nil {
		m = change(m)
	}
	return m
}

func TestAMailArrives(t *testing.T) {
	s, log, plain, secure, trust := serve(t, nil)
	c := enter(t, plain, trust)
	if err := c.SendMail(sender, []string{"ann@desk.example", "soc@contoso.example"}, strings.NewReader(letter(nil))); err != nil {
		t.Fatal(err)
	}
	c2, err := gosmtp.DialTLS(secure, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer c2.Close()
	if err := c2.Auth(sasl.NewLoginClient("hub", "secret")); err != nil {
		t.Fatal(err)
	}
	update := letter(func(m string) string {
		return strings.Replace(m, "Message-ID: <1@desk.example>", "Message-ID: <2@desk.example>\r\nIn-Reply-To: <1@desk.example>\r\nReferences: <1@desk.example>", 1)
	})
	if err := c2.SendMail(sender, []string{"ann@desk.example"}, strings.NewReader(update)); err != nil {
		t.Fatal(err)
	}
	st := s.Snapshot()
	if len(st.To("ANN@desk.example")) != 2 || len(st.To("soc@contoso.example")) != 1 || len(st.Refused) != 0 || len(log.Effects()) != 3 {
		t.Fatalf("state %+v", st)
	}
	got := st.Mails[0]
	want := Mail{
		ID: "1", Sender: sender, Recipients: []string{"ann@desk.example", "soc@contoso.example"}, TLS: true, From: `"ResponseHub" <hub@desk.example>`,
		To: "Ann <ann@desk.example>", Subject: "RH-7K2M Müller", MessageID: "<1@desk.example>", Thread: "1", Auto: "auto-generated",
		Text: "Müller is locked.\n.", HTML: "<b>hi</b>", Parts: []string{"text/plain", "text/html"}, Size: len(letter(nil)), Raw: []byte(letter(nil)),
	}
	got.At = want.At
	if diff := cmp.Diff(want, got); diff != "" || st.Mails[1].Thread != "1" {
		t.Errorf("the mail differs (thread %s):\n%s", st.Mails[1].Thread, diff)
	}
	raw, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	again, _, _, _, _ := serve(t, raw)
	raw2, _ := again.Save()
	if diff := cmp.Diff(string(raw), string(raw2)); diff != "" {
		t.Errorf("restored:\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 999)
	for _, c := range []struct {
		name, from, to string
		change         func(string) string
		code           int
	}{
		{"fine", sender, "ann@desk.example", nil, 0},
		{"foreign sender", "ann@desk.example", "ann@desk.example", nil, 550},
		{"unknown user", sender, "nobody.here@desk.example", nil, 550},
		{"full mailbox", sender, "full@desk.example", nil, 452},
		{"no address", sender, "ann@desk", nil, 553},
		{"too large", sender, "ann@desk.example", func(m string) string { return m + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1000) }, 552},
		{"long line", sender, "ann@desk.example", func(m string) string { return m + long + "\r\n" }, 550},
		{"no From", sender, "ann@desk.example", func(m string) string { return strings.Replace(m, "From:", "X-From:", 1) }, 550},
		{"two From", sender, "ann@desk.example", func(m string) string { return "From: a@b.example\r\n" + m }, 550},
		{"no Date", sender, "ann@desk.example", func(m string) string { return strings.Replace(m, "Date:", "X-Date:", 1) }, 550},
		{"Date that is none", sender, "ann@desk.example", func(m string) string { return strings.Replace(m, "Mon, 23 Nov", "soon", 1) }, 550},
		{"no Message-ID", sender, "ann@desk.example", func(m string) string { return strings.Replace(m, "Message-ID:", "X-ID:", 1) }, 550},
		{"Message-ID that is none", sender, "ann@desk.example", func(m string) string { return strings.Replace(m, "<1@desk.example>", "1", 1) }, 550},
		{"8-bit header", sender, "ann@desk.example", func(m string) string { return "X-Note: é\r\n" + m }, 550},
		{"broken parts", sender, "ann@desk.example", func(m string) string { return strings.Replace(m, "--b--", "", 1) }, 550},
		{"unknown encoding", sender, "ann@desk.example", func(m string) string { return strings.Replace(m, "base64", "rot13", 1) }, 550},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, plain, _, trust := serve(t, nil)
			err := enter(t, plain, trust).SendMail(c.from, []string{c.to}, strings.NewReader(letter(c.change)))
			if code := codeOf(t, err); code != c.code {
				t.Errorf("answered %v, want %d", err, c.code)
			}
			if st := s.Snapshot(); (len(st.Mails) == 0) != (c.code != 0) || (len(st.Refused) > 0) != (c.code != 0) || (c.code != 0 && st.Refused[0].Code != c.code) {
				t.Errorf("state %+v", st)
			}
		})
	}
}

func codeOf(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	e, ok := errors.AsType[*gosmtp.SMTPError](err)
	if !ok {
		t.Fatalf("no answer: %v", err)
	}
	return e.Code
}

func TestBareLineFeeds(t *testing.T) {
	if _, bad := read([]byte(letter(func(m string) string { return strings.Replace(m, "locked.\r\n", "locked.\n", 1) }))); bad == nil || bad.Code != 550 {
		t.Errorf("a bare line feed: %v", bad)
	}
}

func TestTheDoor(t *testing.T) {
	s, _, plain, _, trust := serve(t, nil)
	c, err := gosmtp.Dial(plain)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ok, _ := c.Extension("AUTH"); ok {
		t.Error("passwords may be sent in clear")
	}
	if ok, _ := c.Extension("STARTTLS"); !ok {
		t.Error("no STARTTLS")
	}
	if err := c.Mail(sender, nil); codeOf(t, err) != 530 {
		t.Errorf("without a name: %v", err)
	}
	c2, err := gosmtp.DialStartTLS(plain, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer c2.Close()
	if err := c2.Auth(sasl.NewPlainClient("", "hub", "wrong")); codeOf(t, err) != 535 {
		t.Errorf("wrong password: %v", err)
	}
	for _, r := range s.Snapshot().Refused {
		if strings.Contains(r.Answer+r.About, "wrong") {
			t.Errorf("the password is shown: %+v", r)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault wire.Fault
		mails int
		code  int // 0 for a lost connection
	}{
		{"greylisted", wire.Fault{Vendor: "smtp", Method: "RCPT", Match: "ann@", Status: 451, Answer: "Try again later"}, 0, 451},
		{"closing", wire.Fault{Vendor: "smtp", Method: "MAIL", Status: 421, Answer: "Service not available"}, 0, 421},
		{"refused mail", wire.Fault{Vendor: "smtp", Method: "DATA", Status: 554, Answer: "Spam"}, 0, 554},
		{"lost before", wire.Fault{Vendor: "smtp", Method: "DATA", Drop: true}, 0, 0},
		{"taken, answer lost", wire.Fault{Vendor: "smtp", Method: "DATA", Body: "RH-7K2M", After: true, Drop: true}, 1, 0},
		{"taken, then slow", wire.Fault{Vendor: "smtp", Method: "DATA", After: true, DelayMS: 5}, 1, 250},
		{"slow", wire.Fault{Vendor: "smtp", Method: "RCPT", DelayMS: 5}, 1, 250},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, log, plain, _, trust := serve(t, nil)
			log.AddFault(c.fault)
			err := enter(t, plain, trust).SendMail(sender, []string{"ann@desk.example"}, strings.NewReader(letter(nil)))
			switch {
			case c.code == 250 && err != nil, c.code == 0 && err == nil:
				t.Errorf("answered %v", err)
			case c.code > 250 && codeOf(t, err) != c.code:
				t.Errorf("answered %v, want %d", err, c.code)
			}
			if n := len(s.Snapshot().Mails); n != c.mails {
				t.Errorf("%d mails, want %d", n, c.mails)
			}
		})
	}
}

func TestNewWantsAll(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a server without anything")
	}
	if _, err := Restore(Config{}, []byte("{")); err == nil {
		t.Error("a broken state")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(letter(nil)))
	f.Add([]byte("From: a@b.example\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@b>\r\n\r\nx"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, bad := read(raw)
		if (bad == nil) != (m.MessageID != "") || (bad != nil && bad.Code != 550) {
			t.Errorf("%+v %v", m, bad)
		}
	})
}
