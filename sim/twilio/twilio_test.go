package twilio

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"responsehub/sim/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testAccount = "AC0123456789abcdef0123456789abcdef"
	testToken   = "0123456789abcdef0123456789abcdef"
	testService = "MG0123456789abcdef0123456789abcdef"
	ann         = "+12065550101"
	bob         = "+12065550102"
	desk        = "+12065550100"
)

// menu asks for one digit; what was pressed is answered by /pressed.
const menu = `<?xml version="1.0" encoding="UTF-8"?><Response><Gather numDigits="1" timeout="8" action="/pressed" actionOnEmptyResult="true"><Say>Press 4.</Say></Gather></Response>`

// stage is a service in front of a hub of a few lines.
type stage struct {
	*testing.T
	*Service
	mu     sync.Mutex
	log    *wire.Log
	got    []url.Values // forms that the hub received, with "path" and "signature"
	answer func(path string, form url.Values) (status int, twiml string)
}

// RoundTrip is the way to the hub.
func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	body := []byte(nil)
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		s.Errorf("form: %v", err)
	}
	if r.Header.Get("X-Twilio-Signature") != sign(testToken, r.URL.String(), form) || r.Header.Get("I-Twilio-Idempotency-Token") == "" {
		s.Errorf("%s is not signed", r.URL)
	}
	noted := url.Values{"path": {r.URL.Path}, "token": {r.Header.Get("I-Twilio-Idempotency-Token")}, "at": {time.Now().UTC().Format("04:05.000")}}
	for k, v := range form {
		noted[k] = v
	}
	s.mu.Lock()
	s.got = append(s.got, noted)
	s.mu.Unlock()
	status, twiml := 204, ""
	if s.answer != nil {
		status, twiml = s.answer(r.URL.Path, form)
	}
	if twiml != "" {
		rec.Header().Set("Content-Type", "text/xml; charset=utf-8")
	}
	rec.WriteHeader(status)
	_, _ = rec.WriteString(twiml)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// in plays in a bubble.
func in(t *testing.T, change func(*Config), play func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, log: wire.NewLog()}
		cfg := Config{
			URL: "http://sim.example/twilio", AccountSID: testAccount, AuthToken: testToken, APIKey: "SK1", APISecret: "secret",
			Numbers: []string{desk}, ServiceSID: testService, SMSURL: "http://hub.example/sms", VoiceURL: "http://hub.example/voice",
			People: []Person{{Key: "ann", Name: "Ann", Number: ann}, {Key: "bob", Name: "Bob", Number: bob}},
			Log:    s.log, Client: &http.Client{Transport: s},
		}
		if change != nil {
			change(&cfg)
		}
		var err error
		if s.Service, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		defer s.Stop()
		s.answer = func(path string, form url.Values) (int, string) {
			switch path {
			case "/voice":
				return 200, menu
			case "/pressed":
				return 200, `<Response><Say>You pressed ` + form.Get("Digits") + `.</Say><Hangup/></Response>`
			}
			return 204, ""
		}
		play(s)
	})
}

// do asks the API and decodes the answer.
func (s *stage) do(method, path string, form url.Values) (int, map[string]any) {
	s.Helper()
	r := httptest.NewRequest(method, "/"+version+"/Accounts/"+testAccount+path, strings.NewReader(form.Encode()))
	r.SetBasicAuth("SK1", "secret")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", formContentType)
	}
	rec := httptest.NewRecorder()
	s.Handler().ServeHTTP(rec, r)
	var out map[string]any
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
			s.Fatalf("%s %s: %v %s", method, path, err, rec.Body)
		}
	}
	return rec.Code, out
}

// callForm is what a hub asks for.
func callForm(to string) url.Values {
	return url.Values{
		"To": {to}, "From": {desk}, "Url": {"http://hub.example/voice"}, "StatusCallback": {"http://hub.example/status"}, "Timeout": {"25"},
		"StatusCallbackEvent": {"initiated", "ringing", "answered", "completed"}, "MachineDetection": {"Enable"}, "AsyncAmd": {"true"},
		"AsyncAmdStatusCallback": {"http://hub.example/amd"},
	}
}

func (s *stage) call(to string) string {
	s.Helper()
	status, got := s.do("POST", "/Calls.json", callForm(to))
	if status != 201 {
		s.Fatalf("call: %d %v", status, got)
	}
	return got["sid"].(string)
}

func (s *stage) send(to, body string) string {
	s.Helper()
	status, got := s.do("POST", "/Messages.json", url.Values{"To": {to}, "From": {desk}, "Body": {body}, "StatusCallback": {"http://hub.example/status"}})
	if status != 201 {
		s.Fatalf("text: %d %v", status, got)
	}
	return got["sid"].(string)
}

// posted lists values of what came to a path.
func (s *stage) posted(path string, fields ...string) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.got {
		if f.Get("path") != path {
			continue
		}
		var v []string
		for _, name := range fields {
			v = append(v, f.Get(name))
		}
		out = append(out, strings.Join(v, " "))
	}
	return out
}

