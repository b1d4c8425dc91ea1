package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"responsehub"
	"responsehub/api"
	"responsehub/sim/petra"
	"responsehub/sim/wire"
)

// TestAlertThatNeverArrived: the detector's webhooks get lost, one while the hub is there
// and one while it is away. Both are found by asking, once, and the account is locked as
// if the message had come; a message that comes after all changes nothing.
func TestAlertThatNeverArrived(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{noHub: true})
	s.askOften()
	first := s.world.Find("takeover", time.Now().Add(-time.Minute))
	s.startHub()
	s.install()
	in := s.found(first)
	if in.State != "active" {
		t.Errorf("with Response on it is %s", in.State)
	}
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	s.card(in.Ref, "1 Revoke sessions and lock account — ✓")

	// The message was only late, with the same id and more in it.
	late := s.alert([]byte(strings.Replace(string(s.world.Alert("takeover")), "det-Contoso-2", first.ID, 1)))
	if late.Incident != in.Incident {
		t.Errorf("the late message opened %s beside %s", late.Ref, in.Ref)
	}
	s.is(in.Incident, responsehub.Retract, responsehub.Done) // the phish that only the message names
	if cards := s.cards(in.Ref); len(cards) != 1 {
		t.Errorf("there are %d cards", len(cards))
	}

	s.hub.stop(t)
	second := s.world.Find("manual", time.Now().Add(-time.Minute))
	dealtWith := s.world.Find("hybrid", time.Now().Add(-time.Minute))
	dealtWith.RemediationStatus = "REMEDIATED"
	s.world.Petra.Restore([]petra.Incident{first, second, dealtWith})
	s.world.Wire.AddFault(wire.Fault{Vendor: "petra", Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After-public-api": "1"}, Times: 1})
	s.startHub()
	if got := s.found(second); got.State != "unpublished" {
		t.Errorf("with Response off it is %s", got.State)
	}
	var all struct{ Items []api.Incident }
	s.api(http.MethodGet, "/v1/incidents", nil).decode(s, &all)
	if len(all.Items) != 2 {
		t.Errorf("there are %d incidents", len(all.Items))
	}
	for _, q := range s.world.Wire.Requests() {
		if q.Vendor == "petra" && q.Method != http.MethodGet {
			t.Errorf("the detector got %s %s", q.Method, q.Path)
		}
	}

	// A message that names the account by object id only would not meet what asking finds.
	const named = "source petra account"
	if c := s.doctorSays(named); c.Sentence != "" {
		t.Errorf("doctor says %+v", c)
	}
	var alert responsehub.Alert
	if err := json.Unmarshal(s.world.Alert("manual"), &alert); err != nil {
		t.Fatal(err)
	}
	alert.ID, alert.Account.UserPrincipalName = "by id only", ""
	raw, err := json.Marshal(alert)
	if err != nil {
		t.Fatal(err)
	}
	byID := s.alert(raw)
	if c := s.doctorSays(named); c.Grade != responsehub.CheckWarning || !strings.Contains(c.Sentence, "("+byID.Ref+" is one)") {
		t.Errorf("doctor says %+v of %s", c, byID.Ref)
	}
}

// askOften has the source asked as often as the configuration allows.
func (s *stage) askOften() {
	s.Helper()
	raw, err := os.ReadFile(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	text := strings.Replace(string(raw), "poll: {", "poll: {every: 10s, ", 1)
	if err := os.WriteFile(s.configFile(), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

// found waits for the incident of what the detector lists.
func (s *stage) found(in petra.Incident) (o opened) {
	s.Helper()
	s.within(2*time.Minute, "the incident of "+in.User.UserPrincipalName, func() bool {
		var all struct{ Items []api.Incident }
		s.api(http.MethodGet, "/v1/incidents", nil).decode(s, &all)
		for _, i := range all.Items {
			if i.Account.UserPrincipalName == in.User.UserPrincipalName && i.Title != "" {
				o = opened{Incident: i.ID, Ref: i.Ref, State: string(i.State)}
				return true
			}
		}
		return false
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = append(s.known, o.Incident)
	return o
}
