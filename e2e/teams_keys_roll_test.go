package e2e

import (
	"net/http"
	"testing"

	"responsehub"
)

// TestTeamsKeysRoll: Teams rolls its signing keys while the hub runs. The next click,
// signed by the new key, is believed at once, and the hub needs no restart.
func TestTeamsKeysRoll(t *testing.T) {
	t.Parallel()
	s := raise(t, scenery{})
	in := s.alert(s.world.Alert("manual"))
	s.click("ann", in.Ref, "Publish Incident", nil)
	if err := s.world.Teams.RollKeys(); err != nil {
		t.Fatal(err)
	}
	out := s.click("bob", in.Ref, "1 Revoke sessions and lock account", nil)
	if out.Status != http.StatusOK || !out.Replaced {
		t.Errorf("the click after the roll got %+v", out)
	}
	s.is(in.Incident, responsehub.Lock, responsehub.Done)
	// The thread tells what a person should notice, below the card, once.
	card := s.cards(in.Ref)[0]
	s.until("the lock is told in the thread", func() bool { return s.toldInThread(card.ID) == 1 })
}

// toldInThread counts the bot's replies below a message.
func (s *stage) toldInThread(root string) (n int) {
	for _, ch := range s.world.Teams.Snapshot().Channels {
		for _, m := range ch.Messages {
			if m.Root == root && m.ID != root && m.From == "bot" {
				n++
			}
		}
	}
	return n
}
