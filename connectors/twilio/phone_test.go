package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
	"responsehub/oncall"
)

var ring = oncall.Call{Attempt: "a1", To: phone, Ring: 25 * time.Second, Severity: responsehub.Critical}

func TestCall(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "dublin")
	t.Setenv("TWILIO_REGION", "ie1")
	made := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	twilio, api := answers(t, status(201, callJSON("queued", made)))
	c := newClient(t, testConfig(api+"/twilio"))
	got, err := c.Call(t.Context(), ring)
	if err != nil {
		t.Fatal(err)
	}
	want := oncall.Placed{
		SID: "CA00000000000000000000000000000001", To: phone, At: made,
		Progress: oncall.Progress{SID: "CA00000000000000000000000000000001", State: responsehub.AttemptRequested},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("placed (-want +got):\n%s", diff)
	}
	voice, report := c.address("voice", "a1")+overrides, c.address("status", "a1")+overrides
	ask := asked{
		method: "POST", path: "/twilio/2010-04-01/Accounts/" + accountSID + "/Calls.json",
		key: "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", agent: "responsehub/test",
		form: url.Values{
			"To": {phone}, "From": {ourNumber}, "Url": {voice}, "Method": {"POST"}, "Timeout": {"25"},
			"StatusCallback": {report}, "StatusCallbackMethod": {"POST"},
			"StatusCallbackEvent": {"initiated", "ringing", "answered", "completed"},
			"MachineDetection":    {"Enable"}, "AsyncAmd": {"true"},
			"AsyncAmdStatusCallback": {report}, "AsyncAmdStatusCallbackMethod": {"POST"},
		},
	}
	if diff := cmp.Diff([]asked{ask}, twilio.got, cmp.AllowUnexported(asked{})); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(voice, "https://hub.example.com/twilio/voice/a1.") || strings.Contains(voice, "5005550009") {
		t.Errorf("the address %s should hold the attempt and nothing else", voice)
	}
}

func TestText(t *testing.T) {
	made := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	twilio, api := answers(t, status(201, textJSON("accepted", "hello", made)))
	cfg := testConfig(api)
	for _, service := range []string{"", "MGcccccccccccccccccccccccccccccccc"} {
		cfg.MessagingServiceSID = service
		c := newClient(t, cfg)
		got, err := c.Text(t.Context(), oncall.Text{Attempt: "a2", To: phone, Body: "hello", Severity: responsehub.High})
		if err != nil || got.Body != "hello" || got.Progress.State != responsehub.AttemptRequested || !got.At.Equal(made) {
			t.Fatalf("%+v, %v", got, err)
		}
		want := url.Values{"To": {phone}, "Body": {"hello"}, "StatusCallback": {c.address("status", "a2") + overrides}}
		if service != "" {
			want.Set("MessagingServiceSid", service)
		} else {
			want.Set("From", ourNumber)
		}
		if diff := cmp.Diff(want, twilio.got[len(twilio.got)-1].form); diff != "" {
			t.Errorf("form (-want +got):\n%s", diff)
		}
	}
}

