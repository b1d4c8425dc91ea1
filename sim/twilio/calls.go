package twilio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// createCall answers POST Calls.json.
// https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
func (s *Service) createCall(r *http.Request) (int, any, *refusal) {
	f := s.form(r, newCallFields)
	a := s.readAsked(f)
	to, from := f.Get("To"), f.Get("From")
	switch {
	case f.bad != nil:
	case to == "":
		f.fail(21201, "")
	case from == "":
		f.fail(21213, "")
	case a.URL == "" && a.Twiml == "":
		f.fail(21205, "")
	}
	if f.bad == nil {
		f.bad = s.callable(to, from)
	}
	if f.bad != nil {
		return 0, nil, f.bad
	}
	now := time.Now().UTC()
	c := s.newCall(Call{SID: newSID("CA"), To: to, From: from, Direction: "outbound-api", Status: "queued", Created: now}, a)
	s.mu.Lock()
	s.calls = append(s.calls, c)
	s.reserve(c)
	answer := s.callAnswer(c)
	s.mu.Unlock()
	s.place(c)
	return http.StatusCreated, answer, nil
}

func (s *Service) readAsked(f *fields) asked {
	if f.bad != nil {
		return asked{}
	}
	a := asked{
		URL: f.address("Url", 21205), Method: f.one("Method", "POST", 21209, "GET", "POST"), Twiml: f.Get("Twiml"),
		FallbackURL: f.address("FallbackUrl", 21205), FallbackMethod: f.one("FallbackMethod", "POST", 21209, "GET", "POST"),
		Callback: f.address("StatusCallback", 21609), CallbackMethod: f.one("StatusCallbackMethod", "POST", 21209, "GET", "POST"),
		Ring: f.integer("Timeout", 1, 600, 60, 21208), TimeLimit: f.integer("TimeLimit", 1, 86400, 14400, 20001),
		Machine: f.one("MachineDetection", "", 20001, "Enable", "DetectMessageEnd"), Async: f.one("AsyncAmd", "false", 20001, "true", "false") == "true",
		AMDCallback: f.address("AsyncAmdStatusCallback", 21609), AMDMethod: f.one("AsyncAmdStatusCallbackMethod", "POST", 21209, "GET", "POST"),
		Events: f.Values["StatusCallbackEvent"],
	}
	if len(a.Events) == 0 {
		a.Events = []string{"completed"}
	}
	for _, e := range a.Events {
		if !slices.Contains([]string{"initiated", "ringing", "answered", "completed"}, e) {
			f.fail(20001, "Invalid StatusCallbackEvent")
		}
	}
	for _, name := range []string{"MachineDetectionTimeout", "MachineDetectionSpeechThreshold", "MachineDetectionSpeechEndThreshold", "MachineDetectionSilenceTimeout"} {
		f.integer(name, 0, 60000, 0, 20001)
	}
	if utf8.RuneCountInString(a.Twiml) > 4000 {
		f.fail(20001, "Twiml is longer than 4000 characters")
	}
	return a
}

