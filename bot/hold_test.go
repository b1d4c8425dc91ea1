package bot

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/bot/card"
)

// TestHold: while a person reads a question on a card its updates wait, and no longer than
// until it is answered; the thread and the end of the incident do not wait.
func TestHold(t *testing.T) {
	const now = 3 * time.Second // of an update that does not wait
	human := func(inc *responsehub.Incident) error {
		inc.Step(responsehub.Lock).State = responsehub.NeedsHuman
		return note1(inc)
	}
	closed := func(inc *responsehub.Incident) error {
		inc.State, inc.ClosedAt = responsehub.FalseAlarm, time.Now()
		return note1(inc)
	}
	for _, tc := range []struct {
		name      string
		questions int
		answer    string        // title of the button, empty: none
		pause     time.Duration // between two questions
		change    responsehub.Edit
		replies   int
		soon      bool // the card follows at once
	}{
		{"no question", 0, "", 0, note1, 0, true},
		{"not answered", 1, "", 0, note1, 0, false},
		{"the thread hears", 1, "", 0, human, 1, false},
		{"cancelled", 1, "Cancel", 0, note1, 0, true},
		{"answered", 1, "Yes, a false alarm", 0, note1, 0, true},
		{"the end", 1, "", 0, closed, 1, true},
		{"asked once more", 2, "", holdFor, note1, 0, false},
		{"asked again and again", 3, "", holdFor, note1, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			newSigner("k1")
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t)
				l := newLane(h, h.incident(true))
				l.run(time.Minute)
				h.engine.incs[l.inc.ID] = clone(l.inc)
				ref := l.inc.Cards[general]
				n := 0
				pressed := func(verb string, data map[string]any) reply {
					n++
					act := press(annID, fmt.Sprint("a", n), verb, data)
					act["replyToId"] = ref.Activity
					act["conversation"].(map[string]any)["id"] = ref.Conversation
					return read(t, h.send(act))
				}
				for range tc.questions {
					time.Sleep(tc.pause)
					r := pressed(card.FalseAlarm, about(l.inc))
					if !r.says("needs a reason") {
						t.Fatalf("no question: %s", r.Value)
					}
					if tc.answer == "" {
						continue
					}
					b := buttonsOf(t, r.Value)[tc.answer]
					data := b["data"].(map[string]any)
					if tc.answer != "Cancel" {
						data[card.KeyWhy] = "On holiday."
					}
					pressed(b["verb"].(string), data)
				}
				begun, posts := time.Now(), len(l.world.seen("POST"))
				l.write(tc.change)
				l.run(holdFor + 10*time.Second)
				puts := l.world.seen("PUT")
				if len(puts) == 0 {
					t.Fatal("the card was never updated")
				}
				after := puts[0].At.Sub(begun)
				if (after < now) != tc.soon || after > holdFor+now {
					t.Errorf("the card followed after %s", after)
				}
				if got := l.inc.Cards[general]; got.Drawn != l.f.draw(l.inc).hash {
					t.Error("the card does not show the last state")
				}
				said := l.world.seen("POST")[posts:]
				if len(said) != tc.replies || len(said) > 0 && said[0].At.Sub(begun) > now {
					t.Errorf("said in the thread: %s", mustJSON(said))
				}
			})
		})
	}
}