// TestAnswers: what an answer means for whoever asked. The words of Twilio and the number
// are in no error.
func TestAnswers(t *testing.T) {
	refusal := func(code int) string {
		return fmt.Sprintf(`{"code":%d,"message":"The number %s is bad","more_info":"https://www.twilio.com/docs/errors/%d","status":400}`, code, phone, code)
	}
	for _, c := range []struct {
		name    string
		answer  func(http.ResponseWriter)
		kind    responsehub.Kind
		refusal oncall.Refusal
		after   time.Duration
	}{
		{"too many requests", status(429, refusal(20429), "Retry-After", "7"), responsehub.Throttled, "", 7 * time.Second},
		{"too many, no JSON", status(429, "<html>", "Retry-After", "3"), responsehub.Throttled, "", 3 * time.Second},
		{"too many calls at once", status(400, refusal(10004)), responsehub.Throttled, "", 0},
		{"queue is full", status(400, refusal(21611)), responsehub.Throttled, "", 0},
		{"trouble with JSON", status(500, refusal(20500)), responsehub.UnknownOutcome, "", 0},
		{"trouble with HTML", status(503, "<html><body>no</body></html>", "Retry-After", "9"), responsehub.UnknownOutcome, "", 9 * time.Second},
		{"a gateway's word", status(502, ""), responsehub.UnknownOutcome, "", 0},
		{"a gateway was tired", status(408, ""), responsehub.UnknownOutcome, "", 0},
		{"no answer at all", dropped, responsehub.UnknownOutcome, "", 0},
		{"made, the answer is empty", status(201, ""), responsehub.UnknownOutcome, "", 0},
		{"made, the answer is cut", status(201, `{"sid":"CA`), responsehub.UnknownOutcome, "", 0},
		{"made, without an id", status(201, `{}`), responsehub.UnknownOutcome, "", 0},
		{"a redirect", status(302, "", "Location", "https://evil.example.com/"), responsehub.Permanent, oncall.BadAccount, 0},
		{"a wrong number", status(400, refusal(21211)), responsehub.Permanent, oncall.BadNumber, 0},
		{"no mobile number", status(400, refusal(21614)), responsehub.Permanent, oncall.BadNumber, 0},
		{"STOP", status(400, refusal(21610)), responsehub.Permanent, oncall.OptedOut, 0},
		{"block list", status(400, refusal(21216)), responsehub.Permanent, oncall.Filtered, 0},
		{"not our number", status(400, refusal(21210)), responsehub.Permanent, oncall.BadAccount, 0},
		{"wrong key", status(401, refusal(20003)), responsehub.Permanent, oncall.BadAccount, 0},
		{"wrong key without words", status(401, ""), responsehub.Permanent, oncall.BadAccount, 0},
		{"no such account", status(404, refusal(20404)), responsehub.Permanent, oncall.BadAccount, 0},
		{"country", status(400, refusal(21215)), responsehub.Permanent, oncall.BadAccount, 0},
		{"our mistake", status(400, refusal(20001)), responsehub.Permanent, oncall.OurFault, 0},
		{"a code of tomorrow", status(400, refusal(99999)), responsehub.Permanent, oncall.BadNumber, 0},
		{"no code", status(400, "nonsense"), responsehub.Permanent, oncall.BadNumber, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, api := answers(t, c.answer)
			client := newClient(t, testConfig(api))
			for way, do := range map[string]func() error{
				"call": func() error { _, err := client.Call(t.Context(), ring); return err },
				"text": func() error {
					_, err := client.Text(t.Context(), oncall.Text{Attempt: "a", To: phone, Body: "b"})
					return err
				},
			} {
				err := do()
				e, ok := errors.AsType[*responsehub.Error](err)
				if !ok || e.Kind != c.kind || e.RetryAfter != c.after || oncall.RefusalOf(err) != c.refusal {
					t.Errorf("%s: got %v (%s, %s, %q), want %s, %s, %q", way, err, responsehub.KindOf(err), e.RetryAfter, oncall.RefusalOf(err), c.kind, c.after, c.refusal)
				}
				for _, secret := range []string{phone, "5005550009", "is bad", "secretOfTheKey", "more_info"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%s: the error tells %q: %v", way, secret, err)
					}
				}
			}
		})
	}
}

