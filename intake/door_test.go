package intake

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

func TestTheEnvelopeIsCheckedFirst(t *testing.T) {
	signed := func(edit func(*http.Request)) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/v1/alerts/petra", strings.NewReader(native))
		r.Header = sign(t, "msg_1", time.Now(), native)
		edit(r)
		return r
	}
	for name, tc := range map[string]struct {
		edit   func(*http.Request)
		source string
		want   int
	}{
		"fine":                 {func(*http.Request) {}, "petra", 202},
		"charset":              {func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=UTF-8") }, "petra", 202},
		"identity":             {func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") }, "petra", 202},
		"unknown source":       {func(*http.Request) {}, "nobody", 404},
		"no source":            {func(*http.Request) {}, "", 404},
		"GET":                  {func(r *http.Request) { r.Method = http.MethodGet }, "petra", 405},
		"no type":              {func(r *http.Request) { r.Header.Del("Content-Type") }, "petra", 415},
		"form":                 {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, "petra", 415},
		"nonsense type":        {func(r *http.Request) { r.Header.Set("Content-Type", ";;;") }, "petra", 415},
		"other charset":        {func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-16") }, "petra", 415},
		"gzip":                 {func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, "petra", 415},
		"announced as too big": {func(r *http.Request) { r.ContentLength = MaxBody + 1 }, "petra", 413},
		"too big by surprise": {func(r *http.Request) {
			r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(strings.Repeat(" ", MaxBody+1)))
		}, "petra", 413},
		"as big as it may be": {func(r *http.Request) {
			r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(strings.Repeat(" ", MaxBody)))
		}, "petra", 401},
		"breaks off":            {func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{})) }, "petra", 400},
		"not signed, not read":  {func(r *http.Request) { r.Header.Del("Webhook-Id"); r.Body = io.NopCloser(broken{}) }, "petra", 401},
		"token wrong, not read": {func(r *http.Request) { r.Body = io.NopCloser(broken{}) }, "custom", 401},
	} {
		w := httptest.NewRecorder()
		newIntake(t, &engine{}).Serve(w, signed(tc.edit), tc.source)
		if w.Code != tc.want {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tc.want, w.Body)
		}
		if w.Code >= 400 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: content type %q", name, w.Header().Get("Content-Type"))
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWhatTheHubSaysBecomesTheAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		status int
		retry  string
		detail string
	}{
		"conflict":    {&responsehub.Error{Kind: responsehub.Conflict, Message: "Used before."}, 409, "", "Used before."},
		"unavailable": {fmt.Errorf("open: %w", &responsehub.Error{Kind: responsehub.Unavailable, Message: "Redis is away.", Err: errors.New("dial 10.0.0.1")}), 503, "5", "Redis is away."},
		"longer":      {&responsehub.Error{Kind: responsehub.Throttled, Message: "Busy.", RetryAfter: 7500 * time.Millisecond}, 503, "8", "Busy."},
		"foreign":     {errors.New("secret dsn"), 503, "5", responsehub.Sentence(errors.New("x"))},
		"deadline":    {context.DeadlineExceeded, 503, "5", responsehub.Sentence(errors.New("x"))},
		"permanent":   {&responsehub.Error{Kind: responsehub.Permanent, Message: "Broken."}, 500, "", "Broken."},
		"invalid":     {&responsehub.Error{Kind: responsehub.Invalid, Pointer: "/id", Message: "/id bad"}, 400, "", "/id bad"},
	} {
		w := post(t, newIntake(t, &engine{err: tc.err}), "petra", nil, native)
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if w.Code != tc.status || p.Status != tc.status || w.Header().Get("Retry-After") != tc.retry || p.Detail != tc.detail || p.Title == "" || p.Type == "" {
			t.Errorf("%s: status %d, Retry-After %q, %+v", name, w.Code, w.Header().Get("Retry-After"), p)
		}
	}
}

