package twilio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"responsehub"
	"responsehub/oncall"
)

// board is a switchboard that notes what it is told.
type board struct {
	mu     sync.Mutex
	told   []string
	speech oncall.Speech
	after  *oncall.Speech // the answer to a key; nil: speech
	reply  string
	err    error
	slow   time.Duration
}

func (b *board) note(ctx context.Context, format string, args ...any) error {
	b.mu.Lock()
	b.told = append(b.told, fmt.Sprintf(format, args...))
	slow, err := b.slow, b.err
	b.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (b *board) Answered(ctx context.Context, attempt string) (oncall.Speech, error) {
	return b.speech, b.note(ctx, "answered %s", attempt)
}

func (b *board) Pressed(ctx context.Context, attempt, sid, digit string, try int) (oncall.Speech, error) {
	if b.after != nil && digit != "" {
		return *b.after, b.note(ctx, "pressed %s %.3s %q %d", attempt, sid, digit, try)
	}
	return b.speech, b.note(ctx, "pressed %s %.3s %q %d", attempt, sid, digit, try)
}

func (b *board) Reported(ctx context.Context, attempt string, p oncall.Progress) error {
	return b.note(ctx, "reported %s %.3s %s %d machine=%v code=%d %s", attempt, p.SID, p.State, p.Sequence, p.Machine, p.Code, p.Refusal)
}

func (b *board) Texted(ctx context.Context, t oncall.Incoming) (string, error) {
	return b.reply, b.note(ctx, "texted %.3s %s %q", t.SID, t.From, t.Body)
}

func (b *board) CalledIn(ctx context.Context, from string) (oncall.Speech, error) {
	return b.speech, b.note(ctx, "called in %s", from)
}

// memory is a Memory for one process.
type memory struct {
	mu   sync.Mutex
	kept map[string]string
	err  error
}

func (m *memory) Recall(_ context.Context, key string) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.kept[key]
	return s, ok, m.err
}

func (m *memory) Keep(_ context.Context, key, answer string, span time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[string]string{}
	}
	if _, there := m.kept[key]; !there && span >= 7*24*time.Hour {
		m.kept[key] = answer
	}
	return m.err
}

type door struct {
	t     *testing.T
	c     *Client
	board *board
	log   *bytes.Buffer
	h     http.Handler
}

func newDoor(t *testing.T) *door {
	t.Helper()
	cfg := testConfig("")
	cfg.Memory = &memory{}
	d := &door{t: t, board: &board{}, log: &bytes.Buffer{}}
	var err error
	if d.c, err = New(cfg, &http.Client{}, slog.New(slog.NewTextHandler(d.log, nil))); err != nil {
		t.Fatal(err)
	}
	d.h = d.c.Inbound(d.board)
	return d
}

// post sends a form as Twilio does, signed for the address.
func (d *door) post(path string, form url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if !form.Has("AccountSid") {
		form.Set("AccountSid", accountSID)
	}
	return d.raw(http.MethodPost, path, form.Encode(), sign(token, "https://hub.example.com"+path+plainValues(form)))
}

