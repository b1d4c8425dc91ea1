package e2e

import (
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/sim/twilio"
)

// phoned is a takeover at a customer with Response off, whose people are called.
func (s *stage) phoned(scripts map[string]string) opened {
	s.Helper()
	for who, words := range scripts {
		if err := s.world.Twilio.Script(who, words); err != nil {
			s.Fatal(err)
		}
	}
	if r := s.api("PATCH", "/v1/tenants/"+s.scene(0).Tenant.ID, map[string]bool{"response": false}); r.status != 200 {
		s.Fatal(r)
	}
	return s.takeover()
}

func (s *stage) calls(who string) ([]twilio.Call, []twilio.Text) {
	return s.world.Twilio.Snapshot().To(who)
}

// TestFirstPersonAnswersTheCall: the phone rings as the text comes, a 4 acknowledges, and
// nobody else is called.
func TestFirstPersonAnswersTheCall(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	in := s.phoned(map[string]string{"ann": "presses 7 then 4"})
	s.within(30*time.Second, "Ann has acknowledged", func() bool { return s.incident(in.Incident).Acknowledged != nil })
	if a := s.incident(in.Incident).Acknowledged; a.By != "Ann Berg" || a.Via != responsehub.ViaPhone {
		t.Errorf("acknowledged %+v", a)
	}
	heard := strings.Join(s.world.Twilio.Snapshot().Heard("ann"), "\n")
	for _, want := range []string{"has an account takeover", "That key does nothing."} {
		if !strings.Contains(heard, want) {
			t.Errorf("Ann did not hear %q but %q", want, heard)
		}
	}
	s.within(10*time.Second, "Ann heard that it is hers", func() bool {
		return strings.Contains(strings.Join(s.world.Twilio.Snapshot().Heard("ann"), "\n"), "You have acknowledged it.")
	})
	calls, texts := s.calls("ann")
	if len(calls) != 1 || len(texts) != 1 || !strings.HasPrefix(texts[0].Body, in.Ref+" ") {
		t.Errorf("%d calls, texts %+v", len(calls), texts)
	}
	if calls, texts := s.calls("bob"); len(calls)+len(texts) != 0 {
		t.Errorf("Bob got %d calls and %d texts", len(calls), len(texts))
	}
	if n := s.count("disable", s.scene(0).Victim.ID); n != 0 {
		t.Errorf("a phone ran a step: the account was disabled %d times", n)
	}
}

// TestVoicemailThenACode: a machine answers, so the next person is called at once; the
// code of the text ends that person's ringing too.
func TestVoicemailThenACode(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	in := s.phoned(map[string]string{"ann": "voicemail after 1s", "bob": "sleeps through calls 9, replies CODE after 4s"})
	s.within(60*time.Second, "Bob has acknowledged", func() bool { return s.incident(in.Incident).Acknowledged != nil })
	if a := s.incident(in.Incident).Acknowledged; a.By != "Bob Carr" || a.Via != responsehub.ViaText {
		t.Errorf("acknowledged %+v", a)
	}
	s.within(10*time.Second, "Bob's phone rings no more", func() bool {
		calls, _ := s.calls("bob")
		return len(calls) == 1 && !calls[0].Ended.IsZero() && calls[0].Status == "canceled"
	})
	s.within(10*time.Second, "Ann is told", func() bool {
		_, texts := s.calls("ann")
		return len(texts) == 2 && strings.HasSuffix(texts[1].Body, "Bob Carr has it.")
	})
	s.recorded(in.Incident, responsehub.EventPageAttempt, "Call to Ann Berg: voicemail")
	calls, _ := s.calls("ann")
	if bobs, _ := s.calls("bob"); bobs[0].Created.Sub(calls[0].Created) > time.Minute {
		t.Errorf("Bob was called %s after Ann", bobs[0].Created.Sub(calls[0].Created))
	}
}
