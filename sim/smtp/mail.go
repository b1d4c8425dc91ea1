package smtp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	gosmtp "github.com/emersion/go-smtp"

	"responsehub/sim/wire"
)

// Mail is one mail as it lies in the mailboxes of its recipients.
type Mail struct {
	ID         string    `json:"id"` // "1" for the first
	At         time.Time `json:"at"`
	Sender     string    `json:"sender"`     // of the envelope
	Recipients []string  `json:"recipients"` // of the envelope
	TLS        bool      `json:"tls"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Subject    string    `json:"subject"` // decoded
	MessageID  string    `json:"message_id"`
	InReplyTo  string    `json:"in_reply_to,omitempty"`
	References []string  `json:"references,omitempty"`
	Thread     string    `json:"thread"`         // ID of the first mail of the thread
	Auto       string    `json:"auto,omitempty"` // Auto-Submitted
	Text       string    `json:"text"`
	HTML       string    `json:"html,omitempty"` // never to be shown as markup
	Parts      []string  `json:"parts"`          // content types of the leaves
	Size       int       `json:"size"`
	Raw        []byte    `json:"-"` // as it came; not kept over a restart
}

// Refused is a command that was answered by a refusal.
type Refused struct {
	At      time.Time `json:"at"`
	Command string    `json:"command"`
	About   string    `json:"about"` // address or user
	Code    int       `json:"code"`
	Answer  string    `json:"answer"`
}

// State is everything that the server took and refused, oldest first.
type State struct {
	Mails   []Mail    `json:"mails"`
	Refused []Refused `json:"refused"`
}

// To returns the mails in somebody's mailbox.
func (st State) To(address string) (out []Mail) {
	for _, m := range st.Mails {
		if slices.ContainsFunc(m.Recipients, func(r string) bool { return strings.EqualFold(r, address) }) {
			out = append(out, m)
		}
	}
	return out
}

// Page is State without what a page cannot show at once: the newest 60 of both, without markup.
func (st State) Page() State {
	st.Mails = slices.Clone(st.Mails[max(0, len(st.Mails)-60):])
	for i := range st.Mails {
		st.Mails[i].HTML = ""
		if r := []rune(st.Mails[i].Text); len(r) > 4000 {
			st.Mails[i].Text = string(r[:4000]) + " …"
		}
	}
	st.Refused = st.Refused[max(0, len(st.Refused)-60):]
	return st
}

// Snapshot copies the state.
func (s *Server) Snapshot() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return State{Mails: append([]Mail{}, s.mails...), Refused: append([]Refused{}, s.refusals...)}
}

// deliver puts a mail into the mailboxes and into its thread.
func (s *Server) deliver(m Mail) {
	s.mu.Lock()
	m.ID = strconv.Itoa(len(s.mails) + 1)
	m.Thread = m.ID
	for _, parent := range append(slices.Clone(m.References), m.InReplyTo) {
		for _, known := range s.mails {
			if parent != "" && known.MessageID == parent {
				m.Thread = known.Thread
			}
		}
	}
	s.mails = append(s.mails, m)
	s.mu.Unlock()
	for _, to := range m.Recipients {
		s.cfg.Log.Effect(wire.Effect{Vendor: "smtp", Kind: "mail", Target: to, Detail: m.MessageID})
	}
}

// read takes a mail apart. The answer says why a server would not take it.
func read(raw []byte) (Mail, *gosmtp.SMTPError) {
	bad := func(enhanced gosmtp.EnhancedCode, format string, args ...any) (Mail, *gosmtp.SMTPError) {
		return Mail{}, answer(550, enhanced, fmt.Sprintf(format, args...))
	}
	whole := bytes.ReplaceAll(raw, []byte("\r\n"), nil)
	if bytes.ContainsAny(whole, "\r\n") {
		return bad(gosmtp.EnhancedCode{5, 6, 11}, "The mail has bare line feeds or carriage returns")
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 {
			return bad(gosmtp.EnhancedCode{5, 6, 0}, "A line is longer than 998 characters")
		}
	}
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	if bytes.ContainsFunc(head, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return bad(gosmtp.EnhancedCode{5, 6, 7}, "A header is not ASCII")
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return bad(gosmtp.EnhancedCode{5, 6, 0}, "The mail cannot be parsed")
	}
	for _, name := range []string{"From", "To", "Date", "Message-Id", "Subject"} {
		if n := len(msg.Header[name]); n != 1 && (n > 1 || (name != "Subject" && name != "To")) {
			return bad(gosmtp.EnhancedCode{5, 7, 1}, "The mail has %d headers %s; RFC 5322 wants one", n, name)
		}
	}
	if _, err := msg.Header.Date(); err != nil {
		return bad(gosmtp.EnhancedCode{5, 6, 0}, "Date cannot be parsed")
	}
	from, err := msg.Header.AddressList("From")
	if err != nil || len(from) != 1 {
		return bad(gosmtp.EnhancedCode{5, 6, 0}, "From is not one address")
	}
	if msg.Header.Get("To") != "" {
		if _, err := msg.Header.AddressList("To"); err != nil && !strings.HasSuffix(strings.TrimSpace(msg.Header.Get("To")), ":;") {
			return bad(gosmtp.EnhancedCode{5, 6, 0}, "To cannot be parsed")
		}
	}
	decode := new(mime.WordDecoder)
	subject, err := decode.DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return bad(gosmtp.EnhancedCode{5, 6, 0}, "Subject cannot be decoded")
	}
	m := Mail{
		From: from[0].String(), To: msg.Header.Get("To"), Subject: subject, MessageID: strings.TrimSpace(msg.Header.Get("Message-Id")),
		InReplyTo: strings.TrimSpace(msg.Header.Get("In-Reply-To")),
		Auto:      msg.Header.Get("Auto-Submitted"), Size: len(raw), Raw: raw, Parts: []string{},
	}
	if refs := msg.Header.Get("References"); refs != "" {
		m.References = strings.Fields(refs)
	}
	if !strings.HasPrefix(m.MessageID, "<") || !strings.HasSuffix(m.MessageID, ">") || !strings.Contains(m.MessageID, "@") {
		return bad(gosmtp.EnhancedCode{5, 6, 0}, "Message-ID is none")
	}
	if err := m.part(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body, 0); err != nil {
		return bad(gosmtp.EnhancedCode{5, 6, 0}, "The body cannot be read: %v", err)
	}
	return m, nil
}

// part reads one part of the body and those in it.
func (m *Mail) part(kind, encoding string, body io.Reader, depth int) error {
	if kind == "" {
		kind = "text/plain; charset=us-ascii"
	}
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return fmt.Errorf("content type: %w", err)
	}
	if strings.HasPrefix(media, "multipart/") {
		if depth > 5 {
			return fmt.Errorf("parts in parts in parts")
		}
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1); err != nil {
				return err
			}
		}
	}
	m.Parts = append(m.Parts, media)
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "", "7bit", "8bit":
	default:
		return fmt.Errorf("transfer encoding %q", encoding)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	switch {
	case !strings.HasPrefix(media, "text/"):
	case !utf8.ValidString(text):
		return fmt.Errorf("a text is not UTF-8")
	case media == "text/plain" && m.Text == "":
		m.Text = text
	case media == "text/html" && m.HTML == "":
		m.HTML = text
	}
	return nil
}

// Save encodes mails and refusals, for Restore.
func (s *Server) Save() (json.RawMessage, error) {
	raw, err := json.Marshal(s.Snapshot())
	if err != nil {
		return nil, fmt.Errorf("sim/smtp: save: %w", err)
	}
	return raw, nil
}

// Restore is New with the state that Save encoded; nothing encoded is a new one.
func Restore(cfg Config, raw json.RawMessage) (*Server, error) {
	var in State
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fmt.Errorf("sim/smtp: restore: %w", err)
		}
	}
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	s.mails, s.refusals = in.Mails, in.Refused
	return s, nil
}
