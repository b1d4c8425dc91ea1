package twilio

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"responsehub/sim/wire"
)

func TestRefusals(t *testing.T) {
	text := func(change ...string) url.Values {
		f := url.Values{"To": {ann}, "From": {desk}, "Body": {"x"}}
		for i := 0; i < len(change); i += 2 {
			f[change[i]] = strings.Split(change[i+1], "|")
		}
		return f
	}
	call := func(change ...string) url.Values {
		f := url.Values{"To": {ann}, "From": {desk}, "Url": {"https://hub.example/voice"}}
		for i := 0; i < len(change); i += 2 {
			f[change[i]] = strings.Split(change[i+1], "|")
		}
		return f
	}
	in(t, nil, func(s *stage) {
		for _, c := range []struct {
			path string
			form url.Values
			code int
		}{
			{"/Messages.json", text("To", ""), 21604}, {"/Messages.json", text("From", ""), 21603}, {"/Messages.json", text("Body", ""), 21602},
			{"/Messages.json", text("Body", strings.Repeat("x", 1601)), 21617}, {"/Messages.json", text("Body", strings.Repeat("é", 1600)), 0},
			{"/Messages.json", text("To", "+15005550001"), 21211}, {"/Messages.json", text("To", "+15005550002"), 21612},
			{"/Messages.json", text("To", "+15005550003"), 21408}, {"/Messages.json", text("To", "+15005550004"), 21610},
			{"/Messages.json", text("To", "+15005550009"), 21614}, {"/Messages.json", text("From", "+15005550001"), 21212},
			{"/Messages.json", text("From", "+15005550007"), 21606}, {"/Messages.json", text("From", "+15005550008"), 21611},
			{"/Messages.json", text("From", "+15005550006"), 0}, {"/Messages.json", text("From", bob), 21606}, {"/Messages.json", text("To", "12065550101"), 21211},
			{"/Messages.json", text("ValidityPeriod", "abc"), 20001}, {"/Messages.json", text("ValidityPeriod", "600"), 0},
			{"/Messages.json", text("ValidityPeriod", "36001"), 20001}, {"/Messages.json", text("StatusCallback", "hub.example"), 21609},
			{"/Messages.json", text("Timeout", "20"), 20001}, {"/Messages.json", text("body", "x"), 20001}, {"/Messages.json", text("Body", "x|y"), 20001},
			{"/Messages.json", text("MessagingServiceSid", "MGffffffffffffffffffffffffffffffff"), 21701}, {"/Messages.json", text("MediaUrl", "http://x"), 20001},
			{"/Calls.json", call("To", ""), 21201}, {"/Calls.json", call("From", ""), 21213}, {"/Calls.json", call("Url", ""), 21205},
			{"/Calls.json", call("Url", "/voice"), 21205}, {"/Calls.json", call("Url", "", "Twiml", "<Response/>"), 0},
			{"/Calls.json", call("To", "+15005550001"), 21217}, {"/Calls.json", call("To", "+15005550002"), 21214},
			{"/Calls.json", call("To", "+15005550003"), 21215}, {"/Calls.json", call("To", "+15005550004"), 21216},
			{"/Calls.json", call("From", "+15005550001"), 21212}, {"/Calls.json", call("From", bob), 21210}, {"/Calls.json", call("From", "+15005550006"), 0},
			{"/Calls.json", call("Timeout", "601"), 21208}, {"/Calls.json", call("Timeout", "25.5"), 21208}, {"/Calls.json", call("Method", "PUT"), 21209},
			{"/Calls.json", call("ValidityPeriod", "600"), 20001}, {"/Calls.json", call("StatusCallbackEvent", "ringing|bogus"), 20001},
			{"/Calls.json", call("StatusCallbackEvent", "ringing|completed"), 0}, {"/Calls.json", call("MachineDetection", "yes"), 20001},
			{"/Calls.json", call("AsyncAmd", "1"), 20001}, {"/Calls.json", call("Record", "true"), 20001}, {"/Calls.json", call("Twiml", strings.Repeat("x", 4001)), 20001},
		} {
			status, got := s.do("POST", c.path, c.form)
			code, _ := got["code"].(float64)
			if int(code) != c.code || (c.code == 0) != (status == 201) {
				t.Errorf("%s %v: %d %v, want %d", c.path, c.form, status, got, c.code)
			}
			if c.code != 0 && (got["message"] == "" || got["more_info"] == nil || got["status"] != float64(status)) {
				t.Errorf("refusal %v", got)
			}
		}
		if odd := strings.Join(s.log.UnexpectedAll(), "\n"); !strings.Contains(odd, "unknown field Timeout") || !strings.Contains(odd, "ValidityPeriod") {
			t.Errorf("unexpected %q", odd)
		}
	})
}

