package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/tenant"
)

// TestAlertAgainAndAgain: detectors repeat themselves, hurry, and change their mind.
// There is one incident and one card, and nothing new in a later alert is lost.
func TestAlertAgainAndAgain(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	body := s.world.Alert("takeover")

	// The same message five times at once, then five messages about the same thing.
	first := s.five(func(int) string { return "msg_same" }, body)
	codes := map[int]int{}
	for _, r := range append(first, s.five(func(i int) string { return fmt.Sprintf("msg_%d", i) }, body)...) {
		codes[r.status]++
		s.took(r)
	}
	if codes[http.StatusAccepted] != 1 || codes[http.StatusOK] != 9 {
		t.Errorf("ten deliveries were answered with %v", codes)
	}
	if len(s.known) != 1 {
		t.Fatalf("ten deliveries opened %d incidents", len(s.known))
	}
	in := s.took(first[0])

	// Another message under the same id.
	other := s.world.Alert("takeover")
	if r, err := s.post("msg_same", other); err != nil || r.status != http.StatusConflict || !strings.HasPrefix(r.header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("the same id with another body: %v, %v", r, err)
	}
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.newEvidence(in)
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓")
	if cards := s.cards(in.Ref); len(cards) != 1 {
		t.Errorf("there are %d cards", len(cards))
	}
	if n := s.count("disable", s.scene(0).Victim.ID); n != 1 {
		t.Errorf("the account was disabled %d times", n)
	}
}

// five delivers a body five times at once.
func (s *stage) five(id func(int) string, body []byte) []reply {
	s.Helper()
	replies := make([]reply, 5)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() {
			var err error
			if replies[i], err = s.post(id(i), body); err != nil || replies[i].status/100 != 2 {
				s.Errorf("delivery %d: %v, %v", i, replies[i], err)
			}
		})
	}
	wg.Wait()
	return replies
}

// newEvidence: the attacker sends another phish and makes another rule; the detector
// sees both. The open incident takes them in and its steps run again.
func (s *stage) newEvidence(in opened) {
	s.Helper()
	scene := s.scene(0)
	s.persistenceDone(in)
	const id = "<phish-4712@contoso.example>"
	scene.Sam.Deliver(tenant.Message{InternetMessageID: id, From: scene.PhishSender, Subject: "Second reminder", Received: time.Now().UTC().Truncate(time.Second)})
	rule := scene.Victim.AddRule(tenant.Rule{Name: "...", Actions: map[string]any{"delete": true}})
	var alert map[string]any
	if err := json.Unmarshal(s.world.Alert("takeover"), &alert); err != nil {
		s.Fatal(err)
	}
	alert["phish"] = []any{map[string]any{"internet_message_id": id}}
	alert["persistence"] = []any{map[string]any{"kind": "inbox_rule", "id": rule.ID, "name": rule.Name}}
	body, err := json.Marshal(alert)
	if err != nil {
		s.Fatal(err)
	}
	if again := s.alert(body); again.Incident != in.Incident {
		s.Errorf("new evidence opened another incident, %s", again.Ref)
	}
	s.recorded(in.Incident, responsehub.EventJoined)
	s.until("the second phish is moved too", func() bool {
		return slices.ContainsFunc(scene.Sam.Messages("deleteditems"), func(m tenant.Message) bool { return m.InternetMessageID == id })
	})
	s.is(in.Incident, responsehub.Retract, responsehub.Done)
	s.until("the new rule is disabled too", func() bool {
		for _, it := range s.step(in.Incident, responsehub.Persistence).Items {
			if it.Name == "..." {
				return it.State == responsehub.Done
			}
		}
		return false
	})
	s.persistenceDone(in)
}

// persistenceDone waits until step 3 has done what the hub can do.
func (s *stage) persistenceDone(in opened) {
	s.Helper()
	s.is(in.Incident, responsehub.Persistence, responsehub.Done, responsehub.NeedsHuman)
}

// TestAlertOfAnUnknownTenant: it is kept and listed, never dropped, and nothing is
// done to a tenant that nobody put in the hub's care.
func TestAlertOfAnUnknownTenant(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	const stranger = "abcdefab-0000-4000-8000-00000000abcd"
	body := []byte(strings.ReplaceAll(string(s.world.Alert("takeover")), s.scene(0).Tenant.ID, stranger))
	in := s.alert(body)
	if in.State != "unpublished" {
		t.Errorf("the incident is %s", in.State)
	}
	if again := s.alert(body); again.Incident != in.Incident {
		t.Error("the same alert opened another incident")
	}
	var list api.List[api.Incident]
	s.api(http.MethodGet, "/v1/incidents", nil).decode(t, &list)
	if len(list.Items) != 1 || list.Items[0].ID != in.Incident || list.Items[0].Tenant.MicrosoftTenantID != stranger {
		t.Errorf("listed: %+v", list.Items)
	}
	s.ask(in.Incident, responsehub.Publish, api.StepBody{})
	if r := s.ask(in.Incident, responsehub.Lock, api.StepBody{}); r.status != http.StatusConflict || !strings.Contains(string(r.body), "does not know the tenant") {
		t.Errorf("lock at an unknown tenant: %s", r)
	}
	s.untouched(stranger)
}

// TestAlertWhileRedisIsAway: the hub promises nothing it cannot keep. It answers 503
// with Retry-After, and the detector's retry works when Redis is back.
func TestAlertWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	before := s.takeover()
	s.is(before.Incident, responsehub.Lock, responsehub.Done)
	s.cardOnRecord(before)
	s.redis.Kill()

	body := s.world.Alert("manual")
	r, err := s.post("msg_retry", body)
	if err != nil || r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
		t.Fatalf("alert without Redis: %v %v, Retry-After %q", r, err, r.header.Get("Retry-After"))
	}
	if r := s.api(http.MethodGet, "/v1/incidents", nil); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
		t.Errorf("the API without Redis: %s", r)
	}
	s.until("/readyz says so", func() bool { return s.api(http.MethodGet, "/readyz", nil).status == http.StatusServiceUnavailable })
	if r := s.api(http.MethodGet, "/healthz", nil); r.status != http.StatusOK {
		t.Errorf("/healthz without Redis: %s; a restart would not mend it", r)
	}

	s.redis.Restart()
	var in opened
	s.until("the retry is taken", func() bool {
		r, err := s.post("msg_retry", body)
		if err != nil || r.status/100 != 2 {
			return false
		}
		in = s.took(r)
		return true
	})
	s.until("/readyz is well again", func() bool { return s.api(http.MethodGet, "/readyz", nil).status == http.StatusOK })
	s.card(in.Ref, "Act now")
	if got := s.incident(before.Incident); stepOf(got, responsehub.Lock).State != responsehub.Done {
		t.Errorf("the incident from before is %+v", got)
	}
	s.card(before.Ref, "1 Revoke sessions and lock account — ✓")
}
