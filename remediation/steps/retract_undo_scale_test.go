package steps

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"responsehub"
	"responsehub/remediation/remediationtest"
)

// TestUndoOfAThousand: a thousand messages, thirty of them in one mailbox, are moved back
// about as fast as they were moved: many at once, never more than four at a mailbox. With
// every fiftieth request throttled and the hub killed on the way, none is moved twice.
func TestUndoOfAThousand(t *testing.T) {
	for _, c := range []struct {
		name  string
		every int64
		kills []int
		most  time.Duration // of the last turns; three requests a message, 64 at once, take 7 s, and thirty in one mailbox hold up the last
	}{
		{name: "undisturbed", most: 12 * time.Second},
		{name: "throttled and killed", every: 50, kills: []int{1, 2, 3}, most: 40 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, p := lured()
				w := newBigTenant(1001, 150*time.Millisecond)
				in := p.ReceivedAfter.Add(time.Minute)
				for n := range 970 {
					w.deliver(n, "a", p.InternetMessageID, p.Sender, p.Subject, in)
				}
				for i := range 30 {
					w.deliver(1000, fmt.Sprint("many ", i), p.InternetMessageID, p.Sender, p.Subject, in)
				}
				b := remediationtest.New(a, true)
				r := &Retract{Mail: w, Letters: b.Letters()}
				b.Run(t, r, 20)
				check(t, b.Incident, responsehub.Retract, responsehub.Done)
				moved := b.Incident.Step(responsehub.Retract).Progress.Moved

				w.every, w.most, w.mostBox = c.every, 0, 0
				undo(t, b, responsehub.Retract)
				for _, kill := range c.kills {
					b.KillAt = b.Saves + kill
					b.Run(t, r, 2)
				}
				b.KillAt = 0
				begin := time.Now()
				b.Run(t, r, 20)
				s := check(t, b.Incident, responsehub.Retract, responsehub.Undone)
				if took := time.Since(begin); took > c.most {
					t.Errorf("it took %s, want at most %s", took, c.most)
				}
				if w.mostBox > perMailbox || w.most > width {
					t.Errorf("%d at once at one mailbox, %d in all", w.mostBox, w.most)
				}
				if moved != 1000 || s.Progress.Returned != moved {
					t.Errorf("of %d that were moved %d are back", moved, s.Progress.Returned)
				}
				for box, letters := range w.letters {
					for _, l := range letters {
						if l.Folder != "inbox-"+box {
							t.Errorf("%s|%s lies in %s", box, l.ID, l.Folder)
						}
					}
				}
				for key, n := range w.moves {
					if n != 2 {
						t.Errorf("%s was moved %d times, want there and back", key, n)
					}
				}
			})
		})
	}
}