// callable judges the numbers. +1500555000x are Twilio's magic ones, with which mistakes are tried.
// https://www.twilio.com/docs/iam/test-credentials
func (s *Service) callable(to, from string) *refusal {
	magic := map[string]int{"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}
	switch {
	case from == "+15005550001" || !numberShape.MatchString(from):
		return refuse(21212, "")
	case !s.owns(from):
		return refuse(21210, "")
	case magic[to] != 0:
		return refuse(magic[to], "")
	case !numberShape.MatchString(to):
		return refuse(21217, "")
	}
	return nil
}

// owns says that a number is the account's, or the magic one that is good.
func (s *Service) owns(number string) bool {
	return number == "+15005550006" || slices.Contains(s.cfg.Numbers, number)
}

// oneCall answers for one call: fetch, change, delete.
func (s *Service) oneCall(r *http.Request, sid string) (int, any, *refusal) {
	s.mu.Lock()
	i := slices.IndexFunc(s.calls, func(c *call) bool { return c.SID == sid })
	if i < 0 {
		s.mu.Unlock()
		return 0, nil, refuse(20404, "The requested call was not found")
	}
	c := s.calls[i]
	s.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		if bad := s.changeCall(r, c); bad != nil {
			return 0, nil, bad
		}
	case http.MethodDelete:
		s.mu.Lock()
		defer s.mu.Unlock()
		if !over(c.Status) {
			return 0, nil, refuse(21220, "A call that goes on cannot be deleted")
		}
		s.calls = slices.DeleteFunc(s.calls, func(other *call) bool { return other == c })
		return http.StatusNoContent, nil, nil
	default:
		return 0, nil, refuse(20004, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return http.StatusOK, s.callAnswer(c), nil
}

// changeCall ends a call or sends it to another document.
// https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
func (s *Service) changeCall(r *http.Request, c *call) *refusal {
	f := s.form(r, callChanges)
	want := f.one("Status", "", 20001, "canceled", "completed")
	to := asked{
		URL: f.address("Url", 21205), Method: f.one("Method", "POST", 21209, "GET", "POST"), Twiml: f.Get("Twiml"),
	}
	if f.bad != nil {
		return f.bad
	}
	s.mu.Lock()
	status := c.Status
	s.mu.Unlock()
	switch {
	case over(status):
		return refuse(21220, "Call is not in-progress. Cannot redirect.")
	case want == "canceled" && status == "in-progress":
		return refuse(21220, "Call is in-progress. Cannot cancel.")
	case want != "":
		e := &ending{status: want, sip: 200}
		if status != "in-progress" {
			e = &ending{status: "canceled", sip: 487}
		}
		if err := s.endBy(c, e); err != nil {
			return refuse(20503, err.Error())
		}
		return nil
	case to.URL == "" && to.Twiml == "":
		return refuse(20001, "Nothing to change")
	case status != "in-progress":
		return refuse(21220, "Call is not in-progress. Cannot redirect.")
	}
	select {
	case c.acts <- act{kind: "redirect", to: to}:
	default:
		return refuse(20503, "")
	}
	return nil
}

// callAnswer is a call as the API shows it. s.mu must be held.
func (s *Service) callAnswer(c *call) map[string]any {
	uri := s.uri() + "/Calls/" + c.SID
	sub := map[string]any{}
	for _, name := range strings.Fields("Notifications Recordings Payments Events Siprec Streams Transcriptions UserDefinedMessageSubscriptions UserDefinedMessages") {
		sub[snake(name)] = uri + "/" + name + ".json"
	}
	duration := any(nil)
	if over(c.Status) {
		duration = strconv.Itoa(c.seconds())
	}
	start := c.Ringing
	if start.IsZero() {
		start = c.Answered
	}
	return map[string]any{
		"sid": c.SID, "account_sid": s.cfg.AccountSID, "api_version": version, "date_created": rfc2822(c.Created), "date_updated": rfc2822(c.Updated),
		"to": c.To, "to_formatted": formatted(c.To), "from": c.From, "from_formatted": formatted(c.From), "direction": c.Direction,
		"status": c.Status, "start_time": rfc2822(start), "end_time": rfc2822(c.Ended), "duration": duration, "price": nil, "price_unit": "USD",
		"answered_by": orNull(c.AnsweredBy), "caller_name": nil, "forwarded_from": nil, "group_sid": nil, "parent_call_sid": nil,
		"phone_number_sid": nil, "trunk_sid": nil, "queue_time": strconv.FormatInt(c.QueueMS, 10), "uri": uri + ".json",
		"subresource_uris": sub,
	}
}

// snake is a name as the API writes it in answers.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// formatted is a number as Americans write it.
func formatted(number string) string {
	if len(number) == 12 && strings.HasPrefix(number, "+1") {
		return "(" + number[2:5] + ") " + number[5:8] + "-" + number[8:]
	}
	return number
}
