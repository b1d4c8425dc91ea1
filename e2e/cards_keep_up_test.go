package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"responsehub/bot/card"
)

// TestCardsKeepUp: a thousand alerts for fifty open incidents, whose cards stand in two
// channels, and the hub's process is killed in the middle. Teams' limits hold, no card is
// posted twice, and in the end every card shows the last state.
func TestCardsKeepUp(t *testing.T) {
	t.Parallel()
	const each = 20
	s := raise(t, scenery{tenants: 10, separate: true})
	alerts := s.wave(4)
	in := make([]opened, len(alerts))
	for i, body := range alerts {
		r, err := s.post(fmt.Sprintf("msg_first_%d", i), body)
		if err != nil || r.status != 202 {
			t.Fatalf("alert %d: %v, %v", i, r, err)
		}
		in[i] = s.took(r)
	}
	for _, o := range in {
		s.cardOnRecord(o)
	}
	start := time.Now()
	var all sync.WaitGroup
	for i, body := range alerts {
		all.Go(func() {
			for n := range each {
				s.once(t, fmt.Sprintf("msg_more_%d_%d", i, n), further(t, body, n))
			}
		})
	}
	time.Sleep(700 * time.Millisecond)
	s.killHub()
	s.startHub()
	all.Wait()
	taken := time.Since(start)
	for _, o := range in {
		s.within(4*time.Minute, "the card of "+o.Ref+" shows the last state", func() bool { return s.showsLast(o, each) })
	}
	t.Logf("1,000 alerts were taken within %s, the last card was right %s after the first", taken.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
	s.limitsOfTeamsHeld()
	for _, o := range in {
		if n := len(s.cards(o.Ref)); n != 1 {
			t.Errorf("%s has %d cards", o.Ref, n)
		}
	}
}

// further is another alert for the same account.
func further(t *testing.T, body []byte, n int) []byte {
	var a map[string]any
	if err := json.Unmarshal(body, &a); err != nil {
		t.Error(err)
		return nil
	}
	delete(a, "phish")
	delete(a, "persistence")
	a["id"] = fmt.Sprint(a["id"], "-more-", n)
	a["evidence"] = []map[string]any{{"at": time.Now().UTC().Format(time.RFC3339), "kind": "sign_in", "text": fmt.Sprintf("Sign-in number %d", n)}}
	out, err := json.Marshal(a)
	if err != nil {
		t.Error(err)
	}
	return out
}

// once sends an alert until the hub has taken it, as a sender does.
func (s *stage) once(t *testing.T, id string, body []byte) {
	for end := time.Now().Add(patience); time.Now().Before(end) && !t.Failed(); time.Sleep(200 * time.Millisecond) {
		if r, err := s.post(id, body); err == nil && r.status/100 == 2 {
			return
		}
	}
	if !t.Failed() {
		t.Errorf("alert %s was not taken", id)
	}
}

// showsLast reports whether the incident holds all alerts, and the card in Teams is the
// one that was drawn of that.
func (s *stage) showsLast(o opened, more int) bool {
	inc, ok := s.kept(o.Incident)
	cards := s.cards(o.Ref)
	if !ok || len(cards) != 1 || len(inc.Alerts) != more+1 {
		return false
	}
	hidden := len(inc.Evidence) - 5 // how many a card shows
	for _, ref := range inc.Cards {
		return ref.Drawn == card.Hash(cards[0].Card) && strings.Contains(cardText(cards[0].Card), fmt.Sprintf("and %d more of evidence", hidden))
	}
	return false
}

// limitsOfTeamsHeld checks the world's own ledger: next to nothing was refused for its
// number, and no stretch of time holds more than Teams allows in a channel.
//
// What the hub spaced out may arrive bunched on a machine that is busy with other tests, so
// the windows here are shorter by a quarter, and a few calls may have been throttled: a hub
// that kept no limit has hundreds.
func (s *stage) limitsOfTeamsHeld() {
	s.Helper()
	throttled := 0
	calls := map[string][]time.Time{}
	for _, q := range s.world.Wire.Requests() {
		if q.Vendor != "teams" || q.Method == "GET" {
			continue
		}
		if q.Status == 429 {
			throttled++
		}
		if _, rest, ok := strings.Cut(q.Path, "/v3/conversations/"); ok {
			channel, _, _ := strings.Cut(strings.NewReplacer("%3A", ":", "%3B", ";", "%40", "@").Replace(rest), ";messageid=")
			calls[channel] = append(calls[channel], q.At)
		}
	}
	if len(calls) == 0 {
		s.Error("the ledger knows no call to Teams")
	}
	if throttled > 3 {
		s.Errorf("Teams had to throttle %d calls", throttled)
	}
	for channel, at := range calls {
		for n, window := range map[int]time.Duration{7: time.Second, 8: 2 * time.Second, 60: 30 * time.Second} {
			for i := n; i < len(at); i++ {
				if d := at[i].Sub(at[i-n]); d < window*3/4 {
					s.Errorf("%d calls within %s in %s; Teams allows %d in %s", n+1, d, channel, n, window)
					break
				}
			}
		}
	}
}