func TestDoors(t *testing.T) {
	in(t, nil, func(s *stage) {
		base := "/" + version + "/Accounts/" + testAccount
		for _, c := range []struct {
			name, method, path, user, password, kind, body string
			status, code                                   int
		}{
			{"token", "GET", base + "/Calls.json", testAccount, testToken, "", "", 200, 0},
			{"key", "GET", base + ".json", "SK1", "secret", "", "", 200, 0},
			{"numbers", "GET", base + "/IncomingPhoneNumbers.json?PhoneNumber=%2B12065550100", "SK1", "secret", "", "", 200, 0},
			{"nobody", "GET", base + "/Calls.json", "", "", "", "", 401, 20003},
			{"wrong secret", "GET", base + "/Calls.json", "SK1", "wrong", "", "", 401, 20003},
			{"key of another", "GET", base + "/Calls.json", "SK2", "secret", "", "", 401, 20003},
			{"key with the token", "GET", base + "/Calls.json", "SK1", testToken, "", "", 401, 20003},
			{"account of another", "GET", "/" + version + "/Accounts/AC" + strings.Repeat("f", 32) + "/Calls.json", "SK1", "secret", "", "", 404, 20404},
			{"no such path", "GET", base + "/Queues.json", "SK1", "secret", "", "", 404, 20404},
			{"no such version", "GET", "/2008-08-01/Accounts/" + testAccount + "/Calls.json", "SK1", "secret", "", "", 404, 20404},
			{"method", "PUT", base + "/Calls.json", "SK1", "secret", "", "", 405, 20004},
			{"JSON", "POST", base + "/Messages.json", "SK1", "secret", "application/json", `{"To":"x"}`, 400, 21604},
			{"broken form", "POST", base + "/Messages.json", "SK1", "secret", formContentType, `To=%zz`, 400, 20001},
			{"large form", "POST", base + "/Messages.json", "SK1", "secret", formContentType, "Body=" + strings.Repeat("x", 70<<10), 400, 20001},
			{"unknown filter", "GET", base + "/Messages.json?Too=x", "SK1", "secret", "", "", 400, 20001},
			{"time that is none", "GET", base + "/Calls.json?StartTime%3E=yesterday", "SK1", "secret", "", "", 400, 20001},
			{"page without token", "GET", base + "/Calls.json?Page=1", "SK1", "secret", "", "", 400, 20001},
		} {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.user != "" {
				r.SetBasicAuth(c.user, c.password)
			}
			r.Header.Set("Content-Type", c.kind)
			rec := httptest.NewRecorder()
			s.Handler().ServeHTTP(rec, r)
			if rec.Code != c.status || (c.code != 0 && !strings.Contains(rec.Body.String(), `"code":`+strconv.Itoa(c.code))) {
				t.Errorf("%s: %d %s, want %d %d", c.name, rec.Code, rec.Body, c.status, c.code)
			}
		}
		for _, q := range s.log.Requests() {
			if strings.Contains(strings.Join(q.Header["Authorization"], ""), "c2VjcmV0") {
				t.Error("a secret stands in the ledger")
			}
		}
	})
}

