package clients_test

import (
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"responsehub/sim/twilio"
)

// TestTwilioPackage lets the npm package twilio use the simulated Twilio, judge the signatures of
// its webhooks and write the TwiML that it reads.
func TestTwilioPackage(t *testing.T) {
	const (
		account, token = "AC0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"
		key, secret    = "SK0123456789abcdef0123456789abcdef", "secret"
		desk, ann, bob = "+12065550100", "+12065550101", "+12065550102"
	)
	say := talk(t, "phone.cjs")
	var hub struct{ URL string }
	say(20*time.Second, map[string]string{"token": token}, &hub)
	s, err := twilio.New(twilio.Config{
		URL: "http://127.0.0.1", AccountSID: account, AuthToken: token, APIKey: key, APISecret: secret, Numbers: []string{desk}, SMSURL: hub.URL + "/sms", Speed: 20,
		People: []twilio.Person{{Key: "ann", Name: "Ann", Number: ann, Script: "presses 7 then 4, replies CODE"}, {Key: "bob", Name: "Bob", Number: bob}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)

	type refused struct {
		Code, Status int
		More         string
	}
	var got struct {
		Text struct {
			First, Last, Segments, SID string
			Created, Sent              time.Time
		}
		Call struct {
			First, Last, Duration, SID, By string
			Start                          time.Time
		}
		Canceled            string
		Redacted            *string
		Calls, Paged, Texts int
		Refused             []*refused
		Hooks               []struct {
			Path, State, Digits, Body, By string
			Good, Forged                  bool
		}
	}
	say(60*time.Second, map[string]string{"base": server.URL, "account": account, "key": key, "secret": secret, "from": desk, "to": ann, "other": bob}, &got)
	if c := got.Text; c.First != "queued" || c.Last != "delivered" || c.Segments != "1" || len(c.SID) != 34 || time.Since(c.Created) > time.Minute || c.Sent.IsZero() {
		t.Errorf("text %+v", c)
	}
	if c := got.Call; c.First != "queued" || c.Last != "completed" || c.Duration == "" || len(c.SID) != 34 || time.Since(c.Start) > time.Minute {
		t.Errorf("call %+v", c)
	}
	if got.Canceled != "canceled" || got.Redacted == nil || *got.Redacted != "" || got.Calls != 1 || got.Paged != 2 || got.Texts != 2 {
		t.Errorf("canceled %q, redacted %v, %d calls to ann, %d paged, %d texts", got.Canceled, got.Redacted, got.Calls, got.Paged, got.Texts)
	}
	for i, want := range []refused{{21211, 400, ""}, {21205, 400, ""}, {21220, 400, ""}, {20404, 404, ""}, {20003, 401, ""}} {
		if r := got.Refused[i]; r == nil || r.Code != want.Code || r.Status != want.Status || !strings.HasSuffix(r.More, "/"+strconv.Itoa(want.Code)) {
			t.Errorf("refusal %d is %+v, want %+v", i, r, want)
		}
	}
	var seen []string
	for _, h := range got.Hooks {
		if !h.Good || h.Forged {
			t.Errorf("the package believes %s %s: %t, and a forged one: %t", h.Path, h.State, h.Good, h.Forged)
		}
		path, _, _ := strings.Cut(h.Path, "?")
		seen = append(seen, strings.TrimRight(path+" "+h.State+" "+h.Digits+h.Body, " "))
	}
	for _, want := range []string{
		"/status/1 sent", "/status/1 delivered", "/sms received 4821", "/status/2 initiated", "/status/2 ringing", "/status/2 in-progress", "/status/2 completed",
		"/voice in-progress", "/gather in-progress 7",
	} {
		if !slices.Contains(seen, want) {
			t.Errorf("no webhook %q among %q", want, seen)
		}
	}
	st := s.Snapshot()
	if heard := st.Heard("ann"); len(heard) != 2 || heard[0] != "Incident at Müller & Söhne <Ltd>. RH7K2M" || heard[1] != "It is yours." {
		t.Errorf("ann heard %q", heard)
	}
	if _, texts := st.To("ann"); len(texts) != 2 || texts[1].Body != "Yours: 4821" {
		t.Errorf("ann's texts %+v", texts)
	}
	if len(st.Alerts) > 0 {
		t.Errorf("alerts %+v", st.Alerts)
	}
}
