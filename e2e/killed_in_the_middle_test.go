package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/wire"
)

// moment is when the hub is killed: while a certain request of it hangs. landed tells
// whether the request had its effect, or never arrived.
type moment struct {
	name   string
	step   responsehub.StepID
	fault  wire.Fault
	landed bool
	cards  bool // the post of a card is in doubt: it may be there twice, and the record says so
}

func (m moment) hang() wire.Fault {
	f := m.fault
	f.Times, f.DelayMS = 1, 3000
	f.After, f.Drop = m.landed, !m.landed
	return f
}

var moments = []moment{
	{name: "the card is being posted", fault: wire.Fault{Vendor: "teams", Method: "POST", Match: "/v3/conversations"}, landed: true, cards: true},
	{name: "publish, the card is being updated", step: responsehub.Publish, fault: wire.Fault{Vendor: "teams", Method: "PUT"}},
	{name: "lock, sign-in was blocked", step: responsehub.Lock, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "accountEnabled"}, landed: true},
	{name: "lock, the block was lost", step: responsehub.Lock, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "accountEnabled"}},
	{name: "lock, between block and revocation", step: responsehub.Lock, fault: wire.Fault{Vendor: "graph", Method: "POST", Match: "revokeSignInSessions"}},
	{name: "retract, the first message was moved", step: responsehub.Retract, fault: wire.Fault{Vendor: "graph", Method: "POST", Match: "/move"}, landed: true},
	{name: "retract, between two messages", step: responsehub.Retract, fault: wire.Fault{Vendor: "graph", Method: "POST", Match: "/move", Skip: 2}},
	{name: "persistence, the rule was disabled", step: responsehub.Persistence, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/messageRules/"}, landed: true},
	{name: "persistence, the connector was disabled", step: responsehub.Persistence, fault: wire.Fault{Vendor: "exchange", Body: "Set-InboundConnector"}, landed: true},
	{name: "persistence, the app was not reached", step: responsehub.Persistence, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/servicePrincipals/"}},
	{name: "password, it was set", step: responsehub.Password, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "passwordProfile"}, landed: true},
	{name: "password, it was lost", step: responsehub.Password, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "passwordProfile"}},
	{name: "re-enable, the account was opened", step: responsehub.Reenable, fault: wire.Fault{Vendor: "graph", Method: "PATCH", Match: "/users/", Body: "accountEnabled"}, landed: true},
	{name: "close, the card is being updated", step: responsehub.Close, fault: wire.Fault{Vendor: "teams", Method: "PUT"}},
}

// TestKilledInTheMiddle kills the hub's process with SIGKILL in the middle of each
// step and starts it again. Whatever was accepted ends verified, and what cannot be
// repeated without harm happened once.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := raise(t, scenery{separate: true, twoCards: m.cards})
			if m.step == "" {
				s.world.Wire.AddFault(m.hang())
			}
			in := s.alert(s.world.Alert("manual"))
			if m.step != "" {
				s.card(in.Ref, "Act now")
				s.upTo(in, m.step)
				s.world.Wire.AddFault(m.hang())
				if r := s.ask(in.Incident, m.step, api.StepBody{CommandID: "once"}); r.status != http.StatusAccepted {
					t.Fatalf("%s: %s", m.step, r)
				}
			}
			s.until("the request hangs", func() bool { return len(s.world.Wire.Faults()) == 0 })
			if m.landed {
				time.Sleep(50 * time.Millisecond) // the effect is made, the answer is held back
			}
			s.killHub()
			s.world.Wire.ClearFaults()
			killed := time.Now()
			s.startHub()
			s.settledAfterTheKill(in, m)
			t.Logf("%s, %s after the kill", m.name, time.Since(killed).Round(10*time.Millisecond))
			if d := time.Since(killed); d > 40*time.Second {
				t.Errorf("it took %s; a lease is 10 s", d)
			}
		})
	}
}

// upTo publishes the incident and runs the steps that come before one.
func (s *stage) upTo(in opened, step responsehub.StepID) {
	s.Helper()
	for _, id := range responsehub.StepIDs {
		if id == step {
			break
		}
		if r := s.ask(in.Incident, id, api.StepBody{}); r.status != http.StatusAccepted {
			s.Fatalf("%s: %s", id, r)
		}
		if id == responsehub.Persistence {
			s.persistenceSettled(in)
			continue
		}
		s.is(in.Incident, id, responsehub.Done)
	}
	// The card has caught up, so that the next request to Teams is about the step.
	shown := s.step(in.Incident, step)
	s.until("the card has caught up", func() bool {
		inc, ok := s.kept(in.Incident)
		if !ok {
			return false
		}
		for _, ref := range inc.Cards {
			return ref.Drawn != "" && shown.State == responsehub.Waiting && s.cardIsQuiet(ref.DrawnAt)
		}
		return false
	})
}

// cardIsQuiet reports whether the last drawing is older than the pace of drawings, so
// that none is waiting.
func (s *stage) cardIsQuiet(drawn time.Time) bool { return time.Since(drawn) > 3*time.Second }

