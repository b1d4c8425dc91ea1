package twilio

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"responsehub/sim/wire"
)

func TestTexts(t *testing.T) {
	for _, c := range []struct {
		script  string
		reports string
		inbound string // what the hub got
	}{
		{"", "sent delivered", ""},
		{"dead", "sent undelivered/30005", ""},
		{"texts fail 30003", "sent undelivered/30003", ""},
		{"off", "sent", ""},
		{"quiet hours", "scheduled", ""},
		{"replies CODE", "sent delivered", "4821"},
		{"replies CODE twice", "sent delivered", "4821|4821"},
		{"replies ack CODE after 20s", "sent delivered", "ack 4821"},
		{"STOP", "sent delivered", "STOP"},
	} {
		t.Run(c.script, func(t *testing.T) {
			in(t, nil, func(s *stage) {
				s.script("ann", c.script)
				s.send(ann, "RH-7K2M Contoso: account takeover. Code 4821: reply it to acknowledge.")
				time.Sleep(15 * time.Second)
				if early := s.posted("/sms"); strings.Contains(c.script, "after") && len(early) > 0 {
					t.Errorf("replied at once: %q", early)
				}
				time.Sleep(time.Minute)
				reports := strings.Join(s.posted("/status", "MessageStatus", "ErrorCode"), ",")
				reports = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(reports, " ,", ","), " ", "/"), ",", " ")
				if strings.TrimSuffix(reports, "/") != c.reports {
					t.Errorf("reports %q, want %q", reports, c.reports)
				}
				if got := strings.Join(s.posted("/sms", "Body"), "|"); got != c.inbound {
					t.Errorf("the hub got %q, want %q", got, c.inbound)
				}
				s.clean()
			})
		})
	}
}

func TestEachCodeIsRepliedOnce(t *testing.T) {
	in(t, nil, func(s *stage) {
		s.script("ann", "replies CODE")
		s.answer = func(path string, form url.Values) (int, string) {
			if path == "/sms" {
				return 200, "<Response><Message>Thanks. Code 4821 is yours.</Message></Response>"
			}
			return 204, ""
		}
		s.send(ann, "code 4821")
		s.send(ann, "the code is 1234")
		s.send(ann, "no digits behind this code")
		time.Sleep(time.Minute)
		if got := s.posted("/sms", "Body"); len(got) != 2 {
			t.Errorf("the hub got %q", got)
		}
		_, texts := s.Snapshot().To("ann")
		if last := texts[len(texts)-1]; last.Body != "Thanks. Code 4821 is yours." || last.Status != "delivered" || last.Direction != "outbound-reply" {
			t.Errorf("last %+v", last)
		}
	})
}