// TestUnreachable: what never got a connection was certainly not done.
func TestUnreachable(t *testing.T) {
	c := newClient(t, testConfig("http://127.0.0.1:1"))
	if _, err := c.Call(t.Context(), ring); responsehub.KindOf(err) != responsehub.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

// TestContext: the SDK knows no contexts; ours ends a request all the same.
func TestContext(t *testing.T) {
	_, api := answers(t, func(w http.ResponseWriter) { time.Sleep(300 * time.Millisecond); w.WriteHeader(201) })
	c := newClient(t, testConfig(api))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := c.Call(ctx, ring)
	if responsehub.KindOf(err) != responsehub.UnknownOutcome || time.Since(begin) > 250*time.Millisecond {
		t.Errorf("%v after %s, want an unknown outcome at once", err, time.Since(begin))
	}
}

// TestConnectionsAreKept: refusals whose body the SDK leaves open cost no connections.
func TestConnectionsAreKept(t *testing.T) {
	twilio, api := answers(t, status(400, `{"code":21211,"message":"`+strings.Repeat("x", 20<<10)+`"}`))
	c := newClient(t, testConfig(api))
	for range 20 {
		if _, err := c.Call(t.Context(), ring); err == nil {
			t.Fatal("want a refusal")
		}
	}
	if n := len(twilio.conns); n != 1 {
		t.Errorf("20 refusals took %d connections, want 1", n)
	}
}

func TestHangUp(t *testing.T) {
	now := time.Now()
	over := status(400, `{"code":21220,"message":"Call is not in-progress. Cannot redirect.","status":400}`)
	for _, c := range []struct {
		name    string
		answers []func(http.ResponseWriter)
		asked   []string // statuses asked for
		kind    responsehub.Kind
	}{
		{"waiting", []func(http.ResponseWriter){status(200, callJSON("queued", now)), status(200, callJSON("canceled", now))}, []string{"canceled"}, ""},
		{"ringing", []func(http.ResponseWriter){status(200, callJSON("ringing", now)), status(200, callJSON("canceled", now))}, []string{"canceled"}, ""},
		{"answered", []func(http.ResponseWriter){status(200, callJSON("in-progress", now)), status(200, callJSON("completed", now))}, []string{"completed"}, ""},
		{"answered in between", []func(http.ResponseWriter){status(200, callJSON("ringing", now)), status(200, callJSON("in-progress", now)), status(200, callJSON("completed", now))}, []string{"canceled", "completed"}, ""},
		{"answered in between, refused", []func(http.ResponseWriter){status(200, callJSON("ringing", now)), over, status(200, callJSON("completed", now))}, []string{"canceled", "completed"}, ""},
		{"over", []func(http.ResponseWriter){status(200, callJSON("completed", now))}, nil, ""},
		{"over in between", []func(http.ResponseWriter){status(200, callJSON("in-progress", now)), over}, []string{"completed"}, ""},
		{"never answered", []func(http.ResponseWriter){status(200, callJSON("no-answer", now))}, nil, ""},
		{"trouble", []func(http.ResponseWriter){status(503, "")}, nil, responsehub.Unavailable},
		{"a pause", []func(http.ResponseWriter){status(200, callJSON("ringing", now)), status(429, "")}, []string{"canceled"}, responsehub.Throttled},
		{"an unknown call", []func(http.ResponseWriter){status(404, `{"code":20404}`)}, nil, responsehub.Permanent},
	} {
		t.Run(c.name, func(t *testing.T) {
			twilio, api := answers(t, c.answers...)
			err := newClient(t, testConfig(api)).HangUp(t.Context(), "CA1")
			if c.kind == "" && err != nil || c.kind != "" && responsehub.KindOf(err) != c.kind {
				t.Errorf("got %v, want kind %q", err, c.kind)
			}
			var statuses []string
			for _, a := range twilio.got {
				if a.method == http.MethodPost {
					statuses = append(statuses, a.form.Get("Status"))
				}
			}
			if diff := cmp.Diff(c.asked, statuses); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFind: the newest first, none from before, none to others, and those that still wait
// at Twilio too.
func TestFind(t *testing.T) {
	since := time.Date(2026, 11, 23, 10, 0, 0, 500_000_000, time.UTC)
	calls := `{"calls":[` + callJSON("completed", since.Add(-time.Minute)) + "," + callJSON("queued", since) + "," +
		strings.Replace(callJSON("busy", since.Add(time.Minute)), "CA0", "CA1", 1) + "," + strings.Replace(callJSON("busy", since), phone, "+15005550001", 1) + `]}`
	twilio, api := answers(t, status(200, calls), status(200, `{"messages":[`+textJSON("undelivered", "RH-1", since)+`]}`), status(503, ""))
	c := newClient(t, testConfig(api))
	got, err := c.Find(t.Context(), responsehub.ByCall, phone, since)
	if err != nil {
		t.Fatal(err)
	}
	var sids []string
	for _, p := range got {
		sids = append(sids, fmt.Sprintf("%.3s %s", p.SID, p.Progress.State))
	}
	if diff := cmp.Diff([]string{"CA1 busy", "CA0 requested"}, sids); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(url.Values{"To": {phone}, "PageSize": {"100"}}, twilio.got[0].form); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	texts, err := c.Find(t.Context(), responsehub.ByText, phone, since)
	if err != nil || len(texts) != 1 || texts[0].Body != "RH-1" || texts[0].Progress.State != responsehub.AttemptUndelivered {
		t.Errorf("texts %+v, %v", texts, err)
	}
	if _, err := c.Find(t.Context(), responsehub.ByText, phone, since); responsehub.KindOf(err) != responsehub.Unavailable {
		t.Errorf("trouble is %v, want unavailable: reading has no unknown outcome", err)
	}
}

func TestNew(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"account": func(c *Config) { c.AccountSID = "AC1" }, "key": func(c *Config) { c.APIKey = "" },
		"secret with a dash": func(c *Config) { c.APISecret = "se-cret" }, "empty secret": func(c *Config) { c.APISecret = "" },
		"no token": func(c *Config) { c.AuthTokens = nil }, "empty token": func(c *Config) { c.AuthTokens = []responsehub.Secret{""} },
		"number": func(c *Config) { c.From = "0612345678" }, "service": func(c *Config) { c.MessagingServiceSID = "x" },
		"no address": func(c *Config) { c.PublicURL = "" }, "query": func(c *Config) { c.PublicURL += "?x=1" }, "hub key": func(c *Config) { c.Key = nil },
	} {
		cfg := testConfig("")
		change(&cfg)
		if _, err := New(cfg, &http.Client{}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestCodes: every code has words and a class that is treated.
func TestCodes(t *testing.T) {
	for n, c := range codes {
		if _, ok := refusals[c.class]; !ok || c.class == unlisted || c.reason == "" {
			t.Errorf("%d: class %q, words %q", n, c.class, c.reason)
		}
	}
}

func TestSegments(t *testing.T) {
	for body, want := range map[string]int{
		"": 1, strings.Repeat("a", 160): 1, strings.Repeat("a", 161): 2, strings.Repeat("a", 306): 2, strings.Repeat("a", 307): 3,
		strings.Repeat("ж", 70): 1, strings.Repeat("ж", 71): 2, strings.Repeat("👍", 36): 2,
	} {
		if got := segments(body); got != want {
			t.Errorf("%d characters: %d segments, want %d", len([]rune(body)), got, want)
		}
	}
}
