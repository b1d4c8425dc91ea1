package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTwoHubsOneCard: two processes of the hub on one Redis keep the cards of twelve
// incidents while alerts pour in; one is killed in the middle and comes back, then the
// other. Each incident has one card, drawn by one at a time: no update goes back in time,
// and the last state is shown by whoever is left.
func TestTwoHubsOneCard(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{tenants: 4, separate: true})
	first := s.hub.(*child)
	file, url := s.secondConfig()
	second := s.spawnAt(file, url)
	alerts := s.wave(2)
	in := make([]opened, len(alerts))
	for i, body := range alerts {
		r, err := s.post(fmt.Sprintf("msg_first_%d", i), body)
		if err != nil || r.status != 202 {
			t.Fatalf("alert %d: %v, %v", i, r, err)
		}
		in[i] = s.took(r)
	}
	for _, o := range in {
		s.until("the first card of "+o.Ref, func() bool { return len(s.cards(o.Ref)) == 1 })
	}
	sent := 0
	pour := func(n int) { // n more alerts for each incident
		for range n {
			for i, body := range alerts {
				s.once(t, fmt.Sprintf("msg_more_%d_%d", i, sent), further(t, body, sent))
			}
			sent++
		}
	}
	allRight := func(when string) {
		for _, o := range in {
			s.until(when+" the card of "+o.Ref+" shows the last state", func() bool { return s.showsLast(o, sent) })
		}
	}
	pour(6)
	second.kill()
	pour(4)
	allRight("while one is dead")
	second = s.spawnAt(file, url)
	pour(6)
	first.kill()
	allRight("after the other was killed")
	s.startHub()
	pour(2)
	allRight("in the end")
	s.limitsOfTeamsHeld()
	s.onlyForward()
	for _, o := range in {
		if n := len(s.cards(o.Ref)); n != 1 {
			t.Errorf("%s has %d cards", o.Ref, n)
		}
	}
	second.stop(t)
}

// secondConfig is the hub's configuration with another address to listen on.
func (s *stage) secondConfig() (file, url string) {
	s.Helper()
	raw, err := os.ReadFile(s.configFile())
	if err != nil {
		s.Fatal(err)
	}
	addr := freeAddr(s)
	mine := fmt.Sprintf("listen: %q", strings.TrimPrefix(s.url, "http://"))
	if !strings.Contains(string(raw), mine) {
		s.Fatalf("the configuration has no %s", mine)
	}
	file = filepath.Join(s.dir, "second.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(string(raw), mine, fmt.Sprintf("listen: %q", addr), 1)), 0o600); err != nil {
		s.Fatal(err)
	}
	return file, "http://" + addr
}

var evidenceLeft = regexp.MustCompile(`and (\d+) more of evidence`)

// onlyForward checks that no update of a card showed less evidence than the one before.
func (s *stage) onlyForward() {
	s.Helper()
	shown, updates := map[string]int{}, 0
	for _, q := range s.world.Wire.Requests() {
		m := evidenceLeft.FindStringSubmatch(q.Body)
		if q.Vendor != "teams" || q.Method != "PUT" || q.Status != 200 || m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[1])
		if updates++; n < shown[q.Path] {
			s.Errorf("the card %s went back from %d to %d", q.Path, shown[q.Path], n)
		}
		shown[q.Path] = n
	}
	if updates < 24 {
		s.Errorf("only %d updates were seen", updates)
	}
}