func TestStopAndStart(t *testing.T) {
	in(t, nil, func(s *stage) {
		say := func(words string) {
			if err := s.Write(s.Context(), "ann", "", words); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		try := func(form url.Values) any {
			form.Set("Body", "x")
			_, got := s.do("POST", "/Messages.json", form)
			return got["code"]
		}
		byNumber, byService := url.Values{"To": {ann}, "From": {desk}}, url.Values{"To": {ann}, "MessagingServiceSid": {testService}}
		for _, stop := range []string{" stop ", "Optout"} {
			say(stop)
			if code := try(byNumber); code != 21610.0 {
				t.Errorf("after %q: %v", stop, code)
			}
			if code := try(url.Values{"To": {bob}, "From": {desk}}); code != nil {
				t.Errorf("another person: %v", code)
			}
			say("START")
			if code := try(byNumber); code != nil {
				t.Errorf("after START: %v", code)
			}
		}
		time.Sleep(5 * time.Second)
		try(byService) // makes the sender sticky: from now on a STOP is one to the service
		time.Sleep(5 * time.Second)
		say("STOP")
		if a, b := try(byService), try(byNumber); a != 21610.0 || b != nil {
			t.Errorf("the service %v, the number %v", a, b)
		}
		s.same("posted too", s.posted("/sms", "Body", "OptOutType"), " stop  ", "START ", "Optout ", "START ", "STOP ")
		if st := s.Snapshot(); len(st.OptedOut) != 1 || !strings.Contains(st.Texts[1].Body, "unsubscribed") {
			t.Errorf("state %q %q", st.OptedOut, st.Texts[1].Body)
		}
	})
}

func TestMessagingService(t *testing.T) {
	in(t, func(c *Config) { c.Numbers = []string{desk, "+12065550109"} }, func(s *stage) {
		var senders []string
		for _, to := range []string{ann, bob, ann} {
			_, got := s.do("POST", "/Messages.json", url.Values{"To": {to}, "MessagingServiceSid": {testService}, "Body": {"x"}, "StatusCallback": {"http://hub.example/status"}})
			if got["status"] != "accepted" || got["from"] != nil || got["num_segments"] != "0" || got["messaging_service_sid"] != testService {
				t.Errorf("created: %v", got)
			}
			time.Sleep(3 * time.Second)
			_, got = s.do("GET", "/Messages/"+got["sid"].(string)+".json", nil)
			senders = append(senders, got["from"].(string))
			if got["status"] != "delivered" || got["num_segments"] != "1" || got["date_sent"] == nil {
				t.Errorf("delivered: %v", got)
			}
		}
		s.same("senders", senders, desk, "+12065550109", desk)
		s.same("reports", s.posted("/status", "MessageStatus")[:3], "queued", "sent", "delivered")
	})
}

// TestWebhookTrouble shows what scripted faults do to what Twilio posts.
func TestWebhookTrouble(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []wire.Fault
		want   string
	}{
		{"none", nil, "sent delivered"},
		{"lost", []wire.Fault{{Vendor: "twilio.callback", Body: "MessageStatus=sent", Drop: true}}, "delivered"},
		{"late, overtaken", []wire.Fault{{Vendor: "twilio.callback", Body: "MessageStatus=sent", DelayMS: 5000}}, "delivered sent"},
		{"twice", []wire.Fault{{Vendor: "twilio.callback", Match: "/status", After: true, Times: 1}}, "sent sent delivered"},
		{"another path", []wire.Fault{{Vendor: "twilio.callback", Match: "/sms", Drop: true}}, "sent delivered"},
		{"the hub's answer lost", []wire.Fault{{Vendor: "twilio.callback", Status: 502, Times: 1}}, "sent delivered"},
		{"this text only", []wire.Fault{{Vendor: "phone", Method: "TEXT", Match: ann, Answer: "texts fail 30007"}}, "sent undelivered"},
		{"calls only", []wire.Fault{{Vendor: "phone", Method: "CALL", Match: ann, Answer: "dead"}}, "sent delivered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, nil, func(s *stage) {
				for _, f := range c.faults {
					s.log.AddFault(f)
				}
				s.send(ann, "x")
				time.Sleep(time.Minute)
				s.same("reports", s.posted("/status", "MessageStatus"), strings.Fields(c.want)...)
				if tokens := s.posted("/status", "token"); c.name == "twice" && (tokens[0] != tokens[1] || tokens[0] == tokens[2]) {
					t.Errorf("tokens %q", tokens)
				}
			})
		})
	}
}

func TestConnectionOverrides(t *testing.T) {
	for _, c := range []struct {
		fragment string
		status   int
		tries    int
	}{{"", 500, 1}, {"#rc=2&rp=5xx", 500, 3}, {"#rc=2&rp=4xx", 500, 1}, {"#rc=9&rp=all", 404, 2}, {"#rc=0&rp=all", 500, 1}, {"#rc=3&rp=all", 200, 1}} {
		in(t, nil, func(s *stage) {
			s.answer = func(string, url.Values) (int, string) { return c.status, "" }
			f := url.Values{"To": {ann}, "From": {desk}, "Body": {"x"}, "StatusCallback": {"http://hub.example/status" + c.fragment}}
			s.do("POST", "/Messages.json", f)
			time.Sleep(700 * time.Millisecond)
			if tokens := s.posted("/status", "token"); len(tokens) != c.tries || tokens[0] != tokens[len(tokens)-1] {
				t.Errorf("%q and %d: %q, want %d tries", c.fragment, c.status, tokens, c.tries)
			}
		})
	}
}

func TestTwilioWaitsFifteenSeconds(t *testing.T) {
	in(t, nil, func(s *stage) {
		s.answer = func(path string, _ url.Values) (int, string) {
			if path == "/voice" {
				time.Sleep(16 * time.Second)
			}
			return 200, menu
		}
		s.script("ann", "answers")
		s.call(ann)
		time.Sleep(time.Minute)
		s.same("heard", s.Snapshot().Heard("ann"), applicationError)
		if a := s.Snapshot().Alerts; len(a) == 0 || !strings.Contains(a[len(a)-1].What+a[0].What, "within the time") {
			t.Errorf("alerts %+v", a)
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	in(t, nil, func(s *stage) {
		for _, err := range []error{
			s.Write(context.Background(), "nobody", "", "x"), s.Write(context.Background(), "ann", "", ""), s.Write(context.Background(), "ann", bob, "x"),
			s.Script("nobody", ""), s.Script("ann", "sings"), s.Press("ann", "A"), s.CallIn("nobody"), s.HangUp("ann"),
		} {
			if err == nil {
				t.Error("no error")
			}
		}
	})
}
