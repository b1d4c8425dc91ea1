package e2e

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
	"responsehub/sim/wire"
)

// TestKilledWhileACallIsPlaced: the hub dies between the request and its answer, while
// the phone rings already. The hub that comes up finds the call at Twilio: the phone
// rings once, the key that is pressed on it counts, and nobody else is called.
func TestKilledWhileACallIsPlaced(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{separate: true})
	s.world.Wire.AddFault(wire.Fault{Vendor: "twilio", Method: "POST", Match: "/Calls.json", After: true, DelayMS: 5000, Times: 1})
	in := s.phoned(map[string]string{"ann": "presses 4 after 20s"})
	s.until("the call is made and its answer hangs", func() bool {
		calls, texts := s.calls("ann")
		return len(calls) == 1 && len(texts) == 1
	})
	s.cardOnRecord(in)
	s.killHub()
	s.startHub()
	s.within(60*time.Second, "Ann has acknowledged", func() bool { return s.incident(in.Incident).Acknowledged != nil })
	if a := s.incident(in.Incident).Acknowledged; a.By != "Ann Berg" || a.Via != responsehub.ViaPhone {
		t.Errorf("acknowledged %+v", a)
	}
	s.recorded(in.Incident, responsehub.EventPageAttempt, "Call to Ann Berg: acknowledged")
	if calls, texts := s.calls("ann"); len(calls) != 1 || len(texts) != 1 {
		t.Errorf("Ann got %d calls and %d texts", len(calls), len(texts))
	}
	if calls, texts := s.calls("bob"); len(calls)+len(texts) != 0 {
		t.Errorf("Bob got %d calls and %d texts", len(calls), len(texts))
	}
}

// TestTwoReplicasCallOnce: two hubs on one Redis place one call and one text, and the key
// that one of them takes ends what the other one began.
func TestTwoReplicasCallOnce(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	s.replica()
	in := s.phoned(map[string]string{"ann": "voicemail after 1s", "bob": "presses 4 after 3s"})
	s.within(60*time.Second, "Bob has acknowledged", func() bool { return s.incident(in.Incident).Acknowledged != nil })
	s.within(10*time.Second, "Ann is told", func() bool {
		_, texts := s.calls("ann")
		return len(texts) == 2
	})
	time.Sleep(2 * time.Second) // whatever the other replica would do now
	for who, want := range map[string][2]int{"ann": {1, 2}, "bob": {1, 1}} {
		if calls, texts := s.calls(who); len(calls) != want[0] || len(texts) != want[1] {
			t.Errorf("%s got %d calls and %d texts, want %v", who, len(calls), len(texts), want)
		}
	}
	if n := s.count("disable", s.scene(0).Victim.ID); n != 0 {
		t.Errorf("a phone ran a step: the account was disabled %d times", n)
	}
}

// replica starts another hub on the same Redis, at another address, until the test ends.
func (s *stage) replica() {
	s.Helper()
	text, err := os.ReadFile(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	path := s.configFile() + ".replica.yaml"
	here := strings.TrimPrefix(s.url, "http://")
	changed := strings.Replace(string(text), `listen: "`+here+`"`, `listen: "`+freeAddr(s.T)+`"`, 1)
	if changed == string(text) {
		s.Fatalf("the configuration does not listen at %s", here)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		s.Fatal(err)
	}
	cfg, _, err := config.Load(path)
	if err != nil {
		s.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := app.New(cfg, app.Options{Version: "e2e", BootstrapKey: responsehub.Secret(s.key), Log: log})
	if err != nil {
		s.Fatal(err)
	}
	if err := a.Start(context.Background()); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(a.Stop)
}
