package email

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"responsehub"
	letters "responsehub/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSender(t *testing.T, cfg Config) *Sender {
	t.Helper()
	if cfg.From == "" {
		cfg.From = "responsehub <alarm@msp.example>"
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var letter = letters.Letter{
	To: "soc@example.com", Subject: "[RH-7K2M] Contoso: takeover", MessageID: "a.1@msp.example", References: []string{"a.0@msp.example"},
	ListID: "incidents.responsehub.msp.example", Urgent: true, Text: "hello\n.\n.dot\n", HTML: "<p>hello</p>",
}

// TestWays: each way to a server, with TLS before anything is said that matters.
func TestWays(t *testing.T) {
	for _, c := range []struct {
		name, how, scheme, user string
		trusted                 bool
		loopback                bool // the real rule for loopback addresses
		kind                    responsehub.Kind
		words                   string
	}{
		{"loopback, plain", "plain", "smtp", "", false, true, "", ""},
		{"loopback, plain, with a password", "plain", "smtp", "hub%40example.com:p%40ss%20word@", false, true, "", ""},
		{"loopback, STARTTLS for a password", "starttls", "smtp", "hub%40example.com:p%40ss%20word@", true, true, "", ""},
		{"loopback, no password, an untrusted certificate", "starttls", "smtp", "", false, true, "", ""},
		{"STARTTLS", "starttls", "smtp", "", true, false, "", ""},
		{"STARTTLS with a password", "starttls", "smtp", "hub%40example.com:p%40ss%20word@", true, false, "", ""},
		{"TLS from the start", "tls", "smtps", "", true, false, "", ""},
		{"TLS from the start with a password", "tls", "smtps", "hub%40example.com:p%40ss%20word@", true, false, "", ""},
		{"no STARTTLS offered", "plain", "smtp", "", false, false, responsehub.Unavailable, "offers no TLS"},
		{"STARTTLS, not trusted", "starttls", "smtp", "", false, false, responsehub.Unavailable, "not trusted"},
		{"TLS, not trusted", "tls", "smtps", "", false, false, responsehub.Unavailable, "not trusted"},
		{"TLS where there is none", "plain", "smtps", "", false, false, responsehub.Unavailable, "does not speak TLS"},
		{"a wrong password", "starttls", "smtp", "hub%40example.com:wrongsecret@", true, false, responsehub.Unavailable, "user and password"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &box{auth: c.user != ""}
			addr, ca := serve(t, b, c.how)
			cfg := Config{SMTP: responsehub.Secret(fmt.Sprintf("%s://%s%s", c.scheme, c.user, addr))}
			if c.trusted {
				cfg.CAFile = ca
			}
			s := newSender(t, cfg)
			s.plain = s.plain && c.loopback // the others stand for servers elsewhere
			err := s.Send(t.Context(), letter)
			if c.kind == "" {
				if err != nil || len(b.mails) != 1 || c.user != "" && b.signed != 1 {
					t.Fatalf("%v, %d mails, %d logins", err, len(b.mails), b.signed)
				}
				if err := s.Login(t.Context()); err != nil || len(b.mails) != 1 {
					t.Errorf("login: %v, %d mails", err, len(b.mails))
				}
				return
			}
			if responsehub.KindOf(err) != c.kind || !strings.Contains(responsehub.Sentence(err), c.words) || len(b.mails) != 0 {
				t.Errorf("got %v (%s), %d mails", err, responsehub.KindOf(err), len(b.mails))
			}
			if strings.Contains(err.Error(), "wrongsecret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestMail(t *testing.T) {
	b := &box{}
	addr, _ := serve(t, b, "plain")
	if err := newSender(t, Config{SMTP: responsehub.Secret("smtp://" + addr)}).Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(b.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": `"responsehub" <alarm@msp.example>`, "To": "<soc@example.com>", "Subject": "[RH-7K2M] Contoso: takeover", "Message-Id": "<a.1@msp.example>",
		"In-Reply-To": "<a.0@msp.example>", "References": "<a.0@msp.example>", "List-Id": "<incidents.responsehub.msp.example>",
		"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Importance": "high", "User-Agent": "", "X-Mailer": "",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	parts := bodies(t, m)
	if parts["text/plain"] != "hello\r\n.\r\n.dot\r\n" && parts["text/plain"] != "hello\n.\n.dot\n" || parts["text/html"] != "<p>hello</p>" {
		t.Errorf("the parts are %q", parts)
	}
}

func bodies(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	out := map[string]string{}
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return out
		}
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		out[kind] = string(b)
	}
}

// TestHostileWords: what an attacker writes into an alert makes no header, no long line
// and no other recipient.
func TestHostileWords(t *testing.T) {
	b := &box{}
	addr, _ := serve(t, b, "plain")
	s := newSender(t, Config{SMTP: responsehub.Secret("smtp://" + addr)})
	evil := letter
	evil.Subject = "x\r\nBcc: evil@example.com\r\n\r\nbody 日本語 " + strings.Repeat("ü", 300)
	evil.ListID = "a\r\nX-Evil: 1"
	evil.MessageID = "a\r\nX-Evil: 1@b"
	evil.References = []string{"r\r\nX-Evil: 1"}
	evil.Text = strings.Repeat("long ", 20<<10) + "\r\n.\r\nMAIL FROM:<evil@example.com>\r\n"
	evil.HTML = strings.Repeat("a", 64<<10)
	if err := s.Send(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(b.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Bcc") != "" || m.Header.Get("X-Evil") != "" || len(b.rcpts) != 1 || len(b.mails) != 1 {
		t.Errorf("headers %v, recipients %q, %d mails", m.Header, b.rcpts, len(b.mails))
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.Contains(subject, "日本語") || !strings.Contains(subject, "üüü") {
		t.Errorf("the subject is %.80q, %v", subject, err)
	}
	for line := range strings.SplitSeq(b.mails[0], "\r\n") {
		if len(line) > 998 {
			t.Fatalf("a line has %d bytes, more than a server has to take", len(line))
		}
	}
	if got := bodies(t, m); len(got["text/html"]) != 64<<10 || !strings.Contains(got["text/plain"], "MAIL FROM") {
		t.Errorf("parts of %d and %d bytes", len(got["text/html"]), len(got["text/plain"]))
	}
	for _, to := range []string{"", "nobody", "a@b.example\r\nRCPT TO:<evil@example.com>", "a@b.example, c@d.example", "<a@b.example"} {
		evil.To = to
		if err := s.Send(t.Context(), evil); responsehub.KindOf(err) != responsehub.Permanent {
			t.Errorf("to %q: %v, want it refused for good", to, err)
		}
	}
}

// TestRefusals: what a server's word means for whoever asked.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		box   *box
		kind  responsehub.Kind
		words string
	}{
		{"unknown recipient", &box{rcpt: refusal(550, "User unknown")}, responsehub.Permanent, "refuses the address (550 5.1.1 User unknown)"},
		{"grey list", &box{rcpt: refusal(451, "Try again")}, responsehub.Unavailable, "later (451 4.1.1 Try again)"},
		{"sender", &box{from: refusal(553, "Not yours")}, responsehub.Permanent, "mail.from (553"},
		{"sender, later", &box{from: refusal(421, "Busy")}, responsehub.Unavailable, "later (421"},
		{"content", &box{data: refusal(554, "Spam")}, responsehub.Permanent, "refuses the mail (554"},
		{"content, later", &box{data: refusal(452, "Full")}, responsehub.Unavailable, "later (452"},
		{"broken at the end", &box{drop: true}, responsehub.UnknownOutcome, "may or may not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, _ := serve(t, c.box, "plain")
			err := newSender(t, Config{SMTP: responsehub.Secret("smtp://" + addr)}).Send(t.Context(), letter)
			if responsehub.KindOf(err) != c.kind || !strings.Contains(responsehub.Sentence(err), c.words) {
				t.Errorf("got %v (%s), want %s, %q", err, responsehub.KindOf(err), c.kind, c.words)
			}
		})
	}
	if err := newSender(t, Config{SMTP: "smtp://127.0.0.1:1"}).Send(t.Context(), letter); responsehub.KindOf(err) != responsehub.Unavailable {
		t.Errorf("a server that is away: %v", err)
	}
}

// TestContext: a mail ends with its context, though the server says nothing.
func TestContext(t *testing.T) {
	b := &box{hang: make(chan struct{})}
	addr, _ := serve(t, b, "plain")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := newSender(t, Config{SMTP: responsehub.Secret("smtp://" + addr)}).Send(ctx, letter)
	close(b.hang)
	if responsehub.KindOf(err) != responsehub.UnknownOutcome || time.Since(begin) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
}

func TestNew(t *testing.T) {
	for _, cfg := range []Config{
		{SMTP: "https://mail.example.com", From: "a@b.example"}, {SMTP: "smtp://", From: "a@b.example"}, {SMTP: "smtp://u:secretpw%zz@h", From: "a@b.example"},
		{SMTP: "smtp://h", From: "nobody"}, {SMTP: "smtp://h:99999", From: "a@b.example"}, {SMTP: "smtp://h", From: "a@b.example", CAFile: "/does/not/exist"},
	} {
		if _, err := New(cfg); err == nil || strings.Contains(err.Error(), "secretpw") {
			t.Errorf("%s: %v", string(cfg.SMTP), err)
		}
	}
}

func TestCheck(t *testing.T) {
	b := &box{}
	addr, _ := serve(t, b, "plain")
	s := newSender(t, Config{SMTP: responsehub.Secret("smtp://" + addr)})
	grades := func(checks []responsehub.Check) (out []responsehub.Grade) {
		for _, c := range checks {
			out = append(out, c.Grade)
		}
		return out
	}
	if got := grades(s.Check(t.Context(), "")); fmt.Sprint(got) != "[ok]" || len(b.mails) != 0 {
		t.Errorf("%v, %d mails", got, len(b.mails))
	}
	if got := grades(s.Check(t.Context(), "ann@example.com")); fmt.Sprint(got) != "[ok ok]" || len(b.mails) != 1 {
		t.Errorf("%v, %d mails", got, len(b.mails))
	}
	b.rcpt = refusal(550, "no")
	if got := grades(s.Check(t.Context(), "ann@example.com")); fmt.Sprint(got) != "[ok missing]" {
		t.Errorf("%v", got)
	}
	if got := grades(newSender(t, Config{SMTP: "smtp://127.0.0.1:1"}).Check(t.Context(), "ann@example.com")); fmt.Sprint(got) != "[missing]" {
		t.Errorf("%v", got)
	}
}