// same compares lists.
func (s *stage) same(what string, got []string, want ...string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (s *stage) script(who, words string) {
	s.Helper()
	if err := s.Script(who, words); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) clean() {
	s.Helper()
	if odd := s.log.UnexpectedAll(); len(odd) > 0 {
		s.Errorf("unexpected: %q", odd)
	}
}

func TestCalls(t *testing.T) {
	const all = "initiated ringing in-progress "
	for _, c := range []struct {
		script, status string
		reports        string // statuses told
		by             string // told by the detection
		digits         string // posted
		took           time.Duration
	}{
		{"presses 4", "completed", all + "completed", "", "4", 5 * time.Second},
		{"answers and presses 7 then 4", "completed", all + "completed", "", "7", 5 * time.Second},
		{"answers", "completed", all + "completed", "human", "", 12 * time.Second},
		{"silent", "completed", all + "completed", "human", "", 12 * time.Second},
		{"voicemail", "completed", all + "completed", "machine_start", "", 24 * time.Second},
		{"busy", "busy", "initiated busy", "", "-", time.Second},
		{"declines", "busy", "initiated ringing busy", "", "-", 2 * time.Second},
		{"hangs up", "completed", all + "completed", "", "-", 2 * time.Second},
		{"sleeps", "no-answer", "initiated ringing no-answer", "", "-", 26 * time.Second},
		{"off", "no-answer", "initiated ringing no-answer", "", "-", 26 * time.Second},
		{"", "no-answer", "initiated ringing no-answer", "", "-", 26 * time.Second},
		{"dead", "failed", "initiated failed", "", "-", time.Second},
		{"presses 4 too late", "completed", all + "completed", "", "4", 5 * time.Second},
		{"answers after 10s, presses 4 after 20s", "completed", all + "completed", "", "4", 25 * time.Second},
	} {
		t.Run(c.script, func(t *testing.T) {
			in(t, nil, func(s *stage) {
				s.script("ann", c.script)
				sid, start := s.call(ann), time.Now()
				time.Sleep(time.Minute)
				calls, _ := s.Snapshot().To("ann")
				got := calls[0]
				if got.SID != sid || got.Status != c.status || got.Ended.IsZero() || got.Ended.Sub(start) > c.took {
					t.Errorf("the call is %+v after %v", got, got.Ended.Sub(start))
				}
				s.same("reports", s.posted("/status", "CallStatus"), strings.Fields(c.reports)...)
				if by := strings.Join(s.posted("/amd", "AnsweredBy"), " "); by != c.by {
					t.Errorf("answered by %q, want %q", by, c.by)
				}
				digits := "-"
				if pressed := s.posted("/pressed", "Digits"); len(pressed) > 0 {
					digits = pressed[0]
				}
				if digits != c.digits {
					t.Errorf("digits %q, want %q", digits, c.digits)
				}
				if asked := len(s.posted("/voice")); (asked > 0) != (strings.Contains(c.reports, "in-progress") && c.script != "hangs up") {
					t.Errorf("TwiML was asked for %d times", asked)
				}
				for i, n := range s.posted("/status", "SequenceNumber") {
					if n != fmt.Sprint(i) {
						t.Errorf("report %d has number %s", i, n)
					}
				}
				s.clean()
			})
		})
	}
}

func TestSleepsThroughTheFirstCall(t *testing.T) {
	in(t, nil, func(s *stage) {
		s.script("ann", "sleeps through call 1, presses 4")
		s.call(ann)
		time.Sleep(75 * time.Second)
		s.call(ann)
		time.Sleep(time.Minute)
		calls, _ := s.Snapshot().To("ann")
		s.same("calls", []string{calls[0].Status, calls[1].Status, calls[1].Pressed}, "no-answer", "completed", "4")
		if s.Snapshot().Live("ann") != 1 {
			t.Error("two calls at once")
		}
	})
}

func TestAPersonPlays(t *testing.T) {
	in(t, nil, func(s *stage) {
		if s.Answer("ann") == nil || s.Press("ann", "4") == nil || s.Answer("nobody") == nil {
			t.Error("something can be done with a silent phone")
		}
		s.call(ann)
		time.Sleep(5 * time.Second)
		if st := s.Snapshot(); st.Phones[0].Call == "" || st.Calls[0].Status != "ringing" {
			t.Fatalf("the phone does not ring: %+v", st)
		}
		if s.Press("ann", "4") == nil {
			t.Error("a key was pressed on a ringing phone")
		}
		if err := s.Answer("ann"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if !s.Snapshot().Calls[0].Asking {
			t.Error("nothing is asked")
		}
		if err := s.Press(ann, "*"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.same("heard", s.Snapshot().Heard("ann"), "Press 4.", "You pressed *.")
		s.call(bob)
		time.Sleep(5 * time.Second)
		if err := s.HangUp("bob"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		calls, _ := s.Snapshot().To(bob)
		if calls[0].Status != "busy" || calls[0].SIP != 603 {
			t.Errorf("declined: %+v", calls[0])
		}
	})
}

func TestASecondCallFindsTheLineBusy(t *testing.T) {
	in(t, nil, func(s *stage) {
		s.call(ann)
		time.Sleep(3 * time.Second)
		s.call(ann)
		time.Sleep(3 * time.Second)
		if calls, _ := s.Snapshot().To("ann"); calls[1].Status != "busy" || s.Snapshot().Live("ann") != 2 {
			t.Errorf("second call %+v", calls[1])
		}
	})
}

func TestOneCallASecond(t *testing.T) {
	in(t, func(c *Config) {
		for i := range 5 {
			c.People = append(c.People, Person{Key: fmt.Sprint("p", i), Number: fmt.Sprintf("+1206555020%d", i)})
		}
	}, func(s *stage) {
		for i := range 5 {
			s.call(fmt.Sprintf("+1206555020%d", i))
		}
		time.Sleep(10 * time.Second)
		for i, c := range s.Snapshot().Calls {
			if c.QueueMS != int64(i)*1000 || c.Ringing.Sub(c.Created) != time.Duration(i)*time.Second+300*time.Millisecond {
				t.Errorf("call %d waited %d ms and rang after %v", i, c.QueueMS, c.Ringing.Sub(c.Created))
			}
		}
	})
}

func TestUpdates(t *testing.T) {
	in(t, nil, func(s *stage) {
		change := func(sid string, form url.Values) (int, map[string]any) {
			return s.do("POST", "/Calls/"+sid+".json", form)
		}
		sid := s.call(ann)
		time.Sleep(3 * time.Second)
		if status, got := change(sid, url.Values{"Status": {"canceled"}}); status != 200 || got["status"] != "canceled" || got["duration"] != "0" {
			t.Errorf("cancel: %d %v", status, got)
		}
		if status, got := change(sid, url.Values{"Status": {"completed"}}); status != 400 || got["code"] != 21220.0 {
			t.Errorf("end what is over: %d %v", status, got)
		}
		time.Sleep(time.Second)
		s.script("bob", "answers")
		sid = s.call(bob)
		time.Sleep(4 * time.Second)
		if status, got := change(sid, url.Values{"Status": {"canceled"}}); status != 400 || got["code"] != 21220.0 {
			t.Errorf("cancel an answered call: %d %v", status, got)
		}
		if status, got := change(sid, url.Values{"Twiml": {"<Response><Say>Dana has it.</Say></Response>"}}); status != 200 || got["status"] != "in-progress" {
			t.Errorf("redirect: %d %v", status, got)
		}
		time.Sleep(500 * time.Millisecond)
		if status, got := change(sid, url.Values{"Status": {"completed"}}); status != 200 || got["status"] != "completed" || got["duration"] != "4" {
			t.Errorf("complete: %d %v", status, got)
		}
		time.Sleep(time.Second)
		s.same("heard", s.Snapshot().Heard("bob"), "Press 4.", "Dana has it.")
		s.same("told", s.posted("/status", "CallStatus", "CallDuration", "SipResponseCode"), "initiated  ", "ringing  ", "canceled 0 487", "initiated  ", "ringing  ", "in-progress  ", "completed 4 200")
		if status, _ := s.do("DELETE", "/Calls/"+sid+".json", nil); status != 204 {
			t.Errorf("delete: %d", status)
		}
		if status, got := s.do("GET", "/Calls/"+sid+".json", nil); status != 404 || got["code"] != 20404.0 {
			t.Errorf("deleted: %d %v", status, got)
		}
	})
}

func TestApplicationErrors(t *testing.T) {
	for _, c := range []struct {
		name, twiml string
		status      int
		code        int
	}{
		{"outage", "", 503, 11200}, {"no XML", "nonsense", 200, 12100}, {"unknown verb", "<Response><Dial>1</Dial></Response>", 200, 12200},
		{"no content type", "", 200, 12300},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, nil, func(s *stage) {
				s.answer = func(string, url.Values) (int, string) { return c.status, c.twiml }
				s.script("ann", "answers")
				s.call(ann)
				time.Sleep(time.Minute)
				st := s.Snapshot()
				s.same("heard", st.Heard("ann"), applicationError)
				if len(st.Alerts) == 0 || st.Alerts[0].Code != c.code && !slices.ContainsFunc(st.Alerts, func(a Alert) bool { return a.Code == c.code }) {
					t.Errorf("alerts %+v, want %d", st.Alerts, c.code)
				}
				if odd := s.log.UnexpectedAll(); (len(odd) > 0) != (c.code/100 > 120) {
					t.Errorf("unexpected %q", odd)
				}
			})
		})
	}
}

func TestCallIn(t *testing.T) {
	in(t, nil, func(s *stage) {
		if err := s.CallIn("ann"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := s.Press("ann", "4"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		s.same("asked", s.posted("/voice", "Direction", "From", "To", "CallStatus"), "inbound "+ann+" "+desk+" in-progress")
		s.same("pressed", s.posted("/pressed", "Digits"), "4")
		if c := s.Snapshot().Calls[0]; c.Status != "completed" || c.Lasted() == 0 {
			t.Errorf("the call is %+v", c)
		}
	})
}