func (d *door) raw(method, path, body, signature string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if signature != "" {
		r.Header.Set("X-Twilio-Signature", signature)
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return w
}

// plainValues is the signed text of a form without repeated names.
func plainValues(form url.Values) string {
	var parts []string
	for k, v := range form {
		parts = append(parts, k+v[0])
	}
	slices.SortFunc(parts, func(a, b string) int { return strings.Compare(a, b) })
	return strings.Join(parts, "")
}

func (d *door) path(route string) string {
	return strings.TrimPrefix(d.c.address(route, "a1"), "https://hub.example.com")
}

var ask = oncall.Speech{Lines: []string{"Contoso has an incident."}, Language: "en-US", Ask: true, Goodbye: "Goodbye."}

func TestVoiceAndKeys(t *testing.T) {
	d := newDoor(t)
	d.board.speech = ask
	w := d.post(d.path("voice"), url.Values{"CallSid": {"CA1"}, "CallStatus": {"in-progress"}})
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/xml; charset=utf-8" || strings.Count(w.Body.String(), "Contoso has an incident.") != 2 {
		t.Fatalf("%d %s %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if !strings.Contains(w.Body.String(), d.path("gather")+"?n=1#") {
		t.Errorf("the key goes elsewhere: %s", w.Body)
	}
	d.board.speech = oncall.Speech{Lines: []string{"You have it."}, Goodbye: "Goodbye."}
	press := url.Values{"CallSid": {"CA1"}, "Digits": {"4"}}
	first := d.post(d.path("gather")+"?n=1", press)
	d.board.speech = oncall.Speech{Lines: []string{"something else"}}
	if again := d.post(d.path("gather")+"?n=1", press); again.Body.String() != first.Body.String() || !strings.Contains(again.Body.String(), "You have it.") {
		t.Errorf("the same request got another answer: %s", again.Body)
	}
	d.post(d.path("gather")+"?n=2", press)                                   // pressed again, at the next question
	d.post(d.path("gather")+"?n=2&Digits=4", url.Values{"CallSid": {"CA1"}}) // a digit in the address is none
	want := []string{`answered a1`, `pressed a1 CA1 "4" 0`, `pressed a1 CA1 "4" 0`, `pressed a1 CA1 "" 0`}
	if diff := cmp.Diff(want, d.board.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestRefused: what is not signed, or not meant for this hub, reaches nobody, and the log
// says nothing of what stood in it.
func TestRefused(t *testing.T) {
	d := newDoor(t)
	form := func(pairs ...string) url.Values {
		v := url.Values{"AccountSid": {accountSID}, "CallSid": {"CA1"}, "Digits": {"4"}, "From": {"+15005550009"}, "To": {ourNumber}, "Body": {"ack 4821"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	gather, sms := d.path("gather"), "/twilio/sms"
	right := func(path string, f url.Values) string {
		return sign(token, "https://hub.example.com"+path+plainValues(f))
	}
	foreign := form("AccountSid", "ACffffffffffffffffffffffffffffffff")
	stranger := form("To", "+15005550001")
	for _, c := range []struct {
		name, method, path string
		form               url.Values
		signature          string
		want               int
	}{
		{"unsigned", "POST", gather, form(), "", 403},
		{"signed with another token", "POST", gather, form(), sign("guess", "https://hub.example.com"+gather+plainValues(form())), 403},
		{"signed for another path", "POST", gather, form(), right(d.path("voice"), form()), 403},
		{"signed without the query", "POST", gather + "?try=1&digit=4", form(), right(gather, form()), 403},
		{"a changed digit", "POST", gather, form("Digits", "5"), right(gather, form()), 403},
		{"signed for another port", "POST", gather, form(), sign(token, "https://hub.example.com:8443"+gather+plainValues(form())), 403},
		{"signed for plain http", "POST", gather, form(), sign(token, "http://hub.example.com"+gather+plainValues(form())), 403},
		{"another account", "POST", gather, foreign, right(gather, foreign), 403},
		{"no account", "POST", gather, url.Values{}, right(gather, url.Values{}), 403},
		{"an attempt without a MAC", "POST", "/twilio/gather/a1", form(), right("/twilio/gather/a1", form()), 403},
		{"another attempt's MAC", "POST", "/twilio/gather/a2." + d.c.mac("a1"), form(), right("/twilio/gather/a2."+d.c.mac("a1"), form()), 403},
		{"a text to another number", "POST", sms, stranger, right(sms, stranger), 403},
		{"a call to another number", "POST", "/twilio/voice", stranger, right("/twilio/voice", stranger), 403},
		{"an attempt called incoming", "POST", "/twilio/voice/incoming", form(), right("/twilio/voice/incoming", form()), 403},
		{"a key on an incoming call", "POST", "/twilio/gather/incoming", form(), right("/twilio/gather/incoming", form()), 403},
		{"GET", "GET", gather, form(), right(gather, nil), 405},
		{"a slash at the end", "POST", sms + "/", form(), right(sms+"/", form()), 404},
		{"two slashes", "POST", "//twilio/sms", form(), right("//twilio/sms", form()), 404},
		{"no route", "POST", "/twilio/debug", form(), right("/twilio/debug", form()), 404},
		{"too much", "POST", sms, form("Body", strings.Repeat("x", 65<<10)), right(sms, form("Body", strings.Repeat("x", 65<<10))), 413},
	} {
		w := d.raw(c.method, c.path, c.form.Encode(), c.signature)
		if w.Code != c.want || w.Body.Len() != 0 {
			t.Errorf("%s: %d %q, want %d", c.name, w.Code, w.Body, c.want)
		}
	}
	if len(d.board.told) != 0 {
		t.Errorf("the switchboard was told %q", d.board.told)
	}
	for _, secret := range []string{"5005550009", "4821", token, d.c.mac("a1")} {
		if strings.Contains(d.log.String(), secret) {
			t.Errorf("the log tells %q:\n%s", secret, d.log)
		}
	}
	if n := testutil.ToFloat64(d.c.metrics.inbound.WithLabelValues("gather", "signature")); n != 6 {
		t.Errorf("%v wrong signatures at gather are counted, want 6", n)
	}
}

// TestForgedForwarding: headers that say another host or scheme change nothing.
func TestForgedForwarding(t *testing.T) {
	d := newDoor(t)
	form := url.Values{"AccountSid": {accountSID}, "From": {phone}, "To": {ourNumber}, "MessageSid": {"SM1"}, "Body": {"x"}}
	r := httptest.NewRequest(http.MethodPost, "/twilio/sms", strings.NewReader(form.Encode()))
	r.Host = "evil.example.com"
	r.Header.Set("X-Forwarded-Host", "evil.example.com")
	r.Header.Set("X-Forwarded-Proto", "http")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", sign(token, "http://evil.example.com/twilio/sms"+plainValues(form)))
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	if w.Code != 403 {
		t.Errorf("signed for a forged host: %d, want 403", w.Code)
	}
	r = r.Clone(t.Context())
	r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	r.Header.Set("X-Twilio-Signature", sign(token, "https://hub.example.com/twilio/sms"+plainValues(form)))
	w = httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	if w.Code != 204 {
		t.Errorf("signed for the configured host: %d, want 204", w.Code)
	}
}

func TestTexts(t *testing.T) {
	d := newDoor(t)
	d.board.reply = "RH-7K2M is yours."
	form := url.Values{"MessageSid": {"SM1"}, "From": {phone}, "To": {ourNumber}, "Body": {" ack 4821 "}}
	for range 2 {
		w := d.post("/twilio/sms", form)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "<Message>RH-7K2M is yours.</Message>") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	d.board.reply = ""
	form.Set("MessageSid", "SM2")
	for range 2 {
		if w := d.post("/twilio/sms", form); w.Code != 204 || w.Body.Len() != 0 {
			t.Errorf("no reply is %d %q, want 204", w.Code, w.Body)
		}
	}
	want := []string{`texted SM1 +15005550009 " ack 4821 "`, `texted SM2 +15005550009 " ack 4821 "`}
	if diff := cmp.Diff(want, d.board.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestServiceNumbers: a text to any number of our messaging service is ours.
func TestServiceNumbers(t *testing.T) {
	d := newDoor(t)
	d.c.cfg.MessagingServiceSID = "MGcccccccccccccccccccccccccccccccc"
	for service, want := range map[string]int{"MGcccccccccccccccccccccccccccccccc": 204, "MGdddddddddddddddddddddddddddddddd": 403, "": 403} {
		form := url.Values{"MessageSid": {"SM1"}, "From": {phone}, "To": {"+15005550001"}, "Body": {"x"}, "MessagingServiceSid": {service}}
		if w := d.post("/twilio/sms", form); w.Code != want {
			t.Errorf("service %q: %d, want %d", service, w.Code, want)
		}
	}
}

func TestReports(t *testing.T) {
	d := newDoor(t)
	post := func(pairs ...string) {
		t.Helper()
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		if w := d.post(d.path("status"), form); w.Code != 204 {
			t.Errorf("%v: %d, want 204", pairs, w.Code)
		}
	}
	for range 2 { // each one doubled: told once
		post("CallSid", "CA1", "CallStatus", "initiated", "SequenceNumber", "0")
		post("CallSid", "CA1", "CallStatus", "ringing", "SequenceNumber", "1")
		post("CallSid", "CA1", "CallStatus", "in-progress", "SequenceNumber", "2")
		post("CallSid", "CA1", "AnsweredBy", "human")
		post("CallSid", "CA1", "CallStatus", "completed", "SequenceNumber", "3", "CallDuration", "12")
		post("CallSid", "CA2", "AnsweredBy", "machine_start")
		post("CallSid", "CA2", "AnsweredBy", "unknown")
		post("CallSid", "CA3", "CallStatus", "failed", "SipResponseCode", "480")
		post("CallSid", "CA3", "CallStatus", "busy")
		post("CallSid", "CA4", "CallStatus", "failed", "ErrorCode", "13224")
		post("CallSid", "CA5", "CallStatus", "failed", "SipResponseCode", "404")
		post("CallSid", "CA6", "CallStatus", "tomorrow")
		post("MessageSid", "SM1", "MessageStatus", "sent")
		post("MessageSid", "SM1", "MessageStatus", "delivered")
		post("MessageSid", "SM2", "MessageStatus", "undelivered", "ErrorCode", "30007")
		post("MessageSid", "SM3", "MessageStatus", "failed", "ErrorCode", "30006")
		post("MessageSid", "SM4", "MessageStatus", "undelivered", "ErrorCode", "88888")
		post("MessageSid", "SM5", "MessageStatus", "scheduled")
		post("MessageSid", "SM6", "MessageStatus", "undelivered")
		post()
	}
	want := []string{
		"reported a1 CA1 requested 0 machine=false code=0 ", "reported a1 CA1 ringing 1 machine=false code=0 ",
		"reported a1 CA1 in_progress 2 machine=false code=0 ", "reported a1 CA1 heard 3 machine=false code=0 ",
		"reported a1 CA2 voicemail 0 machine=true code=0 ", "reported a1 CA3 no_answer 0 machine=false code=0 ",
		"reported a1 CA3 busy 0 machine=false code=0 ", "reported a1 CA4 failed 0 machine=false code=13224 number",
		"reported a1 CA5 failed 0 machine=false code=0 number",
		"reported a1 SM1 sent 0 machine=false code=0 ", "reported a1 SM1 delivered 0 machine=false code=0 ",
		"reported a1 SM2 undelivered 0 machine=false code=30007 filtered", "reported a1 SM3 failed 0 machine=false code=30006 number",
		"reported a1 SM4 undelivered 0 machine=false code=88888 later", "reported a1 SM5 undelivered 0 machine=false code=0 later",
		"reported a1 SM6 undelivered 0 machine=false code=0 later",
	}
	if diff := cmp.Diff(want, d.board.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestReportAgain: a report that could not be taken is asked for again, and is not
// remembered as taken. One about an attempt that nobody knows any more is done with.
func TestReportAgain(t *testing.T) {
	d := newDoor(t)
	form := url.Values{"CallSid": {"CA1"}, "CallStatus": {"busy"}}
	d.board.err = errors.New("redis is away")
	if w := d.post(d.path("status"), form); w.Code != 503 {
		t.Errorf("%d, want 503", w.Code)
	}
	d.board.err = nil
	if w := d.post(d.path("status"), form); w.Code != 204 || len(d.board.told) != 2 {
		t.Errorf("%d after %q", w.Code, d.board.told)
	}
	d.board.err = &responsehub.Error{Kind: responsehub.NotFound, Message: "gone"}
	if w := d.post(d.path("status"), url.Values{"CallSid": {"CA9"}, "CallStatus": {"busy"}}); w.Code != 204 {
		t.Errorf("%d, want 204", w.Code)
	}
}

// TestSlow: Twilio has its answer in time, whatever the switchboard does, and a key is
// asked about again three times at most.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		d.board.slow = time.Hour
		in := func(what string, w *httptest.ResponseRecorder, begin time.Time, words string) string {
			t.Helper()
			if took := time.Since(begin); took > 12*time.Second {
				t.Errorf("%s took %s", what, took)
			}
			if !strings.Contains(w.Body.String(), words) {
				t.Errorf("%s: %d %s, want %q", what, w.Code, w.Body, words)
			}
			_, rest, _ := strings.Cut(w.Body.String(), "<Redirect method=\"POST\">https://hub.example.com")
			path, _, _ := strings.Cut(rest, "#")
			return strings.ReplaceAll(path, "&amp;", "&")
		}
		path := d.path("gather") + "?n=3"
		for try := range 4 {
			begin, form := time.Now(), url.Values{"CallSid": {"CA1"}}
			if try == 0 {
				form.Set("Digits", "4")
			}
			words := oneMoment
			if try == 3 {
				words = notTaken
			}
			path = in("key", d.post(path, form), begin, words)
			if try < 3 && path != d.path("gather")+fmt.Sprintf("?digit=4&n=3&try=%d", try+1) {
				t.Fatalf("try %d goes on at %q", try, path)
			}
		}
		path = d.path("voice")
		for try := range 4 {
			words := oneMoment
			if try == 3 {
				words = trouble
			}
			path = in("voice", d.post(path, nil), time.Now(), words)
		}
		begin := time.Now()
		if w := d.post("/twilio/sms", url.Values{"MessageSid": {"SM1"}, "From": {phone}, "To": {ourNumber}}); w.Code != 503 || time.Since(begin) > 12*time.Second {
			t.Errorf("a text: %d after %s", w.Code, time.Since(begin))
		}
		for _, told := range d.board.told[:4] {
			if !strings.HasPrefix(told, `pressed a1 CA1 "4"`) {
				t.Errorf("the digit was lost: %s", told)
			}
		}
	})
}

// TestWait: a switchboard that asks for a moment is asked again with the same digit.
func TestWait(t *testing.T) {
	d := newDoor(t)
	d.board.speech = oncall.Speech{Wait: "4", Language: "en-US"}
	w := d.post(d.path("gather")+"?n=1", url.Values{"CallSid": {"CA1"}, "Digits": {"4"}})
	if !strings.Contains(w.Body.String(), "digit=4&amp;n=1&amp;try=1") {
		t.Fatalf("got %s", w.Body)
	}
	d.board.speech = oncall.Speech{Lines: []string{"You have it."}}
	w = d.post(d.path("gather")+"?digit=4&n=1&try=1", url.Values{"CallSid": {"CA1"}})
	if !strings.Contains(w.Body.String(), "You have it.") {
		t.Errorf("got %s", w.Body)
	}
}

// TestForgetful: a memory that is away stops nothing.
func TestForgetful(t *testing.T) {
	d := newDoor(t)
	d.c.cfg.Memory = &memory{err: errors.New("away")}
	d.board.reply = "yes"
	if w := d.post("/twilio/sms", url.Values{"MessageSid": {"SM1"}, "From": {phone}, "To": {ourNumber}, "Body": {"x"}}); w.Code != 200 {
		t.Errorf("%d, want 200", w.Code)
	}
}

// TestCalledIn: who calls the hub hears what is open and can press nothing.
func TestCalledIn(t *testing.T) {
	d := newDoor(t)
	d.board.speech = ask
	w := d.post("/twilio/voice", url.Values{"CallSid": {"CA1"}, "From": {phone}, "To": {ourNumber}})
	if w.Code != 200 || strings.Contains(w.Body.String(), "Gather") || !strings.Contains(w.Body.String(), "Contoso has an incident.") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff([]string{"called in " + phone}, d.board.told); diff != "" {
		t.Error(diff)
	}
}

// TestBehindPrefix: a proxy that strips a path leaves the signature right.
func TestBehindPrefix(t *testing.T) {
	cfg := testConfig("")
	cfg.PublicURL = "https://hub.example.com/alarm/"
	c := newClient(t, cfg)
	b := &board{}
	form := url.Values{"AccountSid": {accountSID}, "From": {phone}, "To": {ourNumber}, "MessageSid": {"SM1"}, "Body": {"x"}}
	r := httptest.NewRequest(http.MethodPost, "/twilio/sms", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", sign(token, "https://hub.example.com/alarm/twilio/sms"+plainValues(form)))
	w := httptest.NewRecorder()
	c.Inbound(b).ServeHTTP(w, r)
	if w.Code != 204 || len(b.told) != 1 {
		t.Errorf("%d, told %q", w.Code, b.told)
	}
}