func TestAFaultyAlertIsRefusedWithItsPointer(t *testing.T) {
	swap := func(old, with string) string {
		if !strings.Contains(native, old) {
			t.Fatalf("%q is not in the sample", old)
		}
		return strings.Replace(native, old, with, 1)
	}
	for name, tc := range map[string]struct{ body, pointer, detail string }{
		"empty":                      {"", "", "The alert is not valid JSON."},
		"not JSON":                   {"{", "", "The alert is not valid JSON."},
		"trailing":                   {native + "{}", "", "The alert is not valid JSON."},
		"trailing comma":             {swap(`"name":"."`, `"name":".",`), "", "The alert is not valid JSON."},
		"not UTF-8":                  {swap("Pat", "P\xff"), "", "The alert is not valid UTF-8."},
		"byte order mark":            {"\ufeff" + native, "", "The alert is not valid JSON."},
		"a list":                     {"[]", "", "The alert must be an object."},
		"null":                       {"null", "", "The alert must be an object."},
		"unknown field":              {swap(`"severity"`, `"sevrity"`), "/sevrity", "/sevrity is not a field of the alert format."},
		"other case":                 {swap(`"severity"`, `"Severity"`), "/Severity", "/Severity is not a field of the alert format."},
		"unknown deep":               {swap(`"ip"`, `"i/p~"`), "/evidence/0/i~1p~0", "/evidence/0/i~1p~0 is not a field of the alert format."},
		"twice":                      {swap(`"country":"NL"`, `"country":"NL","country":"BE"`), "/evidence/0/country", "/evidence/0/country stands there twice."},
		"null field":                 {swap(`"Pat"`, `null`), "/account/display_name", "/account/display_name must be a text."},
		"number":                     {swap(`"det-123"`, `123`), "/id", "/id must be a text."},
		"large number":               {swap(`"det-123"`, `1e999`), "/id", "/id is a number that is too large or too long."},
		"long number":                {swap(`"det-123"`, strings.Repeat("1", 65)), "/id", "/id is a number that is too large or too long."},
		"object for list":            {swap(`[{"internet`, `{"x":{"internet`), "", "The alert is not valid JSON."},
		"list for object":            {swap(`{"object_id":"22222222-2222-4222-8222-222222222222","user_principal_name":"pat@contoso.example","display_name":"Pat"}`, `[]`), "/account", "/account must be an object."},
		"text for list":              {swap(`[{"kind":"inbox_rule","id":"AQAA","name":"."}]`, `"x"`), "/persistence", "/persistence must be a list."},
		"not a time":                 {swap(`"2026-11-23T09:40:00Z"`, `"yesterday"`), "/detected_at", "/detected_at must be a time in RFC 3339, such as 2026-11-23T09:40:00Z, between 1970 and 2999."},
		"no such day":                {swap(`"2026-11-23T09:40:00Z"`, `"2026-02-30T09:40:00Z"`), "/detected_at", "/detected_at must be a time in RFC 3339, such as 2026-11-23T09:40:00Z, between 1970 and 2999."},
		"year zero":                  {swap(`"2026-11-23T09:40:00Z"`, `"0000-01-01T00:00:00+01:00"`), "/detected_at", "/detected_at must be a time in RFC 3339, such as 2026-11-23T09:40:00Z, between 1970 and 2999."},
		"missing id":                 {swap(`"id":"det-123",`, ``), "/id", "/id is missing"},
		"wrong version":              {swap(`"version":"1"`, `"version":"2"`), "/version", `/version must be "1"`},
		"bad persistence":            {swap(`inbox_rule`, `rootkit`), "/persistence/0/kind", "/persistence/0/kind is not a known kind of persistence"},
		"too deep":                   {strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat("/0", 64), strings.Repeat("/0", 64) + " is nested more than 64 levels deep."},
		"10,000 deep":                {strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat("/0", 64), strings.Repeat("/0", 64) + " is nested more than 64 levels deep."},
		"200,000 objects, none shut": {strings.Repeat(`{"a":`, 200_000), strings.Repeat("/a", 64), strings.Repeat("/a", 64) + " is nested more than 64 levels deep."},
		"many values":                {"[" + strings.Repeat("0,", 200_000) + "0]", "", "The alert has more than 100000 values."},
	} {
		hub := &engine{}
		w := post(t, newIntake(t, hub), "petra", sign(t, "msg_1", time.Now(), tc.body), tc.body)
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s: %v: %s", name, err, w.Body)
		}
		want := problem{Type: "urn:responsehub:problem:invalid-alert", Title: titleInvalid, Status: 400, Detail: tc.detail, Pointer: tc.pointer}
		if d := cmp.Diff(want, p, cmp.AllowUnexported(problem{})); d != "" || w.Code != 400 || hub.calls() != 0 {
			t.Errorf("%s: status %d, hub told %d times (-want +got):\n%s", name, w.Code, hub.calls(), d)
		}
	}
}

