package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub"
	"responsehub/sim/tenant"
)

// TestFiftyIncidents: a wave of takeovers, five accounts at each of ten customers, all
// at once. Every account is locked and read back, each in its own directory, and every
// incident has its card.
func TestFiftyIncidents(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{tenants: 10, response: true})
	alerts := s.wave(4)
	start := time.Now()
	var wg sync.WaitGroup
	in := make([]opened, len(alerts))
	for i, body := range alerts {
		wg.Go(func() {
			r, err := s.post(fmt.Sprintf("msg_wave_%d", i), body)
			if err != nil || r.status != 202 {
				t.Errorf("alert %d: %v, %v", i, r, err)
				return
			}
			in[i] = s.took(r)
		})
	}
	wg.Wait()
	if len(s.known) != len(alerts) || len(alerts) != 50 {
		t.Fatalf("%d alerts opened %d incidents", len(alerts), len(s.known))
	}
	t.Logf("50 alerts were durable after %s", time.Since(start).Round(time.Millisecond))
	worst := time.Duration(0)
	for _, o := range in {
		s.is(o.Incident, responsehub.Lock, responsehub.Done)
		times := s.incident(o.Incident).Times
		worst = max(worst, times.Verified.Sub(times.Received))
	}
	t.Logf("the slowest of 50 locks was verified %s after its alert", worst.Round(time.Millisecond))
	if worst > 15*time.Second {
		t.Errorf("the slowest lock took %s", worst)
	}
	for _, o := range in {
		s.is(o.Incident, responsehub.Retract, responsehub.Done)
		s.persistenceDone(o)
		s.card(o.Ref, "1 Revoke sessions and lock account — ✓")
		if n := len(s.cards(o.Ref)); n != 1 {
			t.Errorf("%s has %d cards", o.Ref, n)
		}
	}
	if n := s.count("disable", ""); n < 50 {
		t.Errorf("%d accounts were disabled", n)
	}
	s.ownDirectory()
}

// wave makes an alert for the victim and for n more accounts of every customer.
func (s *stage) wave(n int) [][]byte {
	s.Helper()
	var out [][]byte
	for _, scene := range s.world.Scenes {
		alert := scene.Alert("wave-" + scene.Tenant.Name)
		for i := range n + 1 {
			if i > 0 {
				u := scene.Tenant.AddUser(tenant.Person{UPN: fmt.Sprintf("user%d@%s", i, scene.Tenant.Domains[0].Name), Name: fmt.Sprintf("User %d", i)})
				alert["id"] = fmt.Sprintf("wave-%s-%d", scene.Tenant.Name, i)
				alert["account"] = map[string]any{"object_id": u.ID, "user_principal_name": u.UPN}
				delete(alert, "persistence")
				delete(alert, "phish")
			}
			body, err := json.Marshal(alert)
			if err != nil {
				s.Fatal(err)
			}
			out = append(out, body)
		}
	}
	return out
}

// ownDirectory checks that no tenant was asked about another tenant's people.
func (s *stage) ownDirectory() {
	s.Helper()
	home := map[string]string{}
	for _, scene := range s.world.Scenes {
		s.frozen(func() {
			for _, u := range scene.Tenant.Users {
				home[u.ID] = scene.Tenant.ID
			}
		})
	}
	for _, e := range s.world.Wire.Effects() {
		if t, ok := home[e.Target]; ok && t != e.Tenant {
			s.Errorf("%s of %s in the directory of %s", e.Kind, e.Target, e.Tenant)
		}
	}
	// A request with another tenant's token would have been answered 404.
	for _, q := range s.world.Wire.Requests() {
		if q.Vendor == "graph" && q.Status == 404 && strings.Contains(q.Path, "/users/") {
			id, _ := url.PathUnescape(q.Path)
			s.Errorf("a user was looked for where they are not: %s %s", q.Method, id)
		}
	}
}