// settledAfterTheKill checks what has to hold once the hub is back.
func (s *stage) settledAfterTheKill(in opened, m moment) {
	s.Helper()
	victim := s.scene(1).Victim
	switch m.step {
	case "":
		s.card(in.Ref, "Act now")
		s.recorded(in.Incident, responsehub.EventNoticeFailed, "may show twice")
	case responsehub.Publish:
		s.card(in.Ref, "active")
	case responsehub.Close:
		s.closed(in)
	case responsehub.Persistence:
		s.persistenceSettled(in)
	default:
		s.is(in.Incident, m.step, responsehub.Done)
	}
	// The same command again joins what was done; it does nothing a second time.
	before := len(s.world.Wire.Effects())
	if m.step != "" {
		if r := s.ask(in.Incident, m.step, api.StepBody{CommandID: "once"}); r.status != http.StatusAccepted {
			s.Errorf("the same command again: %s", r)
		}
	}
	for _, e := range s.world.Wire.Effects()[before:] {
		if e.Vendor == "graph" || e.Vendor == "exchange" {
			s.Errorf("the same command again had the effect %+v", e)
		}
	}
	switch m.step {
	case responsehub.Lock:
		if n := s.count("disable", victim.ID); n != 1 {
			s.Errorf("the account was disabled %d times", n)
		}
	case responsehub.Retract:
		if n := s.count("move", ""); n != 3 {
			s.Errorf("%d messages were moved, want 3", n)
		}
	case responsehub.Password:
		s.onePassword(in, victim.Password())
	}
}

var passwordInBody = regexp.MustCompile(`"password"\s*:\s*("(?:[^"\\]|\\.)*")`)

// sentPasswords are the passwords that were sent to Microsoft.
func (s *stage) sentPasswords() []string {
	s.Helper()
	var out []string
	for _, q := range s.world.Wire.Requests() {
		if q.Vendor != "graph" || !strings.Contains(q.Body, "passwordProfile") {
			continue
		}
		var p string
		m := passwordInBody.FindStringSubmatch(q.Body)
		if m == nil || json.Unmarshal([]byte(m[1]), &p) != nil || p == "" {
			s.Fatalf("no password in %s", q.Body)
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// onePassword checks that only one password was ever sent, and that it is the one that
// who asked for it is shown, once.
func (s *stage) onePassword(in opened, now string) {
	s.Helper()
	if sent := s.sentPasswords(); len(sent) != 1 || sent[0] != now {
		s.Errorf("%d different passwords were sent", len(sent))
	}
	r := s.api(http.MethodPost, "/v1/incidents/"+in.Incident+"/steps/password/reveal", nil)
	var shown api.Revealed
	r.decode(s, &shown)
	if r.status != http.StatusOK || shown.Password != now {
		s.Errorf("the reveal answered %d and not the password that is set", r.status)
	}
	if r := s.api(http.MethodPost, "/v1/incidents/"+in.Incident+"/steps/password/reveal", nil); r.status != http.StatusGone {
		s.Errorf("a second reveal: %d", r.status)
	}
}

// TestStoppedInTheMiddle: SIGTERM while work is in flight. The process exits 0 within
// 15 s, and the next one goes on at once, without waiting for a lease.
func TestStoppedInTheMiddle(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{separate: true})
	s.world.Wire.AddFault(wire.Fault{Vendor: "graph", Method: "POST", Match: "/move", DelayMS: 700, After: true})
	in := s.takeover()
	s.until("messages are being moved", func() bool { return s.count("move", "") > 0 })
	start := time.Now()
	s.hub.stop(t)
	t.Logf("stopped after %s", time.Since(start).Round(time.Millisecond))
	again := time.Now()
	s.startHub()
	for _, step := range []responsehub.StepID{responsehub.Lock, responsehub.Retract} {
		s.is(in.Incident, step, responsehub.Done)
	}
	s.persistenceSettled(in)
	if d := time.Since(again); d > 10*time.Second {
		t.Errorf("the next process needed %s: it waited for a lease", d)
	}
}

// TestRedisKilledInTheMiddle kills Redis with SIGKILL again and again while twelve
// incidents are worked on. Redis writes each change to disk before it answers, so
// nothing that was accepted is lost.
func TestRedisKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{tenants: 4, response: true})
	s.world.Wire.AddFault(wire.Fault{Vendor: "graph", Method: "PATCH", DelayMS: 150})
	var in []opened
	for i, body := range s.wave(2) {
		if i%4 == 1 {
			s.redis.Kill()
			time.Sleep(300 * time.Millisecond)
			s.redis.Restart()
		}
		// As a detector does: again with the same id until it was taken.
		s.until("the alert is taken", func() bool {
			r, err := s.post(fmt.Sprintf("msg_%d", i), body)
			if err != nil || r.status/100 != 2 {
				return false
			}
			in = append(in, s.took(r))
			return true
		})
	}
	s.redis.Kill()
	s.redis.Restart()
	for _, o := range in {
		s.is(o.Incident, responsehub.Lock, responsehub.Done)
		s.is(o.Incident, responsehub.Retract, responsehub.Done)
		s.persistenceDone(o)
	}
	if len(s.known) != 12 {
		t.Errorf("12 alerts opened %d incidents", len(s.known))
	}
}