// listen runs the door behind a real server on loopback.
func listen(t *testing.T, within time.Duration, hub Hub) *httptest.Server {
	t.Helper()
	i, err := New(Config{Sources: sources(), ReadWithin: within}, hub, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/alerts/{source}", i)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestASlowSenderIsPutOut(t *testing.T) {
	hub := &engine{}
	s := listen(t, 200*time.Millisecond, hub)
	for name, head := range map[string]http.Header{
		"signed":                      sign(t, "msg_1", time.Now(), native),
		"not proven, body never sent": {"Content-Type": {"application/json"}},
	} {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /v1/alerts/petra HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", len(native))
		_ = head.Write(c)
		fmt.Fprintf(c, "\r\n{")
		began := time.Now()
		_ = c.SetDeadline(began.Add(10 * time.Second))
		in := bufio.NewReader(c)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		want := http.StatusRequestTimeout
		if head.Get("Webhook-Id") == "" {
			want = http.StatusUnauthorized
		}
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, want)
		}
		if _, err := in.ReadByte(); err == nil || errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("%s: the connection is still open after %s: %v", name, time.Since(began), err)
		}
	}
	if hub.calls() != 0 {
		t.Error("the hub was told")
	}
}

// slowEngine takes longer than the sender's deadline to read.
type slowEngine struct{ engine }

func (e *slowEngine) Open(ctx context.Context, d responsehub.Delivery, a *responsehub.Alert) (*responsehub.Incident, bool, error) {
	select {
	case <-ctx.Done():
		return nil, false, ctx.Err()
	case <-time.After(300 * time.Millisecond):
		return e.engine.Open(ctx, d, a)
	}
}

func TestTheReadDeadlineDoesNotCutTheHubShort(t *testing.T) {
	s := listen(t, 100*time.Millisecond, &slowEngine{})
	for range 2 { // the second request comes over the same connection
		r, err := http.NewRequest(http.MethodPost, s.URL+"/v1/alerts/petra", strings.NewReader(native))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = sign(t, "msg_1", time.Now(), native)
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
}

func TestAnAlertCountsEvenIfItsSenderHangsUp(t *testing.T) {
	hub := &slowEngine{}
	i := newIntake(t, hub)
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(native))
	r.Header = sign(t, "msg_1", time.Now(), native)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := httptest.NewRecorder()
	i.Serve(w, r.WithContext(ctx), "petra")
	if w.Code != 202 || hub.calls() != 1 {
		t.Errorf("status %d, hub told %d times", w.Code, hub.calls())
	}
}

func TestAGzipBombIsNotUnpacked(t *testing.T) {
	s := listen(t, time.Second, &engine{})
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 50<<20))
	_ = z.Close()
	for _, encoding := range []string{"gzip", "GZIP", "identity, gzip", "deflate", "br"} {
		r, err := http.NewRequest(http.MethodPost, s.URL+"/v1/alerts/petra", bytes.NewReader(bomb.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = sign(t, "msg_1", time.Now(), bomb.String())
		r.Header.Set("Content-Encoding", encoding)
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%s: status %d", encoding, resp.StatusCode)
		}
	}
}
