package twilio

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheNetworkGoesOn ends a service in the middle and lets another go on with what it saved.
func TestTheNetworkGoesOn(t *testing.T) {
	in(t, nil, func(s *stage) {
		s.script("ann", "sleeps through call 1, replies CODE")
		s.script("bob", "answers")
		s.call(ann) // rings when the world ends
		s.call(bob) // is answered then
		s.send(ann, "code 4821")
		if err := s.Write(s.Context(), "bob", "", "STOP"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		s.call(bob) // is queued
		s.send(ann, "second")
		synctest.Wait() // what was asked for is taken in
		before, raw := s.Snapshot(), must(t, s.Service)
		s.Service.Stop()
		if again := must(t, s.Service); string(again) != string(raw) {
			t.Error("stopping changed the state")
		}
		s.mu.Lock()
		s.got = nil
		s.mu.Unlock()
		second, err := Restore(s.cfg, raw)
		if err != nil {
			t.Fatal(err)
		}
		before.Sent = []Delivery{}
		for i := range before.Phones {
			before.Phones[i].Call = "" // nothing is going on before Start
		}
		if diff := cmp.Diff(before, second.Snapshot()); diff != "" {
			t.Errorf("restored:\n%s", diff)
		}
		s.Service = second
		second.Start()
		time.Sleep(2 * time.Minute)
		var ended []string
		for _, c := range second.Snapshot().Calls {
			ended = append(ended, c.Status)
		}
		s.same("calls", ended, "no-answer", "completed", "completed")
		if _, texts := second.Snapshot().To("ann"); len(texts) != 2 || texts[1].Status != "delivered" {
			t.Errorf("texts %+v", texts)
		}
		s.same("replied once", s.posted("/sms", "Body"))
		if status, got := s.do("POST", "/Messages.json", map[string][]string{"To": {bob}, "From": {desk}, "Body": {"x"}}); status != 400 || got["code"] != 21610.0 {
			t.Errorf("STOP is forgotten: %d %v", status, got)
		}
	})
}

func must(t *testing.T, s *Service) []byte {
	t.Helper()
	raw, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRestoreRefuses(t *testing.T) {
	cfg := Config{URL: "http://x", AccountSID: testAccount, AuthToken: testToken, Numbers: []string{desk}, People: []Person{{Key: "ann", Number: ann}}}
	for name, raw := range map[string]string{
		"no JSON": "{", "no SID": `{"calls":[{}]}`, "twice": `{"texts":[{"sid":"SM1"},{"sid":"SM1"}]}`, "no script": `{"scripts":{"` + ann + `":{"script":"sings"}}}`,
	} {
		if s, err := Restore(cfg, []byte(raw)); err == nil {
			s.Stop()
			t.Errorf("%s is restored", name)
		}
	}
	for name, change := range map[string]func(*Config){
		"account": func(c *Config) { c.AccountSID = "AC1" }, "token": func(c *Config) { c.AuthToken = "" }, "no numbers": func(c *Config) { c.Numbers = nil },
		"number": func(c *Config) { c.Numbers = []string{"0123"} }, "person": func(c *Config) { c.People = []Person{{Key: "x", Number: "0123"}} },
		"script": func(c *Config) { c.People = []Person{{Key: "x", Number: ann, Script: "sings"}} }, "address": func(c *Config) { c.URL = "" },
	} {
		bad := cfg
		change(&bad)
		if s, err := New(bad); err == nil {
			s.Stop()
			t.Errorf("%s is taken", name)
		}
	}
}

// TestScaledTime lets a network run a hundred times as fast.
func TestScaledTime(t *testing.T) {
	in(t, func(c *Config) { c.Speed = 100 }, func(s *stage) {
		s.script("ann", "presses 4")
		s.call(ann)
		time.Sleep(time.Second)
		if c := s.Snapshot().Calls[0]; c.Status != "completed" || c.Ended.Sub(c.Created) > 100*time.Millisecond {
			t.Errorf("%s after %v", c.Status, c.Ended.Sub(c.Created))
		}
	})
}

// TestTwoPressAtTheSameMoment is a race for whoever is called.
func TestTwoPressAtTheSameMoment(t *testing.T) {
	in(t, func(c *Config) { c.NoLimits = true }, func(s *stage) {
		s.script("ann", "presses 4")
		s.script("bob", "presses 4")
		s.call(ann)
		s.call(bob)
		time.Sleep(10 * time.Second)
		if at := s.posted("/pressed", "at"); len(at) != 2 || at[0] != at[1] {
			t.Errorf("pressed at %q", at)
		}
	})
}

// TestStopDuringEverything ends the service while calls ring and speak and webhooks wait.
func TestStopDuringEverything(t *testing.T) {
	for _, after := range []time.Duration{0, 100, 400, 1500, 2500, 4000, 9000} {
		in(t, func(c *Config) { c.Client = &http.Client{Transport: c.Client.Transport} }, func(s *stage) {
			s.script("ann", "answers, replies CODE")
			s.call(ann)
			s.send(ann, "code 4821")
			time.Sleep(after * time.Millisecond)
			s.Service.Stop()
			synctest.Wait()
		})
	}
}