func TestLists(t *testing.T) {
	in(t, nil, func(s *stage) {
		s.script("ann", "busy")
		for range 3 {
			s.send(ann, "x")
			s.call(ann)
			time.Sleep(10 * time.Second)
		}
		s.send(bob, "x")
		newest := s.call(bob)
		_, got := s.do("GET", "/Calls.json?PageSize=2", nil)
		list := got["calls"].([]any)
		if len(list) != 2 || list[0].(map[string]any)["sid"] != newest || got["previous_page_uri"] != nil || got["end"] != 1.0 {
			t.Fatalf("first page %v", got)
		}
		next := strings.TrimPrefix(got["next_page_uri"].(string), "/"+version+"/Accounts/"+testAccount)
		if _, got = s.do("GET", next, nil); len(got["calls"].([]any)) != 2 || got["next_page_uri"] != nil || got["start"] != 2.0 {
			t.Errorf("second page %v", got)
		}
		for query, want := range map[string]int{
			"/Messages.json": 4, "/Messages.json?To=%2B12065550101": 3, "/Messages.json?To=%2B12065550101&DateSent%3E=2000-01-01": 3,
			"/Messages.json?DateSent%3E=2000-01-01": 3, // the newest is not sent yet
			"/Messages.json?DateSent%3C=1999-12-31": 0, "/Messages.json?DateSent=2000-01-01": 3, "/Messages.json?From=%2B12065550102": 0,
			"/Messages.json?DateSent%3E=2000-01-01T00:00:05Z": 2, "/Messages.json?DateSent%3E=2000-01-01T00:00:05Z&DateSent%3C=2000-01-01T00:00:15Z": 1,
			"/Calls.json?Status=busy": 3, "/Calls.json?Status=queued": 1, "/Calls.json?StartTime%3E=2000-01-01": 0, "/Calls.json?EndTime%3E=2000-01-01": 3,
		} {
			status, got := s.do("GET", query, nil)
			list, ok := got["messages"].([]any)
			if !ok {
				list, _ = got["calls"].([]any)
			}
			if status != 200 || len(list) != want {
				t.Errorf("%s: %d with %d, want %d", query, status, len(list), want)
			}
		}
	})
}

func TestTextsAreRedactedAndDeleted(t *testing.T) {
	in(t, nil, func(s *stage) {
		sid := s.send(ann, "secret words")
		path := "/Messages/" + sid + ".json"
		if status, _ := s.do("POST", path, url.Values{"Body": {""}}); status != 400 {
			t.Errorf("redacted on its way: %d", status)
		}
		time.Sleep(5 * time.Second)
		for _, form := range []url.Values{{"Body": {"other"}}, {"Status": {"canceled"}}, {"Status": {"sent"}}, {"To": {bob}}} {
			if status, _ := s.do("POST", path, form); status != 400 {
				t.Errorf("%v: %d", form, status)
			}
		}
		if status, got := s.do("POST", path, url.Values{"Body": {""}}); status != 200 || got["body"] != "" {
			t.Errorf("redact: %d %v", status, got)
		}
		if status, _ := s.do("DELETE", path, nil); status != 204 {
			t.Errorf("delete: %d", status)
		}
		if status, _ := s.do("GET", path, nil); status != 404 {
			t.Errorf("deleted: %d", status)
		}
		s.script("bob", "quiet hours")
		sid = s.send(bob, "x")
		time.Sleep(time.Second)
		if status, got := s.do("POST", "/Messages/"+sid+".json", url.Values{"Status": {"canceled"}}); status != 200 || got["status"] != "canceled" {
			t.Errorf("cancel: %d %v", status, got)
		}
	})
}

func TestScriptedRefusals(t *testing.T) {
	for code, want := range refusals {
		f, err := Refusal(code)
		if err != nil || f.Status != want.status || (f.Status == 429) != (f.Header["Retry-After"] != "") {
			t.Errorf("%d: %+v %v", code, f, err)
		}
	}
	if _, err := Refusal(1); err == nil {
		t.Error("error 1 exists")
	}
	in(t, nil, func(s *stage) {
		f, _ := Refusal(20429)
		s.log.AddFault(f)
		if status, got := s.do("POST", "/Calls.json", callForm(ann)); status != 429 || got["code"] != 20429.0 || len(s.Snapshot().Calls) != 0 {
			t.Errorf("%d %v", status, got)
		}
		s.log.AddFault(wire.Fault{Vendor: "twilio", Method: "POST", Times: 1, After: true, Drop: true})
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
					t.Error("the answer came")
				}
			}()
			s.do("POST", "/Calls.json", callForm(ann))
		}()
		if len(s.Snapshot().Calls) != 1 {
			t.Error("created but lost: it is not created")
		}
		// Reports come before the answer.
		s.log.AddFault(wire.Fault{Vendor: "twilio", Method: "POST", Times: 1, After: true, DelayMS: 3000})
		sid := s.call(bob)
		if got := s.posted("/status", "CallSid"); len(got) == 0 || got[len(got)-1] != sid {
			t.Errorf("before the answer came %q", got)
		}
	})
}
